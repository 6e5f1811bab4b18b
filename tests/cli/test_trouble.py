"""A machine in trouble: full disks, ports in use, damaged files, a second process. Each is one line, and mendable."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.interrupts import hear_ctrl_c

from dragoman.records import Manifest
from dragoman.workspace import SCHEMA, Workspace

_HOLD = """
import sys
from pathlib import Path
from dragoman.workspace import Workspace
with Workspace(Path(sys.argv[1])).writing():
    print("held", flush=True)
    sys.stdin.read()
"""
_INTERRUPTED_IMPORT = """
import sys

class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == sys.argv[1]:
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupts())
from dragoman.__main__ import main
main()
"""
_SMALL_FILES = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), int(sys.argv[1])))
from dragoman.cli import main
main(sys.argv[2:])
"""


def make_manifest(stage: str) -> Manifest:
    return Manifest(stage, SCHEMA, "0", "fingerprint", "content", 13)


def test_a_damaged_model_is_refused_with_the_command_that_mends_it(
    dragoman: Any, docs: Path, minilm: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / "models" / minilm.name
    shutil.copytree(minilm, copy)
    with (copy / "model.safetensors").open("r+b") as file:
        file.seek(1_000_000)
        byte = file.read(1)
        file.seek(1_000_000)
        file.write(bytes([byte[0] ^ 0xFF]))
    monkeypatch.setenv("DRAGOMAN_MODELS", str(tmp_path / "models"))
    done = dragoman("build", str(docs), "--llm", "none")
    assert done.code == 1
    assert "model.safetensors has sha256" in done.complaint()
    assert f"dragoman models pull {minilm.name}" in done.complaint()


def test_a_port_in_use_is_said_before_anything_is_loaded(dragoman: Any, workspace: Path) -> None:
    Workspace(workspace).stamp("index", make_manifest("index"))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = dragoman("chat", "--workspace", str(workspace), "--port", str(port))
    assert done.code == 1
    assert f"port {port} on 127.0.0.1 is in use; expected a free port" in done.complaint()
    assert "--port" in done.complaint()


def test_a_second_build_is_refused_while_the_first_lives_and_let_in_when_it_was_killed(
    dragoman: Any, docs: Path, workspace: Path, minilm: Path
) -> None:
    assert minilm.is_dir()
    command = [sys.executable, "-c", _HOLD, str(workspace)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        for arguments in (["build", str(docs)], ["ingest", str(docs)]):
            done = dragoman(*arguments, "--workspace", str(workspace))
            assert done.code == 1
            assert f"another dragoman (process {holder.pid}) is working in {workspace}" in done.complaint()
            assert "Wait for it, or use another --workspace." in done.complaint()
        assert not (workspace / "recipe.json").exists(), "the refused build changed the first one's recipe"
        os.kill(holder.pid, signal.SIGKILL)
    assert dragoman("ingest", str(docs), "--workspace", str(workspace)).code == 0


@pytest.mark.parametrize("limit", [20, 2000])
def test_files_that_cannot_grow_are_one_line(docs: Path, workspace: Path, minilm: Path, limit: int) -> None:
    # Stands for a full disk where none can be made: the system refuses the write in the same place.
    assert minilm.is_dir()
    command = [sys.executable, "-c", _SMALL_FILES, str(limit), "ingest", str(docs), "--workspace", str(workspace)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("dragoman: ")]
    assert "cannot write" in line
    assert "Free some space" in line


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Gives a disk of a few kilobytes."""
    disk = tmp_path / "disk"

    def mount(size: str) -> Path:
        disk.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(disk)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
            disk.rmdir()
            pytest.skip("only root may mount a small disk")
        return disk

    yield mount
    if disk.is_dir():
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("pages", [1, 3, 5])
def test_a_full_disk_is_one_line(mounted: Callable[[str], Path], docs: Path, minilm: Path, pages: int) -> None:
    # The first thing that is written fails, or the settings, or the chunks.
    assert minilm.is_dir()
    workspace = mounted(f"{4 * pages}k") / "workspace"
    command = [sys.executable, "-m", "dragoman", "ingest", str(docs), "--workspace", str(workspace)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("dragoman: ")]
    assert "free some space" in line.lower(), line


def test_too_little_space_is_said_before_a_build_starts(
    dragoman: Any, mounted: Callable[[str], Path], docs: Path
) -> None:
    workspace = mounted("1m") / "workspace"
    done = dragoman("build", str(docs), "--llm", "none", "--workspace", str(workspace))
    assert done.code == 1
    assert "expected 1500 MB. Free some space, or use another disk with --workspace." in done.complaint()
    assert not (workspace / "ingest.part").exists()


def test_an_endpoint_that_is_not_there_is_named(dragoman: Any, docs: Path, minilm: Path, closed_port: int) -> None:
    assert minilm.is_dir()
    url = f"http://127.0.0.1:{closed_port}/v1"
    done = dragoman("build", str(docs), "--llm", url, "--requests", "8")
    assert done.code == 1
    assert f"cannot reach the language model at {url}" in done.complaint()
    assert "Start the server, or change llm.base_url" in done.complaint()


@pytest.mark.parametrize("damage", ["", "{", '{"train": {"epochz": 1}}'])
def test_a_damaged_saved_recipe_says_what_to_remove(dragoman: Any, workspace: Path, damage: str) -> None:
    workspace.mkdir()
    (workspace / "recipe.json").write_text(damage, encoding="utf-8")
    done = dragoman("status", "--workspace", str(workspace))
    assert done.code == 1
    assert str(workspace / "recipe.json") in done.complaint()


def test_another_schema_is_refused(dragoman: Any, workspace: Path) -> None:
    workspace.mkdir()
    (workspace / "workspace.json").write_text('{"schema": 99}', encoding="utf-8")
    done = dragoman("status", "--workspace", str(workspace))
    assert done.code == 1
    assert f"has schema 99; expected schema {SCHEMA}" in done.complaint()


def test_ctrl_c_says_that_nothing_is_lost(docs: Path, workspace: Path) -> None:
    # The endpoint takes the connection and never answers, so that the build is surely at work.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        command = [sys.executable, "-m", "dragoman", "build", str(docs), "--llm", url, "--workspace", str(workspace)]
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=hear_ctrl_c) as build:
            silent.settimeout(60)
            connection, _ = silent.accept()
            with connection:
                build.send_signal(signal.SIGINT)
                assert build.stderr is not None
                said = build.stderr.read()
    assert build.returncode == 130
    assert "Interrupted; what was finished is kept, and the same command goes on from there." in said
    assert "Traceback" not in said


@pytest.mark.parametrize("loading", ["dragoman.cli.main", "typer", "rich.console"])
def test_ctrl_c_while_the_command_line_is_loading_is_no_traceback(loading: str) -> None:
    command = [sys.executable, "-c", _INTERRUPTED_IMPORT, loading]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "Interrupted.\n")


@pytest.mark.parametrize("damage", ["", "x", None])
def test_a_damaged_artefact_is_told_and_mended_by_its_own_command(
    dragoman: Any, docs: Path, workspace: Path, minilm: Path, damage: str | None
) -> None:
    assert minilm.is_dir()
    where = ("--workspace", str(workspace))
    assert dragoman("ingest", str(docs), *where).code == 0
    chunks = workspace / "ingest" / "chunks.parquet"
    whole = chunks.read_bytes()
    if damage is None:
        chunks.unlink()
    else:
        chunks.write_text(damage, encoding="utf-8")
    done = dragoman("synth", "--requests", "0", *where)
    assert f"Remove {workspace / 'ingest'} and run: dragoman ingest" in done.complaint()
    (docs / "more.md").write_text("# More\n\nA changed page takes over what the run before made.\n", encoding="utf-8")
    mended = dragoman("ingest", str(docs), *where)
    assert mended.code == 0
    assert f"ingest: chunks.parquet {'is missing' if damage is None else 'has changed'}; it is made anew" in mended.err
    (docs / "more.md").unlink()
    assert dragoman("ingest", str(docs), *where).code == 0
    assert chunks.read_bytes() == whole
