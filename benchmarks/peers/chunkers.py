"""One chunker on one file of texts, in a process of its own: ours, a peer, or the tokenizer alone.

In: the name of a system, texts (a JSON string a line), a ``tokenizer.json`` without truncation, a budget. Out: one JSON
line with seconds, CPU seconds and peak memory; with ``--chunks`` what was cut, a list a document. Imports and loading
are not timed. Every system is set up as its documentation has it, for real tokens where it can count them. It runs in
the peer's own environment, so it imports nothing but the standard library before the peer.
"""

import argparse
import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BATCH = 64  # documents that the tokenizer alone is given at once
MARKDOWN = (("\n# ", "\n## ", "\n### ", "\n#### ", "\n##### ", "\n###### "), ("\n\n",), ("\n",), (". ", "! ", "? "))


Piece = tuple[str, str, int, str]  # text, headings told beside it, start (-1: not told), what an embedder is given


@dataclass(frozen=True, slots=True)
class System:
    """``run`` is what is timed; ``pieces`` makes plain rows of what it gave, a list a document."""

    run: Callable[[list[str]], Any]
    pieces: Callable[[Any], Iterator[list[Piece]]]


def _tokenizer(path: Path) -> Any:  # noqa: ANN401 - of whichever version this environment has
    return importlib.import_module("tokenizers").Tokenizer.from_file(str(path))


def _room(path: Path, budget: int) -> int:
    """Tokens for the text: every peer's count leaves [CLS] and [SEP] out."""
    return budget - int(_tokenizer(path).num_special_tokens_to_add(is_pair=False))


def tokenizer_alone(path: Path, _: int) -> System:
    """The texts through the tokenizer, once, in batches; nothing is cut and no offsets are made."""
    tokenizer = _tokenizer(path)

    def run(texts: list[str]) -> int:
        batches = (texts[first : first + BATCH] for first in range(0, len(texts), BATCH))
        return sum(len(one.ids) for batch in batches for one in tokenizer.encode_batch_fast(batch))

    return System(run, lambda _: iter(()))


def tokenizer_offsets(path: Path, _: int) -> System:
    """The same with offsets: what a chunker needs that tokenises each text once and cuts by them."""
    tokenizer = _tokenizer(path)

    def run(texts: list[str]) -> int:
        batches = (texts[first : first + BATCH] for first in range(0, len(texts), BATCH))
        return sum(len(one.offsets) for batch in batches for one in tokenizer.encode_batch(batch))

    return System(run, lambda _: iter(()))


def dragoman(path: Path, budget: int) -> System:
    """Our own, with the defaults of ``[chunk]``, in as many processes as there are cores, as the command line does it."""
    return _dragoman(path, budget, importlib.import_module("dragoman.models.processor").physical_cores())


def dragoman_one_process(path: Path, budget: int) -> System:
    """Our own in this process alone, as a program that calls it does it."""
    return _dragoman(path, budget, 1)


def _dragoman(path: Path, budget: int, workers: int) -> System:
    chunk = importlib.import_module("dragoman.ingest.chunk")
    records, config = importlib.import_module("dragoman.records"), importlib.import_module("dragoman.config")
    tokens = importlib.import_module("dragoman.models.tokens").ModelTokens(path.parent)
    settings, count = config.ChunkSettings(tokens=budget), 0

    def run(texts: list[str]) -> Any:  # noqa: ANN401
        nonlocal count
        count = len(texts)
        documents = [records.Document("docs", f"{n:06}.md", text, f"page {n}") for n, text in enumerate(texts)]
        return chunk.chunk_documents(documents, tokens, settings, workers=workers)

    def pieces(found: Any) -> Iterator[list[Piece]]:  # noqa: ANN401
        rows: list[list[Piece]] = [[] for _ in range(count)]
        for one in found.chunks:
            rows[int(one.path[:6])].append((one.text, " > ".join(one.trail), one.start, one.passage))
        return iter(rows)

    return System(run, pieces)


def langchain(path: Path, budget: int) -> System:
    """MarkdownTextSplitter, counting with the tokenizer; the fast tokenizer itself, not its slower wrapper."""
    tokenizer = _tokenizer(path)
    splitter = importlib.import_module("langchain_text_splitters").MarkdownTextSplitter(
        chunk_size=_room(path, budget),
        chunk_overlap=0,
        length_function=lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids),
    )
    return System(lambda texts: [splitter.split_text(text) for text in texts], _bare)


def llamaindex(_: Path, __: int) -> System:
    """MarkdownNodeParser; it cuts at headings and counts nothing."""
    core = importlib.import_module("llama_index.core")
    parser = importlib.import_module("llama_index.core.node_parser").MarkdownNodeParser()

    def run(texts: list[str]) -> Any:  # noqa: ANN401
        return [parser.get_nodes_from_documents([core.Document(text=text)]) for text in texts]

    def pieces(found: Any) -> Iterator[list[Piece]]:  # noqa: ANN401
        for nodes in found:
            yield [_piece(n.text, n.metadata.get("header_path", ""), n.start_char_idx) for n in nodes]

    return System(run, pieces)


