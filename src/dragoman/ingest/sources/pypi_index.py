"""Package indexes as pip knows them: where they are, which files they list for a package, and those files' bytes.

In: pip's settings and a package's name. Out: the sdists and wheels that the index's simple pages list (PEP 691 JSON where
it is offered, else PEP 503 HTML), and their content. It chooses none, checks no hash and unpacks nothing.
"""

import io
import json
import os
import shutil
import sys
import time
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import IO, Final
from urllib.parse import parse_qs, unquote, urljoin, urlsplit
from urllib.request import url2pathname

import httpx
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from dragoman.errors import SourceError
from dragoman.ingest.sources.pip_config import PipConfig, config_files
from dragoman.ingest.sources.spec import Say

MAX_DOWNLOAD: Final = 256 * 2**20  # bytes of an archive
MAX_PAGE: Final = 32 * 2**20  # bytes of a package's list of files

_JSON = "application/vnd.pypi.simple.v1+json"
_LISTS = f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
_ANY = "*/*"
_SECONDS = 900.0  # for one attempt: a server that drips never runs into a timeout of httpx
_WAITS = (0.2, 0.8, 0.0)  # seconds after each failed attempt; after the last there is none
_LONGEST_NAME = 400
_HINT = "Check the network and pip's index-url; a package that was fetched once is read from the cache."


class IndexUnreachable(SourceError):
    """No index answered."""


class _Missing(Exception):
    """An index answered that it has no such page; never leaves this module."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of one release; ``sha256`` is "" when the index gives none, ``yanked`` the reason when it was withdrawn."""

    name: str
    version: Version
    sdist: bool
    url: httpx.URL
    sha256: str
    yanked: str | None = None


class PackageIndexes:
    """All indexes that pip would ask.

    Args:
        config: pip's settings; ``None`` reads them from where pip does.
    """

    def __init__(self, config: PipConfig | None = None) -> None:
        config = config or PipConfig(os.environ, config_files(os.environ, Path.home(), Path(sys.prefix)))
        self._urls = config.indexes()
        self._trust = config.trust()

    def files(self, name: str, say: Say) -> list[ListedFile]:
        """Every sdist and wheel of a package, in the order of the indexes and their pages.

        Args:
            name: The package, in any spelling.
            say: Called with a line about an index that does not answer while another does.

        Returns:
            At least one file.

        Raises:
            IndexUnreachable: No index that may know the package answered.
            SourceError: No index knows the package, or one does not answer as an index.
        """
        name = canonicalize_name(name)
        found: list[ListedFile] = []
        failed: list[IndexUnreachable] = []
        for url in self._urls:
            try:
                found += self._listed(url, name)
            except _Missing:
                continue
            except IndexUnreachable as error:
                failed.append(error)
        if failed and not found:
            raise failed[0]
        if not found:
            hosts = " and ".join(host_of(url) for url in self._urls)
            raise SourceError(f"{hosts} has no files of a package '{name}'", hint="Check the spelling of the name.")
        for silent in failed:
            say(f"pypi:{name}: {silent.happened}; reading the other indexes")
        return found

    def download(self, file: ListedFile, sink: IO[bytes]) -> None:
        """Write the bytes of a file.

        Args:
            file: What is wanted.
            sink: Where they go; what is there is overwritten.

        Raises:
            SourceError: The index cannot be reached or refuses, or the file is too large.
        """
        try:
            self._get(file.url, _ANY, sink, MAX_DOWNLOAD)
        except _Missing:
            raise SourceError(
                f"{host_of(file.url)} lists {file.name} but does not have it", hint="Try again."
            ) from None

    def _listed(self, index: httpx.URL, name: str) -> list[ListedFile]:
        content = io.BytesIO()
        kind, base = self._get(index.join(f"{name}/"), _LISTS, content, MAX_PAGE)
        try:
            text = content.getvalue().decode("utf-8")
            links = _from_json(text) if kind == _JSON else _from_html(text)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            happened = f"{host_of(index)} did not answer with a list of the files of '{name}'"
            raise SourceError(happened, expected="a package index (PEP 691 or PEP 503)", hint=_HINT) from error
        files = (_judged(link, name, base, index) for link in links)
        return [file for file in files if file]

    def _get(self, url: httpx.URL, accept: str, sink: IO[bytes], most: int) -> tuple[str, httpx.URL]:
        """Write the body of an address, from its beginning again after a failure; its media type and last address."""
        for wait in _WAITS:
            sink.truncate(sink.seek(0))
            try:
                return self._read(url, accept, sink, most)
            except (httpx.TransportError, httpx.HTTPStatusError) as error:
                if wait:
                    time.sleep(wait)
                elif isinstance(error, httpx.HTTPStatusError):
                    raise _refused(url, error.response.status_code) from error
                else:
                    reason = str(error) or type(error).__name__
                    happened = f"cannot reach the package index; {host_of(url)}: {reason}"
                    raise IndexUnreachable(happened, hint=_HINT) from error
            # The last two are httpx's word for a proxy variable that it cannot use.
            except (httpx.RequestError, httpx.InvalidURL, ValueError, ImportError) as error:
                raise SourceError(f"{host_of(url)} does not answer as expected: {error}", hint=_HINT) from error
        raise AssertionError("the last attempt returns or raises")

    def _read(self, url: httpx.URL, accept: str, sink: IO[bytes], most: int) -> tuple[str, httpx.URL]:
        if url.scheme == "file":
            return _read_local(url, sink)
        headers = {"Accept": accept, "User-Agent": "dragoman"}
        if accept == _ANY:
            headers["Accept-Encoding"] = "identity"
        end = time.monotonic() + _SECONDS
        client = httpx.Client(verify=self._trust, timeout=httpx.Timeout(30.0, connect=10.0), follow_redirects=True)
        with client, client.stream("GET", url, headers=headers) as response:
            status = response.status_code
            if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
                response.raise_for_status()
            if status in {httpx.codes.NOT_FOUND, httpx.codes.GONE}:
                raise _Missing
            if status != httpx.codes.OK:
                raise _refused(url, status)
            if url.scheme == "https" != response.url.scheme:
                raise SourceError(f"{host_of(url)} leads to an address without encryption", expected="https")
            # An archive is kept as it is sent: one that a server calls "gzip-encoded" has the checksum of the .gz.
            for piece in response.iter_raw(2**18) if accept == _ANY else response.iter_bytes(2**18):
                sink.write(piece)
                if time.monotonic() > end:
                    raise SourceError(f"{host_of(url)} takes more than {_SECONDS:.0f} s for {url.path}")
                if sink.tell() > most:
                    raise SourceError(f"{host_of(url)} sends more than {most} bytes for {url.path}")
            kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            return kind, response.url


