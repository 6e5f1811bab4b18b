"""Published npm packages, read from their registry over plain HTTPS; npm itself is not needed.

In: a package's name and version. Out: its unpacked content in the cache, checked against the sha512 that the registry
gives. The registry and its token are found where npm finds them. It does not know what documentation is.
"""

import base64
import hashlib
import io
import json
import os
import re
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

import httpx

from dragoman.errors import SourceError
from dragoman.ingest.sources.archive import Limits, unpack
from dragoman.ingest.sources.published import checked_archive
from dragoman.ingest.sources.spec import Say
from dragoman.ingest.sources.versions import newest, order

DEFAULT_REGISTRY: Final = "https://registry.npmjs.org/"  # npm's own default, too
MAX_DOWNLOAD: Final = 256 * 2**20  # bytes of an archive or of a package's list of versions

_VARIABLE = re.compile(r"\$\{([^}?]+)(\?)?\}")
_WAITS = (0.2, 0.8, 0.0)  # seconds after each failed attempt; after the last there is none
_VERSION = re.compile(r"\w[\w.+-]*", re.ASCII)
_SOME = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"
_HINT = "Check the network and npm_config_registry; a package that was fetched once is read from the cache."


@dataclass(frozen=True, slots=True)
class Package:
    """An unpacked package; ``root`` is the folder of its ``package.json``."""

    name: str
    version: str
    root: Path


class NpmConfig:
    """npm's own settings, as far as reading needs them.

    Args:
        env: Environment variables; ``npm_config_KEY`` wins over files, in any case of letters.
        project: The folder whose ``.npmrc`` wins over the user's.
        home: The user's home folder.
    """

    def __init__(self, env: Mapping[str, str], project: Path, home: Path) -> None:
        self._env = env
        self._set = {key.lower()[11:]: value for key, value in env.items() if key.lower().startswith("npm_config_")}
        user = Path(self._set.get("userconfig") or home / ".npmrc")
        self._files = [self._read(project / ".npmrc"), self._read(user)]

    def get(self, key: str) -> str:
        """A setting's value, "" when it is not set."""
        return self._set.get(key.lower()) or next((found[key] for found in self._files if found.get(key)), "")

    def registry(self, name: str) -> str:
        """Address of the registry for a package, with "/" at its end."""
        scope = name.partition("/")[0] if name.startswith("@") else ""
        address = (scope and self.get(f"{scope}:registry")) or self.get("registry") or DEFAULT_REGISTRY
        return address.rstrip("/") + "/"

    def headers(self, url: httpx.URL, registry: httpx.URL) -> dict[str, str]:
        """The credentials for an address; none for one that is reached less safely than the registry."""
        path = f"//{url.netloc.decode('ascii')}{url.path}"
        while url.scheme == registry.scheme and len(path) > len("//"):
            for key, kind in (("_authToken", "Bearer"), ("_auth", "Basic")):
                secret = self.get(f"{path.rstrip('/')}/:{key}")
                if secret and "${" not in secret:
                    return {"Authorization": f"{kind} {secret}"}
            path = path.rstrip("/").rpartition("/")[0]
        return {}

    def trust(self) -> ssl.SSLContext:
        """Certificates: httpx's choice (``SSL_CERT_FILE``, ``SSL_CERT_DIR``, certifi) and ``cafile``."""
        extra = {self.get("cafile"), self._env.get("NODE_EXTRA_CA_CERTS", "")} - {""}
        try:
            context = httpx.create_ssl_context()
            for file in sorted(extra):
                context.load_verify_locations(cafile=file)
        except OSError as error:
            given = ", ".join(sorted({*extra, self._env.get("SSL_CERT_FILE", "")} - {""}))
            raise SourceError(f"cannot read the certificates in {given}: {error}", expected="PEM files") from error
        return context

    def _read(self, file: Path) -> dict[str, str]:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return {}
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(f"cannot read {file}: {error}", expected="lines of key=value") from error
        pairs = [line.partition("=") for line in lines if "=" in line and line.strip()[0] not in "#;"]
        return {key.strip(): _VARIABLE.sub(self._expand, value.strip().strip("\"'")) for key, _, value in pairs}

    def _expand(self, match: re.Match[str]) -> str:
        return self._env.get(match[1], "" if match[2] else match[0])