def semantic_text_splitter(path: Path, budget: int) -> System:
    """MarkdownSplitter (Rust), all texts in one call: it spreads them over the cores."""
    splitter = importlib.import_module("semantic_text_splitter").MarkdownSplitter
    cutter = splitter.from_huggingface_tokenizer(_tokenizer(path), _room(path, budget))

    def pieces(found: Any) -> Iterator[list[Piece]]:  # noqa: ANN401
        return ([_piece(text, start=start) for start, text in chunks] for chunks in found)

    return System(cutter.chunk_all_indices, pieces)


def _chonkie(kind: str, tokenizer: Any, room: int) -> System:  # noqa: ANN401
    chonkie = importlib.import_module("chonkie")
    if kind == "token":
        cutter = chonkie.TokenChunker(tokenizer=tokenizer, chunk_size=room, chunk_overlap=0)
    else:
        levels = [chonkie.RecursiveLevel(delimiters=list(marks), include_delim="next") for marks in MARKDOWN[:1]]
        levels += [chonkie.RecursiveLevel(delimiters=list(marks)) for marks in MARKDOWN[1:]]
        levels += [chonkie.RecursiveLevel(whitespace=True), chonkie.RecursiveLevel()]
        rules = chonkie.RecursiveRules(levels=levels)
        cutter = chonkie.RecursiveChunker(tokenizer=tokenizer, chunk_size=room, rules=rules)

    def run(texts: list[str]) -> Any:  # noqa: ANN401
        if kind == "token":
            return cutter.chunk_batch(texts, batch_size=BATCH, show_progress_bar=False)
        return [cutter.chunk(text) for text in texts]

    def pieces(found: Any) -> Iterator[list[Piece]]:  # noqa: ANN401
        return ([_piece(one.text, start=one.start_index) for one in chunks] for chunks in found)

    return System(run, pieces)


def chonkie_recursive(path: Path, budget: int) -> System:
    """RecursiveChunker by headings, paragraphs, lines, sentences, words; its own recipe for that is on a hub only."""
    return _chonkie("recursive", _tokenizer(path), _room(path, budget))


def chonkie_recursive_tokie(path: Path, budget: int) -> System:
    """The same with chonkie's own choice of tokenizer library."""
    return _chonkie("recursive", _tokie(path), _room(path, budget))


def chonkie_token(path: Path, budget: int) -> System:
    """TokenChunker: so many tokens, decoded; it knows no Markdown."""
    return _chonkie("token", _tokenizer(path), _room(path, budget))


def chonkie_token_tokie(path: Path, budget: int) -> System:
    """The same with chonkie's own choice of tokenizer library."""
    return _chonkie("token", _tokie(path), _room(path, budget))


def _tokie(path: Path) -> Any:  # noqa: ANN401
    return importlib.import_module("tokie").Tokenizer.from_json(str(path))


def _piece(text: str, trail: str = "", start: int | None = None) -> Piece:
    return text, trail, -1 if start is None else start, text


def _bare(found: list[list[str]]) -> Iterator[list[Piece]]:
    return ([_piece(text) for text in texts] for texts in found)


SYSTEMS = {
    make.__name__.replace("_", "-"): make
    for make in (
        tokenizer_alone,
        tokenizer_offsets,
        dragoman,
        dragoman_one_process,
        langchain,
        llamaindex,
        semantic_text_splitter,
        chonkie_recursive,
        chonkie_recursive_tokie,
        chonkie_token,
        chonkie_token_tokie,
    )
}


def peak_mb() -> float:
    """Most memory that this process held, and each of its workers as much as the largest of them, in 10^6 bytes.

    Linux hands a child the peak of the process that started it in ``ru_maxrss``, so its own is read from elsewhere.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        own = int(line.split()[1]) * 1024 / 1e6
        return own + resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e6 * (os.cpu_count() or 1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def _cpu() -> float:
    """Seconds of processor time that this process and its ended children have used."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def main() -> None:
    """Load, cut, report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("system", choices=SYSTEMS)
    parser.add_argument("texts", type=Path)
    parser.add_argument("tokenizer", type=Path)
    parser.add_argument("budget", type=int)
    parser.add_argument("--chunks", type=Path)
    options = parser.parse_args()
    with options.texts.open(encoding="utf-8") as file:
        texts = [json.loads(line) for line in file]
    system = SYSTEMS[options.system](options.tokenizer, options.budget)
    start, cpu = time.perf_counter(), _cpu()
    found = system.run(texts)
    seconds, cpu = time.perf_counter() - start, _cpu() - cpu
    peak = peak_mb()
    if options.chunks:
        with options.chunks.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in system.pieces(found))
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "peak_mb": peak}))


if __name__ == "__main__":
    main()
