import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dragoman.config import IngestSettings
from dragoman.errors import SourceError
from dragoman.ingest.select import select
from dragoman.ingest.sources.fetch import fetch
from dragoman.ingest.sources.spec import FetchedSource, parse_source

Fetch = Callable[..., list[FetchedSource]]


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fetch:
    """Fetches what is typed, standing in the test's own folder; no registry can be reached."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9")

    def fetch_typed(
        *texts: str, say: Callable[[str], None] = ignore, settings: IngestSettings | None = None
    ) -> list[FetchedSource]:
        return fetch([parse_source(text, settings) for text in texts], tmp_path / "cache", say)

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


def test_a_folder_is_named_by_its_own_name_only(fetched: Fetch, tmp_path: Path) -> None:
    page(tmp_path / "deep" / "docs" / "a.md")
    wanted = [FetchedSource("docs", tmp_path / "deep" / "docs", repository="docs")]
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
    docs = FetchedSource("docs", tmp_path / "docs", repository="docs")
    assert fetched("docs/b.md") == [replace(docs, files=("b.md",))]
    assert fetched("docs/b.md", "docs/a.md") == [replace(docs, files=("a.md", "b.md"))]
    assert fetched("docs/b.md", "docs") == fetched("docs", "docs/b.md") == [docs]


def test_a_file_that_was_named_is_read_whatever_it_is_called(fetched: Fetch, tmp_path: Path) -> None:
    for name in ("CHANGELOG.md", "[1].md", "a.md", "LICENSE.md"):
        page(tmp_path / "docs" / name)
    narrow = IngestSettings(include=("a.md",), exclude=("[[]1*",))
    for settings in (IngestSettings(), narrow):
        for typed in ("CHANGELOG.md", "[1].md"):
            (source,) = fetched(f"docs/{typed}", settings=settings)
            assert select(source.files, source.settings).kept == (typed,)
    (source,) = fetched("docs", "docs/CHANGELOG.md")
    everything = sorted(path.name for path in source.root.iterdir())
    assert select(everything, source.settings).kept == ("CHANGELOG.md", "[1].md", "a.md")
    assert source.files == ()


def test_settings_travel_and_keep_two_readings_of_a_folder_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page(tmp_path / "docs" / "a.md")
    guide, rest = IngestSettings(include=("guide/**",)), IngestSettings(exclude=("guide/**",))
    specs = [parse_source("docs", guide), parse_source("./docs", rest), parse_source("docs/", guide)]
    found = fetch(specs, tmp_path / "cache", ignore)
    assert [(source.label, source.settings) for source in found] == [("docs", guide), ("docs#2", rest)]
    page(tmp_path / "docs#2" / "a.md")
    found = fetch([parse_source("docs#2"), *specs], tmp_path / "cache", ignore)
    assert [source.label for source in found] == ["docs#2", "docs", "docs#3"]


def test_folders_of_equal_name_get_their_parents_names(fetched: Fetch, tmp_path: Path) -> None:
    for name in ("one/x/docs", "two/x/docs", "two/y/docs", "guide"):
        page(tmp_path / name / "a.md")
    found = fetched("one/x/docs", "two/x/docs", "guide", "two/y/docs", "one/x/docs/")
    assert [source.label for source in found] == ["one/x/docs", "two/x/docs", "guide", "y/docs"]


def test_the_docs_of_a_package_are_its_docs_folder(fetched: Fetch, tmp_path: Path) -> None:
    root = package(tmp_path)
    said: list[str] = []
    (source,) = fetched("npm:left@1.2.3", say=said.append)
    address = "https://github.com/up/left/blob/v1.2.3/docs/{path}"
    assert source == FetchedSource(
        "npm:left@1.2.3", root / "docs", root, "1.2.3", page_url=address, repository="up/left"
    )
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


@pytest.mark.parametrize("text", ["github:up/left", "git+file:///none/left.git", "pypi:left", "hf:up/left"])
def test_a_source_from_elsewhere_that_cannot_be_had_is_one_plain_error(
    fetched: Fetch, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    dead = "http://127.0.0.1:9"
    for name in ("PIP_INDEX_URL", "HF_ENDPOINT"):
        monkeypatch.setenv(name, dead)
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    with pytest.raises(SourceError):
        fetched(text, settings=IngestSettings(github_api=dead))


def test_a_package_that_cannot_be_had_is_one_plain_error(fetched: Fetch) -> None:
    with pytest.raises(SourceError, match="cannot reach the npm registry"):
        fetched("npm:left@1.2.3")
