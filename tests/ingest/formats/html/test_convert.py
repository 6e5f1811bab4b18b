"""HTML pages: what of them is content, and the lines it stands on."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.ingest.formats.html.convert import convert
from dragoman.ingest.formats.page import Page


class Alone:
    def include(self, name: str, beside: str) -> None:  # noqa: ARG002 - the contract of neighbours
        return None

    def describe(self, name: str, level: int) -> None:  # noqa: ARG002 - the contract of neighbours
        return None


def page(text: str) -> Page:
    return convert(text, "tea.html", Alone())


def written(text: str) -> list[tuple[int, str]]:
    found = page(text)
    texts = found.text.split("\n")
    lines = found.lines or tuple(range(1, len(texts) + 1))
    assert len(lines) == len(texts)
    return [(line, words) for line, words in zip(lines, texts, strict=True) if words]


PAGE = """<!doctype html>
<html><head><title>Pouring &mdash; Kettle docs</title><script>if (a<b) {}</script></head>
<body><nav><a href="/">Home</a></nav>
<div class="document"><div class="body" role="main">
<section id="pouring">
<span id="pour"></span><h1>Pouring<a class="headerlink" href="#pouring">¶</a></h1>
<p>Lift the <b>lid </b>and <code class="docutils">pour()</code> into
the <a href="cup.html#x">cup
of tea</a>, a &lt;T&gt;.</p>
<div class="highlight-python notranslate"><div class="highlight"><pre><span></span><span class="kn">import</span> kettle

kettle.pour()
</pre></div></div>
<div class="admonition warning"><p class="admonition-title">Warning</p>
<p>It is hot.</p>
<ul><li>a</li><li>b<ul><li>c</ul></li></ul>
</div>
<table><thead><tr><th>A</th><th>B</th></tr></thead>
<tr><td rowspan=2>1<td>2|3
<tr><td>x
</table>
<dl class="py class">
<dt class="sig sig-object py" id="kettle.Pot">class Pot(<em>size=1</em>)</dt>
<dd><p>A pot.</p></dd></dl>
<details><summary>More</summary>Inside <img src=a.png alt="steam"></details>
</section></div></div><footer>bye</footer></body></html>
"""


def test_a_page_of_sphinx_becomes_its_content_line_for_line() -> None:
    assert written(PAGE) == [
        (6, "# Pouring {: #pouring}"),
        (7, "Lift the **lid** and `pour()` into"),
        (8, "the [cup"),
        (9, "of tea](cup.html#x), a \\<T>."),
        (10, "```python"),
        (10, "import kettle"),
        (12, "kettle.pour()"),
        (12, "```"),
        (14, "> [!WARNING]"),
        (15, "> It is hot."),
        (15, ">"),
        (16, "> - a"),
        (16, "> - b"),
        (16, ">   - c"),
        (18, "| A | B |"),
        (18, "| --- | --- |"),
        (19, "| 1 | 2\\|3 |"),
        (20, "| 1 | x |"),
        (23, "## `class Pot(size=1)` {: #kettle.Pot}"),
        (24, "A pot."),
        (25, "**More**"),
        (25, "Inside ![steam](a.png)"),
    ]
    assert page(PAGE).title == "Pouring"


@pytest.mark.parametrize(
    "chrome",
    [
        "<nav>gone</nav>",
        "<header>gone</header>",
        "<aside>gone</aside>",
        "<div role=navigation>gone</div>",
        "<button>gone</button>",
        "<script>'<p>gone</p>'</script>",
        "<style>gone</style>",
        "<template><p>gone</p></template>",
        "<svg><text>gone</text></svg>",
        "<div hidden>gone</div>",
        "<div style='display: none'>gone</div>",
        "<ul class=breadcrumbs><li>gone</ul>",
        "<div class='toc sidebar'>gone</div>",
        "<!-- gone -->",
        "<select><option>gone</select>",
    ],
)
def test_what_belongs_to_the_site_is_left_out(chrome: str) -> None:
    assert written(f"<body>gone<main><p>tea</p>{chrome}<p>cup</p></main>gone") == [(1, "tea"), (1, "cup")]


@pytest.mark.parametrize(
    ("html", "markdown"),
    [
        ('<h2 id="a-b">A <em>b</em></h2>', "## A *b* {: #a-b}"),
        ('<pre><code class="language-js">a &lt; b</code></pre>', "```js\na < b\n```"),
        ('<pre class="hljs rust">x</pre>', "```rust\nx\n```"),
        ("<pre>```</pre>", "````\n```\n````"),
        ("<ol start=3><li>a<li>b</ol>", "3. a\n4. b"),
        ("<dl><dt>Pot<dd>holds tea</dl>", "**Pot**\n\n- holds tea"),
        (
            '<div class="custom-block tip"><p class="custom-block-title">Note well</p><p>x</p></div>',
            "> [!TIP]\n> **Note well**\n>\n> x",
        ),
        ("<p># no heading</p>", "\\# no heading"),
        ("<p>1. no list</p>", "1\\. no list"),
        ("<p>a<br>b</p>", "a\nb"),
        ("<blockquote><p>a</p></blockquote>", "> a"),
        ('<a href="javascript:x()">a</a>', "a"),
        ("<table><tr><td><pre>x</pre></td></tr></table>", "```\nx\n```"),
        ("<p>unclosed <b>bold", "unclosed **bold**"),
        ("&#99999999999; &#10; x", "\ufffd\nx"),
    ],
)
def test_an_element_becomes_its_markdown(html: str, markdown: str) -> None:
    assert page(f"<main>{html}</main>").text.strip() == markdown


def test_a_line_break_written_as_an_entity_does_not_shift_what_follows() -> None:
    assert written("<pre>a&#10;b\nc</pre>\n<p>d") == [(1, "```"), (1, "a"), (1, "b"), (2, "c"), (2, "```"), (3, "d")]


_TAGS = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<ul>",
        "<li>",
        "</ul>",
        "<table>",
        "<tr>",
        "<td rowspan=3>",
        "<h2 id=x>",
        "</h2>",
        "<pre>",
        "</pre>",
        "<code>",
        "</code>",
        "<div class=note>",
        "<b>",
        "</b>",
        "<a href='x'>",
        "</a>",
        "<dl>",
        "<dt>",
        "<dd>",
        "<!--",
        "-->",
        "<script>",
        "</script>",
        "&#10;",
        "&lt;",
        "<br>",
        "\n",
        "<main>",
        "</div>",
        "<details>",
        "<summary>",
        "<img alt=x>",
        "<",
        ">",
        "'",
    ]
)


@given(parts=st.lists(st.one_of(_TAGS, st.text(max_size=5)), max_size=60))
def test_any_text_is_a_page_whose_lines_exist(parts: list[str]) -> None:
    text = "".join(parts)
    assert all(1 <= line <= text.count("\n") + 1 for line, _ in written(text))


@given(start=st.integers(0, 1500), length=st.integers(0, 40), inserted=st.one_of(_TAGS, st.text(max_size=5)))
def test_a_damaged_page_is_still_one(start: int, length: int, inserted: str) -> None:
    text = PAGE[:start] + inserted + PAGE[start + length :]
    assert all(1 <= line <= text.count("\n") + 1 for line, _ in written(text))


@pytest.mark.parametrize(
    "unit", ["<!--", "<a>", "<code>", "<a b='", "<p>", "<table><tr><td>", "&#1", "</", "<div class=highlight-x>"]
)
def test_reading_takes_time_in_proportion_to_the_page(unit: str) -> None:
    began = time.process_time()
    page(unit * (100_000 // len(unit)))
    assert time.process_time() - began < 2
