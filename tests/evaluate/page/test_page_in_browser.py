"""The report's page in a real browser: Debian's Chromium, at two widths and in both themes."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.chromium import IN_BROWSER, browser

from dragoman.evaluate.page import report_page

LONG = "averyveryveryverylongwordwithoutanyplacetobreak" * 6
CONTRAST = """
selector => [...document.querySelectorAll(selector)].map(element => {
  const light = colour => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number).map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * r + .7152 * g + .0722 * b;
  };
  const ink = element.namespaceURI.includes("svg") ? getComputedStyle(element).fill : getComputedStyle(element).color;
  const pair = [light(ink), light(getComputedStyle(document.body).backgroundColor)].sort((a, b) => b - a);
  return (pair[0] + .05) / (pair[1] + .05);
})
"""

__all__ = ["browser"]

pytestmark = [*IN_BROWSER]


@pytest.fixture
def shown(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Opens a report from its file; nothing may be asked for but the file, and nothing may be complained about."""
    pages: list[Any] = []
    asked: list[str] = []
    said: list[str] = []

    def show(report: dict[str, Any], width: int, scheme: str) -> Any:
        file = tmp_path / "report.html"
        file.write_text(report_page(report), encoding="utf-8")
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        pages.append(page)
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(file.as_uri())
        return page

    yield show
    for page in pages:
        page.close()
    assert {url.rpartition("/")[2] for url in asked} == {"report.html"}
    assert not said


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 768, 360])
def test_nothing_sticks_out_and_all_can_be_read(
    shown: Callable[..., Any], report: dict[str, Any], width: int, scheme: str
) -> None:
    page = shown(report, width, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for svg in page.locator("svg[role=img]").all():
        box = svg.bounding_box()
        assert box["x"] >= 0
        assert 60 < box["width"] <= width
        assert svg.get_attribute("aria-label")
    assert (
        min(page.evaluate(CONTRAST, "h1,h2,h3,h4,p,th,td,dt,dd,a,small,summary,.badge,.rank,blockquote,svg text"))
        >= 4.5
    )
    assert min(page.evaluate(CONTRAST, ".mark.filled,rect.gone,rect.kept")) >= 3
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 24, 29)"
    )


@pytest.mark.parametrize("width", [1280, 360])
def test_long_words_and_large_numbers_do_not_stick_out(
    shown: Callable[..., Any], report: dict[str, Any], spoiled: Callable[..., Any], width: int
) -> None:
    report = spoiled(report, LONG) | {"revisions": {LONG: LONG}, "versions": {LONG: LONG}, "cost": {LONG: 1e12}}
    report["questions"]["steps"] |= {LONG: 10**11}
    report["gate"]["validation"] |= {"mean": -1e11, "low": -2e11, "high": 3e11}
    report["table"][0] |= {"gain": 9e11, "gain_low": -9e11, "gain_high": 9e11, "ndcg": 1e11}
    page = shown(report, width, "light")
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_wins_and_losses_stand_side_by_side_where_there_is_room(
    shown: Callable[..., Any], report: dict[str, Any]
) -> None:
    tops = []
    for width in (1280, 360):
        sides = shown(report, width, "light").locator(".sides > div")
        tops.append([sides.nth(place).bounding_box()["y"] for place in range(2)])
    assert tops[0][0] == tops[0][1]
    assert tops[1][0] < tops[1][1]


def test_tables_are_tables_for_those_who_hear_them(shown: Callable[..., Any], report: dict[str, Any]) -> None:
    page = shown(report, 360, "light")
    ways = page.get_by_role("table", name="Ways of searching", exact=True)
    assert ways.get_by_role("rowheader").count() == len(report["table"])
    assert page.get_by_role("img", name=re.compile(r"^validation: \+")).count() == 1
    assert page.get_by_role("heading", level=1).count() == 1


def test_paper_is_white_and_hides_nothing(shown: Callable[..., Any], report: dict[str, Any], tmp_path: Path) -> None:
    page = shown(report, 760, "dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("#ways details table").bounding_box()["height"] > 100, "closed on screen, open on paper"
    page.pdf(path=str(tmp_path / "report.pdf"))
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


def test_screenshots_are_no_blank_pages(shown: Callable[..., Any], report: dict[str, Any], tmp_path: Path) -> None:
    for width, scheme in ((1280, "light"), (360, "dark")):
        shot = tmp_path / f"report-{width}-{scheme}.png"
        shown(report, width, scheme).screenshot(path=str(shot), full_page=True)
        assert shot.stat().st_size > 50_000
