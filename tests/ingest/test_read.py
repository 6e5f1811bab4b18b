import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.ingest.reading import only, read, write

from dragoman.config import IngestSettings
from dragoman.errors import SourceError
from dragoman.ingest.read import REASONS, read_documents
from dragoman.ingest.sources.spec import FetchedSource
from dragoman.records import Rejected


def reason(folder: Path, content: str | bytes, name: str = "a.md") -> Rejected:
    """Why the file is skipped, beside a good one."""
    write(folder, {name: content, "good.md": "# Good\n"})
    (row,) = read(folder).skipped
    assert (row.stage, row.item) == ("ingest", name)
    return row


def test_documents_are_read_in_the_order_of_their_paths(tmp_path: Path) -> None:
    write(tmp_path, dict.fromkeys(["b.md", "a/z.markdown", "a.MDX", "c/d/e.txt", "B.md"], "# Words\n"))
    result = read(tmp_path)
    assert [document.path for document in result.documents] == ["B.md", "a.MDX", "a/z.markdown", "b.md", "c/d/e.txt"]
    assert {(document.source, document.revision, document.url) for document in result.documents} == {("docs", "", "")}
    assert result.skipped == ()


def test_hidden_entries_and_node_modules_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, dict.fromkeys([".git/a.md", "x/node_modules/b.md", ".c.md", "d.md"], "words"))
    result = read(tmp_path)
    assert ([document.path for document in result.documents], result.skipped) == (["d.md"], ())


def test_other_formats_are_listed_and_assets_are_counted(tmp_path: Path) -> None:
    names = ["a.adoc", "x/b.org", "c.PDF", "p.png", "x/q.PNG", "LICENSE", "m.css", "a.md"]
    write(tmp_path, dict.fromkeys(names, "words"))
    rows = [(row.item, row.reason, row.detail) for row in read(tmp_path).skipped]
    assert rows == [
        ("a.adoc", "format not supported", ".adoc"),
        ("c.PDF", "format not supported", ".pdf"),
        ("x/b.org", "format not supported", ".org"),
        ("(no extension)", "not a document", "1 file"),
        ("*.css", "not a document", "1 file"),
        ("*.png", "not a document", "2 files"),
    ]


def test_only_the_files_of_a_source_are_read(tmp_path: Path) -> None:
    write(tmp_path, dict.fromkeys(["a.md", "b.md", "x/c.md"], "words"))
    result = read_documents(FetchedSource("docs", tmp_path, files=("x/c.md", "a.md")))
    assert [document.path for document in result.documents] == ["a.md", "x/c.md"]


@pytest.mark.parametrize(
    ("content", "why", "detail"),
    [
        (b"PNG\0\1", "binary", "it holds NUL bytes"),
        (b"words\x01\x02\x03", "binary", "3 control characters"),
        (("\0" + "words " * 9).encode("utf-16"), "binary", "1 control characters"),
        ("w\u00f6rds".encode("latin-1"), "not UTF-8 text", "at byte 1"),
        (b"\xff\xfew", "not UTF-8 text", "at byte 2"),
        (b"", "empty", ""),
        (b"\xef\xbb\xbf \r\n\t\n", "empty", ""),
    ],
)
def test_what_is_no_text_is_skipped_and_says_why(tmp_path: Path, content: bytes, why: str, detail: str) -> None:
    row = reason(tmp_path, content)
    assert row.reason == why
    assert detail in row.detail


def test_a_file_over_the_limit_is_skipped_and_one_at_the_limit_is_not(tmp_path: Path) -> None:
    write(tmp_path, {"large.md": "x" * 2001, "right.md": "x" * 2000})
    result = read(tmp_path, max_file_mb=0.002)
    assert [document.text for document in result.documents] == ["x" * 2000]
    (row,) = result.skipped
    assert (row.item, row.reason) == ("large.md", "too large")
    assert "[ingest] max_file_mb = 0.002" in row.detail


