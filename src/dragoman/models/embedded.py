"""The language model that needs no server of the user's: llama.cpp on this machine, behind its own HTTP port.

In: a GGUF file, or the settings of the recipe. Out: a ``TextGenerator`` for as long as a ``with`` block lasts.
The model runs in a child process, since it must wait passively at its thread barriers (see ``_environment``),
and since a damaged file can abort the process that loads it.
"""

import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any

from dragoman.config import LLMSettings
from dragoman.errors import ExtraMissing, ModelError
from dragoman.models.catalog import CATALOG, mend_hint, resolve
from dragoman.models.fallback import FallbackLLM
from dragoman.models.llm import EndpointLLM
from dragoman.models.processor import physical_cores
from dragoman.models.protocols import TextGenerator

DEFAULT_SLOTS = 1
DEFAULT_CONTEXT = 4096
_PROGRAM = Path(__file__).with_name("llama_server.py")
_LOAD_SECONDS = 120.0
_END_SECONDS = 10.0


class EmbeddedLLM:
    """A GGUF model served on loopback while the ``with`` block lasts.

    One slot is the default: on a CPU, decoding is bound by the same cores however many slots share them, and a
    second slot only prefills the shared beginning of the prompts once more.

    Args:
        path: The GGUF file.
        name: What the model is called in records; empty: the file's stem.
        slots: Requests decoded side by side; more wait in the server's queue.
        context: Tokens a slot holds, prompt and answer together.
        threads: Threads that compute; 0: one a physical core.
        timeout: Seconds that one request may take, its wait in the queue included.
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str = "",
        slots: int = DEFAULT_SLOTS,
        context: int = DEFAULT_CONTEXT,
        threads: int = 0,
        timeout: float = 120.0,
    ) -> None:
        self._path = path
        self._name = name or path.stem
        self._slots, self._context = slots, context
        self._threads = threads or physical_cores()
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> EndpointLLM:
        """Load the model and serve it.

        Returns:
            The generator that talks to it.

        Raises:
            ModelError: The file is missing, is no GGUF, or cannot be loaded.
            ExtraMissing: xllamacpp or openai is not installed.
        """
        _require("xllamacpp", "openai")
        _check_gguf(self._path, self._name)
        settings = {
            "path": str(self._path),
            "alias": self._name,
            "slots": self._slots,
            "context": self._context,
            "threads": self._threads,
        }
        # -P: the program's own folder must not shadow the standard library.
        command = [sys.executable, "-P", str(_PROGRAM), json.dumps(settings)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the parent, which ends the child itself
        )
        try:
            url = self._address(self._process)
        except BaseException:
            self._stop()
            raise
        # More at once would wait in the server's queue, and the wait counts as the request's time.
        return EndpointLLM(f"{url}/v1", self._name, timeout=self._timeout, concurrency=self._slots)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server; requests under way are dropped."""
        self._stop()

    def _address(self, process: subprocess.Popen[bytes]) -> str:
        assert process.stdout is not None  # noqa: S101 - for the type checker: it was asked for as a pipe
        watchdog = threading.Timer(_LOAD_SECONDS, process.kill)
        watchdog.start()
        try:
            line = process.stdout.readline()
        finally:
            watchdog.cancel()
        said = json.loads(line) if line else {"error": f"its process ended with code {process.wait()}"}
        if "url" not in said:
            raise ModelError(
                f"the language model {self._path} cannot be loaded: {said['error']}", hint=mend_hint(self._name)
            )
        return str(said["url"])

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def open_generator(
    settings: LLMSettings, *, mirrors: bool, say: Callable[[str], None]
) -> Iterator[TextGenerator | None]:
    """Give the language model that the settings name, for as long as the block lasts.

    Args:
        settings: The recipe's ``[llm]`` section.
        mirrors: Whether the embedded model may come from a package registry.
        say: Told, in one line each, where a model is taken from.

    Yields:
        The generator; None where the settings say 'none'.

    Raises:
        ModelError: The embedded model cannot be had or loaded.
        ExtraMissing: xllamacpp or openai is not installed.
    """
    if settings.base_url == "none":
        yield None
    elif settings.base_url:
        _require("openai")
        yield _endpoint(settings, say)
    else:
        _require("xllamacpp", "openai")
        path = resolve(settings.model, mirrors=mirrors, say=say)
        name = settings.model if settings.model in CATALOG else path.stem
        with EmbeddedLLM(path, name=name, timeout=settings.timeout) as generator:
            yield generator


def _endpoint(settings: LLMSettings, say: Callable[[str], None]) -> TextGenerator:
    """The endpoint of the settings, and the one that stands in for it, if one is named."""
    options: dict[str, Any] = {
        "timeout": settings.timeout,
        "retries": settings.retries,
        "concurrency": settings.concurrency,
    }
    first = EndpointLLM(settings.base_url, settings.model, api_key_env=settings.api_key_env, **options)
    if not settings.fallback_base_url:
        return first
    model = settings.fallback_model or settings.model
    second = EndpointLLM(settings.fallback_base_url, model, api_key_env=settings.fallback_api_key_env, **options)
    return FallbackLLM(first, second, say=say)


def _environment() -> dict[str, str]:
    # llama.cpp's threads meet at thousands of barriers a token. Spinning there is a little faster on an idle machine,
    # but with one busy neighbour core a token takes 20 times as long, each thread spinning in the other's time slice.
    return {**os.environ, "OMP_WAIT_POLICY": "passive"}


def _require(*packages: str) -> None:
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise ExtraMissing(f"language models need the package '{package}'", extra="local")


def _check_gguf(path: Path, name: str) -> None:
    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError as error:
        raise ModelError(f"cannot read the language model {path}: {error.strerror}", hint=mend_hint(name)) from error
    if magic != b"GGUF":
        raise ModelError(f"{path} is not a GGUF file", expected="a model in llama.cpp's format", hint=mend_hint(name))