def fetch_package(
    name: str, version: str, cache: Path, say: Say, config: NpmConfig | None = None, limits: Limits | None = None
) -> Package:
    """Bring a package into the cache, unless it is there.

    Args:
        name: With its scope, if any: ``fastify`` or ``@fastify/cors``.
        version: Exact, a tag, or what ``newest`` knows; "" is ``latest``. Only for an exact one in the cache the registry is
            not asked.
        cache: The folder for what is downloaded.
        say: Called with a line that says where the package comes from, and what was resolved.
        config: npm's settings; ``None`` reads them from the environment and ``.npmrc`` files.
        limits: How far its archive may grow; ``None`` takes the defaults.

    Returns:
        The package and the folder of its files.

    Raises:
        SourceError: The registry cannot be reached or refuses; package or version are unknown; the content does not
            match its sha512, is damaged or unsafe; the cache cannot be written.
    """
    shelf = cache / "npm" / name.replace("/", "+")
    root = _kept(shelf / version) if version else None
    if root:
        say(f"npm:{name}@{version}: from the cache")
        return _package(name, version, root)
    registry = _Registry(config or NpmConfig(os.environ, Path.cwd(), Path.home()), name)
    try:
        found = registry.find(version)
    except _Unreachable:
        kept, root = _newest_kept(shelf, version)
        if not root:
            raise
        say(f"npm:{name}: the registry cannot be reached; taking {kept}, the newest in the cache")
        return _package(name, kept, root)
    if found.version != version and newest(version, [found.version]):
        say(f"npm:{name}@{version}: taking {found.version}, the newest of these")
    root = shelf / found.version / found.sha512.hex()[:32]
    if root.is_dir():
        say(f"npm:{name}@{found.version}: from the cache")
    else:
        say(f"npm:{name}@{found.version}: downloading from {registry.host}")
        _download(registry, found, root, limits)
    return _package(name, found.version, root)


class _Unreachable(SourceError):
    """The registry did not answer."""


@dataclass(frozen=True, slots=True)
class _Release:
    version: str
    tarball: httpx.URL
    sha512: bytes


