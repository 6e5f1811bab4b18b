"""A small site of every awkward heading and file name, for any of four generators."""

import re
from dataclasses import dataclass
from pathlib import Path

SITE = "https://left.test/base"
# A picture of one point.
PIXEL = (
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001000527defc"
    "0000000049454e44ae426082"
)

HEADINGS = """
Nasty headings
Explicit words {#chosen-id}
Explicit case {#Chosen_Case}
Set up the kettle
Call `kettle.boil()` twice
Read [the *long* guide](https://left.test/a_b) first
Why **bold** and _leaning_ words stay
Steam 🚀 and ⚙️ gears
Déjà vu à l'été
お茶を淹れる
Привет, чайник
Straße, Łódź, Ærø and ﬁne ligatures
Set up the kettle
Set up the kettle
set up the KETTLE
Set up the kettle 1
Set up the kettle-1
set_up_the_kettle_1
set_up_the_kettle_1
Nasty headings
C++ & "quotes" \\<T\\>
`Map<string, int>` in code
Trailing marks ##
2024 was a good year
1. First things
3.2.1
snake_case_word and __init__ method
What's new? (v1.2.3): it's here!
Long and longer and longer and longer and longer and longer and longer and longer and longer and longer and longer and longer end
???
!!!
Press <kbd>Ctrl</kbd>+<kbd>C</kbd> now
A &amp; B &copy; C
Two  spaces	and - dashes -- here --- so
Ends with dash -
- starts with dash
~~gone~~ but *kept*
![logo](logo.png) picture first
picture last ![small logo](logo.png)
path/to/file.md | pipe
half½ x² Ⅷ ①
100% of $x and @user #tag
emoji only 👩‍👩‍👧
🎉
[linked](https://left.test/x) `code` **both**
Escaped \\*stars\\* and \\_lines\\_ and \\`ticks\\`
[full text][ref] reference
[ref] shortcut
``a ` tick`` code
“Curly” ‘quotes’ – and — dashes
Arabic العربية ١٢٣
हिन्दी शीर्षक
İstanbul ISPARTA ẞ
x_1
x
x
x_1
x-1
x-1
""".strip().split("\n")

OWN_HEADINGS = {
    "mkdocs": """
Inline list [link](https://left.test){: target=_blank } word
Class only {: .wide }
Both {: #colon-id .wide }
`code` {#after-code}
Map<string, int> bare
Generic <T> type
Not a list {curly}
Braces {{ var }}
No space{#nospace}
<!-- note --> commented
:rocket: shortcode
<https://left.test/auto>
""",
    "vitepress": """
Class only {.wide}
Both {#both-id .wide}
No space{#nospace}
Generic `T` {{ 1 + 1 }}
<Badge type="tip" text="new" /> with badge
link [a](https://left.test){target=_self} b
`code`{.x} tail
`code` {#after-code}
:rocket: shortcode
""",
    "sphinx": """
Class only {.wide}
{func}`kettle.boil` role
{ref}`Words <label>` role
{py:func}`boil <kettle.boil>` role
{code}`Words <label>` role
Generic <T> type
<!-- note --> commented
:rocket: shortcode
""",
    "docusaurus": """
Comment {/* #mdx-id */}
Comment of words {/* #first second */}
Not an id {/* note */}
Same {#Chosen_Case}
Chosen_Case
JSX <b>bold *both*</b> tail
Import node:fs now
Time 10:30 and localhost:3000
a:b:c and key: value
x :rocket: y std::vector
x :label[words]{.wide} y
`code` {#after-code}
No space{#nospace}
""",
}

