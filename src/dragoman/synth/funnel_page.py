"""The funnel as one page that a person can read: how many questions each step took out, which, and why.

In: the funnel and the chunks. Out: HTML that needs nothing beside it: no script, no font, no picture, no address. Questions, headings
and reasons are shown as they are, whatever they hold. It reads and writes no file.
"""

from collections.abc import Mapping, Sequence
from html import escape

from dragoman.records import Chunk, Question, content_id
from dragoman.synth.filter import REASONS, Funnel

SAMPLES = 20
_LONGEST = 300  # characters of a question, heading or reason that are shown

_MEANINGS: Mapping[str, str] = dict(
    zip(
        REASONS,
        (
            "No letter and no digit.",
            "Too few words to say what is wanted.",
            "Longer than anything that is asked of a search.",
            "Leans on words that only the reader of the passage sees, or on a thing that it does not name.",
            "Repeats a heading or a sentence of the passage: finding the passage again would prove nothing.",
            "The same words were asked already; the question that is kept also answers to this chunk where it stands elsewhere.",
            "The same words were asked about so many places that they tell none apart.",
            "The base model does not find the section again among its first.",
            "Another question of the section says the same; the one that is found better, or is longer, is trained with.",
            "A language model gave it a low score.",
        ),
        strict=True,
    )
)

