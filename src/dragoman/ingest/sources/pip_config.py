"""pip's settings: where package indexes are, with which credentials and certificates they are read.

In: environment variables and the files that pip reads. Out: the addresses of the indexes, the main one first. pip itself is
neither run nor imported. It asks no index anything.
"""

import configparser
import os
import re
import ssl
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import httpx

from dragoman.errors import SourceError

DEFAULT_INDEX: Final = "https://pypi.org/simple/"  # pip's own default, too

_SECRET = re.compile(r"//[^/?#]*@")


def config_files(env: Mapping[str, str], home: Path, prefix: Path) -> list[Path]:
    """The files that pip reads its settings from; a later one wins.

    Args:
        env: Environment variables.
        home: The user's home folder.
        prefix: The folder of the Python environment.

    Returns:
        The places; most of them are usually absent.
    """
    own = env.get("PIP_CONFIG_FILE", "")
    if own == os.devnull:
        return []
    name = "pip.ini" if sys.platform == "win32" else "pip.conf"
    if sys.platform == "win32":
        everyone = [Path(env.get("PROGRAMDATA", "C:/ProgramData"), "pip", name)]
        user = [home / "pip" / name, Path(env.get("APPDATA") or home / "AppData" / "Roaming", "pip", name)]
    elif sys.platform == "darwin":
        library = Path("Library", "Application Support", "pip")
        everyone = [Path("/", library, name)]
        modern = home / library if (home / library).is_dir() else home / ".config" / "pip"
        user = [home / ".pip" / name, modern / name]
    else:
        shared = (env.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(os.pathsep)
        everyone = [*(Path(each, "pip", name) for each in shared), Path("/etc", name)]
        user = [home / ".pip" / name, Path(env.get("XDG_CONFIG_HOME") or home / ".config", "pip", name)]
    if own and Path(own).exists():
        user = []  # as pip does: a file of one's own stands for the user's
    return [*everyone, *user, prefix / name, *([Path(own)] if own else [])]


class PipConfig:
    """pip's own settings, as far as reading needs them.

    Args:
        env: Environment variables; ``PIP_KEY`` wins over files.
        files: The files to read, see ``config_files``; a later one wins, missing ones are passed over.

    Raises:
        SourceError: A file cannot be read.
    """

    def __init__(self, env: Mapping[str, str], files: Sequence[Path]) -> None:
        self._env = env
        self._found: dict[str, str] = {}
        read = [self._read(file) for file in files]
        for section in ("global", "download"):
            for parser in read:
                if parser.has_section(section):
                    self._found |= {key.replace("_", "-"): value for key, value in parser.items(section) if value}

    def get(self, key: str) -> str:
        """A setting's value, "" when it is not set."""
        return self._env.get("PIP_" + key.upper().replace("-", "_")) or self._found.get(key, "")

    def indexes(self) -> list[httpx.URL]:
        """Addresses of the indexes, the main one first, each with "/" at its end."""
        texts = [self.get("index-url").strip() or DEFAULT_INDEX, *self.get("extra-index-url").split()]
        return [self._address(text) for text in dict.fromkeys(texts)]

    def trust(self) -> ssl.SSLContext:
        """Certificates: httpx's choice (``SSL_CERT_FILE``, ``SSL_CERT_DIR``, certifi) and pip's ``cert``."""
        extra = self.get("cert")
        try:
            context = httpx.create_ssl_context()
            if extra:
                context.load_verify_locations(cafile=extra)
        except OSError as error:
            given = extra or self._env.get("SSL_CERT_FILE", "")
            raise SourceError(f"cannot read the certificates in {given}: {error}", expected="a PEM file") from error
        return context

    def _read(self, file: Path) -> configparser.RawConfigParser:
        parser = configparser.RawConfigParser()
        try:
            parser.read_string(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            pass
        except (OSError, UnicodeDecodeError, configparser.Error) as error:
            # Not the error's words: they may repeat a line, and a line may hold a password.
            reason = error.strerror if isinstance(error, OSError) else type(error).__name__
            raise SourceError(f"cannot read {file}: {reason}", expected="pip's settings (pip config debug)") from None
        return parser

    def _address(self, text: str) -> httpx.URL:
        try:
            url = httpx.URL(text.rstrip("/") + "/")
        except httpx.InvalidURL:
            url = httpx.URL("")
        if not (url.scheme == "file" or (url.scheme in {"http", "https"} and url.host)):
            shown = _SECRET.sub("//", text)
            raise SourceError(f"pip's index is '{shown}'", expected="an address such as " + DEFAULT_INDEX)
        return url
