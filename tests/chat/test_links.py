"""Links lead to what was retrieved, and nowhere else."""

import pytest

from dragoman.chat.links import known_addresses, linked_to, unlinked
from dragoman.records import Chunk, Finding, Hit


def good(url: str) -> bool:
    return url.startswith("https://good.example")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("[a](https://good.example/x) and [b](https://bad.example/y)", "[a](https://good.example/x) and b"),
        ("![p](https://good.example/p.png)", "p"),
        ("[![p](https://bad.example/p.png)](https://bad.example)", "p"),
        ("as said [1](https://bad.example)", "as said [1]"),
        ("`[b](https://bad.example)`", "`[b](https://bad.example)`"),
        ("[a][x] and [b][y]\n\n[x]: https://good.example/x\n[y]: https://bad.example/y\n", "[a](https://good.example/x) and b\n\n"),
        ("[x] and [x][]\n\n[x]: <https://bad.example> 'title'", "x and x\n\n"),
        ("as said [1]\n\n[1]: https://bad.example", "as said [1]\n\n"),
        ("<https://good.example/x> or <https://bad.example/y>", "<https://good.example/x> or (link removed)"),
        ("at https://good.example/x, or https://bad.example/y.", "at https://good.example/x, or (link removed)."),
        ("at www.bad.example/y and bad.example/y", "at (link removed) and (link removed)"),
        ("<a href='https://good.example/x'>a</a> <a href=\"https://bad.example\">b</a>", "[a](https://good.example/x) b"),
        ("[b](javascript:run()) [c](/there.md) [d](#part) [e](//bad.example)", "b c d e"),
        ("a <img src=x onerror=run()> b <script>run()</script>", "a  b run()"),
        ("[a](<https://good.example/x y>)", "[a](https://good.example/x%20y)"),
        ("[see (this)](https://bad.example/a(b)c) too", "see (this) too"),
        ("If a < b, then [b] is x.y/z of Vec<T>.", "If a < b, then [b] is x.y/z of Vec<T>."),
    ],
)  # fmt: skip
def test_links_lead_only_where_they_may(text: str, kept: str) -> None:
    assert unlinked(text, good) == kept


def test_sections_pages_and_visible_addresses_are_known(make_chunk: object, chunks: list[Chunk]) -> None:
    text = "See https://a.example/x. Or (https://b.example/y), [c](https://c.example/z 'Z').<!-- https://hidden.example -->"
    chunk = make_chunk(("Pantry", "More"), text, url="https://pantry.example/more#top")  # type: ignore[operator]
    assert known_addresses([Hit(1, 1.0, chunk, context=(chunks[0],))]) == {
        "https://pantry.example/more#top", "https://pantry.example/more", "https://a.example/x", "https://b.example/y",
        "https://c.example/z", "https://pantry.example/docs#part-1", "https://pantry.example/docs",
    }  # fmt: skip


@pytest.mark.parametrize(
    "url",
    [
        "https://pantry.example/docs?q=SECRET",
        "https://pantry.example/docs#part-9",
        "https://pantry.example/doc",
        "https://pantry.example",
    ],
)
def test_nearly_the_right_address_is_the_wrong_one(url: str, chunks: list[Chunk]) -> None:
    text, findings = linked_to(f"See [it]({url}).", [Hit(1, 1.0, chunks[0])])
    assert text == "See it."
    assert findings == (Finding("link", url, removed=True),)


def test_a_relative_link_of_the_docs_goes_without_a_finding(chunks: list[Chunk]) -> None:
    assert linked_to("See [jars](./jars.md#order).", [Hit(1, 1.0, chunks[0])]) == ("See jars.", ())


def test_an_address_in_code_is_marked_unless_it_is_the_readers_own(chunks: list[Chunk]) -> None:
    text = "```bash\ncurl https://bad.example/x\ncurl http://localhost:80/x https://example.com/y https://<host>/z\n```"
    assert linked_to(text, [Hit(1, 1.0, chunks[0])]) == (text, (Finding("link", "https://bad.example/x"),))
