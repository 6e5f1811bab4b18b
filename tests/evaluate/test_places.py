"""Which chunks answer a question, on pages cut by the real chunker, and what is said of places that match none."""

import time
from dataclasses import replace

import pytest

from dragoman.config import ChunkSettings
from dragoman.evaluate.places import Found, Located, as_questions, locate
from dragoman.evaluate.real import Place, RealQuestion
from dragoman.evaluate.shelf import Span
from dragoman.ingest.chunk import chunk_documents
from dragoman.models.tokens import WordTokens
from dragoman.records import Chunk, Document, content_id

LAMPS = """# Lamps

How to keep a paraffin lamp.

## Fill

Unscrew the burner, then pour oil slowly.

### By night

Let the lamp cool down before you open it.

## Trim the `wick`

Cut it straight, so that the flame is even.

```sh
# Store
lamp trim --straight
```

## Fill

Told a second time, for those who skipped it.

## Store

Keep it dry.

Wrap it in paper.
"""
OIL = "# Oil\n\nWhich oil burns clean.\n\n## Fill\n\nNever above the mark.\n"


def cut(*documents: Document, **settings: int) -> list[Chunk]:
    return list(chunk_documents(documents, WordTokens(), ChunkSettings(tokens=48, drop=False, **settings)).chunks)


def page(path: str, text: str, source: str = "docs") -> Document:
    return Document(source, path, text, text.partition("\n")[0].removeprefix("# "))


CHUNKS = cut(page("guide/lamps.md", LAMPS), page("guide/oil.md", OIL))


def asked(*places: Place, qid: str = "q") -> RealQuestion:
    return RealQuestion(qid, "how?", places, 5)


def starts(located: Located, chunks: list[Chunk] = CHUNKS) -> list[list[int]]:
    """For each place that was found, the first lines of its chunks."""
    lines = {chunk.id: chunk.start_line for chunk in chunks}
    return [[lines[one] for one in found.chunks] for question in located.questions for found in question.found]


@pytest.mark.parametrize(
    ("place", "lines"),
    [
        (Place("guide/lamps.md", 2, lines=(7, 7)), [5]),
        (Place("guide/lamps.md", 2, lines=(7, 9)), [5, 9]),
        (Place("./guide/lamps.md", 2, lines=(9, 13)), [9, 13]),
        (Place("guide/lamps.md", 2, lines=(11, 20)), [13, 9]),  # the one that covers most comes first
        (Place("guide/lamps.md", 2, "Trim the wick"), [13]),
        (Place("guide/lamps.md", 2, "By night"), [9]),
        (Place("guide/lamps.md", 2, "fill"), [5, 9]),  # the first of the name, with what is below it
        (Place("guide/lamps.md", 2, "Store"), [26]),  # not the comment in the code
        (Place("guide/lamps.md", 2, "Lamps"), [1, 5, 9, 13, 22, 26]),
        (Place("guide/lamps.md", 2), [1, 5, 9, 13, 22, 26]),
        (Place("guide/oil.md", 1, "Fill"), [5]),
        (Place("guide/oil.md", 1, "no such", lines=(1, 1)), [1]),  # lines count before the heading
    ],
)
def test_a_place_has_the_chunks_that_stand_there(place: Place, lines: list[int]) -> None:
    located = locate([asked(place)], CHUNKS)
    assert starts(located) == [lines]
    assert not located.missing
    assert not located.lost


def test_a_place_spans_its_own_lines_or_those_of_its_section() -> None:
    located = locate([asked(Place("./guide/lamps.md", 2, lines=(6, 40)), Place("guide/lamps.md", 1, "Fill"))], CHUNKS)
    by_lines, by_heading = located.questions[0].found
    assert by_lines.spans == (Span("guide/lamps.md", 6, 40, "docs"),)
    assert by_heading.spans == (Span("guide/lamps.md", 5, 11, "docs"),)


def test_a_section_that_was_cut_in_parts_has_all_of_them_and_nothing_else() -> None:
    text = (
        "# Page\n\n## Long\n\n" + "".join(f"Sentence {n} of a long tale.\n\n" for n in range(30)) + "## Short\n\nEnd.\n"
    )
    chunks = cut(page("p.md", text))
    located = locate([asked(Place("p.md", 2, "Long"))], chunks)
    (ids,) = (found.chunks for found in located.questions[0].found)
    assert list(ids) == [chunk.id for chunk in chunks if chunk.trail[-1] == "Long"]
    assert len(ids) > 3


