"""Ten thousand damaged files of every format: each becomes chunks or is listed, and nothing else happens."""

import json
import random
from pathlib import Path
from typing import Final

import pytest

from dragoman.config import ChunkSettings, IngestSettings
from dragoman.errors import SourceError
from dragoman.ingest.chunk import chunk_documents
from dragoman.ingest.read import read_documents
from dragoman.ingest.sources.spec import FetchedSource
from dragoman.models.tokens import WordTokens

_MARKDOWN = """---
title: Kettles
---
import Lid from './lid'

# Kettles {#top}

Fill it with **cold** water, see [lids][lid] and `kettle.fill()`.

!!! note "Hot"

    - steam
    - ```sh
      kettle boil --fast
      ```

:::tip Slow
| part | use |
| ---- | --- |
| lid  | shut |
:::

> [!WARNING]
> Never boil dry.

--8<-- "part.md:3:5"
::: kettle.Lid
{% include "part.md" %}
<Tabs><TabItem value="gas" label="Gas">

Light it.

</TabItem></Tabs>
<!-- hidden -->

```{note}
Steam rises.
```

[lid]: lid.md
"""
_RST = """Kettles
=======

.. note:: Hot

   Steam rises.

.. code-block:: sh

   kettle boil

.. include:: part.md

=====  =====
part   use
=====  =====
lid    shut
=====  =====

See :func:`kettle.fill` and `the lid <lid.html>`_.

.. autofunction:: kettle.fill
"""
_HTML = """<!doctype html><html><head><title>Kettles</title></head><body><nav>Home</nav><main>
<h1 id="top">Kettles</h1><p>Fill <b>it</b> &amp; boil.</p><pre><code class="language-sh">kettle boil</code></pre>
<table><tr><th>part<td>use<tr><td>lid<td>shut</table><div class="admonition note"><p>Hot</p></div>
<ul><li>steam<ul><li>more</ul></ul></main></body></html>
"""
_CELLS = [
    {"cell_type": "markdown", "metadata": {}, "source": ["# Kettles\n", "\n", "Fill it."]},
    {"cell_type": "code", "metadata": {}, "outputs": [], "source": "%%bash\nkettle boil", "execution_count": None},
]
_NOTEBOOK = json.dumps({"cells": _CELLS, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, indent=1)
SEEDS: Final = {".md": _MARKDOWN, ".mdx": _MARKDOWN, ".rst": _RST, ".html": _HTML, ".ipynb": _NOTEBOOK, ".txt": _RST}
_MARKS = [
    "```",
    "`" * 50,
    "<",
    "<!--",
    "{%",
    "\0",
    "\r",
    "\r\n",
    "\t",
    "\ufeff",
    "\u2028",
    "|",
    "> ",
    "    ",
    ":::",
    "\\",
    "](",
]
_MARKS += [
    '"',
    "{",
    "}",
    "[",
    "]",
    ".. ",
    "====",
    "水",
    "👩‍🍳",
    "\ud800",
    "&#0;",
    "-->",
    "</main>",
    "    - ",
    "#" * 9,
    "1. " * 9,
]


def damaged(text: str, draw: random.Random) -> bytes:
    """The text after a few random accidents."""
    for _ in range(draw.randint(1, 8)):
        first, last = sorted(draw.randrange(len(text) + 1) for _ in range(2))
        kind = draw.randrange(6)
        if kind == 0:
            text = text[:first] + text[last:]
        elif kind == 1:
            text = text[:first] + draw.choice(_MARKS) * draw.choice([1, 1, 2, 40]) + text[first:]
        elif kind == 2 and last - first < 2000:
            text = text[:last] + text[first:last] * draw.choice([1, 2]) + text[last:]
        elif kind == 3:
            text = text[last:] + text[:first]
        elif kind == 4:
            text = text[:first] + "".join(draw.sample(text[first:last], k=last - first)) + text[last:]
        else:
            lines = text.split("\n")
            draw.shuffle(lines)
            text = "\n".join(lines)
    data = text.encode("utf-8", "surrogatepass")
    if draw.random() < 0.3 and data:
        place = draw.randrange(len(data))
        data = data[:place] + bytes([draw.randrange(256)]) + data[place + 1 :]
    return data


def check(folder: Path, seeds: range) -> None:
    folder.mkdir()
    (folder / "part.md").write_text("# Part\n\none\ntwo\nthree\nfour\n", encoding="utf-8")
    (folder / "kettle.py").write_text('class Lid:\n    """A lid.\n\n    >>> Lid()\n    """\n', encoding="utf-8")
    names = {"part.md"}
    for seed in seeds:
        draw = random.Random(seed)
        suffix = draw.choice(list(SEEDS))
        names.add(f"page-{seed}{suffix}")
        (folder / f"page-{seed}{suffix}").write_bytes(damaged(SEEDS[suffix], draw))
    source = FetchedSource("kitchen", folder, settings=IngestSettings(site="https://tea.example"))
    result = read_documents(source)
    read = {document.path for document in result.documents}
    assert names <= read | {row.item for row in result.skipped}
    for settings in (ChunkSettings(tokens=64), ChunkSettings(tokens=48, overlap=12, min_tokens=30)):
        cut = chunk_documents(result.documents, WordTokens(), settings)
        texts = {document.path: document.text for document in result.documents}
        for chunk in cut.chunks:
            assert texts[chunk.path][chunk.start : chunk.end] == chunk.text
            assert WordTokens().count([chunk.passage])[0] == chunk.tokens <= settings.tokens


@pytest.mark.timeout(600)
def test_ten_thousand_damaged_files_are_read_or_listed(tmp_path: Path) -> None:
    for first in range(0, 10_000, 500):
        check(tmp_path / f"docs-{first}", range(first, first + 500))


def test_a_folder_of_nothing_but_damage_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_bytes(b"{\xff")
    with pytest.raises(SourceError, match="no documents"):
        read_documents(FetchedSource("kitchen", tmp_path))
