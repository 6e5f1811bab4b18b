"""What of an HTML page a reader came for: its main content, without the site around it.

In: the tree of a page. Out: the element that holds the content, and whether an element in it is chrome. It writes nothing.
"""

import re
from typing import Final

from dragoman.ingest.formats.blocks import word_set
from dragoman.ingest.formats.html.tree import HEADINGS, Element

KINDS: Final = word_set(
    "attention caution danger deprecated error hint important info note seealso success tip todo versionadded versionchanged "
    "warning"
)

_DROPPED: Final = word_set(
    "audio base button canvas datalist dialog embed footer head iframe input link meta nav noembed noframes noscript object "
    "script select style svg template textarea title video"
)
_ROLES: Final = frozenset(
    {"navigation", "search", "banner", "contentinfo", "dialog", "alertdialog", "tablist", "toolbar", "menu"}
)
_CHROME: Final = word_set(
    "anchor-link anchorjs-link breadcrumb breadcrumbs contents copybtn edit-this-page gutter hash-link header-anchor headerlink "
    "heading-anchor lineno linenos linenodiv md-sidebar md-source-file no-print page-toc pagination pagination-nav "
    "prev-next-area prev-next-footer print-hide related rst-footer-buttons skip-link sl-anchor-link sphinxsidebar sr-only "
    "table-of-contents theme-doc-breadcrumbs theme-edit-this-page toc toc-mobile toctree-wrapper viewcode-link visually-hidden "
    "wy-breadcrumbs wy-nav-side"
)
_CHROME_IDS: Final = frozenset(
    {"toc", "sidebar", "breadcrumbs", "navbar", "header", "footer", "table-of-contents", "searchbox"}
)
_NO_DISPLAY = re.compile(r"display\s{0,9}:\s{0,9}none", re.IGNORECASE)
_KIND_WORDS = re.compile(r"[a-z]+")
_ADMONITIONS: Final = word_set(
    "admonition alert admonition-note callout custom-block markdown-alert starlight-aside theme-admonition"
)
_BODIES: Final = ("body", "document", "md-content", "markdown-body", "theme-doc-markdown", "vp-doc", "content")
_ENOUGH: Final = 0.5  # of the words of <main> in its one <article>: then the rest of <main> is chrome


def main_content(root: Element) -> Element:
    """The element that holds what the page is about.

    Args:
        root: The tree of the page.

    Returns:
        ``<main>`` (or the one ``<article>`` that is most of it), ``<article>``, the body of a known generator, else ``<body>``.
    """
    elements = root.descendants()
    mains = [element for element in elements if element.tag == "main" or element.get("role") == "main"]
    found = _longest(mains)
    if found is not None:
        articles = [element for element in found.descendants() if element.tag == "article"]
        if len(articles) == 1 and _size(articles[0]) >= _ENOUGH * _size(found):
            return articles[0]
        return found
    articles = [element for element in elements if element.tag == "article"]
    if len(articles) == 1 and _size(articles[0]):
        return articles[0]
    for name in _BODIES:
        found = _longest([element for element in elements if element.tag == "div" and name in element.classes])
        if found is not None and not articles:
            return found
    return next((element for element in elements if element.tag == "body"), root)


def _longest(elements: list[Element]) -> Element | None:
    """The first with the most words; none of a hundred is worth more than the first few."""
    sized = [(_size(element), -place) for place, element in enumerate(elements[:5])]
    best = max(sized, default=(0, 0))
    return elements[-best[1]] if best[0] else None


def _size(element: Element) -> int:
    return len("".join(element.words().split()))


def is_chrome(element: Element) -> bool:
    """Whether an element is no content: navigation, controls, scripts, hidden parts, marks beside headings."""
    if element.tag in _DROPPED or element.get("role") in _ROLES:
        return True
    if element.tag == "header":
        return not element.headed
    if element.tag == "aside":
        return not admonition_kind(element)
    if element.tag == "label":
        return not any(name.endswith("tab-label") for name in element.classes)
    if is_hidden(element) or (element.get("id").lower() in _CHROME_IDS and element.tag == "div"):
        return True
    return not _CHROME.isdisjoint(element.classes) and element.tag not in HEADINGS and not admonition_kind(element)


def is_hidden(element: Element) -> bool:
    """Whether a browser would not show an element; the panels of tabs that wait for a click are content all the same."""
    if element.get("role") == "tabpanel":
        return False
    if "hidden" in element.attributes or element.get("aria-hidden").lower() == "true":
        return True
    return bool(_NO_DISPLAY.search(element.get("style")[:1000]))


def admonition_kind(element: Element) -> str:
    """What kind of admonition an element is: ``note``, ``tip``, ...; "" when it is none."""
    if "class" not in element.attributes or element.tag not in {"div", "aside", "section", "blockquote"}:
        return ""
    classes = element.classes
    if {"versionadded", "versionchanged", "deprecated", "versionremoved"} & set(classes):
        return next(name for name in classes if name.startswith(("version", "deprecated")))
    if _ADMONITIONS.isdisjoint(classes):
        return ""
    words = [word for name in classes for word in _KIND_WORDS.findall(name[:100])]
    return next((word for word in words if word in KINDS), "note")


def language_of(element: Element) -> str:
    """The language that the classes of a code block name, "" when they name none."""
    if not element.attributes:
        return ""
    for name in element.get("class").split():
        for prefix in ("language-", "lang-", "highlight-", "sourceCode-", "brush:"):
            if name.lower().startswith(prefix):
                found = name[len(prefix) :].lower()
                return "" if found in {"default", "none", "text", "source", "plaintext", "nohighlight"} else found
    classes = element.classes
    if "hljs" in classes or "sourcecode" in classes:
        others = [
            name for name in classes if name not in {"hljs", "sourcecode", "highlight", "numbersource", "numberlines"}
        ]
        return others[0] if others else ""
    return element.get("data-language").lower() or element.get("data-lang").lower()
