import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dragoman.errors import SourceError
from dragoman.ingest.sources import FetchedSource, SourceSpec, fetch, parse_source

Fetch = Callable[..., list[FetchedSource]]


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fetch:
    """Fetches what is typed, standing in the test's own folder; no registry can be reached."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")

    def fetch_typed(*texts: str, say: Callable[[str], None] = ignore) -> list[FetchedSource]:
        return fetch([parse_source(text) for text in texts], tmp_path / "cache", say)

    return fetch_typed


def ignore(line: str) -> None:
    assert line


def page(place: Path, text: str = "# Page\n") -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text)
    return place


def package(tmp_path: Path, name: str = "left", repository: object = "github:up/left", *files: str) -> Path:
    """A package in the cache, as an earlier run left it."""
    root = tmp_path / "cache" / "npm" / name.replace("/", "+") / "1.2.3" / "checksum" / "package"
    page(root / "package.json", json.dumps({"repository": repository}))
    for file in files or ("docs/a.md", "README.md"):
        page(root / file)
    return root


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("docs/", SourceSpec("local", "docs/", "docs/")),
        ("  a b.md ", SourceSpec("local", "a b.md", "a b.md")),
        ("C:\\docs", SourceSpec("local", "C:\\docs", "C:\\docs")),
        ("npm", SourceSpec("local", "npm", "npm")),
        ("npm:fastify@5.12.8", SourceSpec("npm", "npm:fastify@5.12.8", "fastify", "5.12.8")),
        ("npm:fastify", SourceSpec("npm", "npm:fastify", "fastify")),
        ("NPM:JSONStream@next", SourceSpec("npm", "NPM:JSONStream@next", "JSONStream", "next")),
        ("npm:@up/left@1.0.0-rc.1+b", SourceSpec("npm", "npm:@up/left@1.0.0-rc.1+b", "@up/left", "1.0.0-rc.1+b")),
        ("npm:@up/left:site/en/", SourceSpec("npm", "npm:@up/left:site/en/", "@up/left", "", "site/en")),
    ],
)
def test_a_source_is_understood_as_it_was_typed(text: str, spec: SourceSpec) -> None:
    assert parse_source(text) == spec


@pytest.mark.parametrize(
    "text",
    [
        "npm:",
        "npm:@up",
        "npm:../left",
        "npm:.hidden",
        "npm:left@",
        "npm:left@../1",
        "npm:left@^1",
        "npm:le ft",
        "npm:a/b",
        "npm:left:../..",
        "npm:left@1.0.0:a/../../b",
    ],
)
def test_what_is_no_name_of_a_package_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match="is not a package; expected npm:package@version"):
        parse_source(text)


@pytest.mark.parametrize("kind", ["github", "git+https", "pypi", "hf", "https", "git"])
def test_a_kind_of_source_that_comes_later_says_so(kind: str) -> None:
    with pytest.raises(SourceError) as caught:
        parse_source(f"{kind}:up/left")
    assert f"{kind}: sources are not supported yet; expected a folder, a file, or npm:" in str(caught.value)


@pytest.mark.parametrize("text", ["", "  \n"])
def test_an_empty_source_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match="a source is empty"):
        parse_source(text)


def test_a_folder_is_named_by_its_own_name_only(fetched: Fetch, tmp_path: Path) -> None:
    page(tmp_path / "deep" / "docs" / "a.md")
    wanted = [FetchedSource("docs", tmp_path / "deep" / "docs")]
    for typed in ("deep/docs", "deep/docs/", "./deep/../deep/docs", str(tmp_path / "deep" / "docs")):
        assert fetched(typed) == wanted
    os.chdir(tmp_path / "deep" / "docs")
    assert fetched(".") == wanted


def test_a_linked_folder_keeps_the_name_that_was_typed(fetched: Fetch, tmp_path: Path) -> None:
    page(tmp_path / "docs-2" / "a.md")
    (tmp_path / "docs").symlink_to("docs-2")
    assert fetched("docs")[0].label == "docs"


def test_a_home_folder_is_found(fetched: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page(tmp_path / "docs" / "a.md")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert fetched("~/docs")[0].root == tmp_path / "docs"


def test_a_file_is_a_part_of_its_folder(fetched: Fetch, tmp_path: Path) -> None:
    page(tmp_path / "docs" / "b.md")
    page(tmp_path / "docs" / "a.md")
    assert fetched("docs/b.md") == [FetchedSource("docs", tmp_path / "docs", files=("b.md",))]
    assert fetched("docs/b.md", "docs/a.md") == [FetchedSource("docs", tmp_path / "docs", files=("a.md", "b.md"))]
    assert fetched("docs/b.md", "docs") == fetched("docs", "docs/b.md") == [FetchedSource("docs", tmp_path / "docs")]


def test_folders_of_equal_name_get_their_parents_names(fetched: Fetch, tmp_path: Path) -> None:
    for name in ("one/x/docs", "two/x/docs", "two/y/docs", "guide"):
        page(tmp_path / name / "a.md")
    found = fetched("one/x/docs", "two/x/docs", "guide", "two/y/docs", "one/x/docs/")
    assert [source.label for source in found] == ["one/x/docs", "two/x/docs", "guide", "y/docs"]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("dcos", "docs"), ("docs/gide/a.md", "docs/guide/a.md"), ("dosc/guide", "docs/guide"), ("dcos/none", "docs")],
)
def test_a_missing_folder_is_answered_with_the_nearest_one(
    fetched: Fetch, tmp_path: Path, typed: str, meant: str
) -> None:
    page(tmp_path / "docs" / "guide" / "a.md")
    with pytest.raises(SourceError) as caught:
        fetched(typed)
    wanted = f"there is no '{typed}'; expected a folder, a file, or npm:package@version. Did you mean '{meant}'?"
    assert str(caught.value) == wanted


def test_a_missing_folder_like_no_other_is_plainly_missing(fetched: Fetch) -> None:
    with pytest.raises(SourceError) as caught:
        fetched("zzz/qqq")
    assert caught.value.hint == ""


@pytest.mark.parametrize("typed", ["a\0b", "x" * 300, "~nobody-of-that-name/docs"])
def test_a_path_that_cannot_be_is_one_plain_error(fetched: Fetch, typed: str) -> None:
    with pytest.raises(SourceError, match=r"there is no|cannot look at"):
        fetched(typed)


def test_a_pipe_is_no_source(fetched: Fetch, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    with pytest.raises(SourceError, match=r"'pipe\.md' is neither a folder nor a plain file"):
        fetched("pipe.md")


def test_the_docs_of_a_package_are_its_docs_folder(fetched: Fetch, tmp_path: Path) -> None:
    root = package(tmp_path)
    said: list[str] = []
    (source,) = fetched("npm:left@1.2.3", say=said.append)
    address = "https://github.com/up/left/blob/v1.2.3/docs/{path}"
    assert source == FetchedSource("npm:left@1.2.3", root / "docs", "1.2.3", (), address)
    assert said == ["npm:left@1.2.3: from the cache"]


def test_without_docs_a_package_is_read_for_its_markdown(fetched: Fetch, tmp_path: Path) -> None:
    files = ("README.md", "guide/a.mdx", "LICENSE.txt", "index.js", "docs/api.html", "node_modules/x/README.md")
    root = package(tmp_path, "left", "up/left", *files)
    (source,) = fetched("npm:left@1.2.3")
    assert (source.root, source.files) == (root, ("README.md", "guide/a.mdx"))
    assert source.page_url == "https://github.com/up/left/blob/v1.2.3/{path}"


def test_a_folder_of_a_package_can_be_chosen(fetched: Fetch, tmp_path: Path) -> None:
    root = package(tmp_path, "@up/left", "up/left", "docs/a.md", "site/en us/b.md")
    docs, chosen = fetched("npm:@up/left@1.2.3", "npm:@up/left@1.2.3:site/en us")
    assert docs.label == "npm:@up/left@1.2.3"
    assert (chosen.label, chosen.root) == ("npm:@up/left@1.2.3:site/en us", root / "site" / "en us")
    assert chosen.page_url.endswith("/blob/v1.2.3/site/en%20us/{path}")
    with pytest.raises(SourceError, match=r"no folder 'nope'; expected one of its folders \(docs, site\)"):
        fetched("npm:@up/left@1.2.3:nope")


@pytest.mark.parametrize(
    ("repository", "start"),
    [
        ("up/left", "https://github.com/up/left/blob/v1.2.3/"),
        ("git@github.com:up/left.js.git", "https://github.com/up/left.js/blob/v1.2.3/"),
        ({"type": "git", "url": "git+https://github.com/up/left.git"}, "https://github.com/up/left/blob/v1.2.3/"),
        ({"url": "git://www.github.com/up/left#main"}, "https://github.com/up/left/blob/v1.2.3/"),
        ({"url": "https://who:secret@github.com/up/left/"}, "https://github.com/up/left/blob/v1.2.3/"),
        ({"url": "up/left", "directory": "./packages/l"}, "https://github.com/up/left/blob/HEAD/packages/l/"),
        ("gitlab:up/left", ""),
        ("https://gitlab.com/up/left.git", ""),
        ("https://notgithub.com/up/left", ""),
        ({"url": None}, ""),
        (["up/left"], ""),
    ],
)
def test_pages_have_an_address_when_the_repository_is_on_github(
    fetched: Fetch, tmp_path: Path, repository: object, start: str
) -> None:
    package(tmp_path, "left", repository)
    assert fetched("npm:left@1.2.3")[0].page_url == (start and start + "docs/{path}")


@pytest.mark.parametrize("manifest", ["", "[]", "{", '"x"', "[" * 100_000])
def test_a_damaged_package_json_costs_only_the_address(fetched: Fetch, tmp_path: Path, manifest: str) -> None:
    (package(tmp_path) / "package.json").write_text(manifest)
    assert fetched("npm:left@1.2.3")[0].page_url == ""


def test_a_package_that_cannot_be_had_is_one_plain_error(fetched: Fetch) -> None:
    with pytest.raises(SourceError, match="cannot reach the npm registry"):
        fetched("npm:left@1.2.3")
