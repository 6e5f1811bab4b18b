"""The models of the rounds: where they lie, and which checkpoints and mixtures validation chooses from.

In: the finished artefact of ``train``. Out: checkpoints and folders. Nothing is loaded here.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from dragoman.pipeline.context import Run
from dragoman.train.finetune import epoch_folder


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tuned model after ``epochs`` passes, with ``share`` of its weights in a mean with the base's."""

    epochs: int
    share: float


def checkpoints(run: Run) -> list[Checkpoint]:
    """What validation chooses from: each epoch's model, and the last one's in every mixture of the recipe.

    Args:
        run: The run; ``train`` is finished.

    Returns:
        Checkpoints, the shortest training first.
    """
    shares = sorted(set(run.recipe.train.mixes)) or [1.0]
    last = max(_trained(run))
    early = [Checkpoint(epochs, shares[-1]) for epochs in range(1, last)]
    return early + [Checkpoint(last, share) for share in shares]


def round_folder(run: Run, number: int, epochs: int) -> Path:
    """The model of a round after so many epochs; of a round that stopped before, its last."""
    done = min(epochs, _trained(run)[number])
    return epoch_folder(run.workspace.folder("train") / f"round-{number}", done)


def _trained(run: Run) -> list[int]:
    rounds = cast("list[dict[str, Any]]", run.workspace.need("train").notes["rounds"])
    return [int(row["epochs"]) for row in rounds]
