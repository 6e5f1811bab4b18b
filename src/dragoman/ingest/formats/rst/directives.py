"""The directives of reStructuredText and Sphinx: what each becomes in Markdown.

In: a directive taken apart. Out: blocks of Markdown. Only the page's neighbours are asked for other files and for the code that
is documented; an unknown directive gives the text in it, or is listed.
"""

from collections.abc import Callable, Sequence
from typing import Final

from dragoman.ingest.formats.blocks import Line, admonition, fence, joined, word_set
from dragoman.ingest.formats.rst import tables as rst_tables
from dragoman.ingest.formats.rst.includes import (
    included,
    leave_out,
    line_number,
    write_documented,
    write_include,
    write_literal_include,
)
from dragoman.ingest.formats.rst.inline import inline, paragraph
from dragoman.ingest.formats.rst.lines import Directive, dedented, trimmed
from dragoman.ingest.formats.rst.objects import OBJECTS, write_object
from dragoman.ingest.formats.rst.reader import Reader

_Blocks = list[list[Line]]
_Write = Callable[[Reader, Directive], _Blocks]

_CODE: Final = {
    "code": "",
    "code-block": "",
    "code-cell": "python",
    "doctest": "pycon",
    "graphviz": "dot",
    "digraph": "dot",
    "graph": "dot",
    "ipython": "python",
    "jupyter-execute": "python",
    "math": "math",
    "mermaid": "mermaid",
    "parsed-literal": "text",
    "productionlist": "text",
    "prompt": "",
    "sourcecode": "",
    "testcode": "python",
    "testoutput": "text",
    "uml": "plantuml",
    "plot": "python",
    "ipython-block": "python",
}
_NAMED_LANGUAGE: Final = frozenset({"code", "code-block", "sourcecode", "prompt", "ipython-block"})
_NOTES: Final = word_set(
    "attention caution danger error hint important note tip warning seealso todo deprecated versionadded versionchanged "
    "versionremoved admonition topic sidebar deprecated-removed"
)
_VERSIONS: Final = {
    "versionadded": "Added in version",
    "versionchanged": "Changed in version",
    "versionremoved": "Removed in version",
    "deprecated": "Deprecated since version",
    "deprecated-removed": "Deprecated since version",
}
_SILENT: Final = word_set(
    "contents sectnum section-numbering index meta raw default-role role title target-notes tabularcolumns rst-class cssclass "
    "class-doc codeauthor sectionauthor moduleauthor only-end testsetup testcleanup default-domain highlightlang program "
    "header footer restructuredtext-test-directive acks-end bibliography autosummary-end unicode replace date"
)
_MODULES: Final = frozenset({"module", "py:module", "currentmodule", "py:currentmodule", "automodule-end"})
_LABELLED: Final = word_set(
    "tab tab-item group-tab code-tab card grid-item-card dropdown collapse details rubric centered button panel "
    "container-title step"
)
_FIRST_WORD: Final = frozenset({"code-tab"})  # the first word of the argument names the language
_CODE_ENDINGS: Final = word_set("code console example exec execute literal output program run shell snippet source")
_PLAIN: Final = word_set(
    "only ifconfig container compound class tab-set tabs grid grid-item tab-set-code hlist epigraph highlights pull-quote glossary "
    "acks rst-class div toggle"
)


def write_directive(reader: Reader, found: Directive) -> _Blocks:
    """A directive as blocks of Markdown.

    Args:
        reader: The page it is on.
        found: The directive.

    Returns:
        Its blocks; none where it has no text of its own or was left out.
    """
    return _writer(found.name)(reader, found)


def _writer(name: str) -> _Write:
    if name in _WRITERS:
        return _WRITERS[name]
    families = ((_SILENT, _silent), (_MODULES, _module), (_CODE, _code), (_NOTES, _note), (OBJECTS, write_object))
    found = next((writer for names, writer in families if name in names), None)
    if found is None:
        return write_documented if name.startswith("auto") and name != "auto" else _other
    return found


def _silent(reader: Reader, found: Directive) -> _Blocks:  # noqa: ARG001 - one of several writers
    return []


def _module(reader: Reader, found: Directive) -> _Blocks:
    reader.module = found.words
    return _content(reader, found.body)


def _content(reader: Reader, lines: Sequence[Line]) -> _Blocks:
    return reader.blocks(dedented(trimmed(lines)))


def _same_line(found: Directive) -> bool:
    return bool(found.argument) and found.argument[0].line == found.at.line


