"""Cuts and cleans passages of Markdown, so that they can be shown away from their page.

In: a chunk's text. Out: a shorter text, cut between lines, with its code blocks whole or at least closed, and
without what only works on its own page (relative links, images, raw HTML). Knows no page, model or screen.
"""

import re
from collections.abc import Callable, Iterator

_INDENT = 4  # of what is in a box of MkDocs
_FENCE = re.compile(r"^[ \t>]*(`{3,}|~{3,})")
_CODE = re.compile(
    r"^[ \t>]*(?P<fence>`{3,}+|~{3,}+)[^\n]*\n.*?(?:^[ \t>]*(?P=fence)[`~]*[ \t]*$|\Z)"
    r"|(?<!`)(?P<ticks>`++)[^\n]*?(?<!`)(?P=ticks)(?!`)",
    re.DOTALL | re.MULTILINE,
)
_IMAGE = re.compile(r"!\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])?")
_LINK = re.compile(r"(?<!!)\[([^\[\]]*)\]\(\s*<?([^)\s>]*)>?[^)]*\)")
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->", re.DOTALL)
# Boxes and tabs of MkDocs, whose text is indented, and of Docusaurus and MyST, which end with the mark alone.
_BOX = re.compile(
    r' *(?:===[!+]? +(?="[^"\n]+" *$)|(?:!!!|\?\?\?\+?) +(?P<kind>[\w-]+)(?: +[\w-]+)*) *(?:"(?P<title>[^"\n]*)")? *'
)
_CONTAINER = re.compile(r" *:{3,} *\{?(?P<kind>[a-z][\w-]*)\}? *\[?(?P<title>[^\]\n]*)\]? *")
_CONTAINER_END = re.compile(r" *:{3,} *")
_HEADING = re.compile(r"^[ ]{0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)


def outside_code(text: str, change: Callable[[str], str]) -> str:
    """Change the prose of a Markdown text and leave its code blocks and code spans as they are.

    Args:
        text: Markdown; a code block that never closes reaches to the end.
        change: Called with each stretch of prose, which may be empty.

    Returns:
        The text, put together again.
    """
    return "".join(part if is_code else change(part) for part, is_code in parted(text))


def parted(text: str) -> Iterator[tuple[str, bool]]:
    """Cut a Markdown text into its prose and its code.

    Args:
        text: Markdown; a code block that never closes reaches to the end.

    Yields:
        A stretch of the text, and whether it is a code block or code span; prose and code in turns, the first and the last prose.
    """
    end = 0
    for code in _CODE.finditer(text):
        yield text[end : code.start()], False
        yield code[0], True
        end = code.end()
    yield text[end:], False


def shorten(text: str, limit: int) -> str:
    """Cut a Markdown text between two lines.

    Args:
        text: Markdown.
        limit: Longest result, in characters, not counting the mark of the cut and a closing fence.

    Returns:
        The text itself when it is short enough; otherwise its first whole lines (of one line alone, its first
        words), a code block among them closed, and a line with an ellipsis.
    """
    text = text.strip("\n")
    if len(text) <= limit:
        return text
    kept: list[str] = []
    room = limit
    for line in text.split("\n"):
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    while kept and (not kept[-1].strip() or (_FENCE.match(kept[-1]) and _open_fence(kept))):
        kept.pop()
    if not kept:
        kept = [(text.strip()[:limit].rsplit(None, 1) or [""])[0].split("\n")[0]]
    fence = _open_fence(kept)
    return "\n".join([*kept, *([fence] if fence else []), "", "…"])


def quotable(text: str, heading: str = "") -> str:
    """Make a passage readable away from its page.

    Args:
        text: Markdown of a chunk.
        heading: The section's own heading; when the text opens with it, it is left out.

    Returns:
        The text without images, raw HTML and relative links (their words stay); headings and the titles of boxes and tabs in bold.
    """
    lines = _unboxed(text.strip("\n").split("\n"))
    first = _HEADING.match(lines[0])
    if first and heading and _letters(first[1]) == _letters(heading):
        lines = lines[1:]
    return outside_code("\n".join(lines), _unbound).strip("\n")


def _unboxed(lines: list[str]) -> list[str]:
    """Boxes and tabs as a title in bold with their text below it, which loses its indent."""
    shown: list[str] = []
    boxes: list[int] = []  # the indents of those that a line is in
    fence = ""
    for line in lines:
        indent = len(line) - len(line.lstrip(" "))
        while boxes and line.strip() and indent <= boxes[-1]:
            boxes.pop()
        inner = line[min(indent, _INDENT * len(boxes)) :]
        mark = _FENCE.match(line)
        if mark:
            fence = mark[1] if not fence else "" if mark[1].startswith(fence) and not line.strip(" \t>`~") else fence
        box = None if fence or mark else _BOX.fullmatch(line) or _CONTAINER.fullmatch(line)
        if box:
            shown += ["", f"**{(box['title'] or box['kind'].capitalize()).strip()}**", ""]
            boxes += [indent] if box.re is _BOX else []
        elif fence or not _CONTAINER_END.fullmatch(line):
            shown.append(inner)
    return shown


def _unbound(prose: str) -> str:
    prose = _TAG.sub("", _IMAGE.sub(r"\1", prose))
    prose = _LINK.sub(lambda link: link[0] if link[2].startswith(("https://", "http://")) else link[1], prose)
    return _HEADING.sub(lambda heading: f"**{heading[1].replace('**', '')}**", prose)


def _open_fence(lines: list[str]) -> str:
    """The fence, with its indent, that would close the code block still open after these lines."""
    opened = ""
    for line in lines:
        if ">" in opened and not line.lstrip().startswith(">"):
            opened = ""  # a code block does not outlive the quotation that it is in
        fence = _FENCE.match(line)
        if not fence:
            continue
        if not opened:
            opened = fence[0]
        elif (">" in fence[0]) == (">" in opened) and line.strip(" \t>") == fence[1]:
            opened = "" if fence[1].startswith(opened.lstrip(" \t>")) else opened
    return opened


def _letters(heading: str) -> str:
    return re.sub(r"[\W_]+", "", heading).casefold()