def test_sections_that_were_joined_are_found_by_each_of_their_headings() -> None:
    chunks = cut(
        page("p.md", "# Page\n\nAbout.\n\n## One\n\nFirst.\n\n## Two\n\nSecond.\n\n## Six\n\nSixth.\n"), min_tokens=20
    )
    joined = next(chunk for chunk in chunks if "## Two" in chunk.text)
    assert joined.trail == ("Page",)
    located = locate([asked(*(Place("p.md", 2, heading) for heading in ("One", "Two", "Six")))], chunks)
    assert [found.chunks for found in located.questions[0].found] == [(joined.id,)] * 3


def test_a_joined_section_goes_on_with_what_is_below_it() -> None:
    below = "".join(f"Sentence {n} of a long tale.\n\n" for n in range(12))
    text = f"# Page\n\nAbout.\n\n## One\n\nFirst.\n\n## Two\n\nSecond.\n\n### Below\n\n{below}## Six\n\nSixth.\n"
    chunks = cut(page("p.md", text), min_tokens=20)
    joined = next(place for place, chunk in enumerate(chunks) if "## Two" in chunk.text)
    assert chunks[joined].trail == ("Page",)
    (found,) = locate([asked(Place("p.md", 2, "Two"))], chunks).questions[0].found
    assert list(found.chunks) == [chunk.id for chunk in chunks[joined:] if chunk.trail[-1] != "Six"]
    assert len(found.chunks) > 2


def test_a_comment_in_code_that_was_cut_does_not_end_its_section() -> None:
    code = "# Fill\nlamp fill --to mark\n" * 30
    chunks = cut(page("p.md", f"# Page\n\nAbout.\n\n## Fill\n\n```sh\n{code}```\n\n## End\n\nLast.\n"))
    assert starts(locate([asked(Place("p.md", 2, "Fill"))], chunks), chunks)[0] == [
        chunk.start_line for chunk in chunks if chunk.trail[-1] == "Fill"
    ]
    assert sum("\n# Fill" in chunk.text for chunk in chunks) > 2


def test_a_heading_without_text_is_where_the_text_after_it_is() -> None:
    chunks = cut(page("p.md", "# Page\n\nAbout.\n\n## Empty\n\n## Full\n\nText.\n"))
    (found,) = locate([asked(Place("p.md", 2, "Empty"))], chunks).questions[0].found
    assert found.chunks == (chunks[-1].id,)


def test_an_underlined_heading_is_a_heading() -> None:
    chunks = cut(page("p.md", "Page\n====\n\nAbout.\n\nOne\n---\n\nFirst.\n\nTwo\n---\n\nSecond.\n"), min_tokens=20)
    (found,) = locate([asked(Place("p.md", 2, "Two"))], chunks).questions[0].found
    assert found.chunks == (chunks[-1].id,)


def test_a_section_called_like_its_page_is_meant_before_the_page() -> None:
    text = "About.\n\n## Lamps\n\nAll of them.\n\n## Oil\n\nNone.\n"
    chunks = cut(Document("docs", "p.md", text, "Lamps"))
    assert starts(locate([asked(Place("p.md", 2, "Lamps"))], chunks), chunks) == [[3]]


def test_a_section_below_one_of_the_same_name_is_a_part_of_it() -> None:
    chunks = cut(page("p.md", "# P\n\nIntro.\n\n## Fill\n\nA.\n\n### Fill\n\nB.\n\n## End\n\nC.\n"))
    assert starts(locate([asked(Place("p.md", 2, "Fill"))], chunks), chunks) == [[5, 9]]


def test_text_that_was_included_is_found_by_its_own_file_and_by_the_page() -> None:
    chunks = [replace(chunk, file="parts/trim.md") if chunk.trail[-1] == "Trim the wick" else chunk for chunk in CHUNKS]
    places = (
        Place("parts/trim.md", 2, lines=(14, 15)),
        Place("parts/trim.md", 2, "Trim the wick"),
        Place("guide/lamps.md", 2, "Trim the wick"),
    )
    assert starts(locate([asked(*places)], chunks), chunks) == [[13], [13], [13]]
    (missing,) = locate([asked(Place("guide/lamps.md", 2, lines=(14, 15)))], chunks).missing
    assert missing.reason == "no passage at these lines"


