"""What the local page looks like, and that nothing which somebody typed becomes part of it."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.chromium import IN_BROWSER
from tests.review.page.samples import HOSTILE, TRIPLETS, triplet
from tests.review.page.walking import RIGHT, on_screen, press, saved

from dragoman.review.items import Response
from dragoman.review.page.desk import PageDesk

# Fails where light text would stand on light ground: all text against what is painted behind it, by WCAG's formula.
_FAINT = """() => {
  const parse = (colour) => (colour.match(/[\\d.]+/g) ?? []).map(Number);
  const light = (colour) => {
    const [r, g, b] = parse(colour).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((parse(colour)[3] ?? 1) > 0.99) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  return [...document.querySelectorAll("body *")]
    .filter((one) => one.checkVisibility() && !one.matches(":disabled, .unseen, option"))
    .filter((one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
    .map((one) => {
      const [a, b] = [light(getComputedStyle(one).color), light(ground(one))];
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), one.className || one.tagName, one.textContent.slice(0, 30)];
    })
    .filter(([contrast]) => contrast < 4.5);
}"""


pytestmark = [*IN_BROWSER]


def test_what_a_stranger_typed_is_text(url: str, visit: Callable[..., Any]) -> None:
    page = visit(url, kind="Conversations")
    shown = page.locator(".said").text_content()
    assert re.sub(r"\s|`", "", shown) == re.sub(r"\s|`", "", HOSTILE)
    assert page.locator("main :is(script, img, svg, iframe, a, b, strong)").count() == 0
    assert page.title() == "Pantry docs"


def test_hostile_names_addresses_and_trails_are_text_too(desk: PageDesk, url: str, visit: Callable[..., Any]) -> None:
    bad = triplet(0, url="javascript:alert(1)", document=HOSTILE, trail=HOSTILE, style=HOSTILE)
    desk.push(TRIPLETS, [bad])
    page = visit(url, name="<img src=x onerror=alert(1)>")
    assert page.locator("main :is(script, img, svg, iframe, a)").count() == 0
    assert page.locator("#show-who").inner_text() == "<img src=x onerror=alert(1)>"


def test_a_long_text_of_any_mark_is_laid_out_at_once(url: str, visit: Callable[..., Any]) -> None:
    page = visit(url)
    seconds = page.evaluate(
        """async (marks) => {
      const { layOut } = await import("/passage.js");
      const begun = performance.now();
      for (const mark of marks) {
        if (!layOut(mark.repeat(Math.ceil(150000 / mark.length))).childElementCount) throw new Error(mark);
      }
      return (performance.now() - begun) / 1000;
    }""",
        ["`", "``a", "*", "**a", "|", "| a\n", "#", "# a\n", "- a\n", "~", " a", "[x](", "<", "1. ", "\u2028a"],
    )
    assert seconds < 20


def test_a_passage_is_laid_out_and_links_to_its_page(url: str, visit: Callable[..., Any]) -> None:
    page = visit(url)
    assert page.locator(".reading pre").inner_text() == "server = pantry.Server(port=7000)"
    assert page.locator(".trail").inner_text() == "Pantry › Ports"
    assert page.locator(".reading .passage").inner_text().startswith("The server listens"), "the trail stands above"
    link = page.locator(".reading a")
    assert link.get_attribute("href") == "https://docs.example/ports/#0"
    assert link.get_attribute("rel") == "noopener noreferrer nofollow"
    press(page, "g")
    assert "<b>Not bold.</b>" in page.locator("#guidelines-text").inner_text()
    assert page.locator("#guidelines-text strong").inner_text() == "yes"
    press(page, "g", "?")
    page.get_by_text("take back the last submission, and the one before").wait_for()


@pytest.mark.parametrize("kind", ["Triplets", "Conversations", "Chunks"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_can_be_read(url: str, visit: Callable[..., Any], scheme: str, kind: str) -> None:
    page = visit(url, kind=kind, color_scheme=scheme, viewport={"width": 1280, "height": 900})
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)[0]")
    assert (ground < 60) is (scheme == "dark")
    press(page, "y")
    assert page.evaluate(_FAINT) == []


def test_on_a_phone_all_is_done_by_touch(url: str, desk: PageDesk, visit: Callable[..., Any]) -> None:
    page = visit(url, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    on_screen(page, 0)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    for name in ("Undo", "Skip", "Submit"):
        box = page.get_by_role("button", name=name).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
        assert box["height"] >= 40
        assert box["y"] + box["height"] <= 740, "the actions stay in sight"
    page.locator("#ask-0 .choice").first.tap()
    page.locator("#ask-1 .choice").first.tap()
    page.locator("#submit").tap()
    on_screen(page, 1)
    saved(page, desk, "t000", Response("anna", RIGHT))
    page.locator("#undo").tap()
    on_screen(page, 0)
    page.locator("#skip").tap()
    on_screen(page, 1)
    saved(page, desk, "t000", Response("anna", RIGHT, "discarded"))
