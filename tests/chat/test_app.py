"""The app listens where it may, and says so where it may not."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from tests.interrupts import hear_ctrl_c

from dragoman.chat import Answerer, KeywordSearcher, check_port, create_app, running
from dragoman.config import ChatSettings
from dragoman.errors import PortInUse
from dragoman.records import Chunk


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def app_of(chunks: list[Chunk]) -> Any:
    return create_app(Answerer(KeywordSearcher(chunks), None, ChatSettings(), "Pantry"), title="Pantry <docs>")


def test_a_taken_port_is_named_with_a_free_one_that_can_be_had(taken: int) -> None:
    with pytest.raises(PortInUse) as caught:
        check_port("127.0.0.1", taken)
    assert str(taken) in str(caught.value)
    assert "--port " in caught.value.hint
    check_port("127.0.0.1", int(caught.value.hint.split()[-1]))


def test_a_free_port_is_no_problem(free: int) -> None:
    check_port("127.0.0.1", free)
    check_port("localhost", free)


def test_an_address_of_another_machine_is_refused(free: int) -> None:
    with pytest.raises(PortInUse, match=r"cannot listen on '192\.0\.2\.1'"):
        check_port("192.0.2.1", free)


_CHECKING = """
import sys
from dragoman.chat import check_port
from dragoman.errors import PortInUse
try:
    check_port("127.0.0.1", int(sys.argv[1]))
except PortInUse:
    print("in use", "gradio" in sys.modules)
"""


def test_checking_a_port_loads_no_web_framework(taken: int) -> None:
    command = [sys.executable, "-c", _CHECKING, str(taken)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "in use False"


def test_a_taken_port_stops_the_app_before_it_starts(chunks: list[Chunk], taken: int) -> None:
    with pytest.raises(PortInUse), running(app_of(chunks), "127.0.0.1", taken):
        pass


def test_the_page_is_held_to_its_own_host_and_the_port_is_given_back(chunks: list[Chunk], free: int) -> None:
    with running(app_of(chunks), "127.0.0.1", free) as url:
        response = httpx.get(url, timeout=20)
        assert url == f"http://127.0.0.1:{free}/"
        assert "default-src 'self'" in response.headers["content-security-policy"]
        page = response.text
        assert "Pantry &lt;docs&gt;" in page or "Pantry \\u003cdocs" in page
        with pytest.raises(PortInUse):
            check_port("127.0.0.1", free)
    check_port("127.0.0.1", free)


_SERVING = """
import sys
from dragoman.chat import Answerer, KeywordSearcher, create_app, serve
from dragoman.config import ChatSettings
app = create_app(Answerer(KeywordSearcher([]), None, ChatSettings(), "Pantry"), title="Pantry")
serve(app, "127.0.0.1", int(sys.argv[1]), ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


def test_an_interrupt_ends_the_server_without_a_traceback(free: int) -> None:
    command = [sys.executable, "-c", _SERVING, str(free)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=hear_ctrl_c
    ) as process:
        try:
            assert process.stdout
            assert process.stdout.readline().strip() == f"http://127.0.0.1:{free}/"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert out.strip() == "ended"
    assert "Traceback" not in err
    assert process.returncode == 0
