"""Train an embedding model with a plain script of sentence-transformers, as the post and philschmid do; run by the drivers.

In: a JSON file: the base model's folder, columns of texts, a loss (``mnrl`` or ``triplet``, inside the Matryoshka loss) and
hyper-parameters. Out: one JSON object on standard output, and a model folder for each epoch. It knows nothing of Dragoman.
"""

import argparse
import json
import resource
import time
from pathlib import Path
from typing import Any

LEAST_DIMENSION = 64


def main() -> None:
    """Read the job, train, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("job", type=Path)
    job = json.loads(parser.parse_args().job.read_text(encoding="utf-8"))
    print(json.dumps(train(job)))


def train(job: dict[str, Any]) -> dict[str, Any]:
    """Load, train, and keep the model of each epoch in ``job["output"]``."""
    begun = time.monotonic()
    import torch
    from datasets import Dataset
    from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer

    imported = time.monotonic()
    model = SentenceTransformer(job["base"], local_files_only=True)
    trainer = SentenceTransformerTrainer(
        model=model,
        args=_arguments(job, cuda=torch.cuda.is_available()),
        train_dataset=Dataset.from_dict(job["columns"]),
        loss=_loss(model, job["loss"]),
        callbacks=[_keep_each_epoch(model, Path(job["output"]))],
    )
    ready = time.monotonic()
    trainer.train()
    ended = time.monotonic()
    return {
        "imports": imported - begun,
        "call": ended - imported,
        "training": ended - ready,
        "steps": int(trainer.state.global_step),
        "precision": "bf16" if job["bf16"] else "fp32",
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _arguments(job: dict[str, Any], *, cuda: bool) -> Any:  # noqa: ANN401 - the library's type is untyped here
    """What both scripts set, and what has to be off in a benchmark: bars, trackers, checkpoints with the optimiser's state."""
    from sentence_transformers import SentenceTransformerTrainingArguments

    return SentenceTransformerTrainingArguments(
        output_dir=str(Path(job["output"]) / "scratch"),
        num_train_epochs=job["epochs"],
        max_steps=job["steps"] or -1,
        per_device_train_batch_size=job["batch"],
        gradient_accumulation_steps=job["accumulation"],
        learning_rate=job["rate"],
        warmup_steps=job["warmup"],
        lr_scheduler_type="cosine",
        use_cpu=not cuda,  # without it the library refuses bf16 on a processor
        bf16=job["bf16"],
        tf32=True if job["bf16"] and cuda else None,
        batch_sampler="no_duplicates" if job["distinct"] else "batch_sampler",
        seed=job["seed"],
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=cuda,
    )


def _loss(model: Any, name: str) -> Any:  # noqa: ANN401 - as above
    from sentence_transformers.sentence_transformer.losses import (
        MatryoshkaLoss,
        MultipleNegativesRankingLoss,
        TripletLoss,
    )

    own = model.get_embedding_dimension()
    dims = [own, *(dim for dim in (512, 256, 128, LEAST_DIMENSION) if dim < own)]
    # The triplet loss has the library's defaults, as in the post: Euclidean distance and a margin of 5.
    inner = TripletLoss(model) if name == "triplet" else MultipleNegativesRankingLoss(model)
    return MatryoshkaLoss(model, inner, dims)


def _keep_each_epoch(model: Any, output: Path) -> Any:  # noqa: ANN401 - as above
    from transformers import TrainerCallback

    class Keep(TrainerCallback):
        """Both scripts save a checkpoint after each epoch; this keeps the model alone, without the optimiser's state."""

        def on_epoch_end(self, _args: object, state: Any, *_: object, **__: object) -> None:  # noqa: ANN401 - as above
            model.save_pretrained(str(output / f"epoch-{round(state.epoch)}"), create_model_card=False)

    return Keep()


if __name__ == "__main__":
    main()