def test_links_are_listed_and_not_followed(tmp_path: Path) -> None:
    write(tmp_path, {"secret.md": "secret", "elsewhere/b.md": "secret", "docs/a.md": "words", "docs/x/c.md": "words"})
    docs = tmp_path / "docs"
    (docs / "file.md").symlink_to("../secret.md")
    (docs / "folder").symlink_to("../elsewhere")
    (docs / "loop").symlink_to(".")
    (docs / "broken.md").symlink_to("none.md")
    result = read(docs)
    assert [document.path for document in result.documents] == ["a.md", "x/c.md"]
    assert [(row.item, row.detail) for row in result.skipped] == [
        ("broken.md", "to none.md"),
        ("file.md", "to ../secret.md"),
        ("folder", "to ../elsewhere"),
        ("loop", "to ."),
    ]
    assert {row.reason for row in result.skipped} == {"link not followed"}


def test_a_pipe_is_skipped_and_not_waited_for(tmp_path: Path) -> None:
    write(tmp_path, {"a.md": "words"})
    os.mkfifo(tmp_path / "pipe.md")
    assert read(tmp_path).skipped == (Rejected("ingest", "pipe.md", "unreadable", "not a plain file"),)


def test_a_file_that_went_away_is_skipped(tmp_path: Path) -> None:
    write(tmp_path, {"a.md": "words"})
    result = read_documents(FetchedSource("docs", tmp_path, files=("a.md", "gone.md")))
    assert result.skipped == (Rejected("ingest", "gone.md", "unreadable", "No such file or directory"),)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_listed(tmp_path: Path) -> None:
    write(tmp_path, {"a.md": "words", "locked.md": "words", "shut/b.md": "words"})
    (tmp_path / "locked.md").chmod(0)
    (tmp_path / "shut").chmod(0)
    rows = read(tmp_path).skipped
    (tmp_path / "shut").chmod(0o700)
    assert [(row.item, row.reason) for row in rows] == [("locked.md", "unreadable"), ("shut/", "unreadable")]


def test_a_file_name_that_is_no_text_is_skipped_under_a_name_that_is(tmp_path: Path) -> None:
    write(tmp_path, {"a.md": "words"})
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/w\xf6rds.md")).write_text("words")
    assert read(tmp_path).skipped == (Rejected("ingest", "w\\udcf6rds.md", "file name not UTF-8"),)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_text_is_read_whatever_its_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    assert only(tmp_path, "# W\u00f6rter\n\u65e5\u672c\n".encode(encoding)).text == "# W\u00f6rter\n\u65e5\u672c\n"


def test_a_line_ends_at_a_line_feed_and_nowhere_else(tmp_path: Path) -> None:
    document = only(tmp_path, "a\r\nb\rc\n\rd\x0be\x0cf\u2028g\x85h\n")
    assert document.text == "a\nb\nc\n\nd\x0be\x0cf\u2028g\x85h\n"
    assert document.lines is None


def test_a_readme_beside_an_index_is_no_page_of_the_site(tmp_path: Path) -> None:
    write(tmp_path, {"README.md": "a", "index.md": "b", "x/readme.md": "c"})
    urls = [document.url for document in read(tmp_path, site="https://left.test").documents]
    assert urls == ["", "https://left.test/", "https://left.test/x/readme/"]


def test_a_docusaurus_page_has_the_address_that_its_front_matter_wishes_for(tmp_path: Path) -> None:
    page = "---\nslug: /start\n---\nwords\n"
    assert only(tmp_path, page, "guide/a.md", site="https://left.test", style="docusaurus").url == (
        "https://left.test/start"
    )


def test_settings_in_the_tree_tell_site_style_and_folder_of_the_pages(tmp_path: Path) -> None:
    write(tmp_path, {"mkdocs.yml": "site_url: https://left.test/en/\n", "docs/a.md": "# A\n", "README.md": "# Left\n"})
    source = FetchedSource("left", tmp_path, page_url="https://code.test/{path}")
    urls = {document.path: (document.url, document.style) for document in read_documents(source).documents}
    assert urls == {
        "docs/a.md": ("https://left.test/en/a/", "mkdocs"),
        "README.md": ("https://code.test/README.md", "lines"),
    }


