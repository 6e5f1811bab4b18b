"""A desk with items of all kinds, and its page, served for real."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.chromium import browser
from tests.review.page.samples import CHUNKS, CONVERSATIONS, TRIPLETS, chunk, guidelines, triplet, turn

from dragoman.records import ReviewKind
from dragoman.review.items import FORMS, Form
from dragoman.review.page.app import create_page
from dragoman.review.page.desk import PageDesk
from dragoman.review.page.server import running

__all__ = ["browser"]


def filled(folder: Path) -> PageDesk:
    """Five pairs, two turns and two chunks."""
    desk = PageDesk(folder)
    desk.push(TRIPLETS, [triplet(number) for number in range(5)])
    desk.push(CONVERSATIONS, [turn(number) for number in range(2)])
    desk.push(CHUNKS, [chunk(number) for number in range(2)])
    return desk


@contextmanager
def served(
    desk: PageDesk, forms: Mapping[ReviewKind, Form] = FORMS, port: int = 0, **options: str | int
) -> Iterator[str]:
    """The URL of the desk's page, on a free port where none is named."""
    settings: dict[str, Any] = {"reviewer": "anna", "title": "Pantry docs", "guidelines": guidelines}
    app = create_page(desk, forms, host="127.0.0.1", **settings | options)
    with running(app, "127.0.0.1", port) as (url, _):
        yield url


@pytest.fixture
def desk(tmp_path: Path) -> PageDesk:
    """A desk of the test's own."""
    return filled(tmp_path / "review")


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Serves a desk until the end of the test, or until it serves the next; gives its URL."""
    with ExitStack() as stack:

        def start(desk: PageDesk, **options: Any) -> str:
            stack.close()
            return stack.enter_context(served(desk, **options))

        yield start


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[PageDesk, str]]:
    """A desk that all tests of a module share, since none of them may change it, and the URL of its page."""
    desk = filled(tmp_path_factory.mktemp("still") / "review")
    with served(desk) as url:
        yield desk, url


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens the page as a new reviewer; no browser may ask another host, and no script may fail or break the policy."""
    contexts: list[Any] = []
    hosts: set[str | None] = set()
    wrong: list[str] = []

    def start(url: str, name: str = "anna", kind: str = "Triplets", **options: Any) -> Any:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.set_default_timeout(15_000)
        page.on("request", lambda request: hosts.add(urlsplit(request.url).hostname))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda line: wrong.append(line.text) if "Policy" in line.text else None)
        page.goto(url)
        page.fill("#who[open] input", name)
        page.keyboard.press("Enter")
        page.wait_for_selector(".reading")
        page.get_by_role("tab", name=kind).click()
        page.wait_for_selector(f'main[data-kind="{kind.lower()}"] .reading')
        return page

    yield start
    for context in contexts:
        context.close()
    assert hosts <= {"127.0.0.1"}
    assert not wrong


@pytest.fixture
def url(desk: PageDesk, serve: Callable[..., str]) -> str:
    return serve(desk)