@pytest.mark.parametrize(
    ("place", "reason", "near"),
    [
        (Place("guide/lmaps.md", 2, "Fill"), "no such file", "guide/lamps.md"),
        (Place("lamps.md", 2, "Fill"), "no such file", "guide/lamps.md"),
        (Place("docs/guide/oil.md", 2, "Fill"), "no such file", "guide/oil.md"),
        (Place("zzz", 2, "Fill"), "no such file", ""),
        (Place("guide/lamps.md", 2, "Trim a wick"), "no such heading", "'Trim the wick' (guide/lamps.md:13-20)"),
        (Place("guide/oil.md", 2, "Trim the wick"), "no such heading", "the heading is in guide/lamps.md"),
        (Place("guide/oil.md", 2, "Quarks"), "no such heading", ""),
        (Place("guide/oil.md", 2, lines=(90, 95)), "no passage at these lines", "'Fill' (guide/oil.md:5-7)"),
        (Place("guide/oil.md", 2, "Fill", source="other"), "no such file", "guide/oil.md in 'docs'"),
    ],
)
def test_a_place_that_matches_nothing_is_told_with_what_is_near(place: Place, reason: str, near: str) -> None:
    question = asked(place)
    located = locate([question], CHUNKS)
    assert located.lost == (question,)
    assert not located.questions
    (missing,) = located.missing
    assert (missing.qid, missing.place, missing.reason, missing.near) == ("q", place, reason, near)
    said = str(missing)
    assert said.startswith("line 5: q: ")
    assert all(word in said for word in (place.file, reason, near))


def test_a_question_keeps_the_places_that_were_found() -> None:
    good, bad = Place("guide/oil.md", 1, "Fill"), Place("guide/oil.md", 2, "Quarks")
    located = locate([asked(bad, good)], CHUNKS)
    assert [found.place for found in located.questions[0].found] == [good]
    assert [missing.place for missing in located.missing] == [bad]
    assert not located.lost


def test_a_file_of_two_sources_must_say_which_is_meant() -> None:
    chunks = [*CHUNKS, *cut(page("guide/oil.md", OIL + "\n## Weigh\n\nOn a scale.\n", source="wiki"))]
    (missing,) = locate([asked(Place("guide/oil.md", 2, "Fill"))], chunks).missing
    assert (missing.reason, missing.near) == ("in several sources", "add \"source\" to the place: 'docs' or 'wiki'")
    for place in (Place("guide/oil.md", 2, "Fill", source="wiki"), Place("guide/oil.md", 2, "Weigh")):
        (found,) = locate([asked(place)], chunks).questions[0].found
        assert [chunk.source for chunk in chunks if chunk.id in found.chunks] == ["wiki"]


def test_thousands_of_wrong_names_are_told_in_good_time() -> None:
    chunks = [replace(CHUNKS[0], id=str(n), path=f"folder/page number {n}.md") for n in range(1000)]
    questions = [asked(Place(f"folder/pagina {n}.md", 2, "Fill"), qid=str(n)) for n in range(1000)]
    start = time.process_time()
    missing = locate(questions, chunks).missing
    assert time.process_time() - start < 20
    assert missing[0].near.startswith("folder/page number")
    assert not missing[-1].near
    assert {place.reason for place in missing} == {"no such file"}


def test_the_questions_for_the_gate_name_their_chunks_and_are_not_trained_on() -> None:
    both = asked(Place("guide/oil.md", 1, "Fill"), Place("guide/lamps.md", 2, "Fill"), qid="a")
    help_alone = asked(Place("guide/lamps.md", 1, "Fill"), qid="b")
    located = locate([both, help_alone], CHUNKS)
    questions = as_questions(located)
    night = next(chunk.id for chunk in CHUNKS if chunk.trail[-1] == "By night")
    fill = next(chunk.id for chunk in CHUNKS if chunk.trail == ("Lamps", "Fill"))
    assert [question.answers for question in questions] == [(fill, night)] * 2
    assert {(one.text, one.kind, one.style, one.train, one.rank) for one in questions} == {
        ("how?", "person", "real", False, 0)
    }
    assert [one.id for one in questions] == [content_id("real", qid, "how?") for qid in "ab"]
    assert as_questions(locate([both, help_alone], CHUNKS[::-1])) == questions


def test_a_chunk_of_two_places_has_the_better_grade() -> None:
    places = Place("guide/lamps.md", 1, "Fill"), Place("guide/lamps.md", 2, "By night")
    (located,) = locate([asked(*places)], CHUNKS).questions
    assert list(located.grades.values()) == [1, 2]
    (other,) = locate([asked(*reversed(places))], CHUNKS).questions
    assert other.grades == located.grades
    assert located.unit == "guide/lamps.md"
    assert all(isinstance(found, Found) for found in located.found)
