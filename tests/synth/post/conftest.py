"""A loopback endpoint that writes as the post's model does, and a stand-in for the process around distilabel."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.synth.post.bench import PRELUDE, StandIn, post_answer

import dragoman
from dragoman.models.llm import EndpointLLM
from dragoman.models.stub import StubServer
from dragoman.synth.store import AnswerStore

_SOURCES = Path(dragoman.__file__).parents[1]
_CONSTRAINTS = _SOURCES.parent / "constraints.txt"
_INSTALL_SECONDS = 900


@pytest.fixture
def stub() -> Iterator[StubServer]:
    with StubServer(script=post_answer) as server:
        yield server


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnswerStore]:
    with AnswerStore(tmp_path / "answers.sqlite") as kept:
        yield kept


@pytest.fixture
def open_generator(stub: StubServer) -> Callable[[], AbstractContextManager[EndpointLLM]]:
    @contextmanager
    def opened() -> Iterator[EndpointLLM]:
        yield EndpointLLM(stub.base_url, "small", retries=0)

    return opened


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Makes an "interpreter" that does what a script says with the job it is given, in place of distilabel."""
    monkeypatch.setenv("PYTHONPATH", str(_SOURCES))

    def make(script: str) -> Path:
        path = tmp_path / "python-that-has-distilabel"
        path.write_text(PRELUDE.format(python=sys.executable) + script, encoding="utf-8")
        path.chmod(0o755)
        return path

    return make


@pytest.fixture(scope="session")
def distilabel_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that has distilabel: this one, or one in an environment that is laid over this one."""
    if find_spec("distilabel"):
        return Path(sys.executable)
    folder = tmp_path_factory.mktemp("distilabel") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=_INSTALL_SECONDS)
    here = [path for path in sys.path if path.endswith("site-packages")]
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "below.pth").write_text("".join(f"import site; site.addsitedir({json.dumps(path)})\n" for path in here))
    python = folder / "bin" / "python"
    command = [str(python), "-m", "pip", "install", "--quiet", "distilabel==1.5.3", "requests"]
    limits = ["--constraint", str(_CONSTRAINTS)] if _CONSTRAINTS.is_file() else []
    done = subprocess.run([*command, *limits], capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False)
    if done.returncode:
        pytest.fail(f"the test needs distilabel: {done.stderr.strip().splitlines()[-1]}")
    return python
