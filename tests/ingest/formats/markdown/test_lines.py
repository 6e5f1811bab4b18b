"""Whatever a page holds, each line tells where it is from, and reading takes no longer than the page is long."""

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.ingest.formats.markdown.beside import Files

from dragoman.ingest.formats.markdown.convert import REASONS, convert

FILES = {"x.md": "---\na: b\n---\n# inner\n<!-- gone -->\n```py\ny\n```\n", "y.py": "def f():\n    return '```'\n"}
MARKUP = """text `code`
# Heading
    indented
- item
```
~~~
````md
> quote
<!--
-->
a <!-- b --> c
--8<-- "x.md"
--8<-- "no.md"
--8<--
x.md
;--8<-- "x.md"
    --8<-- "y.py::1"
<<< y.py
<!--@include: x.md-->
{% include "x.md" %}
{%
%}
{% raw %}
{{< tab "T" >}}
{{< highlight py >}}
{{< /highlight >}}
```{literalinclude} y.py
:lines: 1
:::{include} x.md
:::
::: tip
::: pkg.docs
::: pkg.none
{* y.py *}
<Tabs>
  <TabItem value="a" label="b">
    inner
</TabItem>
</Tabs>
<Foo
  title="T"
>
<Tip>t</Tip>
import a from 'b';
export const a = {
}
{/* c
*/}
[![x](https://img.shields.io/x)](y)
<script>
</script>
<details>
<summary>S</summary>
</details>
---
title: t
+++
`
[TOC]
</
<"""
LINES = st.sampled_from(["", "\t<Tabs>", *MARKUP.split("\n")])


def comes_from(out: str, source: str) -> bool:
    """Whether a line is a part of the source's line, or that line less what was cut out of it, or around it."""
    rest = iter(source)
    return not out.strip() or source.strip() in out or all(char in rest for char in out.strip())


@settings(max_examples=600, deadline=None)
@given(st.lists(LINES, max_size=25).map("\n".join), st.sampled_from(["a.md", "a.mdx"]))
def test_every_line_tells_the_truth_about_where_it_is_from(text: str, path: str) -> None:
    page = convert(text, path, Files(FILES))
    texts = page.text.split("\n")
    lines = page.lines or tuple(range(1, len(texts) + 1))
    files = page.files or ("",) * len(texts)
    assert len(texts) == len(lines) == len(files)
    sources = {"": text, "code.py": "docs"} | FILES
    for out, line, file in zip(texts, lines, files, strict=True):
        generated = re.fullmatch(r"\s*(`{3,}|~{3,})\w*|\s*\*\*\w+\*\*:.*", out)
        source = sources[file].split("\n")
        assert 1 <= line <= len(source)
        assert generated or comes_from(out, source[line - 1]) or file == "code.py", (out, line, file)
    own = len(text.split("\n"))
    assert all(left.reason in REASONS and 1 <= left.line <= own for left in page.left_out)
    assert convert(text, path, Files(FILES)) == page


HARD = ["<", "{", ":", "-", "`", "%", "[", "!", "#", "*", "'", '"', "~", "(", "|", " ", "\t", ">", "\\", "="]
HARD += [
    "<!--",
    "{/*",
    "<Ab ",
    "<Ab>",
    "<A {",
    "{%",
    "{{<",
    "--8<--",
    "![",
    "[![",
    "</Ab>",
    "<details>",
    "::: a.b",
    "import {\n\n",
    "\\'",
]


@pytest.mark.parametrize("path", ["a.md", "a.mdx"])
@pytest.mark.parametrize("piece", HARD)
def test_time_is_linear_in_what_is_hard_to_read(piece: str, path: str) -> None:
    spent = []
    for size in (25_000, 100_000):
        start = time.process_time()
        for text in (piece * (size // len(piece)), (piece + "\n") * (size // (len(piece) + 1))):
            convert("<Ab>\n[![a](badge)\n" + text, path, Files())
        spent.append(time.process_time() - start)
    assert spent[1] < max(2.0, 8 * spent[0])  # quadratic work would take 16 times as long, and seconds


def test_pages_of_our_own_keep_their_lines() -> None:
    places = sorted(Path(__file__).parents[4].glob("*.md"))
    assert places
    for place in places:
        text = place.read_text(encoding="utf-8")
        assert convert(text, place.name, Files()).text.count("\n") == text.count("\n")
