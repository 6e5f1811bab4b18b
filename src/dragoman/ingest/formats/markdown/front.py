"""The block of settings at the top of a page: YAML between ``---``, or TOML between ``+++``.

In: the text of a page. Out: its title, its wish for an address, and how many lines the block has. It reads plain,
quoted and block scalars of the few keys that are used, and no other YAML; a value it does not understand is as good as none.
"""

import re
from dataclasses import dataclass

_TITLES = ("title", "sidebar_label", "nav_title", "linkTitle", "sidebarTitle")
_YAML_KEY = re.compile(r"[\"']?([A-Za-z_][\w.-]*+)[\"']?[ \t]*+:(?:[ \t]++(.*))?\Z")
_TOML_KEY = re.compile(r"[\"']?([A-Za-z_][\w-]*+)[\"']?[ \t]*+=[ \t]*+(.*)\Z")
_QUOTED = re.compile(r"\"((?:[^\"\\]|\\.)*+)\"|'((?:[^']|'')*+)'", re.DOTALL)
_BLOCK = re.compile(r"[|>][-+0-9]{0,2}[ \t]*+(?:#.*)?\Z")
_COMMENT = re.compile(r"(?:\A|(?<=[ \t]))#")
_SIMPLE_ID = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """What is used of the block at the top of a page; "" for what it does not say. It has ``lines`` lines, 0 without one."""

    title: str = ""
    slug: str = ""
    lines: int = 0


def front_matter(text: str) -> FrontMatter:
    """Title and address of a page, when a block at its top names them.

    Args:
        text: Normalised text of the page.

    Returns:
        What was found. The first of ``title``, ``sidebar_label`` and their kin is the title; without a ``slug``, an ``id`` counts.
    """
    if not text.startswith(("---", "+++")):
        return FrontMatter()
    mark = text[:3]
    block = _block(text, mark)
    if block is None:
        return FrontMatter()
    values = _yaml(block) if mark == "---" else _toml(block)
    title = next((values[key] for key in _TITLES if values.get(key)), "")
    own = values.get("id", "")
    slug = values.get("slug", "") or (own if _SIMPLE_ID.fullmatch(own) else "")
    return FrontMatter(title, slug, len(block) + 2)


def emptied(text: str, lines: int) -> str:
    """The text with its first lines emptied, so that all others keep their numbers."""
    if not lines:
        return text
    parts = text.split("\n", lines)
    return "\n" * min(lines, len(parts) - 1) + (parts[lines] if len(parts) > lines else "")


def _block(text: str, mark: str) -> list[str] | None:
    """The lines between the two marks, when the page begins with a block and not with a rule."""
    first, newline, rest = text.partition("\n")
    if first.rstrip(" \t") != mark or not newline:
        return None
    ends = {mark, "..."} if mark == "---" else {mark}
    start = 0
    while start <= len(rest):
        stop = rest.find("\n", start)
        stop = len(rest) if stop < 0 else stop
        # Most lines are told by three characters; slices of a long page would cost more than the block.
        if rest[start : start + 3] in ends and rest[start:stop].rstrip(" \t") in ends:
            lines = rest[:start].split("\n")[:-1]
            return lines if _looks_like_settings(lines, mark) else None
        start = stop + 1
    return None


def _looks_like_settings(lines: list[str], mark: str) -> bool:
    key = _YAML_KEY if mark == "---" else _TOML_KEY
    content = (line for line in lines if line.strip() and not line.startswith("#"))
    first = next(content, None)
    if first is None:
        return not any(line.startswith("# ") for line in lines) or mark == "+++"
    return bool(key.match(first.rstrip())) or first.startswith(("{", "[" if mark == "+++" else "{"))


def _yaml(lines: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for index, line in enumerate(lines):
        match = _YAML_KEY.match(line.rstrip())
        if match and (match[1] in _TITLES or match[1] in {"slug", "id"}):
            values.setdefault(match[1], _value((match[2] or "").strip(), _below(lines, index + 1)))
    return values


def _below(lines: list[str], start: int) -> list[str]:
    """The indented lines that go on with a value."""
    stop = start
    while stop < len(lines) and (not lines[stop].strip() or lines[stop][0] in " \t"):
        stop += 1
    return [line.strip() for line in lines[start:stop] if line.strip()]


def _toml(lines: list[str]) -> dict[str, str]:
    values: dict[str, str] = {}
    for line in lines:
        if line.startswith("["):
            break  # the keys below belong to a table
        match = _TOML_KEY.match(line.strip())
        if match and match[2][:1] in {'"', "'"}:
            values.setdefault(match[1], _value(match[2], []))
    return values


def _value(value: str, below: list[str]) -> str:
    """The words of a scalar; "" for what is none."""
    if _BLOCK.match(value):
        return " ".join(below)
    whole = " ".join([value, *below]) if below and value else value or " ".join(below)
    quoted = _QUOTED.match(whole)
    if quoted and quoted[1] is not None:
        return re.sub(r"\\(.)", r"\1", quoted[1], flags=re.DOTALL).strip()
    if quoted:
        return quoted[2].replace("''", "'").strip()
    comment = _COMMENT.search(whole)
    plain = whole[: comment.start()].strip() if comment else whole.strip()
    # A list, a mapping or a reference is no text.
    refused = (
        plain[:1] in {"|", ">", "&", "*", "!", "[", "{", '"', "'"} or plain.startswith("- ") or plain in {"~", "null"}
    )
    return "" if refused or (not value and ": " in plain) else plain