def _code(reader: Reader, found: Directive) -> _Blocks:
    language = _CODE[found.name]
    argument = list(found.argument)
    if found.name in _NAMED_LANGUAGE and _same_line(found):
        language = argument.pop(0).text.split()[0]
    elif found.name in {
        "ipython",
        "jupyter-execute",
        "doctest",
        "testcode",
        "testoutput",
        "mermaid",
        "plot",
        "uml",
    } and _same_line(found):
        argument.pop(0)  # options of the run, a group, a file
    gap = [Line("", argument[-1].line, argument[-1].file)] if argument and found.body else []
    if language in {"text", "math"}:
        return [
            fence(
                trimmed([*dedented(argument), *gap, *dedented(found.body)]),
                "" if language == "text" else language,
                found.at,
            )
        ]
    caption = [paragraph([found.options["caption"]], reader.names)] if found.option("caption") else []
    return [*caption, reader.code([*argument, *gap, *found.body], language, found.at)]


def _highlight(reader: Reader, found: Directive) -> _Blocks:
    reader.language = found.words.split(" ")[0].lower() if found.words else ""
    return []


def _note(reader: Reader, found: Directive) -> _Blocks:
    argument = list(found.argument)
    title = "See also" if found.name == "seealso" else ""
    if found.name in {"admonition", "topic", "sidebar"} and argument:
        title = inline(argument.pop(0).text, reader.names)
    if found.name in _VERSIONS and argument:
        version, _, rest = argument[0].text.partition(" ")
        title = f"{_VERSIONS[found.name]} {version}"
        argument[0] = Line(rest, argument[0].line, argument[0].file)
    gap = [Line("", argument[-1].line, argument[-1].file)] if argument else []
    body = joined(reader.blocks([*trimmed(argument), *gap, *found.body]))
    return [admonition(found.option("class") or found.name, title, body, found.at)]


def _figure(reader: Reader, found: Directive) -> _Blocks:
    alternative = " ".join(found.option("alt").split()).replace("[", "").replace("]", "")
    address = "".join(found.words.split())
    image = [Line(f"![{alternative}]({address})", found.at.line, found.at.file)] if alternative and address else []
    return [image, *_content(reader, found.body)]


def _table(reader: Reader, found: Directive) -> _Blocks:
    return [paragraph(found.argument, reader.names), *_content(reader, found.body)]


def _list_table(reader: Reader, found: Directive) -> _Blocks:
    rows = rst_tables.of_list(dedented(found.body), line_number(found.option("header-rows"), 0))
    return [paragraph(found.argument, reader.names), reader.table(rows)]


def _csv_table(reader: Reader, found: Directive) -> _Blocks:
    named = found.option("delim")
    delimiter = {"tab": "\t", "space": " "}.get(named, named[:1] or ",")
    lines: Sequence[Line] = dedented(found.body)
    if found.option("file"):
        asked = Directive(found.name, (Line(found.option("file"), found.at.line, found.at.file),), found.at)
        lines = included(reader, asked) or []
    elif found.option("url"):
        return leave_out(reader, found, "directive")
    heads = line_number(found.option("header-rows"), 0)
    delimiter = delimiter if delimiter not in {"\n", "\r", '"'} else ","
    rows = rst_tables.of_values(lines, found.options.get("header"), heads, delimiter)
    return [paragraph(found.argument, reader.names), reader.table(rows)]


def _toctree(reader: Reader, found: Directive) -> _Blocks:
    return leave_out(reader, found, "toctree")


def _other(reader: Reader, found: Directive) -> _Blocks:
    name = found.name.rpartition(":")[2]
    argument = list(found.argument)
    if name in _FIRST_WORD:
        language, _, label = found.words.partition(" ")
        title = [Line(f"**{label or language}**", found.at.line, found.at.file)]
        return [title, reader.code(found.body, language, found.at)]
    if name in _LABELLED:
        words = " ".join(inline(line.text.strip(), reader.names) for line in argument).replace("*", "").strip()
        bold = [Line(f"**{words}**", found.at.line, found.at.file)] if words else []
        return [bold, *_content(reader, found.body)]
    if name in _PLAIN:
        started = argument if argument and not _same_line(found) else []
        return _content(reader, [*started, *([Line("", started[-1].line)] if started else []), *found.body])
    body = found.body
    if argument and not _same_line(found):  # no blank line in between: what is no argument is the body
        body = (*argument, Line("", argument[-1].line, argument[-1].file), *body) if body else tuple(argument)
    if not body:
        return leave_out(reader, found, "directive")
    if name.rpartition("-")[2] in _CODE_ENDINGS:  # such as click:example, program-output
        return [reader.code(body, "python" if name in {"example", "run"} and ":" in found.name else "", found.at)]
    return _content(reader, body)


_WRITERS: Final[dict[str, _Write]] = {
    "autosummary": _toctree,
    "csv-table": _csv_table,
    "figure": _figure,
    "highlight": _highlight,
    "image": _figure,
    "include": write_include,
    "list-table": _list_table,
    "literalinclude": write_literal_include,
    "table": _table,
    "toctree": _toctree,
}
