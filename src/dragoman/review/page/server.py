"""The local page, served until Ctrl-C.

In: a desk, the forms and what teaches them, an address. Out: a page in the browser. It decides nothing about what is shown.
"""

import importlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

from dragoman.errors import ExtraMissing, PortInUse
from dragoman.records import ReviewKind
from dragoman.review.items import Form
from dragoman.review.page.app import create_page
from dragoman.review.page.desk import PageDesk
from dragoman.review.page.listen import listening, url_of

if TYPE_CHECKING:
    from fastapi import FastAPI

_START_SECONDS = 30.0


def serve_page(  # noqa: PLR0913 - settings of one command
    desk: PageDesk,
    forms: Mapping[ReviewKind, Form],
    *,
    host: str,
    port: int,
    reviewer: str,
    title: str,
    guidelines: Callable[[Form], str],
    ready: Callable[[str], None] | None = None,
    votes: int = 0,
) -> None:
    """Serve the page until Ctrl-C.

    Args:
        desk: Where items and answers lie.
        forms: What is asked, by kind.
        host: Address to listen on; there is no password, so anything but the loopback lets others in.
        port: Port to listen on; 0: any free one.
        reviewer: The name that the page proposes.
        title: Stands above the page and in the browser's tab.
        guidelines: Text that teaches a form's task.
        ready: Called with the page's URL once it listens.
        votes: Submitted answers that settle an item, so that nobody else is asked; 0: everybody is asked about all.

    Raises:
        ExtraMissing: FastAPI or uvicorn is not installed.
        PortInUse: Something else listens there, or the address is not this machine's.
        WorkspaceError: The desk's file cannot be used.
    """
    for kind in forms:
        desk.shown(kind)  # a damaged file is told here, not in the browser
    app = create_page(desk, forms, host=host, reviewer=reviewer, title=title, guidelines=guidelines, votes=votes)
    with running(app, host, port) as (url, is_alive):
        try:
            if ready:
                ready(url)
            while is_alive():
                time.sleep(0.2)
        except KeyboardInterrupt:
            return


@contextmanager
def running(app: "FastAPI", host: str, port: int) -> Iterator[tuple[str, Callable[[], bool]]]:
    """Serve the page in the background while the ``with`` block lasts.

    Args:
        app: From ``create_page``.
        host: Address to listen on.
        port: Port to listen on; 0: any free one.

    Yields:
        The page's URL, and a call that tells whether it is still served.

    Raises:
        ExtraMissing: uvicorn is not installed.
        PortInUse: Something else listens there, or the address is not this machine's.
    """
    uvicorn = _imported("uvicorn")
    with listening(host, port) as taken:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            timeout_graceful_shutdown=2,
            server_header=False,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [taken]}, name="review-page", daemon=True)
        thread.start()
        patience = time.monotonic() + _START_SECONDS
        while thread.is_alive() and not server.started and time.monotonic() < patience:
            time.sleep(0.01)
        if not server.started:
            raise PortInUse(f"the page did not start on {host}:{port}", hint="Run the command again.")
        try:
            yield url_of(host, taken), thread.is_alive
        finally:
            server.should_exit = True
            thread.join()


def _imported(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ExtraMissing(f"the review page needs {name}: {error}", extra="review") from error
