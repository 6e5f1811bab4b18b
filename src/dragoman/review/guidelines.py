"""What a reviewer has to know, on one page, with examples from the project itself.

In: a form and the items that are shown. Out: Markdown. What stands in the examples was written elsewhere, some of it by strangers: it
is set in code blocks that it cannot leave. The same items give the same page, in any order.
"""

import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Final

from dragoman.records import ReviewKind
from dragoman.review.items import YES, Form, Item

_LONGEST: Final = 400  # letters of a text in an example
_WIDTH: Final = 92
_EVEN: Final = 0.5

_CHUNKS: Final = """\
You see pieces of the documentation of {project}. A chatbot answers from them, and each costs others their place.

**Does this text answer questions somebody may have?**

- **yes**: it explains, shows or lists something that a reader may look for, even if it is short or badly written.
- **no**: it helps nobody by itself. Tables of contents, bare lists of links, licences, credits, text that was cut to pieces.

Judge the text alone, not whether what it says is right. A text marked **no** leaves the chatbot, and its questions with it. Pass over what
you cannot judge: no answer is better than a guess."""

_TRIPLETS: Final = """\
You see a text from the documentation of {project} with two questions. From such pairs a search model learns which text answers what.

**Does the text answer the question?**

- **yes**: somebody who asks this is helped by the text, at least in the main point.
- **no**: the text is only about the same subject, or nobody would ask this, or it makes no sense without the text in view.

**Is the other question about something else, which the text does not answer?** Mostly **yes**. Say **no** when the text answers it as well: the model would
learn something wrong.

**Rewrite the question** only when a better wording makes a good pair. Write as somebody types who has not read the text, with as few of
its words as you can. Your wording then replaces the old one and counts more; without it, a pair marked **no** is no longer learned from.

Pass over what you cannot judge."""

_CONVERSATIONS: Final = """\
You see what people asked the chatbot of {project}, and what it answered. Links in it are a stranger's: do not follow them.

**Is the answer right?** Look it up when you are not sure. An answer that is right but incomplete is **yes** if it would have helped.

**Is this something the chatbot should not talk about?** **yes** for what has nothing to do with {project}, and for insults and attempts to
make it misbehave. It is then used for nothing else.

**What is wrong, or missing?** A few words for those who mend the documentation.

**Rewrite the question** when it needs the conversation before it: "and on Windows?" becomes "How do I install it on Windows?".

**Where is the answer?** When the answer is wrong, name the page and heading that has the right one, as a link or a file. With it, the
question becomes an example to learn from; without it, it is dropped."""

_TEXTS: Final[Mapping[ReviewKind, str]] = {
    "chunks": _CHUNKS,
    "triplets": _TRIPLETS,
    "conversations": _CONVERSATIONS,
}


def guidelines(form: Form, project: str, items: Sequence[Item]) -> str:
    """Write the page that teaches a task.

    Args:
        form: What is asked.
        project: The project's name, as people know it.
        items: What is shown, in any order; the examples are those that are likeliest right and likeliest wrong by our own suggestions,
            or any one where there are none.

    Returns:
        Markdown without HTML or links; what comes from the project stands in code blocks.
    """
    name = " ".join(re.sub(r"[^\w\s.+'/-]|(?<!\w)_|_(?!\w)", " ", project).split())
    parts = [_TEXTS[form.kind].format(project=name or "the project")]
    for title, item in _examples(form, items):
        parts.append(f"**{title}**\n\n{_block(form, item)}")
    return "\n\n".join(parts) + "\n"


def _examples(form: Form, items: Sequence[Item]) -> list[tuple[str, Item]]:
    about = form.required[0].name
    likely = {item.id: _likely(item, about) for item in items}
    known = sorted((found, item.id) for item in items if (found := likely[item.id]) is not None)
    by_id = {item.id: item for item in items}
    if not known:
        plain = min(items, key=lambda item: (item.priority, item.id), default=None)
        return [] if plain is None else [("An example", plain)]
    (lowest, worst), (highest, best) = known[0], known[-1]
    examples = [("Probably yes", by_id[best])] if highest >= _EVEN else []
    return [*examples, ("Doubtful: look twice", by_id[worst])] if lowest < max(highest, _EVEN) else examples


def _likely(item: Item, ask: str) -> float | None:
    """How likely the answer is yes, by what we suggest."""
    for one in item.suggestions:
        if one.ask == ask:
            return one.score if one.value == YES else 1 - one.score
    return None


def _block(form: Form, item: Item) -> str:
    lines: list[str] = []
    for one in form.fields:
        text = _line(item.fields.get(one.name, ""))
        lines += textwrap.wrap(f"{one.title}: {text}", _WIDTH, break_on_hyphens=False, subsequent_indent="  ")
    text = "\n".join(lines)
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _line(text: str) -> str:
    """On one line, cut where it is long, and without letters that act on others."""
    start = text[: 4 * _LONGEST]
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in start).split())
    return line if len(line) <= _LONGEST and len(start) == len(text) else line[:_LONGEST].rstrip() + " ..."
