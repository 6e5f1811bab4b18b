"""Where a page is published: its address by the rules of the generator that makes the site.

In: the folders of a source, and the path and front matter of a page. Out: the style of the site, its address as far
as a settings file says it plainly, the address of each page, and links to lines of a file. It reads settings
files as text: none is imported or run. It knows nothing of headings; their anchors are in ``anchors.py``.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Final
from urllib.parse import quote, urlsplit

_LARGEST = 500_000  # bytes of a settings file; more is not written by hand
_USUAL_FOLDERS = ("", "docs", "doc", "website", "site", "docs/source", "doc/source", "docs/docs")
_DOCUSAURUS = tuple(f"docusaurus.config.{ending}" for ending in ("js", "ts", "mjs", "cjs", "mts", "cts"))
_SPHINX = re.compile(r"^[ \t]*(?:extensions|html_theme|master_doc|root_doc)[ \t]*=|\bsphinx", re.MULTILINE)

_ADDRESS = r"https?://[^\s'\"`<>${}\\#]+"
_SITE_URL = re.compile(rf"^site_url[ \t]*:[ \t]*(['\"]?)({_ADDRESS})\1[ \t]*(?:#.*)?$", re.MULTILINE)
_BASEURL = re.compile(rf"^html_baseurl[ \t]*=[ \t]*(['\"])({_ADDRESS})\1[ \t]*(?:#.*)?$", re.MULTILINE)
_JS_URL = re.compile(rf"^[ \t]*url[ \t]*:[ \t]*(['\"`])({_ADDRESS})\1", re.MULTILINE)
_JS_BASE = re.compile(r"^[ \t]*baseUrl[ \t]*:[ \t]*(['\"`])(/[^\s'\"`${}\\]*)\1", re.MULTILINE)
_JS_ROUTE = re.compile(r"\bdocs[ \t]*:[ \t]*\{[^{}]*?\brouteBasePath[ \t]*:[ \t]*(['\"`])([^\s'\"`${}\\]*)\1")

_JS_PATH = re.compile(r"\bdocs[ \t]*:[ \t]*\{[^{}]*?\bpath[ \t]*:[ \t]*(['\"`])([^\s'\"`${}\\]*)\1")
_DOCS_DIR = re.compile(r"^docs_dir[ \t]*:[ \t]*(['\"]?)([^\s'\"#!][^\n'\"#]*?)\1[ \t]*(?:#.*)?$", re.MULTILINE)

_NUMBERS = re.compile(r"[0-9]+[-_.][0-9]+")  # a date or a version: no prefix that Docusaurus drops
_PREFIX = re.compile(r"[0-9]+\s*[-_.]+\s*(?=[^-_.\s])")

_STATIC: Final = frozenset({".txt", ".html", ".htm"})  # copied, not made into pages
_RENDERED: Final = frozenset(
    {".md", ".markdown", ".mdown", ".mkd", ".mdx", ".rst", ".ipynb", ".adoc", ".asciidoc", ".org", ".textile"}
)


@dataclass(frozen=True, slots=True)
class _Settings:
    """The settings file of a generator; ``file`` is a folder for VitePress."""

    style: str
    file: Path


def detect_style(base: Path, root: Path) -> str:
    """Which generator makes the site, by the settings file that lies nearest to the docs.

    Args:
        base: The whole tree of the source.
        root: The folder of the docs, in ``base``.

    Returns:
        ``mkdocs``, ``docusaurus``, ``vitepress`` or ``sphinx``. Without any settings file ``mkdocs``: its folder-like
        addresses are the most usual, and a server that has pages without the slash leads on from them.
    """
    found = _settings(base, root)
    return found.style if found else "mkdocs"


def site_of(base: Path, root: Path) -> str:
    """Where the site is published, when its settings file says so in plain words.

    Args:
        base: The whole tree of the source.
        root: The folder of the docs, in ``base``.

    Returns:
        MkDocs' ``site_url``, Sphinx' ``html_baseurl``, or Docusaurus' ``url``, ``baseUrl`` and the path of its docs,
        joined, without a slash at the end; "" when that is not there, is computed, or is one of several versions.
    """
    found = _settings(base, root)
    if found is None or found.style == "vitepress":
        return ""
    text = _text(found.file)
    if found.style == "docusaurus":
        return "" if (found.file.parent / "versions.json").exists() else _docusaurus_site(text)
    match = (_SITE_URL if found.style == "mkdocs" else _BASEURL).search(text)
    return match[2].rstrip("/") if match else ""


def pages_folder(base: Path, root: Path) -> Path:
    """The folder that the generator takes its pages from: a page's address is that of its place below it.

    Args:
        base: The whole tree of the source.
        root: The folder that is read, in ``base``; it may lie above or below the site's pages.

    Returns:
        MkDocs' ``docs_dir``, the ``path`` of Docusaurus' docs, the folder of ``.vitepress`` or of Sphinx' ``conf.py``; ``root``
        itself without settings, or when they name no folder of the source.
    """
    found = _settings(base, root)
    if found is None:
        return root
    folder = found.file.parent
    if found.style in {"mkdocs", "docusaurus"}:
        match = (_DOCS_DIR if found.style == "mkdocs" else _JS_PATH).search(_text(found.file))
        folder /= match[2].strip() if match else "docs"
    try:
        folder = folder.resolve() if ".." in folder.parts else folder
        known = folder.is_dir() and folder.resolve().is_relative_to(base.resolve())
    except (OSError, RuntimeError, ValueError):  # ValueError: a NUL in the name
        return root
    return folder if known else root


def page_address(style: str, site: str, path: str, slug: str, paths: Collection[str], page_id: str = "") -> str:
    """The address of a page.

    Args:
        style: Who makes the site; an unknown one counts as ``mkdocs``.
        site: Where the docs folder is published; for ``github`` the address of that folder in a repository.
        path: The page's file, relative to the docs folder.
        slug: ``slug`` of its front matter; only Docusaurus asks for it.
        paths: All files of the docs.
        page_id: ``id`` of its front matter; only Docusaurus asks for it.

    Returns:
        The quoted address without anchor; "" without a site, or for a file that the generator leaves out.
    """
    base = site.rstrip("/")
    page = PurePosixPath(path)
    if not base:
        return ""
    if style == "github" or page.suffix.lower() in _STATIC:
        return f"{base}/{quote(path)}"
    if style in {"sphinx", "vitepress"}:
        name = page.with_suffix(".html").as_posix()
        if style == "vitepress" and page.stem == "index":
            name = name.removesuffix("index.html")
        return f"{base}/{quote(name)}"
    place = _docusaurus_path(page, slug, page_id) if style == "docusaurus" else _mkdocs_path(page, paths)
    return "" if place is None else f"{base}/{quote(place)}"


def line_link(url: str, first: int, last: int) -> str:
    """A link to lines of a file that a forge shows.

    The shape of the address tells the forge, so that servers of one's own are known, too.

    Args:
        url: Where the file is shown.
        first: Its first line, from 1.
        last: Its last line, included.

    Returns:
        The link, or ``url`` itself when it is no file of a known forge or has an anchor already.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    if first < 1 or parts.fragment or parts.netloc.endswith("huggingface.co"):
        return url
    source, joined = "plain=1", "-L"
    if "/-/blob/" in parts.path:  # GitLab
        joined = "-"
    elif re.match(r"/[^/]+/[^/]+/src/(?:branch|commit|tag)/", parts.path):  # Forgejo and Gitea
        source = "display=source"
    elif not re.match(r"/[^/]+/[^/]+/blob/", parts.path):  # GitHub
        return url
    lines = f"L{first}{joined}{last}" if last > first else f"L{first}"
    # A page that is shown as a document has no lines; its source has.
    shown = PurePosixPath(parts.path).suffix.lower() in _RENDERED and source not in parts.query.split("&")
    query = "&".join(part for part in (parts.query, source if shown else "") if part)
    return parts._replace(query=query, fragment=lines).geturl()


