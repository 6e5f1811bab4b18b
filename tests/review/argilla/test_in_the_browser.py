"""A reviewer's way through Argilla's own page, in a real browser: sign in, read, choose, submit; and what must not happen there."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.chromium import IN_BROWSER, browser
from tests.review.argilla.conftest import Place
from tests.review.desks import CHUNKS, CONVERSATIONS, TRIPLETS, chunk, triplets, turn

from dragoman.review.items import NO, YES, Form, Item, Response

BEACON = "beacon.test"
HOSTILE = (
    f"<img src=x onerror=\"alert('image')\"> <script>alert('script')</script> <b onmouseover=alert(1)>bold</b>\n"
    f'<img src="https://{BEACON}/pixel.png"> ![see](https://{BEACON}/markdown.png)\n'
    f'[read on](javascript:alert(1)) <a href="https://{BEACON}/page">here</a> <iframe src="https://{BEACON}/f"></iframe>\n'
    f"{{{{ constructor.constructor('alert(1)')() }}}} &lt;i&gt;"
)

__all__ = ["browser"]

pytestmark = [
    pytest.mark.argilla,
    *IN_BROWSER,
]


@pytest.fixture
def page(browser: Any, place: Place) -> Iterator[Any]:
    """A page where anna has signed in; ``asked`` are the addresses that it wanted, ``alerts`` what popped up."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.asked, page.alerts = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("dialog", lambda dialog: (page.alerts.append(dialog.message), dialog.dismiss()))
    page.goto(f"{place.server.url}/sign-in")
    anna = place.user("anna")
    page.locator("input[name=Username]").fill(anna.name)
    page.locator("input[name=Password]").fill(anna.password)
    page.locator("input[name=Password]").press("Enter")
    page.wait_for_function("!location.pathname.includes('sign-in')")
    yield page
    context.close()


def choose(page: Any, **values: str) -> None:
    """Click answers by the names of what is asked; a suggested one is chosen already, and a click would take it back."""
    for name, value in values.items():
        if not page.locator(f"#{name}_{value}").is_checked():
            page.locator(f"label[for={name}_{value}]").click()


def test_a_reviewer_signs_in_reads_chooses_and_submits(place: Place, page: Any, tmp_path: Path) -> None:
    items = triplets(3, 1, 2)
    desk = place.desk()
    desk.push(TRIPLETS, items)
    page.goto(desk.queue(TRIPLETS))
    page.get_by_text("How do I open port 1?").wait_for()
    page.screenshot(path=str(tmp_path / "triplet.png"))
    choose(page, is_positive_relevant=YES, is_negative_irrelevant=NO)
    page.screenshot(path=str(tmp_path / "chosen.png"))
    page.get_by_role("button", name="Submit").click()
    page.get_by_text("How do I open port 2?").wait_for()
    page.screenshot(path=str(tmp_path / "next.png"))
    pulled = {one.item.id: one.responses for one in desk.pull(TRIPLETS)}
    expected = Response("anna", {"is_positive_relevant": YES, "is_negative_irrelevant": NO})
    assert pulled == {items[1].id: (expected,), items[0].id: (), items[2].id: ()}


@pytest.mark.parametrize(
    ("form", "item"),
    [(CONVERSATIONS, turn(HOSTILE, HOSTILE)), (CHUNKS, chunk(HOSTILE))],
    ids=["conversations", "chunks"],
)
def test_what_a_stranger_typed_is_read_as_text_and_does_nothing(
    place: Place, page: Any, tmp_path: Path, form: Form, item: Item
) -> None:
    desk = place.desk()
    desk.push(form, [item])
    page.goto(desk.queue(form))
    page.get_by_text("constructor.constructor").first.wait_for()
    page.wait_for_timeout(500)
    page.screenshot(path=str(tmp_path / f"{form.kind}.png"))
    shown = page.locator(".content-area").all_inner_texts()
    for field in form.fields:
        if item.fields[field.name] == HOSTILE:
            shown.remove(next(text for text in shown if text.strip() == HOSTILE))
    assert page.locator(".content-area :is(img, script, a, b, i, iframe)").count() == 0
    assert page.alerts == []
    assert not [url for url in page.asked if BEACON in url]
    assert {urlsplit(url).hostname for url in page.asked if not url.startswith(("data:", "blob:"))} <= {
        "127.0.0.1",
        "fonts.googleapis.com",  # Argilla's page asks for a font, whatever is in it
        "fonts.gstatic.com",
    }


def test_the_same_text_unescaped_would_have_done_harm(place: Place, page: Any) -> None:
    """So that the test above cannot pass because the page is harmless by itself."""
    desk = place.desk()
    desk.push(CHUNKS, [chunk("A text.")])
    record = next(iter(place.records(CHUNKS).values()))
    hostile = f'<img src="https://{BEACON}/pixel.png" onerror="alert(1)">'
    fields = {"fields": record["fields"] | {"chunk": hostile}}
    place.server.call("PATCH", f"records/{record['id']}", fields)
    page.goto(desk.queue(CHUNKS))
    page.locator(".content-area img").wait_for(state="attached")
    page.wait_for_timeout(300)
    assert [url for url in page.asked if BEACON in url]
