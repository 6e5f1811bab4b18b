"""What every test may use: the two real models, a workspace folder, and an environment of its own.

The models are fetched once (through the catalog, in a process of its own, since tests have no network) and kept
where the user keeps models; DRAGOMAN_MODELS says where else.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# Read by these libraries when they are imported, so fixtures would come too late.
os.environ |= {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_XET": "1",
    "TOKENIZERS_PARALLELISM": "false",
}

# The cores may be busy with something else: how long an example takes says nothing here.
settings.register_profile("dragoman", deadline=None, max_examples=50, print_blob=True)
settings.load_profile("dragoman")

# A developer's keys, registries and proxies must not decide how a test ends.
_PRIVATE: tuple[str, ...] = (
    "HF_TOKEN",
    "HF_TOKEN_PATH",
    "HF_ENDPOINT",
    "HF_HUB_OFFLINE",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
)
_PRIVATE += ("GITHUB_TOKEN", "GH_TOKEN", "PYTHONHASHSEED")
_PRIVATE_PREFIXES = ("dragoman_", "npm_config_", "pip_")
_PRIVATE_SUFFIXES = ("_proxy",)

_RESOLVE = """
import sys
from dragoman.models.catalog import resolve
print(resolve(sys.argv[1], mirrors=True, say=lambda line: print(line, file=sys.stderr)))
"""
_FETCH_SECONDS = 1800


@pytest.fixture(scope="session")
def fetch_model(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """Where a model of the catalog lies on this machine; fetched first when it is not there yet."""
    plugins = request.config.pluginmanager
    terminal, capture = plugins.getplugin("terminalreporter"), plugins.getplugin("capturemanager")

    def fetch(name: str) -> Path:
        command = [sys.executable, "-c", _RESOLVE, name]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False)
        said = done.stderr.strip()
        if done.returncode:
            pytest.fail(f"the tests need the model {name}: {said.splitlines()[-1] if said else done.returncode}")
        if said and terminal is not None and capture is not None:
            with capture.global_and_fixture_disabled():
                terminal.write_line(f"\n{said}")
        return Path(done.stdout.strip().splitlines()[-1])

    return fetch


@pytest.fixture(scope="session")
def minilm(fetch_model: Callable[[str], Path]) -> Path:
    """Folder of the real embedding model."""
    return fetch_model("all-MiniLM-L6-v2")


@pytest.fixture(scope="session")
def gguf(fetch_model: Callable[[str], Path]) -> Path:
    """File of the real language model."""
    return fetch_model("qwen2.5-coder-0.5b")


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Where a workspace may be made; nothing is there yet."""
    return tmp_path / "workspace"


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the developer's settings from the test; the folder of models stays known."""
    for name in list(os.environ):
        low = name.lower()
        private = name in _PRIVATE or low.startswith(_PRIVATE_PREFIXES) or low.endswith(_PRIVATE_SUFFIXES)
        if private and name != "DRAGOMAN_MODELS":
            monkeypatch.delenv(name)
