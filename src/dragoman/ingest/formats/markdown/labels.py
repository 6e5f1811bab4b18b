"""What a component or shortcode says in its attributes: the label of a tab, the title of a note.

In: the text of a tag's attributes. Out: the words that a reader of the page would see. It knows no tag syntax.
"""

import html
import re

_ATTRIBUTE = re.compile(
    r"(?<![\w:.-])([A-Za-z_][\w:.-]*+)\s*+=\s*+(?:\"([^\"]*+)\"|'([^']*+)'|\{\s*+[\"'`]([^\"'`{}]*+)[\"'`]\s*+\})"
)
_FIRST_WORDS = re.compile(r"\s*[\"']([^\"']+)[\"']")
# The first that is there is the label. A name or value is one only where the component has content of its own.
_LABELS = ("title", "label", "header", "heading", "summary", "caption", "tab", "term", "question")
_WEAKER = ("name", "path", "query", "body", "value")
_FEWEST = 3  # lines of a tag that holds a table
_LONGEST = 4_000
_DESCRIBED = re.compile(r"(?:\A|[\s{,])(?:description|answer|text|content)\s*+:")
_DATUM = re.compile(r"[\s{\[]*+(?:(\w++)\s*+:\s*+)?(?:\"([^\"]*+)\"|'((?:[^'\\]|\\.)*+)'|`([^`]*+)`)?[,\s\]}]*+\Z")
_FORMS = dict.fromkeys(("description", "answer", "text", "content"), "{}")
_FORMS |= dict.fromkeys(("name", "title", "label", "question"), "**{}**") | {"type": "`{}`"}
_MORE = ("description", "subtitle")
_BY_ID_KEYS = {"hfoption": ("id",)}


def attributes(text: str) -> dict[str, str]:
    """The attributes whose values are plain text."""
    found: dict[str, str] = {}
    for name, double, single, braced in _ATTRIBUTE.findall(text):
        found.setdefault(name, html.unescape(double or single or braced).strip())
    return found


def label(tag: str, text: str, *, closed: bool = False) -> str:
    """The line that stands for an opening tag in the text; "" when the tag says nothing.

    Args:
        tag: The name of the component.
        text: Its attributes.
        closed: The component has no content.

    Returns:
        A line such as ``**Title**:``, or the text that replaces an image.
    """
    said = attributes(text)
    keys = (*_LABELS, *_BY_ID_KEYS.get(tag.lower(), ()), *(() if closed else _WEAKER))
    words = next((said[key] for key in keys if said.get(key)), "")
    more = next((said[key] for key in _MORE if said.get(key)), "")
    if not words:
        return more or said.get("alt", "")
    words = " ".join(words.split())
    return f"**{words}**: {' '.join(more.split())}".rstrip()


def data_lines(lines: list[str]) -> list[str]:
    """The words in a tag's data, each on the line where it stands, as in a table of properties; all other lines are empty.

    Args:
        lines: The lines of one tag.

    Returns:
        As many lines. A tag whose data describe nothing has no words.
    """
    if len(lines) < _FEWEST or not any(_DESCRIBED.search(line) for line in lines if len(line) < _LONGEST):
        return [""] * len(lines)
    words, key = [], ""
    for line in lines:
        match = _DATUM.match(line) if len(line) < _LONGEST else None
        key = (match[1] or key) if match else ""
        text = (match[2] or match[3] or match[4] or "").strip() if match else ""
        form = _FORMS.get(key, "")
        words.append(form.format(text) if text and form else "")
        key = "" if text else key
    return words


def first_words(text: str) -> str:
    """The quoted words that a shortcode begins with, as in ``tab "Linux"``."""
    match = _FIRST_WORDS.match(text)
    return match[1].strip() if match else ""
