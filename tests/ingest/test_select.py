"""Which files of a source are read: what a person asks for, and what answers no question."""

import time
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.config import IngestSettings
from dragoman.ingest.select import REASONS, Globs, Selected, select


def chosen(paths: Sequence[str], **settings: object) -> dict[str, str]:
    """Reason by path of what is left out; asserts that nothing is lost or doubled."""
    selected = select(paths, IngestSettings.model_validate(settings))
    left = {row.item: row.reason for row in selected.rejected}
    assert sorted([*selected.kept, *left]) == sorted(set(paths))
    assert list(selected.kept) == sorted(selected.kept)
    assert [row.item for row in selected.rejected] == sorted(left)
    assert {row.stage for row in selected.rejected} <= {"ingest"}
    assert set(left.values()) <= set(REASONS)
    return left


@pytest.mark.parametrize(
    ("glob", "path", "holds"),
    [
        ("a.md", "a.md", True),
        ("a.md", "deep/er/a.md", True),
        ("*.md", "deep/a.md", True),
        ("*.md", "deep/a.mdx", False),
        ("/a.md", "a.md", True),
        ("/a.md", "deep/a.md", False),
        ("./guide/*.md", "guide/a.md", True),
        ("guide/*.md", "guide/deep/a.md", False),
        ("guide/*.md", "docs/guide/a.md", False),
        ("guide/**/*.md", "guide/a.md", True),
        ("guide/**/*.md", "guide/x/y/a.md", True),
        ("guide/**", "guide/x/y/a.md", True),
        ("guide/**", "guide", False),
        ("guide/**", "guides/a.md", False),
        ("guide", "docs/guide/a.md", True),
        ("guide/", "docs/guide/a.md", True),
        ("docs/guide", "docs/guide/x/a.md", True),
        ("**/guide/a.md", "guide/a.md", True),
        ("**/guide/a.md", "x/y/guide/a.md", True),
        ("a/**/**/b", "a/b", True),
        ("**", "a/b.md", True),
        ("**/*", "b.md", True),
        ("a?.md", "ab.md", True),
        ("a?.md", "a/.md", False),
        ("[ab].md", "b.md", True),
        ("[!ab].md", "b.md", False),
        ("[[]1].md", "[1].md", True),
        ("A.md", "a.md", False),
        ("", "a.md", False),
        ("/", "a.md", False),
        ("!a.md", "a.md", False),
    ],
)
def test_a_glob_is_that_of_gitignore(glob: str, path: str, *, holds: bool) -> None:
    assert Globs([glob]).holds(path) is holds


def test_a_later_glob_takes_back_what_an_earlier_one_said() -> None:
    globs = Globs(["old/**", "!old/keep.md"])
    assert globs.holds("old/a.md")
    assert not globs.holds("old/keep.md")


def test_exclude_wins_over_include() -> None:
    paths = ["guide/a.md", "guide/draft.md", "api/b.md"]
    assert chosen(paths, include=["guide/**"], exclude=["draft*"]) == {
        "api/b.md": "not included",
        "guide/draft.md": "excluded",
    }
    assert chosen(paths) == {}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("CHANGELOG.md", "changelog"),
        ("packages/left/changelog.md", "changelog"),
        ("CHANGELOG-1.x.md", "changelog"),
        ("docs/release-notes.md", "changelog"),
        ("docs/release_notes_2.0.rst", "changelog"),
        ("docs/release-notes/next.md", "changelog"),
        ("docs/releases/1.10.2.txt", "changelog"),
        ("HISTORY.rst", "changelog"),
        ("History.md", "changelog"),
        ("CHANGES", "changelog"),
        ("docs/changes.rst", "changelog"),
        ("docs/source/changes.md", "changelog"),
        ("doc/changes/9.0.rst", "changelog"),
        ("docs/whatsnew/v0.23.0.rst", "changelog"),
        ("LICENSE.md", "licence"),
        ("docs/license.md", "licence"),
        ("LICENSE-MIT.txt", "licence"),
        ("MIT-LICENSE.txt", "licence"),
        ("COPYING", "licence"),
        ("NOTICE.txt", "licence"),
        ("LICENSES/Apache-2.0.txt", "licence"),
        ("THIRD-PARTY-NOTICES.txt", "licence"),
        ("CODE_OF_CONDUCT.md", "boilerplate"),
        ("docs/pull_request_template.md", "boilerplate"),
        ("node_modules/left/README.md", "vendored"),
        ("src/vendor/left/guide.md", "vendored"),
        ("third_party/left/README.md", "vendored"),
        ("lib/python3/site-packages/left/README.rst", "vendored"),
        ("docs/_build/html/index.html", "build output"),
        ("dist/index.html", "build output"),
        ("left.egg-info/SOURCES.txt", "build output"),
        ("requirements.txt", "not prose"),
        ("requirements/dev.txt", "not prose"),
        ("constraints.txt", "not prose"),
        ("tools/constraints-3.11.txt", "not prose"),
        ("src/CMakeLists.txt", "not prose"),
        ("static/robots.txt", "not prose"),
        ("llms-full.txt", "not prose"),
        ("left/templates/admin/base.html", "not prose"),
        ("src/__tests__/case.md", "tests"),
        ("internal/testdata/case.md", "tests"),
    ],
)
def test_what_answers_no_question_is_left_out_and_listed(path: str, reason: str) -> None:
    pages = ["docs/guide.md", "README.md"]
    assert chosen([*pages, path]) == {path: reason}
    assert chosen([*pages, path], usual_excludes=False) == {}


