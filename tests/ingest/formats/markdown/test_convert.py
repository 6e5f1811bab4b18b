"""Pages of every flavour become plain Markdown; each line that is left says where it was."""

import re
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.ingest.formats.markdown.convert import REASONS, convert
from dragoman.ingest.formats.page import Included, LeftOut, Page


class Files:
    """Neighbours that hold their files in a mapping."""

    def __init__(self, files: dict[str, str] | None = None) -> None:
        self.files = files or {}

    def include(self, name: str, beside: str) -> Included | None:
        del beside
        return Included(name, self.files[name]) if name in self.files else None

    def describe(self, name: str, level: int) -> Page | None:
        return Page("#" * level + " docs", (1,), ("code.py",)) if name == "pkg.docs" else None


def text_of(text: str, path: str = "a.md") -> str:
    page = convert(text, path, Files())
    assert page.lines is None
    assert page.text.count("\n") == text.count("\n")
    return re.sub(r"\n{2,}", "\n\n", page.text).strip("\n")


def test_a_plain_page_comes_back_as_it_is() -> None:
    text = "# Kettle\n\n- a `<!--` b\n\n!!! note\n    Hot.\n\n> [!NOTE]\n> Hot.\n\n| a | b |\n|---|---|\n\n\ttext  \n"
    assert convert(text, "a.md", Files()) == Page(text)


def test_front_matter_gives_title_and_slug_and_is_emptied() -> None:
    page = convert("---\ntitle: Kettle\nslug: /hot\n---\n\n# Text\n", "a.md", Files())
    assert page == Page("\n\n\n\n\n# Text\n", title="Kettle", slug="/hot")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a <!-- b --> c", "a  c"),
        ("<!-- a -->\nb", "b"),
        ("<!-- a\nb\n-->c\nd", "c\nd"),
        ("a <!-- b\nc --> d", "a\n d"),
        ("a <!-- b\n\nc --> d", "a <!-- b\n\nc --> d"),
        ("`<!-- a -->` <!-- b -->", "`<!-- a -->`"),
        ("``a ` <!-- b -->`` c", "``a ` <!-- b -->`` c"),
        ("```\n<!-- a -->\n```", "```\n<!-- a -->\n```"),
        ("- ~~~\n  <!-- a -->\n  ~~~\n<!-- b -->", "- ~~~\n  <!-- a -->\n  ~~~"),
        ("> <!-- a -->", "> <!-- a -->"),
        ("<!--> a -->", " a -->"),
        ("<!-- prettier-ignore -->\n| a |", "| a |"),
        ('<a id="x"></a>\n\n# H <!-- #own -->', '<a id="x"></a>\n\n# H <!-- #own -->'),
    ],
)
def test_comments_go_and_code_stays(text: str, kept: str) -> None:
    assert text_of(text) == kept


def test_a_comment_that_never_ends_hides_the_rest_and_is_said() -> None:
    page = convert("a\n<!-- b\nc\n", "a.md", Files())
    assert (page.text, page.left_out) == ("a\n\n\n", (LeftOut(2, "comment never closed"),))


def test_mdx_statements_and_comments_go() -> None:
    text = """import Tabs from '@theme/Tabs';
import {
  A, B } from "x";

export const Foo = () => {

  return <div>{`a {`} it's</div>;
};

# Title {/* #own */}

text {/* gone
gone */} more {props.x} `{/* code */}`
import is a word here

```js
import x from 'y';
```
"""
    kept = "# Title {/* #own */}\n\ntext\n more {props.x} `{/* code */}`\nimport is a word here\n\n```js\nimport x from 'y';\n```"
    assert text_of(text, "a.mdx") == kept


TABS = """<Tabs
  groupId="x"
  values={[{a: "}>"}]}
>
  <TabItem value="npm" label="With npm">

    ```bash
      npm i
    ```

    - list
      - nested

  </TabItem>
  <TabItem value="yarn">
    hello
  </TabItem>
</Tabs>
"""


TABLE = """<Properties
  content={[
    {
      name: 'lid', type: 1,
      name: 'lid',
      type: 'boolean',
      other: 'x',
      description:
        "Keeps steam in.",
    }]}
/>
"""


@pytest.mark.parametrize("path", ["a.md", "a.mdx"])
def test_tabs_keep_their_labels_and_lose_their_indentation(path: str) -> None:
    kept = "**With npm**:\n\n```bash\n  npm i\n```\n\n- list\n  - nested\n\n**yarn**:\nhello"
    assert text_of(TABS, path) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('<Admonition type="tip" title="X &amp; Y">Use **this**.</Admonition>', "**X & Y**: Use **this**."),
        ("<Tip>Use **this**.</Tip>", "Use **this**."),
        ("<Steps>\ntext</Steps>", "text"),
        ("<details>\n<summary>More <b>info</b></summary>\n\nx\n</details>", "**More info**:\n\nx"),
        ("<details><summary>\nMore\n</summary>x</details>", "More\nx"),
        ('<Card title="Go" description="fast" href="/x" />', "**Go**: fast"),
        ('<Image alt="A kettle" src={x} />', "A kettle"),
        ("{{< highlight go >}}\nx <!-- a -->\n{{< /highlight >}}", "```go\nx <!-- a -->\n```"),
        ('<Foo\n  title="T"\n>\n  text</Foo>', "**T**:\n\ntext"),
        ("<Foo\n>text", "text"),
        (TABLE, "**lid**\n`boolean`\n\nKeeps steam in."),
        ('<hfoption id="Pipeline">', "**Pipeline**:"),
        ("<Link to='x'>Foo</Link> is nice.", "<Link to='x'>Foo</Link> is nice."),
        ("<Badge text='x' /> is nice.", "<Badge text='x' /> is nice."),
        ("<NAME>\n\nArray<String>", "<NAME>\n\nArray<String>"),
        ("<https://Example.org>", "<https://Example.org>"),
        ("```\n<Tabs>\n```", "```\n<Tabs>\n```"),
        ("<Foo a={() => {", "<Foo a={() => {"),
        ('<p align="center">\ntext\n</p>', '<p align="center">\ntext\n</p>'),
    ],
)
def test_components_go_and_what_they_say_stays(text: str, kept: str) -> None:
    assert text_of(text) == kept


def test_html_without_words_goes_from_mdx_but_not_anchors_and_tables() -> None:
    text = '<div className="x" style={{a: 1}}>\npara\n</div>\n<a id="x"></a>\n<div id="y">\n<table><tr>\n<>\n'
    assert text_of(text, "a.mdx") == 'para\n\n<a id="x"></a>\n<div id="y">\n<table><tr>'


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