# Docusaurus 3.10 itself loses a page named "(x).md": its router takes the brackets for a pattern.
PAGES = {
    "mkdocs": """index.md guide/README.md guide/first.md both/README.md both/index.md low/readme.md other/Index.md
sp ace/é ü.md other/50%.md other/a+b&c.md other/(x).md other/dot.name.md other/a#b.md other/what?.md other/it.markdown
other/日本.md home/home.md 01-num/02-page.md""",
    "vitepress": """index.md guide/README.md guide/first.md both/README.md both/index.md low/readme.md other/Index.md
sp ace/é ü.md other/a+b&c.md other/(x).md other/dot.name.md other/日本.md home/home.md 01-num/02-page.md""",
    "sphinx": """index.md guide/README.md guide/first.md both/README.md both/index.md low/readme.md other/Index.md
sp ace/é ü.md other/50%.md other/a+b&c.md other/(x).md other/dot.name.md other/a#b.md other/what?.md other/日本.md
home/home.md 01-num/02-page.md""",
    "docusaurus": """index.md 01-Guide_x/index.md 01-Guide_x/02-first.md 01-Guide_x/02 - sub folder/a.md
01-Guide_x/02 - sub folder/03-more/README.md guide2/guide2.md guide2/Guide2-b.md guide2/rel.md=relslug
guide2/abs.md=/abs/slug/ guide2/up.md=../upslug guide2/named.md#other-id 2024-01-notes/1.2-x.md sp ace/é ü.md
deep/deep/deep.mdx other/01.md other/3-4-five.md low/readme.md other/dot.name.md other/1_under.md other/4--5x.md
other/a+b&c.md both/README.md=readme-slug both/both.md other/_part.md 日本/茶.md""",
}
PAGE = re.compile(r"(?P<path>.+?\.(?:markdown|mdx|md))(?:=(?P<slug>\S+)|#(?P<id>\S+))?(?:\s+|$)")

SETTINGS = {
    "mkdocs": {"mkdocs.yml": f"site_name: Kettle\nsite_url: {SITE}/\nmarkdown_extensions: [attr_list]\n"},
    "sphinx": {
        "docs/conf.py": f"project = 'Kettle'\nextensions = ['myst_parser']\nhtml_baseurl = '{SITE}/'\n"
        "suppress_warnings = ['toc.not_included']\n"
    },
    "vitepress": {
        "docs/.vitepress/config.mjs": "export default {title: 'Kettle', base: '/base/', ignoreDeadLinks: true, "
        f"sitemap: {{hostname: '{SITE}/'}}}}\n"
    },
    "docusaurus": {
        "docusaurus.config.js": "module.exports = {\n  title: 'Kettle',\n  url: 'https://left.test',\n  baseUrl: '/base/',\n"
        "  onBrokenLinks: 'ignore',\n  presets: [['classic', {docs: {}, blog: false, pages: false}]],\n};\n"
    },
}


@dataclass(frozen=True, slots=True)
class Page:
    path: str
    slug: str
    page_id: str
    marker: str


def write_site(style: str, root: Path) -> tuple[Page, ...]:
    """The site's files below ``root``; each page holds a word that no other has."""
    for name, text in SETTINGS[style].items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    pages = []
    for number, match in enumerate(PAGE.finditer(PAGES[style].replace("\n", " "))):
        page = Page(match["path"], match["slug"] or "", match["id"] or "", f"marker{number}word")
        front = f"slug: {page.slug}\n" if page.slug else f"id: {page.page_id}\n" if page.page_id else ""
        headings = [*HEADINGS, *OWN_HEADINGS[style].strip().split("\n")] if page.path == "index.md" else ["T", "T"]
        sections = "\n".join(f"{'##' if at else '#'} {words}\n\nWords.\n" for at, words in enumerate(headings))
        place = root / "docs" / page.path
        place.parent.mkdir(parents=True, exist_ok=True)
        front = f"---\n{front}---\n" if front else ""
        words = f"{front}{sections}\n{page.marker}\n\n[ref]: https://left.test/ref\n"
        place.write_text(words, encoding="utf-8")
        pages.append(page)
    (root / "docs" / "logo.png").write_bytes(bytes.fromhex(PIXEL))
    return tuple(pages)
