"""The folder of artefacts: one subfolder a stage, complete or absent, each with a manifest.

In: manifests and the files of a stage. Out: the same, later, and whether they are fresh. It knows the
names of the stages but nothing of what they do.
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from dragoman.errors import MissingArtefact, WorkspaceBusy, WorkspaceError
from dragoman.records import Manifest

SCHEMA = 1
STAGES = ("ingest", "synth", "train", "evaluate", "refit", "index")
MANIFEST, RECIPE = "manifest.json", "recipe.json"
_FILES, _MARKER, _RECIPE_FILE = "files.json", "fingerprint", "recipe-file.json"
COMMANDS = dict(zip(STAGES, ("ingest", "synth", "train", "evaluate", "index", "index"), strict=True))


@dataclass(frozen=True, slots=True)
class RecipeFile:
    """The file that a workspace's recipe came from: where it lay, and the hash of what it said."""

    path: str
    content: str


class Workspace:
    """A workspace folder.

    Args:
        root: The folder; made on the first write.
        recipe_file: Where the recipe of a run comes from; noted when the recipe is kept.

    Raises:
        WorkspaceError: It belongs to another schema version.
    """

    def __init__(self, root: Path, recipe_file: RecipeFile | None = None) -> None:
        self.root = root
        self._recipe_file = recipe_file
        marker = root / "workspace.json"
        if marker.is_file():
            try:
                found = json.loads(marker.read_text(encoding="utf-8"))["schema"]
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise WorkspaceError(
                    f"cannot read {marker}: {error}", hint=f"Remove {root} and build again."
                ) from error
            if found != SCHEMA:
                hint = f"Build into another folder with --workspace, or remove {root}."
                raise WorkspaceError(f"{root} has schema {found}", expected=f"schema {SCHEMA}", hint=hint)

    def folder(self, stage: str) -> Path:
        """Where a stage's artefact lies."""
        return self.root / stage

    @property
    def answers(self) -> Path:
        """The store of LLM answers."""
        return self.root / "answers.sqlite"

    def manifest(self, stage: str) -> Manifest | None:
        """A stage's manifest, or None when its artefact is absent or was never finished."""
        path = self.folder(stage) / MANIFEST
        if not path.is_file():
            return None
        try:
            return Manifest(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            hint = f"Remove {path.parent} and run: dragoman {COMMANDS.get(stage, 'build')}"
            raise WorkspaceError(f"cannot read {path}: {error}", hint=hint) from error

    def need(self, stage: str) -> Manifest:
        """A stage's manifest.

        Raises:
            MissingArtefact: There is none; the hint is the command that makes it.
        """
        manifest = self.manifest(stage)
        if manifest is None:
            raise MissingArtefact(
                f"{self.root} has no finished '{stage}' yet",
                hint=f"Run: dragoman {COMMANDS[stage]} (or dragoman build)",
            )
        return manifest

    def begin(self, stage: str, fingerprint: str) -> Path:
        """A folder to build a stage's artefact in, beside the finished one.

        What an interrupted run with the same fingerprint left there is still there, so that a stage may
        go on where it was; with another fingerprint the folder is empty.
        """
        part = self.root / f"{stage}.part"
        marker = part / _MARKER
        if part.exists() and not (marker.is_file() and marker.read_text(encoding="utf-8") == fingerprint):
            shutil.rmtree(part)
        replace_text(marker, fingerprint)
        return part

    def finish(self, stage: str, manifest: Manifest) -> None:
        """Put the built folder in place of the old artefact, manifest last; the sizes of its files are noted."""
        part, final = self.root / f"{stage}.part", self.folder(stage)
        old = self.root / f"{stage}.old"
        replace_text(part / _FILES, json.dumps(_sizes(part), indent=2, sort_keys=True) + "\n")
        replace_text(part / MANIFEST, _dump(manifest))
        shutil.rmtree(old, ignore_errors=True)
        if final.exists():
            final.replace(old)
        part.replace(final)
        shutil.rmtree(old, ignore_errors=True)

    def stamp(self, stage: str, manifest: Manifest) -> None:
        """Write the manifest of an artefact that swaps itself (the index)."""
        replace_text(self.folder(stage) / MANIFEST, _dump(manifest))

    def unstamp(self, stage: str) -> None:
        """Declare an artefact unfinished."""
        (self.folder(stage) / MANIFEST).unlink(missing_ok=True)

    def damage(self, stage: str) -> list[str]:
        """What of a finished artefact is not as it was written, by the sizes of its files.

        Args:
            stage: Its stage.

        Returns:
            A line for each file that is missing or has changed; none where no sizes were noted.
        """
        folder = self.folder(stage)
        try:
            noted = dict(json.loads((folder / _FILES).read_text(encoding="utf-8")))
        except FileNotFoundError:
            return []  # an index swaps its own files, and older versions noted nothing
        except (OSError, ValueError, TypeError):
            return [f"{_FILES} has changed"]
        found = _sizes(folder)
        return [
            f"{name} {'has changed' if name in found else 'is missing'}"
            for name, size in noted.items()
            if found.get(name) != size
        ]

    @contextmanager
    def writing(self, need_mb: int = 0) -> Iterator[None]:
        """Hold the workspace's lock; a lock whose owner is dead is taken over.

        Args:
            need_mb: Free megabytes that the work will need at least.

        Raises:
            WorkspaceBusy: Another living process holds it.
            WorkspaceError: Too little disk space, or the folder is not writable.
        """
        lock = self.root / "lock"
        marker = self.root / "workspace.json"
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise WorkspaceError(f"cannot make {self.root}: {error.strerror}") from error
        free = shutil.disk_usage(self.root).free // 2**20
        if free < need_mb:
            hint = "Free some space, or use another disk with --workspace."
            raise WorkspaceError(f"{free} MB free on the disk of {self.root}", expected=f"{need_mb} MB", hint=hint)
        handle = _lock(lock, self.root)
        try:
            if not marker.is_file():
                replace_text(marker, json.dumps({"schema": SCHEMA}))
            yield
        finally:
            os.close(handle)

    def keep_recipe(self, text: str) -> None:
        """Keep the resolved recipe and where it came from, so that later commands here need no options."""
        replace_text(self.root / RECIPE, text + "\n")
        # Last: a note that is older than the recipe only makes the file look edited, and it is read again.
        if self._recipe_file:
            replace_text(self.root / _RECIPE_FILE, json.dumps(asdict(self._recipe_file), indent=2) + "\n")
        else:
            (self.root / _RECIPE_FILE).unlink(missing_ok=True)

    def kept_recipe_file(self) -> RecipeFile | None:
        """The file that the kept recipe came from; None: from none, or nobody noted it."""
        try:
            return RecipeFile(**json.loads((self.root / _RECIPE_FILE).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def check_idle(self) -> None:
        """Refuse before anything is changed when another process is at work here.

        Raises:
            WorkspaceBusy: Another living process holds the lock.
        """
        path = self.root / "lock"
        if path.is_file():
            os.close(_lock(path, self.root))


def replace_text(path: Path, text: str) -> None:
    """Write a file in one step: a reader sees the old text or the new one, also when the writer is killed.

    Args:
        path: The file; its folder is made if absent.
        text: What it says from now on.

    Raises:
        WorkspaceError: It cannot be written.
    """
    beside = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise WorkspaceError(f"cannot write {path}: {error.strerror}", hint="Free some space and rerun.") from error


def _lock(path: Path, root: Path) -> int:
    """An exclusive lock that the system drops when its owner dies, however it dies."""
    import fcntl

    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise WorkspaceError(f"cannot write to {root}: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = os.read(handle, 32).decode("ascii", "replace").strip() or "unknown"
        os.close(handle)
        raise WorkspaceBusy(
            f"another dragoman (process {owner}) is working in {root}", hint="Wait for it, or use another --workspace."
        ) from error
    try:
        os.ftruncate(handle, 0)
        os.write(handle, str(os.getpid()).encode())
    except OSError as error:
        os.close(handle)
        raise WorkspaceError(f"cannot write to {root}: {error.strerror}", hint="Free some space and rerun.") from error
    return handle


def _sizes(folder: Path) -> dict[str, int]:
    """Sizes of the files of an artefact by name, what the workspace itself writes there left out."""
    own = {MANIFEST, _FILES, _MARKER}
    found = {path.relative_to(folder).as_posix(): path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    return {name: size for name, size in found.items() if name not in own}


def _dump(manifest: Manifest) -> str:
    return json.dumps(asdict(manifest), indent=2, sort_keys=True) + "\n"
