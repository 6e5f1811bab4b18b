"""What happens beside the optimiser's steps.

In: each step and each epoch, as the trainer gets through them. Out: progress, checkpoints now and then, the model of each epoch and what
validation says of it; and when to stop. It does not compute a gradient.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from dragoman.config import TrainSettings
from dragoman.models.protocols import Advance
from dragoman.train.checkpoints import Checkpoints
from dragoman.train.memory import give_back

CHECKPOINT_SECONDS = 60.0  # the most that a kill costs, besides an epoch's validation


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a training is, and who follows it.

    ``steps`` are those of an epoch, ``epochs`` the last one; ``validate`` judges the folder of a model, larger being better.
    """

    steps: int
    epochs: int
    patience: int = 0
    validate: Callable[[Path], float] | None = None
    advance: Advance | None = None


def plan_of(
    settings: TrainSettings,
    steps: int,
    stop_after: int,
    validate: Callable[[Path], float] | None,
    advance: Advance | None,
) -> Plan:
    """The plan that the settings ask for; ``stop_after`` epochs it ends, 0: after all."""
    epochs = min(stop_after or settings.epochs, settings.epochs)
    return Plan(steps, epochs, settings.patience, validate, advance)


class Course:
    """One training, followed from its start or from where a killed one was.

    Args:
        plan: How long it is.
        checkpoints: What it has reached; kept up to date.
        save: Writes the model as it is now to a folder.
    """

    def __init__(self, plan: Plan, checkpoints: Checkpoints, save: Callable[[Path], None]) -> None:
        self._plan, self._checkpoints, self._save = plan, checkpoints, save
        self._now = checkpoints.reached
        self._began = self._saved = time.perf_counter()

    @property
    def over(self) -> bool:
        """Whether the last epoch is done, or validation has not gained for as long as patience lasts."""
        values = self._now.validation
        waited = len(values) - 1 - values.index(max(values)) if values else 0
        return self._now.epochs >= self._plan.epochs or 0 < self._plan.patience <= waited

    def begin(self, step: int) -> None:
        """Start the clock at ``step``, which is 0 unless a killed training goes on."""
        self._began = self._saved = time.perf_counter()
        if step and self._plan.advance:
            self._plan.advance(step)

    def after_step(self, step: int) -> bool:
        """Count a step; returns whether a checkpoint is due."""
        if self._plan.advance:
            self._plan.advance(1)
        # The end of an epoch has a checkpoint of its own, which would be written over this one, and a kill could spoil both.
        return step % self._plan.steps != 0 and time.perf_counter() - self._saved >= CHECKPOINT_SECONDS

    def after_epoch(self, epoch: int) -> None:
        """Save the model of an epoch, the first being 1, and have it judged."""
        folder = self._checkpoints.keep_epoch(epoch, self._save)
        self._now = replace(self._now, epochs=epoch)
        give_back()
        if self._plan.validate:
            paused = time.perf_counter()
            value = float(self._plan.validate(folder))
            self._began += time.perf_counter() - paused
            self._now = replace(self._now, validation=(*self._now.validation, value))

    def after_checkpoint(self, name: str) -> None:
        """Let the checkpoint count that the trainer has just written."""
        now = time.perf_counter()
        spent = self._now.seconds + now - self._began
        self._began = self._saved = now
        self._now = replace(self._now, checkpoint=name, seconds=spent)
        self._checkpoints.keep(self._now)