def test_every_format_is_read_and_its_lines_are_those_of_the_file(tmp_path: Path) -> None:
    notebook = (
        '{\n "cells": [\n  {\n   "cell_type": "markdown",\n   "metadata": {},\n   "source": [\n    "# Lids\\n",\n'
        '    "Close it."\n   ]\n  }\n ],\n "metadata": {},\n "nbformat": 4,\n "nbformat_minor": 5\n}\n'
    )
    write(
        tmp_path,
        {
            "a.rst": "Kettles\n=======\n\nFill it.\n",
            "b.ipynb": notebook,
            "c.html": "<html><body>\n<h1>Spouts</h1>\n<p>Pour it.</p></body></html>\n",
            "d.mdx": "import X from 'x'\n\n# Handles\n\n--8<-- \"part.md\"\n",
            "part.md": "Hold it.\nTight.\n",
        },
    )
    found = {}
    for document in read(tmp_path).documents:
        place = next(place for place, line in enumerate(document.text.split("\n")) if line.endswith("it."))
        line = document.lines[place] if document.lines else place + 1
        found[document.path] = (document.title, document.files[place] if document.files else "", line)
    assert found == {
        "a.rst": ("Kettles", "", 4),
        "b.ipynb": ("Lids", "", 8),
        "c.html": ("Spouts", "", 3),
        "d.mdx": ("Handles", "part.md", 1),
        "part.md": ("Part", "", 1),
    }


def test_a_file_that_its_reader_cannot_take_is_listed_and_the_others_are_read(tmp_path: Path) -> None:
    assert reason(tmp_path, "no notebook", "a.ipynb").reason not in REASONS


def test_the_rules_of_a_table_take_no_more_room_than_they_need(tmp_path: Path) -> None:
    table = "| part | use |\n|:---------|-----------:|\n| lid | shut |\n\n--------\n\n```\n+-----+\n```\n"
    write(tmp_path, {"a.md": f"# Kettle\n\n{table}"})
    (document,) = read(tmp_path).documents
    assert document.text == f"# Kettle\n\n{table}".replace("|:---------|-----------:|", "|:---|---:|")


def test_usual_excludes_are_listed(tmp_path: Path) -> None:
    write(tmp_path, {"a.md": "words", "CHANGELOG.md": "words"})
    rows = read(tmp_path).skipped
    assert [(row.item, row.reason) for row in rows] == [("CHANGELOG.md", "changelog")]


def test_without_a_site_a_page_has_the_address_of_its_source(tmp_path: Path) -> None:
    write(tmp_path, {"x/a b#1.md": "words"})
    source = FetchedSource("npm:left@1", tmp_path, revision="1", page_url="https://code.test/blob/v1/docs/{path}")
    (document,) = read_documents(source).documents
    assert document.url == "https://code.test/blob/v1/docs/x/a%20b%231.md"
    assert (document.source, document.revision) == ("npm:left@1", "1")


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["a.org", "b.org", "p.png", "LICENSE"], "2 .org, 1 .png, 1 without extension"),
        (["a.org", "bad.md", "worse.md"], "2 .md (binary), 1 .org"),
        ([], "nothing"),
    ],
)
def test_a_source_without_documents_is_an_error_that_counts_what_is_there(
    tmp_path: Path, names: list[str], found: str
) -> None:
    write(tmp_path, dict.fromkeys(names, "\0"))
    with pytest.raises(SourceError) as caught:
        read(tmp_path)
    assert (
        str(caught.value)
        == f"no documents in docs: found {found}; expected .md, .markdown, .mdx, .rst, .ipynb, .html, .htm or .txt."
    )


ROUGH = st.one_of(
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace")),
    st.text(st.sampled_from("---\n\r\0# =`title:slug\"'\ufeff\x1b"), max_size=60).map(str.encode),
    st.text(max_size=20).map(lambda text: text.encode("utf-16", "replace")),
)


@given(content=ROUGH, suffix=st.sampled_from(["md", "txt", "mdx"]))
@example(content=b"\xff\xfe\x00\xd8", suffix="md")
@example(content="---\ntitle: \ud800\n---\n".encode("utf-8", "surrogatepass"), suffix="md")
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_document_or_are_skipped(tmp_path: Path, content: bytes, suffix: str) -> None:
    write(tmp_path, {f"a.{suffix}": content})
    write(tmp_path, {"good.md": "words"})
    settings = IngestSettings(site="http://x")
    result = read_documents(FetchedSource("docs", tmp_path, files=(f"a.{suffix}", "good.md"), settings=settings))
    assert len(result.documents) + len(result.skipped) == 2
    assert all(row.reason in REASONS for row in result.skipped)
    document = result.documents[0]
    assert not set("\0\r") & set(document.text)
    assert document.text.encode("utf-8")
    assert document.title.strip()
    assert document.url.startswith("http://x/")
