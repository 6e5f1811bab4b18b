"""Pages of every flavour become plain Markdown; each line that is left says where it was."""

import re
import time

import pytest
from tests.ingest.formats.markdown.beside import Files

from dragoman.ingest.formats.markdown.convert import convert
from dragoman.ingest.formats.page import LeftOut, Page


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
        ("# H <!-- #own -->", "# H <!-- #own -->"),
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


def test_html_without_words_goes_from_mdx_but_not_places_and_tables() -> None:
    text = '<div className="x" style={{a: 1}}>\npara\n</div>\n<a id="x"></a>\n<div id="y">\n<table><tr>\n<>\n'
    assert text_of(text, "a.mdx") == 'para\n\n<div id="y">\n<table><tr>'


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('<h1 align="center">Tea <code>pot</code></h1>\n\ntext', "# Tea `pot`\n\ntext"),
        ('<h2 id="pot">The <b>pot</b></h2>', "## The pot {: #pot}"),
        ('<h1><img src="x.png" alt="Tea"></h1>', "# Tea"),
        ('<h1><img src="x.png"></h1>', '<h1><img src="x.png"></h1>'),
        ("<div>\n<h1>Tea</h1>\n</div>", "<div>\n<h1>Tea</h1>\n</div>"),
        ("```html\n<h1>Tea</h1>\n```", "```html\n<h1>Tea</h1>\n```"),
        ("say <h1>Tea</h1>", "say <h1>Tea</h1>"),
        ('# A\n<a id="x"></a>\ntext', "# A\n\ntext"),
        ('<a name="x" id="y" />a <a id=z></a>b `<a id="c"></a>`', 'a b `<a id="c"></a>`'),
        ('<a id="x" href="y">words</a> <a id="x">words</a>', '<a id="x" href="y">words</a> <a id="x">words</a>'),
    ],
)
def test_headings_in_html_are_headings_and_empty_anchors_go(text: str, kept: str) -> None:
    assert text_of(text) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("(pots)=\n\n# Pots", "# Pots"),
        ("text (a)= b", "text (a)= b"),
        ("```{contents}\n:depth: 1\n```\n\na", "a"),
        (":::{toctree}\na\nb\n:::\nc", "c"),
        ("```{contents}\nnever closed", "```{contents}\nnever closed"),
        ("call {func}`~tea.pour`, {py:meth}`a.b` and {kbd}`x`", "call `pour`, `a.b` and `x`"),
        ("{term}`Tea` {guilabel}`&File` {pep}`8`", "Tea File PEP 8"),
        ("{ref}`the pots <pots>` and {ref}`big_pots`", "the pots and big pots"),
        ("(x)=\n## The pots\n\nsee {ref}`x`", "## The pots\n\nsee The pots"),
        ("see {ref}`the\n  pots <x>` now", "see the pots\nnow"),
        ("{strange}`a` `{func}` b `c {func}`d", "{strange}`a` `{func}` b `c {func}`d"),
        ("```\n{func}`a`\n(a)=\n```", "```\n{func}`a`\n(a)=\n```"),
        ("```{code-block} python\n:caption: x\n\n{func}`a`\n```", "```python\n\n{func}`a`\n```"),
        (
            "````{note}\n{func}`a`\n```\n{func}`b`\n```\n````\n{func}`c`",
            "````{note}\n`a`\n```\n{func}`b`\n```\n````\n`c`",
        ),
    ],
)
def test_labels_and_roles_of_myst_become_what_a_reader_sees(text: str, kept: str) -> None:
    assert text_of(text) == kept


def test_a_link_to_a_page_shows_its_title() -> None:
    page = convert(
        "see {doc}`deploying/index` or {doc}`hot_water`", "a.md", Files({"deploying/index.md": "# Going `live` #\n"})
    )
    assert page.text == "see Going live or hot water"


@pytest.mark.parametrize(
    "unit", ["{ref}`", "(", "<a id=", "<h1>", "```{note}\n", "{a}`b`", "<a id=x ", "(a)=\n", ":::{contents}\n"]
)
def test_markup_without_end_takes_time_in_proportion(unit: str) -> None:
    began = time.process_time()
    convert(unit * (200_000 // len(unit)), "a.md", Files())
    convert("\n".join([unit * (1_500 // len(unit))] * 100), "a.md", Files())
    assert time.process_time() - began < 4
