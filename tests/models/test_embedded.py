"""The embedded language model, run for real; and files that are none."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman.config import LLMSettings
from dragoman.errors import ExtraMissing, LLMError, ModelError
from dragoman.models.embedded import EmbeddedLLM, open_generator
from dragoman.models.llm import EndpointLLM
from dragoman.models.protocols import Message

SCHEMA = {
    "type": "object",
    "properties": {"fruits": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}},
    "required": ["fruits"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module")
def embedded(gguf: Path) -> Iterator[EndpointLLM]:
    """The real model, loaded once."""
    with EmbeddedLLM(gguf, name="small", context=1024) as generator:
        yield generator


@pytest.mark.llm
def test_it_answers_by_the_schema_and_the_same_each_time(embedded: EndpointLLM) -> None:
    asked = [Message("user", "Name two fruits, as JSON.")]

    async def twice() -> list[str]:
        return [
            (await embedded.reply(asked, max_tokens=60, temperature=0, seed=1, schema=SCHEMA)).text for _ in range(2)
        ]

    first, second = asyncio.run(twice())
    assert first == second
    assert len(json.loads(first)["fruits"]) == 2
    assert embedded.name == "small"


@pytest.mark.llm
def test_it_streams(embedded: EndpointLLM) -> None:
    async def read() -> list[str]:
        asked = [Message("user", "Say hello.")]
        return [piece async for piece in embedded.stream(asked, max_tokens=12, temperature=0, seed=1)]

    assert 1 < len(asyncio.run(read())) <= 12


@pytest.mark.llm
def test_a_prompt_beyond_its_context_says_which_dial_to_turn(embedded: EndpointLLM) -> None:
    asked = [Message("user", "harbour " * 2000)]
    with pytest.raises(LLMError, match=r"too long for 'small'.*chunk\.tokens"):
        asyncio.run(embedded.reply(asked, max_tokens=5, temperature=0, seed=1))


_HOLD = """
import sys, time
from pathlib import Path
from dragoman.models.embedded import EmbeddedLLM
with EmbeddedLLM(Path(sys.argv[1]), context=256) as generator:
    print(generator.address[0], flush=True)
    time.sleep(60)
"""


@pytest.mark.llm
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of POSIX")
def test_its_process_ends_with_the_parent_even_when_that_is_killed(gguf: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", _HOLD, str(gguf)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        os.kill(parent.pid, signal.SIGKILL)
    gone = EndpointLLM(url, "gone", timeout=2, retries=0)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            asyncio.run(gone.reply([Message("user", "?")], max_tokens=1, temperature=0, seed=1))
        except LLMError as error:
            assert "cannot reach" in str(error)  # noqa: PT017 - it may answer once or twice before it is gone
            return
    pytest.fail(f"{url} still answers")


@pytest.mark.parametrize("content", [b"", b"not a model", b"GGUF", b"GGUF" + bytes(5000)])
def test_a_file_that_is_no_model_is_one_clear_line(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "broken.gguf"
    file.write_bytes(content)
    with pytest.raises(ModelError, match=r"broken\.gguf.*dragoman models list"), EmbeddedLLM(file):
        pass


def test_a_damaged_model_of_the_catalog_names_the_command_that_mends_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"dragoman models pull qwen2\.5-coder-0\.5b"):
        EmbeddedLLM(tmp_path / "absent.gguf", name="qwen2.5-coder-0.5b").__enter__()


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with (
        pytest.raises(ExtraMissing, match=r"dragoman\[local\]"),
        open_generator(LLMSettings(), mirrors=False, say=pytest.fail),
    ):
        pass
