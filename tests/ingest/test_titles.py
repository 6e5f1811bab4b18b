"""What a page is called, and where it is published."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.ingest.reading import only

from dragoman.ingest.markdown import parse


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ("---\ntitle: The front\n---\n# Heading\n", "The front"),
        ("---\ntags: x\n---\n\n# Heading\n", "Heading"),
        ("# Heading ##\n\n# Second\n", "Heading"),
        ("## Below\n\nwords\n\nHeading\n=======\n", "Heading"),
        ("```sh\n# a comment\n```\n\n# Heading\n", "Heading"),
        ("<!--\n# hidden\n-->\n\n# The `left` [way](x.md) **out** {#id}\n", "The left way out"),
        ("> # quoted\n\nwords\n", "First steps"),
        ("#no heading\n", "First steps"),
        ("#\n\nwords\n", "First steps"),
        ("---\ntitle:\n---\nwords\n", "First steps"),
        ("words\n---\ntitle: Not at the top\n---\n", "First steps"),
        ("---\ntitle: Never closed\n", "First steps"),
    ],
)
def test_a_page_is_called_what_it_calls_itself(tmp_path: Path, content: str, title: str) -> None:
    assert only(tmp_path, content, "02-first_steps.md").title == title


@pytest.mark.parametrize(
    ("name", "title"),
    [("guide/API-v2.md", "API v2"), ("404.md", "404"), ("1.2.txt", "1.2"), ("___.md", "___"), ("\u00e9.md", "\u00c9")],
)
def test_a_page_without_a_heading_is_called_after_its_file(tmp_path: Path, name: str, title: str) -> None:
    heading = "# A comment\n" if name.endswith(".txt") else "## Not the page's\n"
    assert only(tmp_path, heading, name).title == title


@pytest.mark.parametrize(
    ("name", "url"),
    [
        ("guide/a b.md", "https://left.test/docs/guide/a%20b/"),
        ("guide/index.md", "https://left.test/docs/guide/"),
        ("index.md", "https://left.test/docs/"),
        ("README.md", "https://left.test/docs/"),
        ("guide/notes.txt", "https://left.test/docs/guide/notes.txt"),
    ],
)
@pytest.mark.parametrize("site", ["https://left.test/docs", "https://left.test/docs/"])
def test_a_page_has_the_address_that_mkdocs_gives_it(tmp_path: Path, name: str, url: str, site: str) -> None:
    assert only(tmp_path, "words", name, site=site).url == url


@given(st.lists(st.sampled_from(["# One", "# ", "Two\n===", "```", "---", "title: x", "    # in", "> # q", "w", ""])))
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_title_is_the_heading_that_the_chunker_sees_first(tmp_path: Path, lines: list[str]) -> None:
    text = "w\n\n" + "\n".join(lines)
    tops = [section.heading for section in parse(text) if section.level == 1 and section.heading]
    assert only(tmp_path, text).title == (tops[0] if tops else "A")
