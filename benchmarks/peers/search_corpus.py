"""What search.py lets all systems search: the passages of a workspace, more of them by edits, and vectors that all share.

In: a workspace of Dragoman's and a number of chunks. Out: in a folder, ``chunks.parquet`` for us, ``texts.jsonl`` (id and
passage) for the peers, ``questions.json``; with ``--vectors``, files of vectors that an interrupted run goes on with.
A larger corpus is the real chunks, then copies of them: a copy keeps its headings and its place in the page, and a quarter of
the words of its text are drawn anew from the words of the docs (a frequent word more often). No two passages are the same.
Vectors are the model's of the first 20,000 passages; a further copy has that of another copy of its chunk, moved at random as far as
two copies are apart: what a search costs is the same, and hours of encoding are saved.
"""

import argparse
import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dragoman.records import Chunk, Question, content_id
from dragoman.tables import read_rows, write_rows

if TYPE_CHECKING:
    from dragoman.models.protocols import Vectors

SHARE = 4  # one word in so many is another in a copy
PART = 2000  # vectors in a file
ENCODED = 20_000  # passages that the model encodes
_WORD = re.compile(r"[^\W\d_]{3,}")


def main() -> None:
    """Write what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("size", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", required=True)
    parser.add_argument("--vectors", type=Path, help="where vectors are kept from run to run")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    real = read_rows(options.workspace / "ingest" / "chunks.parquet", Chunk)
    chunks = grown(real, options.size)
    options.out.mkdir(parents=True, exist_ok=True)
    write_rows(options.out / "chunks.parquet", chunks, Chunk)
    with (options.out / "texts.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps([chunk.id, chunk.passage]) + "\n" for chunk in chunks)
    asked = options.workspace / "synth" / "questions.parquet"
    questions = [one.text for one in read_rows(asked, Question)] if asked.is_file() else []
    (options.out / "questions.json").write_text(json.dumps(questions), encoding="utf-8")
    tokens = sum(chunk.tokens for chunk in real) / len(real)
    facts: dict[str, object] = {
        "chunks": len(chunks),
        "real": min(len(real), options.size),
        "tokens_mean": round(tokens),
    }
    if options.vectors:
        facts["vectors"] = str(_vectors(chunks, options))
    print(json.dumps(facts))


def grown(real: Sequence[Chunk], size: int) -> list[Chunk]:
    """The first of a list without an end: the real chunks, then a first copy of each, a second ..."""
    words = [word for chunk in real for word in _WORD.findall(chunk.text)]
    chunks, seen, turn = list(real[:size]), {chunk.passage for chunk in real}, 0
    while len(chunks) < size:
        turn += 1
        for chunk in real[: size - len(chunks)]:
            copy = _edited(chunk, turn, words)
            if copy.passage in seen:  # a text of a word or two has few copies
                more = f" {turn}"
                copy = replace(copy, text=copy.text + more, passage=copy.passage + more, end=copy.end + len(more))
            seen.add(copy.passage)
            chunks.append(copy)
    return chunks


def _edited(chunk: Chunk, turn: int, words: Sequence[str]) -> Chunk:
    draw = random.Random(f"{chunk.id} {turn}")  # noqa: S311 - words, not secrets
    places = [found.span() for found in _WORD.finditer(chunk.text)]
    text = chunk.text
    for start, end in sorted(draw.sample(places, -(-len(places) // SHARE)), reverse=True):
        text = text[:start] + draw.choice(words) + text[end:]
    head = chunk.passage.removesuffix(chunk.text)
    return replace(
        chunk,
        id=content_id(chunk.id, f"copy {turn}"),
        path=f"copy-{turn}/{chunk.path}",
        section=content_id(chunk.section, f"copy {turn}"),
        text=text,
        passage=head + text,
        end=chunk.start + len(text),
        canonical="",
    )


def _vectors(chunks: Sequence[Chunk], options: argparse.Namespace) -> Path:
    """A folder with files of so many vectors each, in the order of the chunks; what is there already is kept."""
    import torch

    from dragoman.config import ModelSettings
    from dragoman.models.opening import open_base

    torch.set_num_threads(options.threads)
    encoder = open_base(ModelSettings(embedding=options.model), say=_say)
    # The words of the docs decide the edits, so one chunk more among the real ones changes every copy.
    originals = [chunk.id for chunk in chunks if not chunk.path.startswith("copy-")]
    folder: Path = options.vectors / f"{encoder.passage_fingerprint}-{content_id(*originals)}-{SHARE}"
    folder.mkdir(parents=True, exist_ok=True)
    for part, found in _parts(chunks):
        path = folder / f"{part:05d}-{len(found)}.npy"
        if not path.is_file():
            beside = path.with_suffix(".partial")
            with beside.open("wb") as file:
                np.save(
                    file,
                    encoder.encode([chunk.passage for chunk in found], "passage")
                    if part * PART < ENCODED
                    else _moved(folder, part * PART, len(found), len(originals)),
                )
            beside.replace(path)
            _say(f"vectors of {part * PART + len(found):,} of {len(chunks):,} chunks")
    return folder


def _parts(chunks: Sequence[Chunk]) -> Iterator[tuple[int, Sequence[Chunk]]]:
    for start in range(0, len(chunks), PART):
        yield start // PART, chunks[start : start + PART]


def _moved(folder: Path, start: int, count: int, originals: int) -> "Vectors":
    """Vectors of further copies, beside those of encoded ones of the same chunks."""
    files = sorted(folder.glob("*.npy"))[: ENCODED // PART]
    known = np.concatenate([np.load(file) for file in files])
    copies = known[originals : len(known) // originals * originals]
    apart = np.linalg.norm(copies[originals:] - copies[:-originals], axis=1).mean()
    rows = np.arange(start, start + count)
    nearest = copies[rows % originals + rows // originals % (len(copies) // originals) * originals]
    steps = np.random.default_rng(start).standard_normal(nearest.shape)
    moved = nearest + apart * steps / np.linalg.norm(steps, axis=1, keepdims=True)
    unit: Vectors = (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)
    return unit


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
