"""Whatever was typed wrong, the user reads one line: what happened, what was expected, what to type next."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest


class _Registry(BaseHTTPRequestHandler):
    """Knows one package with one version, and nothing else."""

    def do_GET(self) -> None:
        known = {"dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": {"dist": {}}}}
        body = json.dumps(known).encode() if self.path == "/kettle" else b"{}"
        self.send_response(200 if self.path == "/kettle" else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Registry)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("command", ["build", "ingest"])
def test_a_missing_folder_is_named_and_the_nearest_one_offered(dragoman: Any, docs: Path, command: str) -> None:
    done = dragoman(command, "dosc")
    assert done.code == 1
    assert "there is no 'dosc'; expected a folder, a file, " in done.complaint()
    assert f"Did you mean '{docs.name}'?" in done.complaint()


def test_a_folder_without_documents_says_what_is_there_and_what_would_be_read(dragoman: Any, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "boiler.png").write_bytes(b"\x89PNG\0")
    done = dragoman("build", "pictures")
    assert done.code == 1
    assert "no documents in pictures: found 1 .png; expected .md" in done.complaint()


def test_no_source_at_all_says_how_to_name_one(dragoman: Any) -> None:
    done = dragoman("build")
    assert done.code == 1
    assert "no documentation source was given. Name one: dragoman build docs/" in done.complaint()


def test_a_registry_out_of_reach_is_named(dragoman: Any, monkeypatch: pytest.MonkeyPatch, closed_port: int) -> None:
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{closed_port}")
    done = dragoman("build", "npm:kettle@1.0.0")
    assert done.code == 1
    assert f"cannot reach the npm registry; 127.0.0.1:{closed_port}" in done.complaint()
    assert "Check the network and npm_config_registry" in done.complaint()


@pytest.mark.parametrize(
    ("source", "happened", "hint"),
    [
        ("npm:ketle@1.0.0", "knows no package 'ketle'", "Check the spelling"),
        ("npm:kettle@9.9.9", "npm has no version '9.9.9' of 'kettle'", "The newest are 1.0.0"),
    ],
)
def test_an_unknown_package_or_version_is_named(
    dragoman: Any, monkeypatch: pytest.MonkeyPatch, registry: str, source: str, happened: str, hint: str
) -> None:
    monkeypatch.setenv("npm_config_registry", registry)
    done = dragoman("build", source)
    assert done.code == 1
    assert happened in done.complaint()
    assert hint in done.complaint()


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ("[train]\nepoch = 2\n", ["unknown key 'train.epoch'", "Did you mean 'epochs'?"]),
        ("[trian]\nepochs = 2\n", ["unknown key 'trian'", "Did you mean 'train'?"]),
        ("[train\nepochs = 2\n", ["dragoman.toml is not valid TOML", "line 1"]),
        ("[train]\nepochs = 0\n", ["train.epochs = 0", "greater than or equal to 1"]),
        ("[train]\nepochs = 'many'\n", ["train.epochs = 'many'", "valid integer"]),
    ],
)
def test_a_recipe_that_is_wrong_says_where(dragoman: Any, tmp_path: Path, recipe: str, words: list[str]) -> None:
    (tmp_path / "dragoman.toml").write_text(recipe, encoding="utf-8")
    done = dragoman("build", "docs")
    assert done.code == 1
    assert all(word in done.complaint() for word in words), done.complaint()


def test_a_recipe_that_is_not_there_says_how_to_write_one(dragoman: Any) -> None:
    done = dragoman("status", "--config", "mine.toml")
    assert done.code == 1
    assert "no recipe at mine.toml. Write one with: dragoman init" in done.complaint()


@pytest.mark.parametrize(
    ("assignment", "code", "words"),
    [
        ("train.epochs", 2, "expected section.key=value, e.g. --set train.epochs=1"),
        ("=3", 2, "expected section.key=value"),
        ("train.epochs.more=3", 2, "'epochs' in 'train.epochs.more' is a setting; expected section.key=value"),
        ("train.epochz=3", 1, "unknown key 'train.epochz'. Did you mean 'epochs'?"),
        ("train.epochs=none", 1, "train.epochs = 'none'"),
        ("train=3", 1, "train = 3"),
    ],
)
def test_a_setting_that_makes_no_sense_is_explained(dragoman: Any, assignment: str, code: int, words: str) -> None:
    done = dragoman("build", "docs", "--set", assignment)
    assert done.code == code
    assert words in done.complaint()


@pytest.mark.parametrize(
    ("command", "makes"),
    [
        (["search", "valves"], "dragoman index"),
        (["ask", "Which valve?", "--llm", "none"], "dragoman index"),
        (["chat", "--llm", "none"], "dragoman index"),
        (["synth"], "dragoman ingest"),
        (["train"], "dragoman ingest"),
        (["evaluate"], "dragoman train"),
        (["index"], "dragoman evaluate"),
    ],
)
def test_a_command_that_comes_too_early_names_the_one_before(dragoman: Any, command: list[str], makes: str) -> None:
    done = dragoman(*command)
    assert done.code == 1
    assert f"Run: {makes} (or dragoman build)" in done.complaint()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"qid": "1", "question": "Which valve?"}\nWhich valve?\n', ["questions.jsonl:2 is not a question"]),
        (b'{"id": "1", "text": "Which valve?"}\n', ["questions.jsonl:1", 'expected {"qid": ..., "question": ...}']),
        (b'["1", "Which valve?"]\n', ["questions.jsonl:1 is not a question"]),
        (b"\xff\xfe\x00", ["cannot read questions.jsonl", "expected a JSONL file"]),
        (None, ["cannot read questions.jsonl", "No such file"]),
    ],
)
def test_questions_that_are_not_jsonl_are_refused_with_their_line(
    dragoman: Any, tmp_path: Path, content: bytes | None, words: list[str]
) -> None:
    if content is not None:
        (tmp_path / "questions.jsonl").write_bytes(content)
    done = dragoman("search", "--questions", "questions.jsonl", "--json")
    assert done.code == 2
    assert all(word in done.complaint() for word in words), done.complaint()


def test_search_takes_one_question_or_a_file_of_them(dragoman: Any) -> None:
    for arguments in ([], ["valves", "--questions", "questions.jsonl"]):
        done = dragoman("search", *arguments)
        assert done.code == 2
        assert "search takes a question or --questions FILE" in done.complaint()


@pytest.mark.parametrize("arguments", [["bild"], ["search", "valves", "--mode", "deep"], ["build", "--llmm"]])
def test_a_command_line_that_makes_no_sense_is_exit_2(dragoman: Any, arguments: list[str]) -> None:
    done = dragoman(*arguments)
    assert done.code == 2
    assert "dragoman" in done.err
    assert "-h" in done.err
    assert "Traceback" not in done.err


def test_init_leaves_a_recipe_alone_that_is_there(dragoman: Any, tmp_path: Path) -> None:
    (tmp_path / "dragoman.toml").write_text("seed = 7\n", encoding="utf-8")
    done = dragoman("init")
    assert done.code == 2
    assert "dragoman.toml is already there. Edit it, or write another with --config" in done.complaint()
    assert (tmp_path / "dragoman.toml").read_text(encoding="utf-8") == "seed = 7\n"


def test_init_into_a_folder_that_is_not_there_says_so(dragoman: Any, tmp_path: Path) -> None:
    done = dragoman("init", "--config", "recipes/mine/valves.toml")
    assert done.code == 2
    assert "there is no folder recipes/mine to write valves.toml to. Make the folder first." in done.complaint()
    assert not (tmp_path / "recipes").exists()


def test_files_that_cannot_be_read_are_skipped_and_listed_ten_at_most(
    dragoman: Any, docs: Path, workspace: Path, minilm: Path
) -> None:
    assert minilm.is_dir()
    (docs / "picture.md").write_bytes(b"# Boiler\0\0\0")
    (docs / "latin.md").write_bytes("# Kessel für Öl\n".encode("latin-1"))
    (docs / "api.adoc").write_text("= Boiler\n", encoding="utf-8")
    (docs / "logo.svg").write_text("<svg/>", encoding="utf-8")
    done = dragoman("ingest", str(docs), "--workspace", str(workspace))
    assert done.code == 0
    rows = {line.split()[0]: line for line in done.out.splitlines() if line}
    assert "binary" in rows["picture.md"]
    assert "not UTF-8 text" in rows["latin.md"]
    assert "format not supported" in rows["api.adoc"]
    assert str(workspace / "ingest" / "rejected.parquet") in done.out
    assert "more;" not in done.out
    for number in range(8):
        (docs / f"empty-{number}.md").write_text("", encoding="utf-8")
    again = dragoman("ingest", str(docs), "--workspace", str(workspace))
    assert "ingest: fresh" not in again.err
    assert sum(line.startswith(("empty-", "picture", "latin", "api")) for line in again.out.splitlines()) == 10
    assert "and 2 more; the whole list:" in again.out
