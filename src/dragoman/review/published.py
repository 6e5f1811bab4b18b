"""Items to review from a published dataset, without a workspace: of the Hugging Face Hub, or of a local file or folder.

In: ``hf:owner/name[@revision][:split]``, or the path of a Parquet, JSON Lines or CSV file or of a folder of them, such as ``datasets``
saves. Out: items of one kind, their ids made of their texts. Code that a repository holds is never run, and nothing is kept on this machine.
"""

import csv
import fnmatch
import json
import math
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from dragoman.errors import SourceError
from dragoman.records import ReviewKind, content_id
from dragoman.review.items import FORMS, Form, Item
from dragoman.review.select import NO_NEGATIVE

if TYPE_CHECKING:
    from huggingface_hub.errors import HfHubHTTPError

_FORMATS: Final = (".parquet", ".arrow", ".jsonl", ".csv")
_COLUMNS: Final = {"chunk": ("chunk", "chunks")}  # other names of a field's column
_SPEC = re.compile(r"hf:((?:[\w-][\w.-]*/)?[\w-][\w.-]*)(?:@([^:\s]+))?(?::([\w.-]+))?", re.ASCII)
_SPLIT = re.compile(r"(?:\A|[/._-])(train|validation|test)(?=[/._-])")
_FILES = "Parquet, JSON Lines or CSV files"
_CACHES = re.compile(r"(?:cache|tmp)-?\w*\.arrow|cache-.*")
_MOST_BYTES, _MOST_TEXT, _MOST_ROWS = 2**30, 2**28, 500_000
_LARGEST, _NAME, _NAMED, _SECONDS = 2**31, 1000, 20, 20.0
_HINT = "Check the network and HF_ENDPOINT, or name a local file."
# What comes of data of another shape, and httpx's word for a proxy variable that it cannot use.
_ODD = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError, ImportError)

Row = Mapping[str, Any]


def published_items(kind: ReviewKind, where: str, *, say: Callable[[str], None] | None = None) -> list[Item]:
    """Read what there is to review in a published dataset.

    Args:
        kind: What its rows are. Chunks have the columns ``filename`` and ``chunk`` or ``chunks``; triplets ``anchor`` (the text),
            ``positive`` (a question) and ``negative``; conversations ``instruction`` and ``response``. Columns named as the form's metadata become that.
        where: ``hf:owner/name``, a revision and a split if wanted; or a local path.
        say: Called with a line that says where the rows come from and how many were left out.

    Returns:
        Items by priority where the rows have one, else in the order of the rows; a row that repeats another's texts, or lacks one, is left out.

    Raises:
        SourceError: There is no such dataset, split or file, or it may not be read; it has other columns, no rows with text, or too many; it is
            damaged.
    """
    form, items, count = FORMS[kind], dict[str, Item](), 0
    with _files(where) as files:
        for shown, file in files:
            for row in _rows(shown, file, form):
                count += 1
                if item := _item(form, row):
                    items.setdefault(item.id, item)
    if not items:
        what = " and ".join(one.name for one in form.fields)
        raise SourceError(f"{where} has {count} rows, none with text in {what}", expected=f"a dataset of {kind}")
    if say:
        say(f"{where}: {count} rows, {count - len(items)} of them left out (repeated, or without text)")
    return sorted(items.values(), key=lambda item: -item.priority)


def _item(form: Form, row: Row) -> Item | None:
    fields = {one.name: row.get(one.name) for one in form.fields}
    if not fields.get("negative", True):
        fields["negative"] = NO_NEGATIVE
    texts = {name: _text(value) for name, value in fields.items() if isinstance(value, str) and value.strip()}
    if len(texts) < len(fields):
        return None
    metadata = {name: value for name, what in form.metadata.items() if (value := _fitting(what, row.get(name))) != ""}
    # The written negative is no part of what a triplet is: a dataset may hold the same pair beside several.
    identity = content_id(form.kind, *(text for name, text in texts.items() if name != "negative"))
    priority = float(metadata.get("priority", 0.0))
    return Item(identity, form.kind, texts, metadata | {"priority": priority}, priority=priority)


def _fitting(what: str, value: object) -> str | int | float:
    """The value as metadata; "" when it is none."""
    if what == "terms":
        return _text(value)[:_NAME] if isinstance(value, str) else ""
    try:
        number = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else math.nan
    except (ValueError, OverflowError):
        return ""
    return (number if what == "float" else int(number)) if abs(number) < _LARGEST else ""


def _text(value: str) -> str:
    """The text without half characters, which JSON may hold and no desk takes."""
    return value.encode("utf-8", "replace").decode("utf-8")


