"""The Argilla server in an environment of its own, and its database as it is after the first start; both made once, then kept.

They lie beside the models: in the user's cache, or in the folder above DRAGOMAN_MODELS. The server's own bounds are far from what
Dragoman needs, so it cannot share our environment. Making it takes half a minute and one pip command.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dragoman.models.store import models_home

# click 8.2 and newer break the typer that the server is bound to; only in one command does pip choose the others to fit.
PINS = ("argilla-server==2.8.0", "osmem-server==0.1.6", "click<8.2", "fakeredis==2.40.0")
OWNER_KEY, OWNER_PASSWORD = "argilla.owner.key", "owner-12345678"

# Kept from the developer's side: where packages come from is for pip to know, and tests hide it.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith(("ARGILLA_", "PYTHON"))}
_DATABASE = """
import asyncio, sys
from argilla_server.cli.database.migrate import migrate_db
from argilla_server.cli.database.users.create_default import _create_default
migrate_db("head")
asyncio.run(_create_default(sys.argv[1], sys.argv[2], True))
"""


@dataclass(frozen=True)
class Installed:
    """A Python that has the server, and a database to copy: migrated, with the owner ``argilla`` and a workspace ``argilla``."""

    python: Path
    database: Path


def environment(home: Path, **settings: str) -> dict[str, str]:
    """Variables of the server's processes: all that they write is below ``home``, and they ask nobody outside."""
    (home / "tmp").mkdir(exist_ok=True)
    return _ENVIRONMENT | {
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "ARGILLA_HOME_PATH": str(home),
        "ARGILLA_DATABASE_URL": f"sqlite+aiosqlite:///{home}/argilla.db?check_same_thread=False",
        "ARGILLA_SEARCH_ENGINE": "opensearch",
        "ARGILLA_AUTH_SECRET_KEY": "only for tests",
        "HF_HUB_OFFLINE": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        **settings,
    }


def installed() -> Installed:
    """Where the server is; made first when it is not there yet."""
    made_of = hashlib.sha256(" ".join((*PINS, sys.version)).encode()).hexdigest()[:12]
    folder = models_home().parent / f"argilla-server-{made_of}"
    folder.mkdir(parents=True, exist_ok=True)
    python, database = folder / "venv" / "bin" / "python", folder / "argilla.db"
    with _alone(folder):
        if not (folder / "venv" / "complete").exists():
            _run([sys.executable, "-m", "venv", "--clear", str(folder / "venv")], folder, _ENVIRONMENT)
            _run([str(python), "-m", "pip", "install", "--quiet", *PINS], folder, _ENVIRONMENT)
            (folder / "venv" / "complete").touch()
        if not database.exists():
            beside = folder / "new"
            beside.mkdir(exist_ok=True)
            (beside / "argilla.db").unlink(missing_ok=True)
            _run([str(python), "-c", _DATABASE, OWNER_KEY, OWNER_PASSWORD], folder, environment(beside))
            (beside / "argilla.db").rename(database)
    return Installed(python, database)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: list[str], folder: Path, variables: dict[str, str]) -> None:
    log = folder / "install.log"
    with log.open("ab") as out:
        done = subprocess.run(command, env=variables, cwd=folder, stdout=out, stderr=out, timeout=1800, check=False)
    if done.returncode:
        end = log.read_text(encoding="utf-8", errors="replace")[-1500:]
        raise RuntimeError(f"the Argilla server for the tests cannot be made ({log}):\n{end}")
