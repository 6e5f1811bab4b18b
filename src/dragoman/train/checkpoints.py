"""What a training has reached, kept so that a killed one goes on from there.

In: checkpoints as the trainer writes them, and models of epochs. Out: the last one that is whole, when the same training is started
again. A mark, replaced last and at once, names it; whatever the mark does not name is as if it were not there.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from dragoman.models.protocols import Vectors

_MARK, _EPOCHS, _SCORES = "reached.json", "epochs", "teacher.npy"
_STATE = "trainer_state.json"  # the trainer's own record of its steps


def epoch_folder(output: Path, epoch: int) -> Path:
    """Where the model lies as it was after an epoch, the first being 1."""
    return output / f"epoch-{epoch}"


def weights_hash(model: Path) -> str:
    """Hash of all files of a model's folder."""
    total = hashlib.sha256()
    for path in sorted(path for path in model.rglob("*") if path.is_file()):
        total.update(path.relative_to(model).as_posix().encode() + b"\0")
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a training has come: the newest whole checkpoint ("": none), and what went before it."""

    checkpoint: str = ""
    epochs: int = 0
    seconds: float = 0.0
    validation: tuple[float, ...] = ()


class Checkpoints:
    """The folder of a training under way.

    Args:
        folder: Made if it is not there; emptied if it is of another training.
        fingerprint: Of all that decides the weights.
    """

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self.folder, self._fingerprint = folder, fingerprint
        reached = self._read()
        if reached is None:
            shutil.rmtree(folder, ignore_errors=True)
            (folder / _EPOCHS).mkdir(parents=True)
            reached = Reached()
        self.reached = reached
        self.keep(reached)

    @property
    def latest(self) -> Path | None:
        """The newest whole checkpoint, if there is one."""
        return self.folder / self.reached.checkpoint if self.reached.checkpoint else None

    def keep(self, reached: Reached) -> None:
        """Let a checkpoint that is now whole count, and remove all others."""
        beside = self.folder / f"{_MARK}.new"
        beside.write_text(json.dumps({"fingerprint": self._fingerprint, **asdict(reached)}), encoding="utf-8")
        beside.replace(self.folder / _MARK)
        self.reached = reached
        for other in self.folder.glob("checkpoint-*"):
            if other.name != reached.checkpoint:
                shutil.rmtree(other, ignore_errors=True)

    def keep_epoch(self, epoch: int, save: Callable[[Path], None]) -> Path:
        """Save the model as it is after an epoch.

        Args:
            epoch: The epoch, the first being 1.
            save: Writes the model to a folder that is not there yet.

        Returns:
            The model's folder, which is whole.
        """
        place = epoch_folder(self.folder / _EPOCHS, epoch)
        beside = place.with_name(f"{place.name}.part")
        for old in (place, beside):
            shutil.rmtree(old, ignore_errors=True)
        save(beside)
        return beside.replace(place)

    def scores(self, score: Callable[[], Vectors]) -> Vectors:
        """The teacher's scores, which are asked for once."""
        place = self.folder / _SCORES
        if not place.exists():
            beside = place.with_name(f"new-{_SCORES}")  # numpy would add its ending to another one
            np.save(beside, score(), allow_pickle=False)
            beside.replace(place)
        known: Vectors = np.load(place, allow_pickle=False)
        return known

    def losses(self) -> tuple[float, ...]:
        """The loss of each step up to the newest checkpoint."""
        if self.latest is None:
            return ()
        history = json.loads((self.latest / _STATE).read_text(encoding="utf-8"))["log_history"]
        return tuple(float(row["loss"]) for row in history if "loss" in row)

    def finish(self, output: Path) -> None:
        """Put the models of the epochs where they belong, and remove the rest."""
        shutil.rmtree(output, ignore_errors=True)
        (self.folder / _EPOCHS).replace(output)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self) -> Reached | None:
        """What the mark says, if it is of this training and all that it names is there."""
        try:
            mark = json.loads((self.folder / _MARK).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if mark.pop("fingerprint", "") != self._fingerprint:
            return None
        reached = Reached(**{**mark, "validation": tuple(mark["validation"])})
        named = [epoch_folder(self.folder / _EPOCHS, epoch + 1) for epoch in range(reached.epochs)]
        named += [self.folder / _EPOCHS, self.folder / reached.checkpoint]
        return reached if all(path.is_dir() for path in named) else None
