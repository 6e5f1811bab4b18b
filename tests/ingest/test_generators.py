"""Our addresses and anchors beside those of the real generators, on one small site of every awkward heading.

The generators come from the package registries into a folder of this run; a registry out of reach skips the test.
"""

import html
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from tests.ingest.awkward_site import SITE, Page, write_site
from tests.ingest.formats.markdown.beside import Files

from dragoman.ingest.addresses import detect_style, page_address, pages_folder, site_of
from dragoman.ingest.anchors import Anchors
from dragoman.ingest.formats.markdown.convert import convert
from dragoman.ingest.markdown import parse

pytestmark = pytest.mark.slow

ENVIRONMENT = dict(os.environ) | {"DOCUSAURUS_NO_TELEMETRY": "1", "NO_UPDATE_NOTIFIER": "1"}
SECONDS = 900
OUTPUT = {"mkdocs": "site", "sphinx": "out", "vitepress": "docs/.vitepress/dist", "docusaurus": "build"}
NPM_PACKAGES = {
    "vitepress": ["vitepress@1.6"],
    "docusaurus": ["@docusaurus/core@3", "@docusaurus/preset-classic@3", "react@19", "react-dom@19"],
}


@dataclass(frozen=True, slots=True)
class Built:
    style: str
    root: Path
    output: Path
    pages: tuple[Page, ...]


def shell(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    nice = [shutil.which("nice") or "env"]
    return subprocess.run(
        [*nice, *command], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=SECONDS, check=False
    )


def installed(command: list[str], folder: Path) -> None:
    done = shell(command, folder)
    if done.returncode:
        said = (done.stderr.strip() or done.stdout.strip() or str(done.returncode)).splitlines()[-1]
        pytest.skip(f"{' '.join(command[:3])}: the generator cannot be installed here: {said}")


@pytest.fixture(scope="module")
def python_tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the programs of MkDocs and Sphinx."""
    folder = tmp_path_factory.mktemp("python")
    subprocess.run([sys.executable, "-m", "venv", "venv"], cwd=folder, check=True, timeout=SECONDS)
    tools = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    packages = ["mkdocs>=1.6,<1.7", "sphinx>=8,<10", "myst-parser>=4,<6"]
    installed([str(tools / "python"), "-m", "pip", "install", "--quiet", "--only-binary", ":all:", *packages], folder)
    return tools


def node_tools(style: str, folder: Path) -> None:
    npm = shutil.which("npm")
    if not npm or not shutil.which("node"):
        pytest.skip("node and npm are not on this machine")
    (folder / "package.json").write_text('{"private": true}', encoding="utf-8")
    installed([npm, "install", "--ignore-scripts", "--no-audit", "--no-fund", *NPM_PACKAGES[style]], folder)


@pytest.fixture(scope="module", params=["mkdocs", "sphinx", "vitepress", "docusaurus"])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The same small site, made by each generator."""
    style: str = request.param
    root = tmp_path_factory.mktemp(style)
    pages = write_site(style, root)
    if style in NPM_PACKAGES:
        node_tools(style, root)
        program = {"vitepress": "vitepress/bin/vitepress.js", "docusaurus": "@docusaurus/core/bin/docusaurus.mjs"}
        command = ["node", str(root / "node_modules" / program[style]), "build"]
        command += ["docs"] if style == "vitepress" else []
    else:
        tools: Path = request.getfixturevalue("python_tools")
        sphinx = [str(tools / "sphinx-build"), "-q", "-b", "html", "docs", "out"]
        command = [str(tools / "mkdocs"), "build", "-q"] if style == "mkdocs" else sphinx
    done = shell(command, root)
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    return Built(style, root, root / OUTPUT[style], pages)


class Ids(HTMLParser):
    """The ids of a page's headings, in order; Sphinx gives them to the section around the heading."""

    def __init__(self, carrier: str) -> None:
        super().__init__()
        self.carrier, self.found = carrier, list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if re.fullmatch(self.carrier, tag):
            self.found.append(dict(attrs).get("id") or "")


def below_site(built: Built, page: Page, site: str) -> str:
    """The page's address, unquoted, without the site's own; "" when the generator leaves the page out."""
    paths = {other.path for other in built.pages}
    url = page_address(built.style, site, page.path, page.slug, paths, page.page_id)
    assert url == "" or url.startswith(f"{SITE}/")
    return unquote(url.removeprefix(SITE))


def site_for(built: Built) -> str:
    return SITE if built.style == "vitepress" else site_of(built.root, built.root)


def test_the_settings_tell_style_site_and_folder(built: Built) -> None:
    assert detect_style(built.root, built.root / "docs") == built.style
    assert site_for(built) == (f"{SITE}/docs" if built.style == "docusaurus" else SITE)
    assert pages_folder(built.root, built.root) == built.root / "docs"


def test_each_heading_has_the_anchor_that_the_generator_gave_it(built: Built) -> None:
    carrier = "section" if built.style == "sphinx" else "h[1-6]"
    for page in built.pages:
        place = below_site(built, page, site_for(built))
        if not place:
            continue
        reader = Ids(carrier)
        reader.feed(file_at(built, place).read_text(encoding="utf-8"))
        written = (built.root / "docs" / page.path).read_text(encoding="utf-8")
        text = convert(written, page.path, Files()).text
        anchors = Anchors(built.style)
        headings = [section for section in parse(text) if section.level]
        ours = {
            at: (head.source, anchors.of(head.heading, head.source, head.level)) for at, head in enumerate(headings)
        }
        # A theme may have headings of its own below the page.
        theirs = {at: (head.source, reader.found[at]) for at, head in enumerate(headings)}
        assert ours == theirs


def file_at(built: Built, place: str) -> Path:
    """The file that a server of static pages gives for an address."""
    file = built.output / place.lstrip("/")
    return file if file.suffix == ".html" else file / "index.html"


def test_each_address_leads_to_its_page(built: Built) -> None:
    everything = "".join(file.read_text(encoding="utf-8") for file in built.output.rglob("*.html"))
    for page in built.pages:
        place = below_site(built, page, site_for(built))
        if place:
            assert page.marker in file_at(built, place).read_text(encoding="utf-8"), (page.path, place)
        else:
            assert page.marker not in everything, page.path


def listed(built: Built) -> Iterator[str]:
    """The addresses that the generator itself names: in its sitemap, or in each page."""
    if built.style == "sphinx":
        for file in built.output.rglob("*.html"):
            yield from re.findall(r'<link rel="canonical" href="([^"]+)"', file.read_text(encoding="utf-8"))
    else:
        yield from re.findall(r"<loc>([^<]+)</loc>", (built.output / "sitemap.xml").read_text(encoding="utf-8"))


def test_our_addresses_are_those_that_the_generator_names(built: Built) -> None:
    theirs = {unquote(html.unescape(url)).removeprefix(SITE) for url in listed(built)} - {
        "/genindex.html",
        "/search.html",
    }
    ours = {below_site(built, page, site_for(built)) for page in built.pages} - {""}
    assert ours == theirs
