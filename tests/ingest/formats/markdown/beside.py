"""Files beside a page, held in a mapping."""

from dragoman.ingest.formats.page import Included, Page


class Files:
    """Neighbours that hold their files in a mapping."""

    def __init__(self, files: dict[str, str] | None = None) -> None:
        self.files = files or {}

    def include(self, name: str, beside: str) -> Included | None:
        """The file of that name."""
        del beside
        return Included(name, self.files[name]) if name in self.files else None

    def describe(self, name: str, level: int) -> Page | None:
        """A heading in code.py for the one object there is."""
        return Page("#" * level + " docs", (1,), ("code.py",)) if name == "pkg.docs" else None
