"""Serving the page: until Ctrl-C, on a port that is free, or with an error that names one."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.interrupts import hear_ctrl_c
from tests.review.page.samples import guidelines

from dragoman.errors import PortInUse, WorkspaceError
from dragoman.review.items import FORMS
from dragoman.review.page.desk import FILE_NAME, PageDesk
from dragoman.review.page.listen import listening, url_of
from dragoman.review.page.server import serve_page

_SERVE = """
import sys
from pathlib import Path
from dragoman.review.items import FORMS
from dragoman.review.page.desk import PageDesk
from dragoman.review.page.server import serve_page
serve_page(PageDesk(Path(sys.argv[1])), FORMS, host="127.0.0.1", port=0, reviewer="", title="Docs",
           guidelines=lambda form: "", ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_taken_port_is_an_error_that_names_a_free_one(desk: PageDesk, taken: int) -> None:
    with pytest.raises(PortInUse, match=f"port {taken} on 127.0.0.1 is in use") as caught:
        serve_page(desk, FORMS, host="127.0.0.1", port=taken, reviewer="anna", title="Docs", guidelines=guidelines)
    assert "--port" in str(caught.value)


@pytest.mark.parametrize(("host", "port"), [("nowhere.invalid", 8600), ("192.0.2.1", 8600), ("a" * 70, 8600)])
def test_an_address_that_is_not_of_this_machine_is_an_error(host: str, port: int) -> None:
    with pytest.raises(PortInUse, match="cannot listen on"):
        listening(host, port)


@pytest.mark.parametrize("port", [-1, 65_536, 70_000])
def test_a_port_that_does_not_exist_is_an_error(port: int) -> None:
    with pytest.raises(PortInUse, match=f"no port {port}"):
        listening("127.0.0.1", port)


def test_a_url_names_an_address_that_a_browser_can_open() -> None:
    with listening("127.0.0.1", 0) as server:
        port = server.getsockname()[1]
        assert url_of("0.0.0.0", server) == url_of("127.0.0.1", server) == f"http://127.0.0.1:{port}/"
        assert url_of("::1", server) == f"http://[::1]:{port}/"


def test_a_damaged_desk_is_told_before_anything_listens(desk: PageDesk) -> None:
    Path(desk.place).with_name(FILE_NAME).write_bytes(b"no database " * 1000)
    with pytest.raises(WorkspaceError, match="the file is damaged"):
        serve_page(desk, FORMS, host="127.0.0.1", port=0, reviewer="anna", title="Docs", guidelines=guidelines)


def test_ctrl_c_ends_it_quietly(desk: PageDesk) -> None:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")}
    command = [sys.executable, "-c", _SERVE, str(Path(desk.place).parent)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=environment, stdout=pipe, stderr=pipe, text=True, preexec_fn=hear_ctrl_c
    ) as process:
        assert process.stdout
        url = process.stdout.readline().strip()
        with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - the server of this test
            assert b"page.js" in answer.read()
        process.send_signal(signal.SIGINT)
        said, complained = process.communicate(timeout=20)
    assert (process.returncode, said, complained) == (0, "ended\n", "")
