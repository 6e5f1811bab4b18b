"""Which table is served: the pointer file, and the description that lies beside each table.

In and out: small JSON files in the index folder. A table is a folder named ``<content>-<counter>``;
the pointer names one of them and is replaced in one step. It does not know what a table holds.
"""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dragoman.errors import MissingArtefact, WorkspaceError
from dragoman.records import ModelChoice, Refusal, Serving

SCHEMA = 2
POINTER = "current.json"
META = "meta.json"
MODEL, RERANKER = "model", "reranker"
PARTIAL = ".partial"

_NAME = re.compile(r"[0-9A-Za-z]+-(\d{6})")
_REBUILD = "Build it with: dragoman index"


@dataclass(frozen=True, slots=True)
class IndexMeta:
    """What a table was made of, and how questions are answered from it.

    Attributes:
        fingerprint: The encoder's fingerprint; another encoder's vectors mean nothing here.
        model: Which of the two models the encoder is.
        dimension: Length of a vector.
        serving: What ``auto`` does, chosen on validation.
        content: Hash of the chunks.
        docs: What the documentation is called, with its revision.
        recipe: What the recipe said of the model, its prompts and of cutting; a recipe that says otherwise does not fit this table.
        versions: The version of the product that each source describes, for sources that say so.
        latest: The version that is searched when none is asked for; "": there are none.
        refusal: When not to answer; None: it was not calibrated.
        reranker: Name of the cross-encoder that puts hits in order, where it is not the one that is kept with the table.
        schema: Version of the table's layout.
    """

    fingerprint: str
    model: ModelChoice
    dimension: int
    serving: Serving
    content: str
    docs: str = ""
    recipe: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    latest: str = ""
    refusal: Refusal | None = None
    reranker: str = ""
    schema: int = SCHEMA


def tables(root: Path) -> list[str]:
    """Names of the finished tables, oldest first."""
    found = {path.name: match for path in root.glob("*-*") if (match := _NAME.fullmatch(path.name))}
    return sorted(found, key=lambda name: int(found[name].group(1)))


def next_name(root: Path, content: str) -> str:
    """A name that no table had: the counter goes up with each build, also of the same content."""
    last = tables(root)[-1:]
    counter = int(last[0].rsplit("-", 1)[1]) + 1 if last else 1
    return f"{re.sub(r'[^0-9A-Za-z]', '', content)[:12] or 'table'}-{counter:06d}"


def read_pointer(root: Path) -> str:
    """Name of the served table.

    Args:
        root: The index folder.

    Returns:
        The name; the table itself may be gone.

    Raises:
        MissingArtefact: No index was built here.
        WorkspaceError: The pointer is not one.
    """
    path = root / POINTER
    try:
        name = json.loads(path.read_bytes())["table"]
    except FileNotFoundError:
        raise MissingArtefact(f"no index in {root}", hint=_REBUILD) from None
    except OSError as error:
        raise WorkspaceError(f"cannot read {path}: {error}") from error
    except (ValueError, KeyError, TypeError):
        raise WorkspaceError(f"{path} is damaged", expected="the name of a table", hint=_REBUILD) from None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise WorkspaceError(f"{path} names the table {name!r}", expected="<content>-<counter>", hint=_REBUILD)
    return name


def write_pointer(root: Path, name: str) -> None:
    """Serve the table ``name`` from now on; a reader sees the old pointer or the new one."""
    path = root / POINTER
    beside = path.with_name(POINTER + PARTIAL)
    with beside.open("w", encoding="utf-8") as file:
        json.dump({"table": name}, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def read_meta(root: Path, name: str) -> IndexMeta:
    """Description of a table.

    Args:
        root: The index folder.
        name: The table's name.

    Returns:
        What the table was made of.

    Raises:
        MissingArtefact: The table is gone.
        WorkspaceError: The description is damaged, or of another layout.
    """
    path = root / name / META
    try:
        table = json.loads(path.read_bytes())
        if table["schema"] != SCHEMA:
            happened = f"the index {name} has layout {table['schema']}"
            raise WorkspaceError(happened, expected=f"layout {SCHEMA}", hint=_REBUILD)
        refusal = table.get("refusal")
        table |= {"serving": Serving(**table["serving"]), "refusal": Refusal(**refusal) if refusal else None}
        return IndexMeta(**table)
    except FileNotFoundError:
        raise MissingArtefact(f"the index {name} is gone from {root}", hint=_REBUILD) from None
    except OSError as error:
        raise WorkspaceError(f"cannot read {path}: {error}") from error
    except (ValueError, KeyError, TypeError):
        raise WorkspaceError(f"{path} is damaged", expected="the description of a table", hint=_REBUILD) from None


def write_meta(folder: Path, meta: IndexMeta) -> None:
    """Lay the description beside a table."""
    (folder / META).write_text(json.dumps(asdict(meta), indent=2, sort_keys=True) + "\n", encoding="utf-8")
