"""Runs the user's own git so that it asks nobody, starts no program of a repository, and ends.

In: arguments for git. Out: what it writes, or an error with its own reason. Secrets of an address reach git by its environment
and reach no message. It does not know what is fetched.
"""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Timer
from typing import IO, Final, cast
from urllib.parse import unquote

from dragoman.errors import SourceError
from dragoman.ingest.sources.address import shown

_SETTINGS: Final = (
    "protocol.ext.allow=never",
    f"core.hooksPath={os.devnull}",
    "core.symlinks=false",
    "core.fsmonitor=false",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "credential.interactive=false",
    "http.lowSpeedLimit=1000",  # bytes a second, for as many seconds as below
    "http.lowSpeedTime=60",
)
# Of a git that runs us (a hook), or of someone who looks for an error: the first lead to another repository, the second to secrets.
_NOT_OURS = re.compile(
    r"GIT_(?:DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|NAMESPACE|PREFIX|"
    r"SHALLOW_FILE|QUARANTINE_PATH|TEMPLATE_DIR|TRACE\w*|CURL_VERBOSE|EXTERNAL_DIFF|PROXY_COMMAND)"
)
_REASON = re.compile(r"^(?:fatal|error|ssh): *(.+)$", re.MULTILINE)
_SHOWN = 300
_SAID_BYTES = 2**16
_OUTPUT_BYTES = 64 * 2**20


class GitRefused(SourceError):
    """git ended with an error, or took too long."""


class Git:
    """git for one remote.

    Args:
        address: Of the remote, as ``parse_git`` gives it.
        folder: An empty folder to work in.
    """

    def __init__(self, address: str, folder: Path) -> None:
        self.address = address
        self._folder = folder
        self._secrets: list[str] = []
        self._env = {name: value for name, value in os.environ.items() if not _NOT_OURS.fullmatch(name)}
        self._env |= {
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "",  # empty, and not absent: else core.askPass and SSH_ASKPASS are looked at
            "GCM_INTERACTIVE": "never",
            "GIT_SSH_COMMAND": f"{self._env.get('GIT_SSH_COMMAND') or 'ssh'} -oBatchMode=yes",
            "GIT_ALLOW_PROTOCOL": "https:http:ssh:file",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_CEILING_DIRECTORIES": str(folder.resolve().parent),  # the cache may lie in a repository of its own
            "LC_ALL": "C",
        }
        self._hide()

    def _hide(self) -> None:
        """Take the user and password out of the address: arguments are for everybody on this machine to see."""
        secret = re.match(r"https?://([^/@]+)@", self.address)
        if not secret:
            return
        plain = shown(self.address)
        number = int(given) if (given := self._env.get("GIT_CONFIG_COUNT", "")).isdecimal() else 0
        self._env["GIT_CONFIG_COUNT"] = str(number + 1)
        self._env[f"GIT_CONFIG_KEY_{number}"] = f"url.{self.address}.insteadOf"
        self._env[f"GIT_CONFIG_VALUE_{number}"] = plain
        self.address = plain
        parts = [secret[1], *secret[1].split(":", 1)]
        self._secrets = sorted(
            {part for each in parts for part in (each, unquote(each)) if part}, key=len, reverse=True
        )

    def run(self, *arguments: str, seconds: float) -> str:
        """What git writes.

        Args:
            arguments: Of git, options first.
            seconds: How long it may take.

        Raises:
            GitRefused: It failed, took longer, or wrote without end.
            SourceError: There is no git.
        """
        with self.stream(*arguments, seconds=seconds) as output:
            written = output.read(_OUTPUT_BYTES + 1)
            if len(written) > _OUTPUT_BYTES:
                raise GitRefused(f"git writes more than {_OUTPUT_BYTES} bytes about {self.address}")
        return written.decode("utf-8", "replace")

    @contextmanager
    def stream(self, *arguments: str, seconds: float, given: IO[bytes] | None = None) -> Iterator[IO[bytes]]:
        """What git writes, as it comes; git is stopped when the block is left by an error.

        Args:
            arguments: Of git, options first.
            seconds: How long it may take, the block included.
            given: A file that git reads.

        Yields:
            Its output, to be read to the end.

        Raises:
            GitRefused: It failed or took longer.
            SourceError: There is no git.
        """
        options = [part for setting in _SETTINGS for part in ("-c", setting)]
        late = Event()
        verb = next(part for part in arguments if not part.startswith("-"))
        with tempfile.TemporaryFile() as said:
            try:
                # A session of its own: its helpers are stopped with it, and none of them finds a terminal to ask at.
                process = subprocess.Popen(
                    ["git", *options, *arguments],  # noqa: S607 - the user's own git
                    cwd=self._folder,
                    env=self._env,
                    stdin=given or subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=said,
                    start_new_session=True,
                )
            except FileNotFoundError:
                raise SourceError(
                    "git is not installed", hint="Install git, or name the source in another way."
                ) from None
            except OSError as error:
                raise SourceError(f"git cannot be started: {error}") from error
            timer = Timer(seconds, _end, (process, late))
            timer.start()
            try:
                with cast("IO[bytes]", process.stdout) as output:
                    yield output
                code = process.wait()
            finally:
                timer.cancel()
                _stop(process)
            if late.is_set():
                happened = f"git {verb} of {self.address} took more than {seconds:.0f} s"
                raise GitRefused(happened, hint="Check the network; large repositories can be given as a folder.")
            if code:
                raise self._refused(verb, said)

    def _refused(self, verb: str, said: IO[bytes]) -> GitRefused:
        said.seek(0)
        text = said.read(_SAID_BYTES).decode("utf-8", "replace")
        reason = (_REASON.findall(text) or text.strip().splitlines() or ["it gave no reason"])[0]
        for secret in self._secrets:
            reason = reason.replace(secret, "***")
        reason = "".join(letter if letter.isprintable() else " " for letter in shown(reason))[:_SHOWN].strip()
        hint = "Check the address and the network."
        if re.search(r"prompt|authenticat|permission|username|password|credential|host key", text, re.IGNORECASE):
            hint = (
                "git was not allowed to ask for a password: try `git ls-remote` with the address in a terminal first."
            )
        return GitRefused(f"git {verb} of {self.address}: {reason}", hint=hint)


def _end(process: "subprocess.Popen[bytes]", late: Event) -> None:
    late.set()
    _stop(process)


def _stop(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