class _Registry:
    """The registry of one package."""

    def __init__(self, config: NpmConfig, name: str) -> None:
        self.config, self.name, self.address = config, name, config.registry(name)
        try:
            self.url = httpx.URL(self.address)
        except httpx.InvalidURL:
            self.url = httpx.URL("")
        if self.url.scheme not in {"http", "https"} or not self.url.host:
            raise SourceError(f"npm's registry is '{self.address}'", expected="an address such as " + DEFAULT_REGISTRY)
        self.trust = config.trust()
        self.host = self.url.netloc.decode("ascii")  # without the user and password that an address may hold

    def find(self, version: str) -> _Release:
        """The release of a version or tag, "" for the newest."""
        content = io.BytesIO()
        self._get(httpx.URL(self.address + quote(self.name, safe="@")), _SOME, content)
        try:
            listed = json.loads(content.getvalue())
            tags, versions = dict(listed.get("dist-tags") or {}), dict(listed["versions"])
            exact = tags.get(version or "latest", version)
            exact = exact if exact in versions else newest(version, versions)
            if exact not in versions or not _VERSION.fullmatch(exact):
                raise self._unknown(version or "latest", tags, versions)
            dist = versions[exact]["dist"]
            digest = self._sha512(exact, str(dist.get("integrity") or ""))
            return _Release(exact, httpx.URL(str(dist["tarball"])), digest)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError, httpx.InvalidURL) as error:
            happened = f"{self.host} did not answer with npm's description of '{self.name}'"
            raise SourceError(happened, expected="an npm registry", hint=_HINT) from error

    def download(self, release: _Release, sink: IO[bytes]) -> None:
        """Write the archive of a release."""
        url = release.tarball
        if url.host == httpx.URL(DEFAULT_REGISTRY).host != self.url.host:
            # As npm does: a mirror repeats the public addresses, which may be out of reach from here.
            url = httpx.URL(self.address.rstrip("/") + url.raw_path.decode("ascii"))
        self._get(url, "*/*", sink)

    def _unknown(self, version: str, tags: Mapping[str, Any], versions: Mapping[str, Any]) -> SourceError:
        released = [each for each in versions if "-" not in each] or list(versions)
        newest = ", ".join(sorted(released, key=order, reverse=True)[:5]) or "none"
        latest = f"; latest is {tags['latest']}" if "latest" in tags else ""
        return SourceError(f"npm has no version '{version}' of '{self.name}'", hint=f"The newest are {newest}{latest}.")

    def _sha512(self, version: str, integrity: str) -> bytes:
        for part in integrity.split():
            kind, _, value = part.partition("?")[0].partition("-")
            if kind == "sha512" and len(digest := base64.b64decode(value)) == hashlib.sha512().digest_size:
                return digest
        raise SourceError(f"{self.host} gives no sha512 for {self.name}@{version}, only '{integrity}'", expected="one")

    def _get(self, url: httpx.URL, accept: str, sink: IO[bytes]) -> None:
        """Write the body of an address, from its beginning again when the connection fails on the way."""
        for wait in _WAITS:
            sink.truncate(sink.seek(0))
            try:
                self._read(url, accept, sink)
                break
            except (httpx.TransportError, httpx.HTTPStatusError) as error:
                if wait:
                    time.sleep(wait)
                elif isinstance(error, httpx.HTTPStatusError):
                    raise self._refused(error.response.status_code) from error
                else:
                    reason = str(error) or type(error).__name__
                    raise _Unreachable(f"cannot reach the npm registry; {self.host}: {reason}", hint=_HINT) from error
            # The last two are httpx's word for a proxy variable that it cannot use.
            except (httpx.RequestError, httpx.InvalidURL, ValueError, ImportError) as error:
                raise SourceError(f"{self.host} does not answer as expected: {error}", hint=_HINT) from error

    def _read(self, url: httpx.URL, accept: str, sink: IO[bytes]) -> None:
        headers = {"Accept": accept, "User-Agent": "dragoman", **self.config.headers(url, self.url)}
        client = httpx.Client(verify=self.trust, timeout=httpx.Timeout(30.0, connect=10.0), follow_redirects=True)
        with client, client.stream("GET", url, headers=headers) as response:
            status = response.status_code
            if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
                response.raise_for_status()
            if status != httpx.codes.OK:
                raise self._refused(status)
            for piece in response.iter_bytes(2**18):
                sink.write(piece)
                if sink.tell() > MAX_DOWNLOAD:
                    raise SourceError(f"{self.host} sends more than {MAX_DOWNLOAD} bytes for '{self.name}'")

    def _refused(self, status: int) -> SourceError:
        if status == httpx.codes.NOT_FOUND:
            return SourceError(f"{self.host} knows no package '{self.name}'", hint="Check the spelling of the name.")
        if status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            happened = f"{self.host} does not let us read '{self.name}' (HTTP {status})"
            return SourceError(happened, hint=f"Give a token in .npmrc: //{self.host}/:_authToken=...")
        return SourceError(f"{self.host} answers HTTP {status} for '{self.name}'", hint=_HINT)


def _download(registry: _Registry, release: _Release, root: Path, limits: Limits | None) -> None:
    what = f"{registry.host} sent for {registry.name}@{release.version}"
    fill = partial(registry.download, release)
    with checked_archive(root, fill, "sha512", release.sha512.hex(), what) as archive:
        unpack(archive, root, limits)


def _kept(shelf: Path) -> Path | None:
    """The one unpacked release on a shelf; with two of different content the registry must be asked."""
    folders = [path for path in shelf.glob("[!.]*") if path.is_dir()] if shelf.is_dir() else []
    return folders[0] if len(folders) == 1 else None


def _newest_kept(shelf: Path, version: str) -> tuple[str, Path | None]:
    kept = {path.name: found for path in (shelf.iterdir() if shelf.is_dir() else []) if (found := _kept(path))}
    taken = newest(version, kept) if version else max(kept, key=order, default="")
    return taken, kept.get(taken)


def _package(name: str, version: str, root: Path) -> Package:
    # Archives of npm hold one folder, "package" by habit only.
    folders = sorted(filter(Path.is_dir, root.iterdir()), key=lambda path: (path.name != "package", path.name))
    if not folders:
        raise SourceError(f"the archive of {name}@{version} holds no folder", expected="a package made by npm")
    return Package(name, version, folders[0])