@contextmanager
def _files(where: str) -> Iterator[list[tuple[str, Path]]]:
    """Pairs of the name that messages say, and the file; those of the Hub are gone afterwards."""
    match = _SPEC.fullmatch(where.strip())
    if match is None:
        if where.startswith("hf:"):
            raise SourceError(f"'{where}' is not a dataset's name", expected="hf:owner/name[@revision][:split]")
        yield _local(where)
        return
    name, revision, split = match[1], match[2] or "", match[3] or ""
    with tempfile.TemporaryDirectory(prefix="dragoman-") as folder:
        yield _Hub(name, revision).fetched(split, Path(folder))


def _local(where: str) -> list[tuple[str, Path]]:
    path = Path(where).expanduser()
    try:
        if path.is_dir():
            names = sorted(each.relative_to(path).as_posix() for each in path.rglob("*") if each.is_file())
            return [(str(path / name), path / name) for name in _alike(names, where)]
        if path.is_file() and _alike([path.name], where):
            return [(str(path), path)]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SourceError(f"cannot read {where}: {reason}", expected="a file or folder of rows") from error
    raise SourceError(f"there is no dataset at {where}", expected=f"hf:owner/name, or {_FILES}")


def _alike(names: Sequence[str], where: str) -> list[str]:
    """The files of rows, all of one format: where one stands beside another, they are usually the same rows."""
    known = [name for name in names if _holds_rows(name)]
    for suffix in _FORMATS:
        if found := [name for name in known if name.lower().endswith(suffix)]:
            return found
    there = ", ".join(names[:_NAMED]) or "nothing"
    hint = "The Hub's own Parquet files of such a dataset: @refs/convert/parquet" if where.startswith("hf:") else ""
    raise SourceError(f"{where} has no rows, only {there}", expected=_FILES, hint=hint)


def _holds_rows(name: str) -> bool:
    parts = PurePosixPath(name).parts
    safe = ".." not in parts and "\\" not in name and not name.startswith("/")
    return safe and not any(part.startswith(".") for part in parts) and not _CACHES.fullmatch(parts[-1])


def _rows(shown: str, file: Path, form: Form) -> Iterator[Row]:
    """The rows of a file by the names of the form; a column of lists gives a row for each text in them."""
    import pyarrow as pa

    read = {".parquet": _tables, ".arrow": _tables, ".csv": _csv}.get(file.suffix.lower(), _json)
    size = 0
    try:
        for count, row in enumerate(read(shown, file, form)):
            size += sum(len(value) for value in row.values() if isinstance(value, str))
            if count >= _MOST_ROWS or size > _MOST_TEXT:
                hint = "Name a split, or a file with fewer rows."
                raise SourceError(f"{shown} holds more than people can review", expected="fewer rows", hint=hint)
            main = row.get("chunk")
            yield from ({**row, "chunk": each} for each in main) if isinstance(main, list) else (row,)
    except (pa.ArrowException, csv.Error, OSError, MemoryError, *_ODD) as error:
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise SourceError(f"{shown} cannot be read: {reason[:200]}", expected=f"rows of {form.kind}") from error


def _check(shown: str, columns: Sequence[str], form: Form) -> dict[str, str]:
    """The column of each field, and of each metadata, that is there."""
    names = [one.name for one in form.fields]
    found = {
        name: column
        for name in (*names, *form.metadata)
        if (column := next((each for each in _COLUMNS.get(name, (name,)) if each in columns), ""))
    }
    if missing := [name for name in names if name not in found]:
        there = ", ".join(columns[:_NAMED]) + (", ..." if len(columns) > _NAMED else "") or "none"
        happened = f"{shown} has no column '{missing[0]}'; its columns are {there}"
        wanted = ", ".join(" or ".join(_COLUMNS.get(name, (name,))) for name in names)
        raise SourceError(happened, expected=f"{form.kind} in columns {wanted}")
    return found


def _tables(shown: str, file: Path, form: Form) -> Iterator[Row]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with file.open("rb") as stream:
        if file.suffix.lower() == ".arrow":
            batches = pa.ipc.open_stream(stream)
            found = _check(shown, batches.schema.names, form)
        else:
            schema = pq.read_schema(file)
            found = _check(shown, schema.names, form)
            # Read as dictionaries, a short file that repeats one long text does not grow in memory.
            plain = [name for name in found.values() if pa.types.is_string(schema.field(name).type)]
            table = pq.ParquetFile(stream, read_dictionary=plain)
            batches = table.iter_batches(batch_size=1024, columns=list(found.values()), use_threads=False)
        for batch in batches:
            columns = [batch.column(batch.schema.get_field_index(column)) for column in found.values()]
            for place in range(batch.num_rows):
                yield {name: column[place].as_py() for name, column in zip(found, columns, strict=True)}


