"""The paths that documents of a dataset are written to: safe, readable, and never the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.ingest.sources.hub_rows import Documents, safe_paths


@pytest.mark.parametrize(
    ("names", "paths"),
    [
        (["/srv/ann/docs/a.md", "/srv/ann/docs/guide/b.md"], ["a.md", "guide/b.md"]),
        (["C:\\Docs\\a.md", "C:\\Docs\\guide\\b.md"], ["a.md", "guide/b.md"]),
        (["/etc/passwd", "../../etc/passwd"], ["passwd.md", "etc/passwd.md"]),
        (["docs/a.md", "docs/b.md"], ["docs/a.md", "docs/b.md"]),
        (["a.ipynb", "a.html", "b.rst", "c"], ["a.ipynb.md", "a.html.md", "b.rst", "c.md"]),
        ([".github/a.md", "a?b.md", ".."], ["_github/a.md", "a_b.md", "document.md"]),
    ],
)
def test_paths_are_made_relative_and_readable(names: list[str], paths: list[str]) -> None:
    assert safe_paths([("", name) for name in names]) == paths


def test_paths_that_would_be_the_same_are_kept_apart() -> None:
    names = ["a.md", "A.md", "./a.md", "a.md/b.md", "c/d", "c/d.md", "c.md"]
    paths = safe_paths([("", name) for name in names])
    assert paths[0] == "a.md"
    assert len({path.casefold() for path in paths}) == len(names)
    folders = {path.casefold().rpartition("/")[0] for path in paths}
    assert not folders & {path.casefold() for path in paths}
    assert paths == safe_paths([("", name) for name in names])


_PARTS = st.sampled_from(["a", "A", "a.md", "..", ".", "", "~", "C:", ".a", "\0", "\ud800", "é", "x" * 300, "con."])
_NAMES = st.lists(st.lists(_PARTS, max_size=5).map("/".join) | st.text(max_size=20), max_size=8, unique=True)


@given(_NAMES)
def test_no_name_leads_outside_or_onto_another(tmp_path_factory: pytest.TempPathFactory, names: list[str]) -> None:
    root = tmp_path_factory.mktemp("documents")
    paths = safe_paths([("", name) for name in names])
    for path in paths:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(path)
    inside = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    assert inside == set(paths)
    assert len(inside) == len(names)


def test_documents_are_named_by_their_repository_only_where_there_are_several() -> None:
    one = Documents({("ann/left", "/srv/a.md"): ["A."], ("", ""): ["B.", "C."]})
    assert dict(one.texts("docs.md")) == {"a.md": "A.\n", "docs.md": "B.\n\nC.\n"}
    two = Documents({("ann/left", "/srv/a.md"): ["A."], ("ann/right", "/srv/a.md"): ["B."]})
    assert dict(two.texts("docs.md")) == {"ann/left/a.md": "A.\n", "ann/right/a.md": "B.\n"}
