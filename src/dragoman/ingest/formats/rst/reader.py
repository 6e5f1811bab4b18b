"""What the parts of the reStructuredText converter ask of the one that reads the page.

It stands apart so that a directive can have its body read without knowing how a page is read.
"""

from collections.abc import Sequence
from typing import Protocol

from dragoman.ingest.formats.blocks import Line
from dragoman.ingest.formats.page import LeftOut, Neighbours
from dragoman.ingest.formats.rst.inline import Names
from dragoman.ingest.formats.rst.tables import Table


class Reader(Protocol):
    """A page that is being read.

    ``level`` is that of the last heading, ``section`` its line, ``depth`` how deep blocks are nested just now. ``described`` says that the
    last block was an object's description, ``plain`` that no heading may be written.
    """

    path: str
    neighbours: Neighbours
    level: int
    depth: int
    names: Names
    left_out: list[LeftOut]
    language: str
    plain: bool
    section: Line | None
    described: bool
    module: str
    including: tuple[str, ...]

    def blocks(self, lines: Sequence[Line], *, top: bool = False) -> list[list[Line]]:
        """Lines as blocks of Markdown; only with ``top`` a title makes a section."""
        ...

    def include(self, lines: Sequence[Line], name: str) -> list[list[Line]]:
        """Read the lines of the file ``name`` in the place of a directive."""
        ...

    def room_for(self, characters: int) -> bool:
        """Whether the page may still take in so many characters."""
        ...

    def code(self, lines: Sequence[Line], language: str, at: Line) -> list[Line]:
        """Code as a fence; "" for the page's own language."""
        ...

    def table(self, found: Table) -> list[Line]:
        """A table with the markup in its cells written."""
        ...
