"""How many planted inventions the checks of an answer find, and how much of what they find was planted.

In: tests/chat/planted.json: small pages, and answers about them with wrong links, unknown citation numbers, and made-up options, names and
commands, beside answers with nothing wrong; half of them held out when the checks were written. Out: a table of precision and recall, a row
a kind and half. With the chunks of real docs: a name planted in each of their Python blocks, and how well support tells
sentences of a passage, copied or in other words, from sentences of other pages.

    python benchmarks/planted_answers.py --misses --chunks .dragoman/ingest/chunks.parquet
"""

import argparse
import json
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragoman.chat.checks import checked
from dragoman.chat.grounding import ungrounded
from dragoman.chat.keyword_search import KeywordSearcher
from dragoman.chat.support import Evidence, sentences
from dragoman.records import Chunk, Finding, Hit, content_id
from dragoman.tables import read_rows

PLANTED = Path(__file__).resolve().parent.parent / "tests" / "chat" / "planted.json"
KINDS = ("link", "citation", "flag", "identifier", "command")
HALVES = ("tuning", "held out")
SEED, SAMPLE, WORDS, DROPPED = 3, 200, 6, 0.2
OTHER_WORDS = {
    "use": "employ", "create": "make", "allows": "lets", "want": "wish", "need": "require", "see": "consult", "add": "insert",
    "remove": "delete", "delete": "remove", "get": "obtain", "update": "change", "example": "sample", "following": "next",
    "should": "ought to", "default": "standard", "list": "enumerate", "show": "display", "set": "assign", "new": "fresh",
}  # fmt: skip
_BLOCK = re.compile(r"^```[ ]*(?:python|py)\b[^\n]*\n(.*?)^```[ \t]*$", re.DOTALL | re.MULTILINE)
_CALLED = re.compile(r"(?<=\.)[a-z_]{4,}(?=\()|(?<=[(, ])[a-z_]{4,}(?==[^=])")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the checks made of one answer: what was planted and found, planted and missed, and found for nothing."""

    half: str
    text: str
    found: tuple[Finding, ...]
    missed: tuple[Finding, ...]
    wrong: tuple[Finding, ...]


def main() -> None:
    """Check the answers and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--misses", action="store_true", help="also print what was missed or found for nothing")
    parser.add_argument("--chunks", type=Path, help="chunks of real docs")
    options = parser.parse_args()
    found = list(outcomes(json.loads(PLANTED.read_text(encoding="utf-8"))))
    if options.misses:
        for one in found:
            if one.missed or one.wrong:
                print(f"[{one.half}] {one.text!r}\n  missed {one.missed}\n  wrong  {one.wrong}")
    print("| kind | half | planted | recall | precision |\n|---|---|---|---|---|")
    for kind in (*KINDS, "all"):
        for half in (*HALVES, "both"):
            planted, recall, precision = rates([one for one in found if half in {one.half, "both"}], kind)
            print(f"| {kind} | {half} | {planted} | {recall:.3f} | {precision:.3f} |")
    if options.chunks:
        chunks = read_rows(options.chunks, Chunk)
        _print_code(chunks)
        _print_support(chunks)


def outcomes(data: Mapping[str, Any]) -> Iterator[Outcome]:
    """Check every answer of the file.

    Args:
        data: Its pages and answers.

    Yields:
        What came of each answer.
    """
    for row in data["answers"]:
        shown = [Hit(rank, 1.0, _chunk(data["pages"][name])) for rank, name in enumerate(row["shown"], 1)]
        found = checked(row["text"], row["question"], shown, ()).findings
        planted = [Finding(plant["kind"], plant["text"]) for plant in row["planted"]]
        yield Outcome(
            row["half"],
            row["text"],
            tuple(one for one in planted if any(_same(one, other) for other in found)),
            tuple(one for one in planted if not any(_same(one, other) for other in found)),
            tuple(one for one in found if not any(_same(other, one) for other in planted)),
        )


def rates(found: Sequence[Outcome], kind: str) -> tuple[int, float, float]:
    """How many of a kind were planted, the share of them that was found, and the share of the findings that was planted."""

    def count(findings: Iterator[tuple[Finding, ...]]) -> int:
        return sum(kind in {one.kind, "all"} for row in findings for one in row)

    hits = count(one.found for one in found)
    missed, wrong = count(one.missed for one in found), count(one.wrong for one in found)
    return hits + missed, hits / max(1, hits + missed), hits / max(1, hits + wrong)