@pytest.mark.parametrize(
    "path",
    [
        "docs/history.md",
        "docs/api/changes.md",
        "docs/news.mdx",
        "docs/changelog-generator.md",
        "docs/releases/branching.md",
        "docs/license-keys.md",
        "docs/licensing.md",
        "docs/notices.md",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "docs/vendors.md",
        "docs/distribution/linux.md",
        "docs/build/linux.md",
        "docs/testing/unit.md",
        "docs/tests/unit.md",
        "docs/system-requirements.txt",
        "docs/models/constraints.txt",
        "docs/requirements/python.md",
        "docs/templates/first.md",
        "docs/it/servers.md",
        "docs/cs/client.md",
        "sign-it.md",
        "how-to.md",
    ],
)
def test_a_page_that_only_sounds_like_it_is_kept(path: str) -> None:
    assert chosen([path, "README.md", "docs/index.md", "docs/it/index.md", "sign.md", "how.md"]) == {}


def test_the_front_page_of_a_folder_of_versions_goes_with_them() -> None:
    versions = ["changes/index.rst", "changes/0.1.rst", "changes/v9.0.rst"]
    assert chosen(["changes.md", *versions]) == dict.fromkeys(["changes.md", *versions], "changelog")
    assert chosen(["changes/index.md", "changes/event.md", "changes/1.0.md"]) == {"changes/1.0.md": "changelog"}
    assert chosen(versions, include=["changes/**"]) == {}


def test_globs_that_match_nothing_are_told() -> None:
    settings = IngestSettings(include=("guide/**", "giude/**", "!guide/x.md"), exclude=("draft*", "!guide/b.md"))
    assert select(["guide/a.md", "guide/b.md", "guide/draft.md"], settings).unmatched == ("giude/**", "!guide/x.md")


def test_tests_are_left_out_beside_the_docs_only() -> None:
    paths = ["docs/a.md", "tests/fixtures/case.md", "web/tests/case.md"]
    assert chosen(paths) == {"tests/fixtures/case.md": "tests"}


def test_html_that_was_built_is_left_out_when_its_pages_are_there() -> None:
    built = ["site/index.html", "site/guide/index.html"]
    assert chosen(built) == {}
    assert chosen([*built, "docs/guide.md"]) == dict.fromkeys(built, "build output")
    assert chosen(["guide.html", "_sources/guide.rst.txt"]) == {"_sources/guide.rst.txt": "build output"}


@pytest.mark.parametrize(
    ("glob", "path"),
    [
        ("CHANGELOG.md", "CHANGELOG.md"),
        ("CHANGELOG*", "sub/CHANGELOG.md"),
        ("docs/release-notes/**", "docs/release-notes/next.md"),
        ("docs/release-notes-*.md", "docs/release-notes-2.0.md"),
        ("vendor/**/*.md", "vendor/left/README.md"),
        ("LICENSE", "LICENSE"),
        ("docs/zh/**", "docs/zh/guide.md"),
        ("*.zh.md", "docs/page.zh.md"),
    ],
)
def test_an_include_that_names_a_usual_exclude_wins(glob: str, path: str) -> None:
    paths = [path, "docs/guide.md", "docs/page.md", "docs/other/LICENSE.md"]
    left = chosen(paths, include=["docs/**", glob])
    assert left == {"docs/other/LICENSE.md": "licence"}
    assert chosen(paths, include=["**"])[path]
    assert chosen(paths, include=["**/*.md", "*"])[path]


