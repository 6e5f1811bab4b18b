"""A published archive on its way into the cache: downloaded beside its place, checked, and gone once it is unpacked.

In: where it will lie, how to fetch it, and its checksum. Out: the file, for as long as a block lasts. It knows no registry and unpacks
nothing.
"""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from dragoman.errors import SourceError


@contextmanager
def checked_archive(
    place: Path, fill: Callable[[IO[bytes]], None], algorithm: str, digest: str, what: str
) -> Iterator[Path]:
    """Download an archive and check it.

    Args:
        place: The folder that it will be unpacked to; the archive lies beside it.
        fill: Writes the archive.
        algorithm: Of the checksum, as hashlib names it.
        digest: The checksum, in hex digits.
        what: Who sent what, for an error.

    Yields:
        The archive.

    Raises:
        SourceError: It is not what was published, or the cache cannot be written.
    """
    archive: Path | None = None
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, prefix=".downloading-", delete=False) as file:
            archive = Path(file.name)
            fill(file)
            file.seek(0)
            if hashlib.file_digest(file, algorithm).hexdigest() != digest:
                happened = f"what {what} does not match its {algorithm}"
                raise SourceError(happened, expected="the published content", hint="It was not used. Try again.")
        yield archive
    except OSError as error:
        raise SourceError(f"cannot write to the cache {place.parent}: {error}") from error
    finally:
        if archive is not None:
            archive.unlink(missing_ok=True)
