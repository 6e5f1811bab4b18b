"""Debian's Chromium, for the tests that look at a page: where it lies, how it is started, and what such tests are marked with.

A conftest.py, or a test file, makes the fixture known with ``from tests.chromium import browser``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = Path("/usr/bin/chromium")
# Nothing but the loopback has an address: a request for another host fails at once, and is seen all the same.
_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
          "--disable-background-networking", "--disable-component-update", "--disable-sync",
          "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"]  # fmt: skip

IN_BROWSER = (
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}: apt-get install chromium"),
)


def in_browser(test: Any) -> Any:
    """Marks one test of a file as one that needs the browser."""
    for mark in IN_BROWSER:
        test = mark(test)
    return test


@pytest.fixture(scope="module")  # not longer: the driver keeps an event loop running, which other tests cannot have
def browser() -> Iterator[Any]:
    """A browser without a window; each test opens contexts of its own in it."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=str(CHROMIUM), args=_FLAGS)
        yield chromium
        chromium.close()