_STYLE = """
:root{color-scheme:light dark;--ink:#1d232b;--soft:#56606d;--paper:#fff;--panel:#f3f5f8;--line:#d5dbe3;--in:#2f6db3;--out:#b4561d;--mark:#8a6d00}
@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--soft:#a3aebb;--paper:#14181d;--panel:#1d232a;--line:#38414c;--in:#6aa5e6;--out:#e39460;--mark:#d6b948}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:62rem;padding:1.5rem 1rem 4rem;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.5rem;line-height:1.25;margin:0 0 .5rem}h2{font-size:1.15rem;margin:2.25rem 0 .5rem}
h1,h2,summary,td,th,q,p{overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.35rem .5rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:middle;font-weight:400}
thead th{color:var(--soft);font-size:.85rem}
td.number,th.number{text-align:right;white-space:nowrap;overflow-wrap:normal}td.bar{width:40%;padding-right:0}
.track{display:flex;height:.85rem;border-radius:.2rem;overflow:hidden;background:var(--panel)}
.left{background:var(--in)}.gone{background:var(--out)}.marked{background:var(--mark)}
tr.total th,tr.total td{font-weight:600}
details{border:1px solid var(--line);border-radius:.4rem;margin:.5rem 0;background:var(--panel)}
summary{padding:.6rem .8rem;cursor:pointer}summary b{font-weight:600}summary span{color:var(--soft)}
details p.about{margin:0 .8rem .6rem;color:var(--soft);font-size:.92rem}
ol{list-style:none;margin:0;padding:0 .8rem .6rem}
li{padding:.5rem 0;border-top:1px solid var(--line)}
.where,.why{display:block;color:var(--soft);font-size:.88rem;overflow-wrap:anywhere}
.asked{overflow-wrap:anywhere;white-space:pre-wrap}.legend{color:var(--soft);font-size:.88rem}
.legend i{display:inline-block;width:.8em;height:.8em;border-radius:.15em;margin:0 .3em 0 .9em}.legend i:first-child{margin-left:0}
@media(max-width:36rem){td.bar{width:26%}th,td{padding-right:.4rem;font-size:.9rem}}
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def funnel_page(funnel: Funnel, chunks: Sequence[Chunk], title: str) -> str:
    """The page.

    Args:
        funnel: The funnel at its end.
        chunks: The chunks that the questions are about; one that is missing is named by its id.
        title: What the docs are called.

    Returns:
        HTML, encodable as UTF-8, the same for the same funnel.
    """
    trails = {chunk.id: " > ".join(chunk.trail) for chunk in chunks}
    heading = escape(f"Questions about {title}")
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width,initial-scale=1">',
        f"<title>{heading}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>{heading}</h1>",
        f"<p>{_in_short(funnel)}</p>",
        *_flow(funnel),
        "<h2>What was taken out, and why</h2>",
        *(_verdicts(reason, funnel, trails) for reason in funnel.steps),
        "" if funnel.steps else "<p>Nothing.</p>",
        "<h2>What is kept</h2>",
        *_kept(funnel, trails),
        "</main></body></html>",
    ]
    # Half a surrogate pair, which a record may hold and no file can.
    return "\n".join(part for part in parts if part).encode("utf-8", "replace").decode() + "\n"


def _in_short(funnel: Funnel) -> str:
    asked, kept, trained = funnel.asked, len(funnel.questions), funnel.trainable
    rest = f" The other {kept - trained:,} are asked in evaluation only." if kept > trained else ""
    shared = f" {len(funnel.also):,} of them are answered by several chunks." if funnel.also else ""
    return f"{asked:,} questions went in; {kept:,} are kept, {trained:,} of them to train on.{rest}{shared}"


def _flow(funnel: Funnel) -> list[str]:
    """One line a step: what it took, and the bar of what is left after it."""
    rows = [_line("questions made", "", funnel.asked, funnel.asked, 0, "", head=True)]
    left, removing = funnel.asked, {row.reason for row in funnel.removed}
    for reason, count in funnel.steps.items():
        left -= count
        colour = "gone" if reason in removing else "marked"
        rows.append(_line(reason, f"−{count:,}", left, funnel.asked, count, colour))
    rows.append(_line("to train on", "", funnel.trainable, funnel.asked, 0, "", head=True))
    return [
        (
            '<table><thead><tr><th scope="col">step</th><th scope="col" class="number">taken out</th>'
            '<th scope="col" class="number">left</th><td class="bar"></td></tr></thead><tbody>'
        ),
        *rows,
        "</tbody></table>",
        (
            '<p class="legend"><i class="left"></i>left<i class="gone"></i>removed'
            '<i class="marked"></i>kept for evaluation, not for training</p>'
        ),
    ]


def _line(name: str, taken: str, left: int, asked: int, count: int, colour: str, *, head: bool = False) -> str:
    widths = [("left", left), *([(colour, count)] if colour else [])]
    bar = "".join(
        f'<span class="{kind}" style="width:{100 * part / max(1, asked):.2f}%"></span>' for kind, part in widths
    )
    return (
        f'<tr{" class=total" if head else ""}><th scope="row">{escape(name)}</th><td class="number">{taken}</td>'
        f'<td class="number">{left:,}</td><td class="bar"><div class="track">{bar}</div></td></tr>'
    )


def _verdicts(reason: str, funnel: Funnel, trails: Mapping[str, str]) -> str:
    rows = [row for row in (*funnel.removed, *funnel.marked) if row.reason == reason]
    chosen = [rows[place] for place in _spread([row.question for row in rows])]
    items = [_item(row.question, trails, row.why) for row in chosen]
    return _panel(reason, len(rows), items, _MEANINGS[reason])


def _kept(funnel: Funnel, trails: Mapping[str, str]) -> list[str]:
    kinds: dict[str, list[Question]] = {}
    for question in funnel.questions:
        kinds.setdefault(f"{question.kind}: {question.style}" if question.style else question.kind, []).append(question)
    if not kinds:
        return ["<p>Nothing.</p>"]
    panels = []
    for kind, questions in sorted(kinds.items()):
        chosen = [questions[place] for place in _spread(questions)]
        items = [_item(question, trails, _standing(question, funnel)) for question in chosen]
        panels.append(_panel(kind, len(questions), items, ""))
    return panels


def _standing(question: Question, funnel: Funnel) -> str:
    """What is known about a kept question."""
    facts = [f"rank {question.rank}"] if question.rank else []
    facts += [f"score {funnel.scores[question.id]:g}"] if question.id in funnel.scores else []
    others = len(funnel.also.get(question.id, ()))
    facts += [f"also answered by {others} other chunk{'s' if others > 1 else ''}"] if others else []
    return ", ".join([*facts, *([] if question.train else ["not for training"])])


def _panel(name: str, count: int, items: Sequence[str], about: str) -> str:
    shown = f", {len(items)} shown" if len(items) < count else ""
    text = f'<p class="about">{escape(about)}</p>' if about else ""
    return (
        f"<details><summary><b>{escape(_shown(name))}</b> <span>{count:,}{shown}</span></summary>{text}"
        f"<ol>{''.join(items)}</ol></details>"
    )


def _item(question: Question, trails: Mapping[str, str], why: str) -> str:
    trail = trails.get(question.chunk_id, f"chunk {question.chunk_id}")
    # Isolated, so that a question written from right to left, or one that says so, turns nothing else round.
    reason = f'<span class="why">why: <bdi>{escape(_shown(why))}</bdi></span>' if why else ""
    return (
        f'<li><bdi class="asked">{escape(_shown(question.text))}</bdi>'
        f'<span class="where">in: <bdi>{escape(_shown(trail))}</bdi></span>{reason}</li>'
    )


def _spread(questions: Sequence[Question]) -> list[int]:
    """The places of at most ``SAMPLES``, from all over the docs rather than from the first page, in their order."""
    drawn = sorted(range(len(questions)), key=lambda place: content_id("sample", questions[place].id))
    return sorted(drawn[:SAMPLES])


def _shown(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