def _csv(shown: str, file: Path, form: Form) -> Iterator[Row]:
    csv.field_size_limit(_LARGEST - 1)
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = csv.DictReader(lines)
        found = _check(shown, list(rows.fieldnames or ()), form)
        for row in rows:
            yield {name: row[column] for name, column in found.items()}


def _json(shown: str, file: Path, form: Form) -> Iterator[Row]:
    with file.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise TypeError(f"line {number} is no object")
                yield {name: row[column] for name, column in _check(shown, list(row), form).items()}


class _Hub:
    """A dataset of the Hub; the only place that knows huggingface_hub's errors."""

    def __init__(self, name: str, revision: str) -> None:
        from huggingface_hub import HfApi
        from huggingface_hub.utils import disable_progress_bars

        disable_progress_bars()
        # The environment as it is now: huggingface_hub keeps what it was when it was imported.
        self.api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None, library_name="dragoman")
        self.name, self.revision, self.shown = name, revision or None, f"hf:{name}"
        self.host = re.sub(r"^\w+://(?:[^/@]*@)?", "", self.api.endpoint).strip("/")

    def fetched(self, split: str, folder: Path) -> list[tuple[str, Path]]:
        """The files of a split ("": of all), downloaded."""
        with self._translated():
            info = self.api.dataset_info(self.name, revision=self.revision, files_metadata=True, timeout=_SECONDS)
            sizes = {str(each.rfilename): int(each.size or 0) for each in info.siblings}
            card = info.card_data.to_dict() if info.card_data is not None else {}
        files = self._chosen(_alike(sorted(sizes), self.shown), card, split)
        if (size := sum(sizes[file] for file in files)) > _MOST_BYTES:
            raise SourceError(f"the files of {self.shown} take {size} bytes", expected=f"no more than {_MOST_BYTES}")
        settings = {"repo_type": "dataset", "revision": info.sha, "local_dir": folder}
        with self._translated():
            paths = [Path(self.api.hf_hub_download(self.name, file, **settings)) for file in files]
        return [(f"{self.shown}: {file}", path) for file, path in zip(files, paths, strict=True)]

    def _chosen(self, known: Sequence[str], card: Mapping[str, Any], split: str) -> list[str]:
        """The files of the card's default configuration; without one, a file's name says of which split it is."""
        configs = [one for one in _list(card.get("configs")) if isinstance(one, dict) and one.get("data_files")]
        default = [one for one in configs if one.get("default") or one.get("config_name") == "default"]
        splits: dict[str, list[str]] = {}
        for part in _list((default or configs or [{}])[0].get("data_files")):
            each = part if isinstance(part, dict) else {"split": "train", "path": part}
            files = [file for one in _list(each.get("path")) for file in fnmatch.filter(known, str(one))]
            splits.setdefault(str(each.get("split")), []).extend(files)
        for file in () if any(splits.values()) else known:
            splits.setdefault((_SPLIT.search(file) or ["", "train"])[1], []).append(file)
        if split and not splits.get(split):
            raise SourceError(f"{self.shown} has no split '{split}'", expected=f"one of: {', '.join(sorted(splits))}")
        return list(dict.fromkeys(file for name, files in splits.items() if split in {"", name} for file in files))

    @contextmanager
    def _translated(self) -> Iterator[None]:
        import httpx2
        from huggingface_hub import errors

        try:
            yield
        except errors.HfHubHTTPError as error:
            raise self._refused(error) from error
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, errors.FileMetadataError) as error:
            if isinstance(error.__cause__, errors.HfHubHTTPError):
                raise self._refused(error.__cause__) from error
            reason = next(iter(str(error.__cause__ or error).splitlines()), "") or type(error).__name__
            raise SourceError(f"cannot fetch {self.shown} from {self.host}: {reason[:200]}", hint=_HINT) from error
        except _ODD as error:
            happened = f"{self.host} does not describe '{self.name}' as the Hub does: {str(error)[:200]}"
            raise SourceError(happened, expected="the Hugging Face Hub", hint=_HINT) from error

    def _refused(self, error: "HfHubHTTPError") -> SourceError:
        """What a refusal of the Hub means."""
        from huggingface_hub import errors

        token, status = "Set HF_TOKEN to a token of a user who may read it.", error.response.status_code
        known = {
            errors.GatedRepoError: ("is gated: it opens on request only", f"Ask for access on its page. {token}"),
            errors.RepositoryNotFoundError: ("is not there, or not for us", f"Check the spelling. If private: {token}"),
            errors.RevisionNotFoundError: (f"has no revision '{self.revision}'", f"The newest is {self.shown}"),
            errors.HfHubHTTPError: (f"gives HTTP {status}", token if status in {401, 403} else _HINT),
        }
        said, hint = next(words for kind, words in known.items() if isinstance(error, kind))
        return SourceError(f"the dataset {self.name} of {self.host} {said}", hint=hint)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