def _print_code(chunks: Sequence[Chunk]) -> None:
    """Each Python block of the docs, as an answer to its own chunk: as it is, and with one of its names made up."""
    rng = random.Random(SEED)  # noqa: S311 -- a sample, drawn the same each time
    clean = false = planted = hits = 0
    for chunk in chunks:
        for code in _BLOCK.findall(chunk.text):
            clean += 1
            false += len(ungrounded(f"```python\n{code}```", [chunk.passage]))
            names = _CALLED.findall(code)
            if names:
                invented = f"{rng.choice(names)}_zorp"
                made_up = re.sub(rf"\b{invented.removesuffix('_zorp')}\b", invented, code)
                planted += 1
                hits += invented in {one.text for one in ungrounded(f"```python\n{made_up}```", [chunk.passage])}
    print(f"\nPython blocks: {clean}, findings in them as they are: {false}; names planted: {planted}, found: {hits}.")


def _print_support(chunks: Sequence[Chunk]) -> None:
    """The area under the curve of support: a sentence among four passages with its own, against four of other pages."""
    rng = random.Random(SEED)  # noqa: S311 -- a sample, drawn the same each time
    searcher = KeywordSearcher(chunks)
    scores: dict[str, list[float]] = {
        name: [] for name in ("copied", "reworded", "other", "nearest", "reworded, nearest")
    }
    for chunk in rng.sample(list(chunks), min(SAMPLE, len(chunks))):
        long = [one for one in sentences(chunk.text) if len(one.split()) >= WORDS and one.lstrip()[:1] not in "|<!["]
        if not long:
            continue
        sentence = rng.choice(long)
        reworded = _reworded(sentence, rng)
        others = [other for other in chunks if other.path != chunk.path and sentence not in other.text]
        drawn = rng.sample(others, 4)
        near = [hit for hit in searcher.search(sentence, 40) if hit.chunk in others][:4]
        own, far = Evidence(_hits([chunk, *drawn[:3]])), Evidence(_hits(drawn))
        beside = Evidence(near)
        told = [(own, sentence), (own, reworded), (far, sentence), (beside, sentence), (beside, reworded)]
        for name, (evidence, text) in zip(scores, told, strict=True):
            if values := evidence.scores(text):
                scores[name].append(max(values))
    print("\n| sentences of a passage | against | AUC |\n|---|---|---|")
    for right, wrong in (
        ("copied", "other"),
        ("reworded", "other"),
        ("copied", "nearest"),
        ("reworded", "reworded, nearest"),
    ):
        auc = _area(scores[right], scores[wrong])
        print(f"| {right} ({len(scores[right])}) | {wrong} pages ({len(scores[wrong])}) | {auc:.3f} |")


def _area(right: Sequence[float], wrong: Sequence[float]) -> float:
    """The share of pairs in which the right one is larger; a tie counts half."""
    wins = sum((one > other) + (one == other) / 2 for one in right for other in wrong)
    return wins / max(1, len(right) * len(wrong))


def _reworded(sentence: str, rng: random.Random) -> str:
    """A fifth of the words left out, some put in other words, the two halves exchanged."""
    words = [word for word in re.sub(r"[*_`\[\]]", " ", sentence).split() if rng.random() > DROPPED]
    words = [OTHER_WORDS.get(word.casefold(), word) for word in words]
    return " ".join([*words[len(words) // 2 :], *words[: len(words) // 2]])


def _hits(chunks: Sequence[Chunk]) -> list[Hit]:
    return [Hit(rank, 1.0, chunk) for rank, chunk in enumerate(chunks, 1)]


def _same(planted: Finding, found: Finding) -> bool:
    return planted.kind == found.kind and (planted.text in found.text or found.text in planted.text)


def _chunk(page: Mapping[str, Any]) -> Chunk:
    trail, text = tuple(page["trail"]), page["text"]
    path = "-".join(trail).casefold() + ".md"
    passage = " > ".join(trail) + "\n" + text
    return Chunk(
        content_id(path, text),
        "pantry",
        path,
        trail[0],
        trail,
        path,
        text,
        passage,
        0,
        len(text),
        1,
        9,
        100,
        page["url"],
    )


if __name__ == "__main__":
    main()
