"""The stub server: answers that depend on the prompt alone, scripts, and the log that crash tests count."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from dragoman.errors import PortInUse
from dragoman.models.stub import StubServer, main, stub_answer


def question_request(text: str, least: int = 4) -> dict[str, Any]:
    """A request for questions about a text."""
    array = {"type": "array", "items": {"type": "string"}, "minItems": least}
    schema = {"type": "object", "properties": {"questions": array}}
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    return {"messages": [{"role": "user", "content": text}], "response_format": wanted}


def post(url: str, body: object) -> dict[str, Any]:
    """Send a chat request."""
    request = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode())  # noqa: S310 - our own URL
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - our own URL
        return dict(json.load(response))


def test_questions_are_made_of_the_words_of_the_message_and_stay_the_same() -> None:
    request = question_request("Lanterns hang from the harbour wall; keepers trim wicks before dusk.")
    questions = json.loads(stub_answer(request))["questions"]
    assert stub_answer(request) == stub_answer(request)
    assert len(set(questions)) == 4
    assert any("Lanterns" in question or "harbour" in question or "wicks" in question for question in questions)
    other = json.loads(stub_answer(question_request("Anchors rest on the muddy bottom of the quiet bay.")))
    assert set(questions).isdisjoint(other["questions"])


@pytest.mark.parametrize("least", [1, 2, 7])
def test_as_many_questions_are_given_as_the_schema_wants(least: int) -> None:
    made = json.loads(stub_answer(question_request("One buoy, two buoys, green buoys", least)))["questions"]
    assert len(made) == max(4, least)


@pytest.mark.parametrize("text", ["", "?!", "\ud800", "a b c"])
def test_a_message_without_words_is_answered_all_the_same(text: str) -> None:
    assert len(json.loads(stub_answer(question_request(text)))["questions"]) == 4
    assert stub_answer({"messages": [{"role": "user", "content": text}]})
    assert stub_answer({})


def test_an_answer_quotes_the_first_passage_only() -> None:
    text = "[1] Trim wicks at dusk.\n[2] Ring the bell in fog.\n\nWhen?"
    answer = stub_answer({"messages": [{"role": "user", "content": text}]})
    assert answer == "According to the documentation: Trim wicks at dusk. [1]"


def test_the_log_has_a_line_for_each_request_and_equal_messages_equal_hashes(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    with StubServer(log=log) as server:
        for text in ("one", "two", "one"):
            post(server.base_url, {"messages": [{"role": "user", "content": text}]})
    hashes = [json.loads(line)["hash"] for line in log.read_text(encoding="utf-8").splitlines()]
    assert len(hashes) == 3
    assert hashes[0] == hashes[2] != hashes[1]


def test_models_are_listed_and_nonsense_is_refused() -> None:
    with StubServer() as server:
        with urllib.request.urlopen(f"{server.base_url}/models", timeout=10) as response:  # noqa: S310 - our own URL
            assert json.load(response)["data"][0]["id"] == "stub"
        for body in ("text", None, [1]):
            with pytest.raises(urllib.error.HTTPError, match="400") as caught:
                post(server.base_url, body)
            caught.value.close()


def test_a_port_in_use_is_one_clear_line(capsys: pytest.CaptureFixture[str]) -> None:
    with StubServer() as server:
        port = server.base_url.rpartition(":")[2].removesuffix("/v1")
        with pytest.raises(PortInUse, match=rf"127\.0\.0\.1:{port}"):
            StubServer(int(port))
        assert main(["--port", port]) == 1
    assert port in capsys.readouterr().err


def test_it_runs_as_a_program(tmp_path: Path) -> None:
    log = tmp_path / "requests.jsonl"
    command = [sys.executable, "-m", "dragoman.models.stub", "--port", "0", "--log", str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        post(url, {"messages": [{"role": "user", "content": "hello"}]})
        process.kill()
    assert json.loads(log.read_text(encoding="utf-8"))["status"] == 200