def pages(*folders: str, names: Sequence[str] = ("index", "install", "guide/first")) -> list[str]:
    return [f"{folder}/{name}.md".lstrip("/") for folder in folders for name in names]


@pytest.mark.parametrize(
    ("originals", "translated"),
    [
        (pages("docs"), pages("docs/zh", "docs/de")),
        (pages("docs/en"), pages("docs/fr", "docs/it", "docs/pt-BR")),
        (pages(""), pages("zh-CN", "zh_TW")),
        (pages("content/en/docs"), pages("content/ja/docs")),
        (pages("docs"), pages("i18n/fr/docusaurus-plugin-content-docs/current", "i18n/id")),
        (pages("website/versioned_docs/version-2"), pages("website/i18n/ru/docusaurus-plugin-content-docs/version-2")),
        (pages("docs"), pages("translations/cs/docs")),
        (["README.md", "docs/a.md"], ["README.zh.md", "README_CN.md", "README-pt-br.md", "docs/README.ja.md"]),
        (["docs/page.md", "docs/b.mdx"], ["docs/page.de.md", "docs/page_fr_FR.md", "docs/b.zh-Hans.md"]),
    ],
)
def test_translations_are_left_out_where_the_original_is_there(originals: list[str], translated: list[str]) -> None:
    assert chosen([*originals, *translated]) == dict.fromkeys(translated, "translation")
    assert chosen(translated) == {}


def test_docs_in_another_language_than_english_are_kept() -> None:
    assert chosen([*pages("docs/zh"), "README.md", "docs/index.md"]) == {}
    assert chosen(pages("docs/zh", "docs/ja")) == {}
    assert chosen([*pages("docs"), *pages("docs/en")]) == {}
    only_there = [f"docs/zh/topic-{number}.md" for number in range(9)]
    assert chosen([*pages("docs/en"), *pages("docs/zh"), *only_there]) == {}
    assert chosen(pages("docs/en", "docs/zh"), exclude=["docs/en/**"]) == dict.fromkeys(pages("docs/en"), "excluded")


def test_folders_of_programming_languages_are_no_translations() -> None:
    assert chosen(pages("sdk", "sdk/cs", "sdk/go", "sdk/py", "sdk/js")) == {}


def test_a_row_tells_what_gave_the_reason() -> None:
    paths = ["docs/a.md", "docs/pt-BR/a.md", "vendor/x/b.md", "CHANGELOG.md"]
    details = {row.item: row.detail for row in select(paths, IngestSettings()).rejected}
    assert details == {"docs/pt-BR/a.md": "pt-BR", "vendor/x/b.md": "vendor/", "CHANGELOG.md": "CHANGELOG.md"}


PARTS = [
    "docs",
    "zh",
    "en",
    "i18n",
    "vendor",
    "CHANGELOG",
    "README.zh.md",
    "a.md",
    "tests",
    "releases",
    "1.0.txt",
    "**",
    "*",
    "[",
    "!",
    "..",
    "",
]
texts = st.lists(st.sampled_from(PARTS) | st.text(max_size=4), max_size=6).map("/".join)


@given(st.lists(texts, max_size=12), st.lists(texts, max_size=3), st.lists(texts, max_size=3))
def test_any_paths_and_globs_are_kept_or_listed(paths: list[str], include: list[str], exclude: list[str]) -> None:
    chosen(paths, include=include, exclude=exclude)
    assert set(select(paths, IngestSettings()).kept) <= set(paths)


@pytest.mark.parametrize("char", "a-._*?[!/ \n\\\0é")
def test_long_paths_and_globs_are_judged_soon(char: str) -> None:
    long = char * (4096 if char == "/" else 100_000)  # no system has longer paths, but a name in an archive may be long
    began = time.process_time()
    for settings in (IngestSettings(), IngestSettings(include=("*a*a*a*a*b", "**/a/**/b/**/c", long[:2000]))):
        select([long, f"docs/{long}.zh.md", f"{long}/{long[:99]}", "LICENSE" + long], settings)
    assert time.process_time() - began < 2


def test_many_files_are_judged_soon() -> None:
    paths = [
        f"docs/{language}/{part}/page-{n}.md"
        for language in ("en", "zh", "de")
        for part in range(50)
        for n in range(60)
    ]
    began = time.process_time()
    selected = select(paths, IngestSettings(include=("docs/**/*.md", "!docs/*/1/**"), exclude=("**/page-7*",)))
    assert isinstance(selected, Selected)
    assert all(path.startswith("docs/en/") for path in selected.kept)
    assert time.process_time() - began < 3
