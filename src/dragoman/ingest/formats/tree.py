"""What a page may look up: the files of its own source's tree, and the docstrings in it.

In: the name of a file as a page writes it. Out: the file's text, or ``None``. Nothing outside the tree is read, and within
it no hidden file, no key, and nothing that is not text. It parses nothing.
"""

import os
import stat
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath

from dragoman.ingest.formats.page import Included, Page
from dragoman.ingest.formats.snippets import snippet_folders

_SECRET_SUFFIXES = frozenset(
    {".asc", ".env", ".gpg", ".jks", ".kdbx", ".key", ".keystore", ".p12", ".pem", ".pfx", ".ppk"}
)
_SECRET_STEMS = frozenset(
    {"credentials", "htpasswd", "id_dsa", "id_ecdsa", "id_ed25519", "id_rsa", "secret", "secrets"}
)
_CODE_SUFFIXES = frozenset(
    {".md", ".mdx", ".markdown", ".rst", ".py", ".ts", ".js", ".go", ".rs", ".java", ".txt", ".html"}
)
_SETTINGS = ("mkdocs.yml", "mkdocs.yaml")
_PRIVATE = "PRIVATE KEY-----"
_LONGEST_NAME = 1_000


class Tree:
    """The tree that a source's docs lie in: the ``Neighbours`` of each page.

    Args:
        base: The whole tree; nothing outside it is read, nor through a link that leaves it.
        root: The docs folder in it.
        describe: Gives the docstrings of an object, and ``None`` for an object without source.
        max_bytes: Larger files are not included.
    """

    def __init__(
        self,
        base: Path,
        root: Path,
        describe: Callable[[str, int], Page | None] | None = None,
        max_bytes: int = 5_000_000,
    ) -> None:
        self._base = Path(os.path.normpath(base.absolute()))
        self._root = Path(os.path.normpath(root.absolute()))
        self._real = self._base.resolve()
        self._describe = describe
        self._max_bytes = max_bytes

    def describe(self, name: str, level: int) -> Page | None:
        """The docstrings of the Python object ``name``, with headings from ``level`` on; ``None`` without source."""
        return self._describe(name, level) if self._describe else None

    def include(self, name: str, beside: str) -> Included | None:
        """The file that a page means.

        It is looked for beside the page, in the docs folder, in each folder from there up to the tree's own, and where MkDocs' settings
        say that snippets lie. ``/x`` and ``@/x`` begin at the docs folder, ``@site/x`` at the folder above it.

        Args:
            name: The file as the page names it.
            beside: The page's path, relative to the docs folder.

        Returns:
            Path and text of the file; ``None`` when it is missing, unsafe, too large or no text.
        """
        if not name or len(name) > _LONGEST_NAME or "\0" in name or "://" in name:
            return None
        for place in self._places(name, beside):
            try:
                text = self._text(place)
            except (OSError, RuntimeError, ValueError):  # a loop of links; a name that no file can have; not UTF-8
                continue
            if text is not None:
                return Included(Path(os.path.relpath(place, self._root)).as_posix(), text)
        return None

    def _places(self, name: str, beside: str) -> Iterator[Path]:
        """Where the file may be, best first; each within the tree by its name."""
        above = [self._root, *(folder for folder in self._root.parents if folder.is_relative_to(self._base))]
        folders = above if name.startswith(("/", "@", "~")) else [(self._root / beside).parent, *above]
        for sign in ("@site/", "@@/", "@/", "~/", "/"):
            if name.startswith(sign):
                name = name[len(sign) :].lstrip("/")
                folders = [*above[1:], self._root] if sign == "@site/" else folders
                break
        seen = set()
        for folder in [*folders, *self._snippets]:
            place = Path(os.path.normpath(folder / name))
            if place not in seen and place.is_relative_to(self._base):
                seen.add(place)
                yield place

    @cached_property
    def _snippets(self) -> list[Path]:
        """The folders of snippets that the nearest ``mkdocs.yml`` names; ``_places`` keeps what is looked up there in the tree."""
        for folder in (folder for folder in (self._root, *self._root.parents) if folder.is_relative_to(self._base)):
            for name in _SETTINGS:
                try:
                    text = self._text(folder / name)
                except (OSError, RuntimeError, ValueError):  # as for any file of the tree
                    continue
                if text is not None:
                    return [folder / part for part in snippet_folders(text) if "\0" not in part]
        return []

    def _text(self, place: Path) -> str | None:
        if _secret(place.relative_to(self._base)):
            return None
        real = place.resolve(strict=True)
        if not real.is_relative_to(self._real) or _secret(real.relative_to(self._real)):
            return None
        status = real.stat()
        # Opening a pipe would wait for ever.
        if not stat.S_ISREG(status.st_mode) or status.st_size > self._max_bytes:
            return None
        with real.open("rb") as file:
            data = file.read(self._max_bytes + 1)
        if b"\0" in data or len(data) > self._max_bytes:
            return None
        text = data.decode("utf-8-sig")
        # A page about keys may show one; a file that is one is not shown.
        if _PRIVATE in text and real.suffix.lower() not in _CODE_SUFFIXES:
            return None
        return text.replace("\r\n", "\n").replace("\r", "\n")


def _secret(path: Path) -> bool:
    """Whether a file's name says that it is not for readers: hidden, or a key."""
    name = PurePosixPath(path.name.lower())
    secret = name.suffix in _SECRET_SUFFIXES or (name.stem in _SECRET_STEMS and name.suffix not in _CODE_SUFFIXES)
    return secret or any(part.startswith(".") for part in path.parts)
