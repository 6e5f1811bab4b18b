"""The addresses here are those of the generators in test_generators.py."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.ingest.addresses import detect_style, line_link, page_address, pages_folder, site_of

SITE = "https://left.test/docs"


def address(style: str, path: str, slug: str = "", *others: str, page_id: str = "") -> str:
    found = page_address(style, SITE, path, slug, {path, *others}, page_id)
    return found.removeprefix(SITE) if found else "none"


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    ("path", "mkdocs", "vitepress", "sphinx"),
    [
        ("index.md", "/", "/", "/index.html"),
        ("README.md", "/", "/README.html", "/README.html"),
        ("readme.md", "/readme/", "/readme.html", "/readme.html"),
        ("guide/first.md", "/guide/first/", "/guide/first.html", "/guide/first.html"),
        ("guide/index.md", "/guide/", "/guide/", "/guide/index.html"),
        ("guide/Index.md", "/guide/Index/", "/guide/Index.html", "/guide/Index.html"),
        ("v1.2/dot.name.md", "/v1.2/dot.name/", "/v1.2/dot.name.html", "/v1.2/dot.name.html"),
        ("sp ace/é.md", "/sp%20ace/%C3%A9/", "/sp%20ace/%C3%A9.html", "/sp%20ace/%C3%A9.html"),
        ("a#b?.md", "/a%23b%3F/", "/a%23b%3F.html", "/a%23b%3F.html"),
        ("50%.md", "/50%25/", "/50%25.html", "/50%25.html"),
        ("notes.txt", "/notes.txt", "/notes.txt", "/notes.txt"),
    ],
)
def test_a_page_has_the_address_of_its_generator(path: str, mkdocs: str, vitepress: str, sphinx: str) -> None:
    made = {style: address(style, path) for style in ("mkdocs", "vitepress", "sphinx")}
    assert made == {"mkdocs": mkdocs, "vitepress": vitepress, "sphinx": sphinx}


def test_mkdocs_leaves_out_a_readme_beside_an_index() -> None:
    assert address("mkdocs", "x/README.md", "", "x/index.md") == "none"
    assert address("mkdocs", "x/README.md", "", "index.md") == "/x/"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("index.md", "/"),
        ("01-Guide_x/02-first.md", "/Guide_x/first"),
        ("01-Guide_x/index.mdx", "/Guide_x/"),
        ("02 - sub folder/03-more/README.md", "/sub%20folder/more/"),
        ("guide/Guide.md", "/guide/"),
        ("01-guide/guide.md", "/guide/guide"),
        ("2024-01-notes/1.2-x.md", "/2024-01-notes/1.2-x"),
        ("other/01.md", "/other/01"),
        ("other/4--5x.md", "/other/5x"),
        ("other/1_under.md", "/other/under"),
        ("other/_part.md", "none"),
        ("_parts/a.md", "none"),
    ],
)
def test_docusaurus_drops_numbers_and_folds_indexes(path: str, expected: str) -> None:
    assert address("docusaurus", path) == expected


@pytest.mark.parametrize(
    ("path", "slug", "page_id", "expected"),
    [
        ("1-a/rel.md", "new", "", "/a/new"),
        ("a/rel.md", "/abs/x/", "", "/abs/x/"),
        ("a/rel.md", "../up", "", "/up"),
        ("a/rel.md", "../../../up", "", "/up"),
        ("a/rel.md", "/", "", "/"),
        ("a/rel.md", "./same/", "", "/a/same/"),
        ("a/index.md", "start", "", "/a/start"),
        ("a/rel.md", "", "chosen", "/a/chosen"),
        ("a/index.md", "", "chosen", "/a/"),
        ("a/rel.md", "new", "chosen", "/a/new"),
    ],
)
def test_front_matter_moves_a_docusaurus_page(path: str, slug: str, page_id: str, expected: str) -> None:
    assert address("docusaurus", path, slug, page_id=page_id) == expected
    if page_id or not path.endswith("index.md"):
        assert address("mkdocs", path, slug, page_id=page_id) == address("mkdocs", path)


def test_on_github_a_page_is_its_file() -> None:
    site = "https://github.com/left/pad/blob/v1/docs/"
    assert page_address("github", site, "a b/README.md", "/x", ()) == f"{site}a%20b/README.md"


def test_without_a_site_there_are_no_addresses() -> None:
    assert page_address("mkdocs", "", "a.md", "", ()) == ""


@given(
    st.sampled_from(["mkdocs", "docusaurus", "vitepress", "sphinx", "github", "auto"]),
    st.lists(st.text("aI1_-. #?%é", min_size=1, max_size=8), min_size=1, max_size=3),
    st.text("a/.#? ", max_size=8),
)
def test_an_address_is_quoted_and_stays_below_the_site(style: str, parts: list[str], slug: str) -> None:
    path = "/".join(part for part in parts if part.strip(".")) + "/x.md"
    made = page_address(style, SITE, path.lstrip("/"), slug, ())
    assert made == "" or made.startswith(f"{SITE}/")
    assert not set(made.removeprefix("https://")) & set("#? é")


@pytest.mark.parametrize(
    ("files", "style"),
    [
        ({"mkdocs.yml": "site_name: x\n"}, "mkdocs"),
        ({"mkdocs.yaml": "site_name: x\n", "docs/conf.py": "extensions = []\n"}, "sphinx"),
        ({"docusaurus.config.ts": "export default {}\n"}, "docusaurus"),
        ({"website/docusaurus.config.js": ""}, "docusaurus"),
        ({"docs/.vitepress/config.mts": ""}, "vitepress"),
        ({"docs/source/conf.py": "import sphinx_rtd_theme\n"}, "sphinx"),
        ({"docs/conf.py": "PORT = 80\n"}, "mkdocs"),
        ({"README.md": "# x\n"}, "mkdocs"),
    ],
)
def test_settings_files_tell_who_makes_the_site(tmp_path: Path, files: dict[str, str], style: str) -> None:
    write(tmp_path, {"docs/a.md": "# A\n"} | files)
    assert detect_style(tmp_path, tmp_path / "docs") == style


def test_the_nearest_settings_file_counts(tmp_path: Path) -> None:
    write(tmp_path, {"mkdocs.yml": "", "packages/a/docusaurus.config.js": "", "packages/a/docs/a.md": ""})
    assert detect_style(tmp_path, tmp_path / "packages/a/docs") == "docusaurus"
    assert detect_style(tmp_path, tmp_path) == "mkdocs"


def test_settings_are_never_run_and_never_read_from_elsewhere(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {"mkdocs.yml": f"site_url: {SITE}\n"})
    base = write(tmp_path / "base", {"docs/conf.py": "html_theme = 1 / 0\nopen('made', 'w')\n"})
    (base / "mkdocs.yml").symlink_to(outside / "mkdocs.yml")
    assert detect_style(base, base / "docs") == "sphinx"
    assert site_of(base, base) == ""
    assert not list(tmp_path.rglob("made"))


def test_a_settings_file_that_is_a_pipe_is_no_settings_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "mkdocs.yml")
    assert detect_style(tmp_path, tmp_path) == "mkdocs"
    assert site_of(tmp_path, tmp_path) == ""


@pytest.mark.parametrize(
    ("name", "text", "site"),
    [
        ("mkdocs.yml", f"site_name: x\nsite_url: {SITE}/ # here\nx: !!python/name:os.system\n", SITE),
        ("mkdocs.yml", f'site_url: "{SITE}"\r\n', SITE),
        ("mkdocs.yml", f"site_url: !ENV [URL, {SITE}]\n", ""),
        ("mkdocs.yml", f"extra:\n  site_url: {SITE}\n", ""),
        ("mkdocs.yml", "site_url: javascript:alert(1)\n", ""),
        ("conf.py", f"extensions = []\nhtml_baseurl = '{SITE}/'\n", SITE),
        ("conf.py", f"extensions = []\nhtml_baseurl = os.environ.get('X', '{SITE}')\n", ""),
        ("docusaurus.config.js", "  url: 'https://left.test',\n  baseUrl: '/',\n", SITE),
        ("docusaurus.config.ts", '  url: "https://left.test/",\n  baseUrl: "/x/",\n', "https://left.test/x/docs"),
        (
            "docusaurus.config.js",
            "url: 'https://left.test',\nbaseUrl: '/x/',\nblog: {routeBasePath: 'news'},\ndocs: {\n routeBasePath: '/'},",
            "https://left.test/x",
        ),
        ("docusaurus.config.js", "url: 'https://left.test',\nbaseUrl: process.env.BASE,\n", ""),
        ("docusaurus.config.js", "// url: 'https://left.test',\nurl: `https://${host}`,\n", ""),
        (".vitepress/config.ts", "base: '/x/'\n", ""),
    ],
)
def test_a_site_is_taken_only_where_it_stands_in_plain_words(tmp_path: Path, name: str, text: str, site: str) -> None:
    assert site_of(write(tmp_path, {name: text}), tmp_path) == site


def test_a_docusaurus_site_of_several_versions_is_not_guessed(tmp_path: Path) -> None:
    write(tmp_path, {"docusaurus.config.js": "url: 'https://left.test',\nbaseUrl: '/',\n", "versions.json": "[]"})
    assert site_of(tmp_path, tmp_path) == ""


@pytest.mark.parametrize(
    ("files", "folder"),
    [
        ({"mkdocs.yml": "site_name: x\n", "docs/a.md": ""}, "docs"),
        ({"mkdocs.yml": "docs_dir: 'src/pages' # here\n", "src/pages/a.md": ""}, "src/pages"),
        ({"mkdocs.yml": "docs_dir: ../..\n"}, ""),
        ({"mkdocs.yml": "docs_dir: gone\n"}, ""),
        ({"website/docusaurus.config.js": "docs: {path: '../docs'}", "docs/a.md": ""}, "docs"),
        ({"site/.vitepress/config.js": "", "site/a.md": ""}, "site"),
        ({"docs/source/conf.py": "extensions = []\n"}, "docs/source"),
        ({"a.md": ""}, ""),
    ],
)
def test_the_pages_of_a_site_lie_where_its_settings_say(tmp_path: Path, files: dict[str, str], folder: str) -> None:
    assert pages_folder(write(tmp_path, files), tmp_path) == tmp_path / folder


def test_settings_of_one_endless_line_are_read_in_no_time(tmp_path: Path) -> None:
    for name in ("mkdocs.yml", "conf.py", "docusaurus.config.js"):
        for part in (" ", "\t", "url: ", "docs: {", "site_url:", "'", "\n ", "html_baseurl ="):
            write(tmp_path, {f"{name}.d/{name}": part * (400_000 // len(part))})
            assert site_of(tmp_path / f"{name}.d", tmp_path / f"{name}.d") == ""


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://github.com/l/p/blob/v1/a.md", "https://github.com/l/p/blob/v1/a.md?plain=1#L3-L9"),
        ("https://github.com/l/p/blob/v1/a.py", "https://github.com/l/p/blob/v1/a.py#L3-L9"),
        ("https://code.left.test/l/p/blob/v1/a%20b.RST", "https://code.left.test/l/p/blob/v1/a%20b.RST?plain=1#L3-L9"),
        ("https://github.com/l/p/blob/v1/a.md?plain=1", "https://github.com/l/p/blob/v1/a.md?plain=1#L3-L9"),
        ("https://gitlab.com/g/s/p/-/blob/v1/a.txt", "https://gitlab.com/g/s/p/-/blob/v1/a.txt#L3-9"),
        ("https://gitlab.com/g/p/-/blob/v1/a.md", "https://gitlab.com/g/p/-/blob/v1/a.md?plain=1#L3-9"),
        (
            "https://codeberg.org/l/p/src/branch/main/a.md",
            "https://codeberg.org/l/p/src/branch/main/a.md?display=source#L3-L9",
        ),
        ("https://codeberg.org/l/p/src/tag/v1/a.c", "https://codeberg.org/l/p/src/tag/v1/a.c#L3-L9"),
        ("https://left.test/docs/a.md", "https://left.test/docs/a.md"),
        ("https://github.com/l/p/blob/v1/a.md#own", "https://github.com/l/p/blob/v1/a.md#own"),
        ("https://[left/l/p/blob/v1/a.md", "https://[left/l/p/blob/v1/a.md"),
        ("", ""),
    ],
)
def test_lines_are_linked_as_the_forge_does_it(url: str, expected: str) -> None:
    assert line_link(url, 3, 9) == expected


def test_one_line_and_no_line() -> None:
    url = "https://github.com/l/p/blob/v1/a.py"
    assert (line_link(url, 3, 3), line_link(url, 0, 0)) == (f"{url}#L3", url)