def host_of(url: httpx.URL) -> str:
    """How an index is named in a line: without the user and password that an address may hold."""
    return url.path if url.scheme == "file" else url.netloc.decode("ascii", "replace")


def _read_local(url: httpx.URL, sink: IO[bytes]) -> tuple[str, httpx.URL]:
    path = Path(url2pathname(urlsplit(str(url)).path))
    try:
        with (path / "index.html" if path.is_dir() else path).open("rb") as file:
            shutil.copyfileobj(file, sink, 2**18)
    except FileNotFoundError:
        raise _Missing from None
    except OSError as error:
        raise SourceError(f"cannot read the package index {path}: {error}") from error
    return "text/html", url


def _refused(url: httpx.URL, status: int) -> SourceError:
    if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        happened = f"{host_of(url)} does not let us read {url.path} (HTTP {status})"
        return SourceError(happened, hint="Give user and password in pip's index-url, or in .netrc.")
    return SourceError(f"{host_of(url)} answers HTTP {status} for {url.path}", hint=_HINT)


@dataclass(frozen=True, slots=True)
class _Link:
    name: str
    address: str
    sha256: str
    yanked: str | None


def _from_json(text: str) -> list[_Link]:
    """The files of a page of PEP 691."""
    links = []
    for entry in json.loads(text)["files"]:
        yanked = entry.get("yanked", False)
        reason = None if yanked is False else yanked if isinstance(yanked, str) else ""
        links.append(_Link(str(entry["filename"]), str(entry["url"]), str(entry["hashes"].get("sha256") or ""), reason))
    return links


class _Page(HTMLParser):
    """The links of a page of PEP 503."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[_Link] = []
        self.base = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remember a link."""
        given = dict(attrs)
        address, _, fragment = (given.get("href") or "").partition("#")
        if tag == "base":
            self.base = self.base or address
        elif tag == "a" and address:
            name = unquote(address.partition("?")[0].rstrip("/").rpartition("/")[2])
            sha256 = parse_qs(fragment).get("sha256", [""])[0]
            yanked = (given["data-yanked"] or "") if "data-yanked" in given else None
            self.links.append(_Link(name, urljoin(self.base, address), sha256, yanked))


def _from_html(text: str) -> list[_Link]:
    page = _Page()
    page.feed(text)
    page.close()
    return page.links


def _judged(link: _Link, name: str, base: httpx.URL, index: httpx.URL) -> ListedFile | None:
    """The link as a file of the package; ``None`` when it is something else."""
    sdist = link.name.endswith((".tar.gz", ".zip"))
    if len(link.name) > _LONGEST_NAME or not (sdist or link.name.endswith(".whl")):
        return None
    try:
        found, version = parse_sdist_filename(link.name) if sdist else parse_wheel_filename(link.name)[:2]
        url = httpx.URL(urljoin(str(base), link.address))
    except (InvalidSdistFilename, InvalidWheelFilename, httpx.InvalidURL, ValueError):
        return None
    # A page from elsewhere must not name files of this machine.
    if found != name or not (url.host if url.scheme in {"https", "http"} else url.scheme == index.scheme):
        return None
    if (url.scheme, url.host, url.port) == (index.scheme, index.host, index.port) and not url.userinfo:
        url = url.copy_with(userinfo=index.userinfo)
    return ListedFile(link.name, version, sdist, url, link.sha256.lower(), link.yanked)
