"""One training step with and without dropout: seconds, and peak memory.

In: the folder of an embedding model (default: the catalog's) and a batch. Out: a line a variant, each run in a
process of its own. The passages are as long as a chunk may be, so this is the dearest step of a training.

    python benchmarks/training_step.py --batch 32 --steps 5
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from dragoman.models.catalog import resolve


def main() -> None:
    """Run both variants, or one of them when asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="all-MiniLM-L6-v2")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--dropout", choices=["on", "off"])
    options = parser.parse_args()
    if options.dropout:
        model = resolve(options.model, say=lambda _: None)
        print(json.dumps(_measure(model, options.batch, options.steps, dropout=options.dropout == "on")))
        return
    for variant in ("on", "off"):
        subprocess.run([sys.executable, __file__, *sys.argv[1:], "--dropout", variant], check=True)


def _measure(folder: Path, batch: int, steps: int, *, dropout: bool) -> dict[str, object]:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss, MultipleNegativesRankingLoss

    model = SentenceTransformer(str(folder)).train()
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout) and not dropout:
            module.p = 0.0
    dims = [dim for dim in (384, 256, 128, 64) if dim <= (model.get_embedding_dimension() or 0)]
    loss = MatryoshkaLoss(model, MultipleNegativesRankingLoss(model), dims)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
    columns = [
        [f"how is part {row} of it done" for row in range(batch)],
        [f"part {row} " * 120 for row in range(batch)],
    ]
    features = [model.preprocess(column) for column in columns]
    seconds = []
    for _ in range(steps + 1):
        start = time.perf_counter()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            value = loss([dict(feature) for feature in features], None)
        value.backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    median = sorted(seconds[1:])[steps // 2]
    return {"dropout": dropout, "batch": batch, "seconds_a_step": round(median, 2), "peak_mib": peak}


if __name__ == "__main__":
    main()
