"""Docstrings of a source tree: found by name, written with their own lines, and no code run."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.ingest.formats.blocks import Line
from dragoman.ingest.formats.docstrings.describe import describer
from dragoman.ingest.formats.docstrings.text import docstring_blocks
from dragoman.ingest.formats.page import Page

POTS = '''"""Pots of all sizes."""

raise SystemExit("nobody runs this")


class Pot:
    """
    A pot.

    Attributes:
        size: how large
    """

    lid = True
    """Whether it has a lid."""

    def __init__(self, size: int = 1) -> None:
        """Make a pot.

        Args:
            size (int): in cups,
                or mugs
        """

    def pour(self, cup, *, slowly=False):
        """Pour tea.

        Parameters
        ----------
        cup : Cup
            where to

        Examples
        --------
        >>> Pot().pour(1)
        'tea'
        """

    def _hidden(self):
        """Not shown."""

    def bare(self): ...


def boil(water):
    """Heat it.

    :param water: what to heat, see :class:`~kettle.Pot`
    :raises ValueError: when cold
    """
'''


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    code = tmp_path / "repo" / "python-pkg" / "src" / "kettle"
    code.mkdir(parents=True)
    (tmp_path / "repo" / "docs").mkdir()
    (code / "__init__.py").write_text(
        "from kettle.pots import Pot as Kettle\nfrom .pots import *\nfrom kettle import loop as loop2\nloop = loop2\n"
    )
    (code / "pots.py").write_text(POTS)
    (code / "broken.py").write_text("def (:\n")
    (code / "a.py").write_text("from kettle.b import thing\n")
    (code / "b.py").write_text("from kettle.a import thing\n")
    (code / "nul.py").write_bytes(b"x = '\0'\n")
    (tmp_path / "repo" / "outside.pth").write_text(str(tmp_path / "secret"))
    (tmp_path / "secret").mkdir()
    (tmp_path / "secret" / "hush.py").write_text('"""Outside."""\n')
    (tmp_path / "repo" / "linked").symlink_to(tmp_path / "secret")
    (code / "link.py").symlink_to(tmp_path / "secret" / "hush.py")
    return tmp_path / "repo"


def rows(found: Page | None) -> list[tuple[int, str]]:
    assert found is not None
    assert found.lines is not None
    assert found.files is not None
    assert set(found.files) == {"../python-pkg/src/kettle/pots.py"}
    return [(line, text) for line, text in zip(found.lines, found.text.split("\n"), strict=True) if text]


def test_a_class_is_written_with_its_members_on_their_own_lines(tree: Path) -> None:
    assert rows(describer(tree, tree / "docs")("kettle.pots.Pot", 2)) == [
        (6, "## Pot {: #kettle.pots.Pot}"),
        (6, "```python"),
        (6, "class Pot(size: int = 1)"),
        (6, "```"),
        (8, "A pot."),
        (10, "**Attributes**"),
        (11, "- `size`: how large"),
        (18, "Make a pot."),
        (20, "**Parameters**"),
        (21, "- `size` (int): in cups,"),
        (22, "  or mugs"),
        (14, "### lid {: #kettle.pots.Pot.lid}"),
        (14, "```python"),
        (14, "lid = True"),
        (14, "```"),
        (15, "Whether it has a lid."),
        (25, "### pour {: #kettle.pots.Pot.pour}"),
        (25, "```python"),
        (25, "def pour(cup, *, slowly=False)"),
        (25, "```"),
        (26, "Pour tea."),
        (28, "**Parameters**"),
        (30, "- `cup` (Cup):"),
        (31, "  where to"),
        (33, "**Examples**"),
        (35, "```pycon"),
        (35, ">>> Pot().pour(1)"),
        (36, "'tea'"),
        (36, "```"),
    ]


def test_an_object_described_in_a_docstring_is_no_heading() -> None:
    text = ["Tea.", "", ".. describe:: iter(pot)", "", "   Its cups.", "", ".. function:: len(pot)", "", "More."]
    lines = [Line(words, number) for number, words in enumerate(text, 1)]
    found = [line.text for block in docstring_blocks(lines) for line in block if line.text]
    assert found == ["Tea.", "**`iter(pot)`**", "Its cups.", "**`len(pot)`**", "More."]


@pytest.mark.parametrize("name", ["kettle.pots.boil", "kettle.boil"])
def test_a_function_is_found_where_it_is_and_where_it_is_passed_on(tree: Path, name: str) -> None:
    assert rows(describer(tree, tree / "docs")(name, 9)) == [
        (45, f"###### boil {{: #{name}}}"),
        (45, "```python"),
        (45, "def boil(water)"),
        (45, "```"),
        (46, "Heat it."),
        (48, "- `water`: what to heat, see `Pot`"),
        (49, "- Raises `ValueError`: when cold"),
    ]


def test_another_name_of_a_class_is_followed(tree: Path) -> None:
    assert rows(describer(tree, tree / "docs")("kettle.Kettle", 1))[0] == (6, "# Kettle {: #kettle.Kettle}")


@pytest.mark.parametrize(
    "name",
    [
        "kettle.gone",
        "gone",
        "kettle.broken",
        "kettle.nul",
        "kettle.a.thing",
        "kettle.loop",
        "kettle.pots.Pot.bare",
        "hush",
        "linked.hush",
        "kettle.link",
        "os.path",
        "../secret",
        ".",
        "kettle..pots",
        "kettle.pots.Pot.pour.x",
    ],
)
def test_what_has_no_source_in_the_tree_is_none(tree: Path, name: str) -> None:
    assert describer(tree, tree / "docs")(name, 2) is None


def test_no_module_is_imported(tree: Path) -> None:
    describer(tree, tree / "docs")("kettle.pots", 1)
    assert not [name for name in sys.modules if name.startswith("kettle")]


@given(name=st.text(max_size=30), level=st.integers(-3, 20))
def test_any_name_is_answered(name: str, level: int) -> None:
    assert describer(Path(__file__).parent, Path(__file__).parent)(f"x{name}", level) is None


@given(
    text=st.lists(
        st.sampled_from(
            ["Args:", "Returns", "---", "  a: b", "a : b", ">>> x", "```", ":param a: b", "Note:", "", "  ", "(", "x::"]
        )
        | st.text(max_size=9)
    )
)
def test_any_docstring_becomes_blocks_whose_lines_are_its_own(text: list[str]) -> None:
    lines = [Line(words, number, "x.py") for number, words in enumerate("\n".join(text).split("\n"), 7)]
    for block in docstring_blocks(lines):
        assert all(7 <= line.line < 7 + len(lines) and line.file == "x.py" for line in block)
