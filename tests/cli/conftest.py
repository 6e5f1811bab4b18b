"""The command line, run in this process: its exit code and what it said; and a small docs folder."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from dragoman.cli import main


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def complaint(self) -> str:
        """The one line that says what was wrong; it stands last, and no traceback stands anywhere."""
        assert "Traceback" not in self.err
        assert "internal error" not in self.err
        lines = self.err.splitlines()
        assert [line for line in lines if line.startswith("dragoman: ")] == lines[-1:], self.err
        return lines[-1]


Dragoman = Callable[..., Done]


@pytest.fixture
def dragoman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Dragoman:
    """Runs the command line in an empty folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> Done:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = capsys.readouterr()
        return Done(int(ended.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def docs(tmp_path: Path) -> Path:
    """A folder with one page of a few sections."""
    folder = tmp_path / "docs"
    folder.mkdir()
    parts = [
        f"## Part {word}\n\nThe {word} valve opens when the boiler calls for {word} steam.\n" for word in "abcdefgh"
    ]
    (folder / "valves.md").write_text("# Valves\n\n" + "\n".join(parts), encoding="utf-8")
    return folder


@pytest.fixture
def closed_port() -> int:
    """A loopback port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
