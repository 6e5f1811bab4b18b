"""Where MkDocs' snippets lie: the ``base_path`` of ``pymdownx.snippets`` in a site's settings.

In: the text of ``mkdocs.yml``. Out: folders as the settings name them. The file is read line by line and never run: of YAML only a
string and a list of strings are known.
"""

import re
from typing import Final

_SECTION = re.compile(r"([ \t]*)(?:-[ \t]+)?[\"']?pymdownx\.snippets[\"']?[ \t]*:[ \t]*(\{.*)?\Z")
_KEY = re.compile(r"[{ \t,]*[\"']?base_path[\"']?[ \t]*:[ \t]*(.*)\Z")
_ITEM = re.compile(r"[ \t]*-[ \t]+(.+)\Z")
_OWN_FOLDER: Final = ("$config_dir", "!relative", "./")
_MOST: Final = 40  # lines of one extension's settings
_LONGEST: Final = 1_000


def snippet_folders(text: str) -> list[str]:
    """The folders that snippets are looked up in.

    Args:
        text: The settings of a site.

    Returns:
        Folders relative to that of the settings ("" for it itself), none where the settings name none.
    """
    lines = [line[:_LONGEST].split(" #")[0].rstrip() for line in text.split("\n")]
    for number, line in enumerate(lines):
        section = _SECTION.match(line)
        if section and section[2]:
            found = re.search(r"base_path.*", section[2])
            return _values(found[0] if found else "", [])
        if section:
            return _of_block(lines[number + 1 : number + 1 + _MOST], len(section[1]))
    return []


def _of_block(lines: list[str], margin: int) -> list[str]:
    for number, line in enumerate(lines):
        if line.strip() and len(line) - len(line.lstrip()) <= margin:
            return []
        if _KEY.match(line):
            return _values(line, lines[number + 1 :])
    return []


def _values(line: str, below: list[str]) -> list[str]:
    match = _KEY.match(line)
    value = match[1].strip() if match else ""
    if value.startswith("["):
        listed = value[1:].split("]")[0].split(",")
    elif value and value != "!relative":
        listed = [value.rstrip("}")]
    else:
        listed = []
        for text in below:
            item = _ITEM.match(text)
            if not item and text.strip():
                break
            listed += [item[1]] if item else []
    return [_folder(name) for name in listed if name.strip()]


def _folder(name: str) -> str:
    bare = name.strip().strip("\"'")
    for sign in _OWN_FOLDER:
        bare = bare.removeprefix(sign).strip()
    return bare.strip("/") if bare != "." else ""
