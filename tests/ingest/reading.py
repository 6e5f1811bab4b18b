"""Folders of pages, written and read."""

from pathlib import Path

from dragoman.config import IngestSettings
from dragoman.ingest.read import ReadResult, read_documents
from dragoman.ingest.sources.spec import FetchedSource
from dragoman.records import Document


def write(folder: Path, files: dict[str, str | bytes]) -> None:
    """Make these files."""
    for name, content in files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)


def read(folder: Path, **ingest: object) -> ReadResult:
    """What the folder holds under these settings."""
    return read_documents(FetchedSource("docs", folder, settings=IngestSettings.model_validate(ingest)))


def only(folder: Path, content: str | bytes, name: str = "a.md", **ingest: object) -> Document:
    """The one document of a folder with one file."""
    write(folder, {name: content})
    (document,) = read(folder, **ingest).documents
    return document
