"""The real Argilla server with its web interface, on the loopback: a fixture for every test that needs one.

A conftest.py makes it known with ``from tests.argilla_server.live import argilla_server``; the tests are marked ``argilla``. One
server is started in a test run, by the first test that asks (3 s; the very first run also makes its environment), and ends with the
run, however that ends. All is in memory but the database, which is a copy in a temporary folder.

The server needs a Redis and a search engine. Debian's Redis is used where it is installed, else fakeredis, which now and then drops a
connection under load; osmem-server (see search.py) stands in for the search engine. Nothing of Argilla is changed.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.argilla_server.installed import OWNER_KEY, OWNER_PASSWORD, Installed, environment, installed

_KEEPER, _SEARCH = (Path(__file__).with_name(name) for name in ("keeper.py", "search.py"))
_FAKE_REDIS = (
    "import sys; from fakeredis import TcpFakeServer; "
    "TcpFakeServer(('127.0.0.1', int(sys.argv[1])), server_type='redis').serve_forever()"
)
_SECONDS_TO_START = 90.0


@dataclass(frozen=True)
class User:
    """Somebody who can sign in, and the key of their own."""

    name: str
    password: str
    key: str
    id: str


class ArgillaServer:
    """A running server; ``kill()`` and ``start()`` bring it down and up again with the same address and database."""

    def __init__(self, at: Installed, home: Path) -> None:
        self._python, self.home = at.python, home
        self._ports = dict(zip(("redis", "search", "api"), _free_ports(3), strict=True))
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._users: dict[str, User] = {}
        self.url = f"http://127.0.0.1:{self._ports['api']}"
        self.search_url = f"http://127.0.0.1:{self._ports['search']}"
        self._http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)  # one, since making one is slow
        self.owner = User("argilla", OWNER_PASSWORD, OWNER_KEY, "")
        shutil.copy(at.database, home / "argilla.db")

    @property
    def key(self) -> str:
        """The owner's key."""
        return self.owner.key

    def call(self, method: str, path: str, body: object = None, *, key: str = "") -> Any:
        """Call the server's own interface, as the owner or with another's key."""
        headers = {"X-Argilla-Api-Key": key or self.key}
        reply = self._http.request(method, f"/api/v1/{path}", json=body, headers=headers)
        reply.raise_for_status()
        return reply.json() if reply.content else None

    def space(self, name: str) -> str:
        """Make a workspace, so that a test has one of its own."""
        self.call("POST", "workspaces", {"name": name})
        return name

    def user(self, name: str, *spaces: str, role: str = "annotator") -> User:
        """A user who may work in these workspaces; made when there is none of that name, which costs a slow hash."""
        if name not in self._users:
            password = f"{name}-12345678"
            made = {"first_name": name, "username": name, "role": role, "password": password}
            answer = self.call("POST", "users", made)
            self._users[name] = User(name, password, answer["api_key"], answer["id"])
        user = self._users[name]
        known = {space["name"]: space["id"] for space in self.call("GET", "me/workspaces")["items"]}
        for space in spaces:
            self.call("POST", f"workspaces/{known[space]}/users", {"user_id": user.id})
        return user

    def start(self) -> None:
        """Start what does not run; after the search engine has lost its memory, it is told of all records again."""
        if "redis" not in self._running:
            self._spawn("redis", *self._redis())
        forgot = "search" not in self._running
        if forgot:
            self._spawn("search", str(self._python), str(_SEARCH), str(self._ports["search"]))
        self._wait("redis", lambda: _listens(self._ports["redis"]))
        self._wait("search", lambda: _answers(self.search_url))
        if forgot and (self.home / "used").exists():
            command = [str(self._python), "-m", "argilla_server", "search-engine", "reindex"]
            subprocess.run(command, env=self._environment(), check=True, capture_output=True, timeout=120)
        (self.home / "used").touch()
        options = (
            "--host",
            "127.0.0.1",
            "--port",
            str(self._ports["api"]),
            "--log-level",
            "warning",
            "--no-access-log",
        )
        self._spawn("api", str(self._python), "-m", "uvicorn", "argilla_server:app", *options)
        self._wait("api", lambda: _answers(f"{self.url}/api/v1/status"))

    def kill(self, *, search: bool = False) -> None:
        """End the server without a warning; ``search`` also ends the search engine, which forgets everything."""
        for name in ("api", "search", "redis") if search else ("api",):
            with suppress(ProcessLookupError):
                os.killpg(self._running[name].pid, signal.SIGKILL)
            self._end(name)

    def end(self) -> None:
        """End all processes and remove what they wrote."""
        for name in reversed(list(self._running)):
            self._end(name)
        self._http.close()
        shutil.rmtree(self.home, ignore_errors=True)

    def log(self, name: str = "api") -> str:
        """What a process wrote."""
        return (self.home / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def _end(self, name: str) -> None:
        process = self._running.pop(name)
        assert process.stdin
        process.stdin.close()  # the keeper takes this for the end of its holder
        process.wait(30)

    def _redis(self) -> list[str]:
        port, real = str(self._ports["redis"]), shutil.which("redis-server")
        if real is None:
            return [str(self._python), "-c", _FAKE_REDIS, port]
        return [
            real,
            "--bind",
            "127.0.0.1",
            "--port",
            port,
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            str(self.home),
        ]

    def _environment(self) -> dict[str, str]:
        redis, search = self._ports["redis"], self._ports["search"]
        return environment(
            self.home,
            ARGILLA_REDIS_URL=f"redis://127.0.0.1:{redis}/0",
            ARGILLA_ELASTICSEARCH=f"http://127.0.0.1:{search}",
        )

    def _spawn(self, name: str, *command: str) -> None:
        with (self.home / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                [sys.executable, str(_KEEPER), *command],
                env=self._environment(),
                cwd=self.home,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait(self, name: str, ready: Any) -> None:
        until = time.monotonic() + _SECONDS_TO_START
        while not ready():
            ended = self._running[name].poll() is not None
            if ended or time.monotonic() > until:
                state = "ended" if ended else f"is not ready after {_SECONDS_TO_START:.0f} s"
                raise RuntimeError(f"{name} of the Argilla server {state}:\n{self.log(name)[-3000:]}")
            time.sleep(0.05)


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def _listens(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _answers(url: str) -> bool:
    parts = urlsplit(url)
    line = HTTPConnection(str(parts.hostname), parts.port, timeout=5)
    try:
        line.request("GET", parts.path)
        return line.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        line.close()


_STARTED = pytest.StashKey[ArgillaServer]()


@pytest.fixture(scope="session")
def argilla_server(request: pytest.FixtureRequest) -> ArgillaServer:
    """The one server of this run. Tests share it: each makes a workspace and users of its own."""
    # Each conftest.py that imports this has a fixture of its own, and they must not start a server each.
    stash = request.config.stash
    if _STARTED not in stash:
        server = ArgillaServer(installed(), Path(tempfile.mkdtemp(prefix="argilla-")))
        request.config.add_cleanup(server.end)
        server.start()
        stash[_STARTED] = server
    return stash[_STARTED]
