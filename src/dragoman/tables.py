"""Records as Parquet rows, and what their content hashes to.

In and out: lists of the frozen records of ``records.py``. A file written here is readable by
``datasets`` and pandas as it is. It knows no stage.
"""

import hashlib
import json
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from dragoman.errors import WorkspaceError

if TYPE_CHECKING:
    import pyarrow as pa

R = TypeVar("R")


def write_rows(path: Path, rows: Sequence[R], kind: type[R], also: Mapping[str, str] | None = None) -> None:
    """Write records to a Parquet file, one column a field.

    Args:
        path: File to write.
        rows: Records, all of ``kind``.
        kind: The record class; it gives the columns, so that no rows still make a readable file.
        also: Columns beside them that repeat a field (by its name) for other programs; they are not read again.

    Raises:
        WorkspaceError: The disk is full or the folder is not writable.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    hints = typing.get_type_hints(kind)
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    sources = {name: name for name in names} | dict(also or {})
    schema = pa.schema([(name, _column_type(hints[source])) for name, source in sources.items()])
    columns = {name: [_plain(getattr(row, source)) for row in rows] for name, source in sources.items()}
    try:
        pq.write_table(pa.table(columns, schema=schema), path, compression="zstd")
    except OSError as error:
        raise WorkspaceError(f"cannot write {path}: {error}", hint="Free some space and run it again.") from error


def read_rows(path: Path, kind: type[R]) -> list[R]:
    """Read what ``write_rows`` wrote; a field with a default may have no column, as in rows of an older version.

    Args:
        path: The Parquet file.
        kind: The record class that was written.

    Returns:
        The records, in the order of the file.

    Raises:
        WorkspaceError: The file is missing, damaged, or holds other records.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    hints = typing.get_type_hints(kind)
    try:
        table = pq.ParquetFile(path).read()
        optional = {field.name for field in fields(kind) if field.default is not MISSING} - set(table.column_names)  # type: ignore[arg-type]
        rows = table.select([name for name in hints if name not in optional]).to_pylist()
        return [kind(**{name: _typed(value, hints[name]) for name, value in row.items()}) for row in rows]
    except (OSError, pa.ArrowException, TypeError, KeyError) as error:
        # A stage's folder has the name of the command that makes it, and may be damaged in a way that its sizes hide.
        hint = f"Remove {path.parent} and run: dragoman {path.parent.name}"
        raise WorkspaceError(f"cannot read {path}: {error}", hint=hint) from error


def content_hash(rows: Iterable[Any]) -> str:
    """Hash of records as a set: the order of the rows does not matter, 16 hex digits."""
    lines = sorted(
        json.dumps({field.name: _plain(getattr(row, field.name)) for field in fields(row)}, sort_keys=True)
        for row in rows
    )
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def file_hash(path: Path) -> str:
    """SHA-256 of a file, 16 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def _column_type(hint: Any) -> "pa.DataType":  # noqa: ANN401 - type hints have no common type
    import pyarrow as pa

    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in {types.UnionType, typing.Union}:
        return _column_type(next(part for part in arguments if part is not type(None)))
    if origin is tuple:
        return pa.list_(_column_type(arguments[0]))
    if origin is typing.Literal:
        return pa.string()
    plain = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}
    return plain[hint]


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON-like values
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return value


def _typed(value: Any, hint: Any) -> Any:  # noqa: ANN401 - JSON-like values
    if isinstance(value, list) and hint is not list:
        return tuple(value)
    return value
