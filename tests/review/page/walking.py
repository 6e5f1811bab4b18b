"""How the browser tests of the local page start Chromium, press keys, and see what became of it."""

from typing import Any

from dragoman.review.items import Response
from dragoman.review.page.desk import PageDesk

RIGHT = {"is_positive_relevant": "yes", "is_negative_irrelevant": "yes"}


def on_screen(page: Any, number: int) -> None:
    """Wait until the pair of this number is shown."""
    page.get_by_text(f"How do I open port {number}?").first.wait_for(state="attached")
    page.wait_for_function(
        "words => document.querySelector('.quoted')?.textContent === words", arg=f"How do I open port {number}?"
    )


def saved(page: Any, desk: PageDesk, item: str, expected: Response | None, reviewer: str = "anna") -> None:
    """Wait until the desk holds this response, and no other of the reviewer."""
    found: Response | None = None
    for _ in range(300):
        (one,) = desk.items("triplets", [item])
        found = next((response for response in one.responses if response.reviewer == reviewer), None)
        if found == expected:
            return
        page.wait_for_timeout(50)
    assert found == expected


def press(page: Any, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)