def _settings(base: Path, root: Path) -> _Settings | None:
    for folder in _folders(base, root):
        found = _settings_in(folder, base)
        if found:
            return found
    return None


def _folders(base: Path, root: Path) -> Iterator[Path]:
    """From the docs up to the whole tree, then where settings usually lie in it."""
    if root.is_relative_to(base):
        yield from (folder for folder in chain([root], root.parents) if folder.is_relative_to(base))
    else:
        yield root
    for top in dict.fromkeys((root, base)):
        yield from (top / name for name in _USUAL_FOLDERS)


def _settings_in(folder: Path, base: Path) -> _Settings | None:
    named = [("mkdocs", "mkdocs.yml"), ("mkdocs", "mkdocs.yaml"), *(("docusaurus", name) for name in _DOCUSAURUS)]
    for style, name in named:
        if _inside(folder / name, base):
            return _Settings(style, folder / name)
    if (folder / ".vitepress").is_dir():
        return _Settings("vitepress", folder / ".vitepress")
    conf = folder / "conf.py"
    return _Settings("sphinx", conf) if _inside(conf, base) and _SPHINX.search(_text(conf)) else None


def _inside(file: Path, base: Path) -> bool:
    """Whether it is a plain file of the source: a link could lead to any file of this machine."""
    try:
        return file.is_file() and file.resolve().is_relative_to(base.resolve())
    except (OSError, RuntimeError):  # RuntimeError: links in a circle, before Python 3.13
        return False


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST)
    except OSError:
        return ""
    return data.decode("utf-8", "replace").replace("\r\n", "\n")


def _docusaurus_site(text: str) -> str:
    url, base, route = _JS_URL.search(text), _JS_BASE.search(text), _JS_ROUTE.search(text)
    if not url or ("baseUrl" in text and not base) or ("routeBasePath" in text and not route):
        return ""
    steps = (base[2] if base else "", route[2] if route else "docs")
    return "/".join([url[2].rstrip("/"), *(step.strip("/") for step in steps if step.strip("/"))])


def _mkdocs_path(page: PurePosixPath, paths: Collection[str]) -> str | None:
    index = page.stem == "index"
    if page.stem == "README":
        if any(page.with_name(f"index{suffix}").as_posix() in paths for suffix in (".md", ".markdown")):
            return None  # MkDocs warns, and publishes the index only
        index = True
    steps = page.parent.parts if index else (*page.parent.parts, page.stem)
    return "".join(f"{step}/" for step in steps)


def _docusaurus_path(page: PurePosixPath, slug: str, page_id: str) -> str | None:
    parents = page.parent.parts
    if any(part.startswith("_") for part in page.parts):
        return None  # a partial, which other pages include
    folders = [_unnumbered(part) for part in parents]
    if slug.startswith("/"):
        return slug.lstrip("/")
    index = page.stem.lower() in {"index", "readme", *(part.lower() for part in parents[-1:])}
    if index and not slug:
        return "".join(f"{part}/" for part in folders)
    steps = folders
    name = slug or page_id or _unnumbered(page.stem)
    for step in name.split("/"):
        if step == "..":
            steps = steps[:-1]
        elif step not in {"", "."}:
            steps = [*steps, step]
    return "/".join(steps) + ("/" if name.endswith("/") and steps else "")


def _unnumbered(name: str) -> str:
    return name if _NUMBERS.match(name) else _PREFIX.sub("", name, count=1) if _PREFIX.match(name) else name
