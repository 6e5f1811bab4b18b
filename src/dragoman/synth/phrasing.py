"""Headings put the way people search.

In: the heading trail of a section. Out: questions such as "how to add a user" for "Adding a user" or "how to install npm"
for "Installation" under "npm", each with the rule that made it; none where a rule would make poor English. The words are
English: it is not asked about pages in other languages.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from dragoman.synth.links import plain_words
from dragoman.synth.verbs import base_of, is_imperative

_LONGEST = 300
_SHORTEST_QUESTION = 6  # signs: Chinese needs no more
_STEM = 6  # letters that forms of one word share
_MOST_WORDS, _MOST_TOPIC_WORDS = 12, 4
_STEP = re.compile(
    r"^(?:(?:step|option|phase|part|method|q|deep dive|tip|example)\s*\d{0,3}\s*[:.)-]\s+|\d{1,3}[.)]\s+|\d{1,2}(?:\.\d{1,2})+\s+(?=(?-i:[A-Z]))|[^\w\s`'\"(<@/$.-]+\s*)",
    re.IGNORECASE,
)
_ASKED = re.compile(r"(how|what|why|when|where|which|who|can|does|do|is|are|should|will)\b", re.IGNORECASE)
_STATED = re.compile(
    r"(how to|how do i|what (?:is|are)|why use|why (?:is|are)|when to use|when should|where to find)\s+\S",
    re.IGNORECASE,
)
_POINTING = re.compile(
    r"\b(it|its|them|they|these|those|this|that|here|above|below|following|next(?!\.)|else|another|issues|previous|everything|together|other)\b",
    re.IGNORECASE,
)
# Not one action, or words that were lost with the markup.
_BROKEN = re.compile(
    r"[:;→?!|=\"]|\bvs\b|\((?:or|and)\b|\b(?:and|or|with|of|to|the|a|an|for|in|from|by|using)$", re.IGNORECASE
)
_FAILURE = re.compile(r"[A-Z]\w{3,}(?:Error|Exception)|E[A-Z]{4,}|ERR_[A-Z_]+")
_NAME = re.compile(r"[\w@./:-]*(?:[a-z][A-Z]|[_@/.:]|\(\))[\w@./:()-]*|[a-z]+(?:-[a-z]+)+")
_TRAILING = re.compile(
    r"\s*(?:\((?:optional|required|recommended|deprecated|legacy|experimental|advanced|beta|preview|alternative)[^()]*\)|@v?\d+(?:\.\d+)+|[:.])$",
    re.IGNORECASE,
)
_NO_TOPIC = re.compile(
    r"\b(and|or|vs|versus|to|your|you|how|what|why|when|where|which|who|welcome|quickstart|quick start|guide|guides|tutorial|overview|introduction|"
    r"changes|step|page|issue|issues|internal|internals|started|concepts|fundamentals|basics|faq|example|examples|reference|about|"
    r"changed|removed|renamed|deprecated|breaking|methods?|types?)\b|[&,:;!?→+|=\"“”]|\.\.\.|\s[-–—]\s",
    re.IGNORECASE,
)

# What a heading that says nothing by itself asks about its topic.
_GENERIC: dict[str, str] = {}
for _asked, _headings in {
    "how to install {}": "installation|install|installing|how to install",
    "how to use {}": "usage|basic usage|usage examples|usage example|how to use|using",
    "how to set up {}": "setup|set up|initial setup|quick setup|manual setup",
    "how to configure {}": "configuration|settings|configuration options|configure|configuring",
    "{} options": "options|available options|flags",
    "{} parameters": "parameters|params|arguments|input parameters",
    "{} props": "props",
    "{} properties": "properties|attributes",
    "what does {} return": "returns|return value|return values|return type",
    "{} examples": "examples|example|code examples",
    "{} errors": "errors|exceptions|common errors|error codes",
    "{} error handling": "error handling|handling errors",
    "{} not working": "troubleshooting|common issues|known issues|common problems",
    "{} limitations": "limitations|caveats|known limitations",
    "{} requirements": "prerequisites|requirements",
    "how does {} work": "how it works",
    "when to use {}": "when to use|when to use it|use cases",
    "what is {}": "overview|introduction|what is it|what it is",
    "{} best practices": "best practices|tips",
    "{} environment variables": "environment variables",
    "how to get started with {}": "getting started|quickstart|quick start|get started",
    "how to test {}": "testing",
    "how to uninstall {}": "uninstall|uninstalling|uninstallation",
    "how to upgrade {}": "upgrade|upgrading",
    "{} authentication": "authentication",
}.items():
    _GENERIC |= dict.fromkeys(_headings.split("|"), _asked)
# Headings that say nothing, and of which nobody asks.
_SAYING_NOTHING = (
    "additional considerations|advanced|api|api reference|api signature|background|basic|behavior|changelog|"
    "class|client|common patterns|component|components|conclusion|constructor|content|contents|core features|"
    "customization options|description|details|events|exports|features|frequently asked questions|function|"
    "further reading|good to know|hook|hooks|how to|issue|key points|learn more|methods|more|next steps|notes|"
    "output|parameter|reference|related|request|requests|resources|response|see also|server|solution|summary|"
    "supported features|synopsis|table of contents|type|version history"
)
_SILENT = frozenset(_SAYING_NOTHING.split("|"))


@dataclass(frozen=True, slots=True)
class Phrased:
    """A question made of headings; ``fuller`` names more of the trail, for when several sections give the same."""

    text: str
    style: str
    fuller: str = ""


def phrased(trail: Sequence[str]) -> Phrased | None:
    """The question that a section's heading asks.

    Args:
        trail: Headings of the section, the page's title first.

    Returns:
        The question with its style ("faq", "phrased" or "error"); ``None`` when no rule makes good English of the heading.
    """
    heads = [plain_heading(heading) for heading in trail]
    if not heads or not heads[-1]:
        return None
    last = heads[-1]
    topic = _topic(heads[:-1])
    page = _page(heads, "")
    if last.lower() in _GENERIC:
        return _generic(_GENERIC[last.lower()], topic, _page(heads, topic))
    if last.lower() in _SILENT or len(last.split()) > _MOST_WORDS:
        return None
    if question := _question(last):
        return Phrased(question, "faq", _within(question.rstrip("?"), page))
    if _FAILURE.fullmatch(last):
        return Phrased(f"how to fix {last}", "error")
    action = _action(last)
    return Phrased(f"how to {action}", "phrased", _within(f"how to {action}", page)) if action else None


def asked_as_is(trail: Sequence[str]) -> Phrased | None:
    """The heading itself where it is a question, in whatever language."""
    heading = plain_heading(trail[-1])
    return Phrased(heading, "faq") if heading.endswith(("?", "？", "؟")) and len(heading) > _SHORTEST_QUESTION else None


def search_words(trail: Sequence[str]) -> str:
    """A section's heading as keywords, then the nearest heading above that says what it is about.

    Args:
        trail: Headings of the section, the page's title first.

    Returns:
        "User roles User management"; the heading alone where it is the only one.
    """
    heads = [plain_heading(heading) or plain_words(heading[:_LONGEST]) for heading in trail]
    above = [head for head in heads[:-1] if head.lower() not in _SILENT and head.lower() not in _GENERIC]
    return " ".join([*heads[-1:], *(above or heads[:-1])[-1:]]).strip()


def plain_heading(heading: str) -> str:
    """A heading without markup, numbering, icons and version."""
    words = plain_words(heading[:_LONGEST])
    for _ in range(3):
        shorter = _TRAILING.sub("", _STEP.sub("", words)).strip()
        if shorter == words:
            break
        words = shorter
    return words


def topic_of(trail: Sequence[str]) -> str:
    """What a section is about, as its headings name it; "" when none of them is a name or a noun."""
    return _topic([plain_heading(heading) for heading in trail])


def _topic(heads: Sequence[str]) -> str:
    """The nearest heading that a question can be asked about."""
    for head in reversed(heads):
        if head.lower() in _GENERIC or head.lower() in _SILENT:
            continue
        return head if _is_topic(head) else ""
    return ""


def _is_topic(head: str) -> bool:
    words = head.split()
    if not 0 < len(words) <= _MOST_TOPIC_WORDS or _NO_TOPIC.search(head):
        return False
    if _FAILURE.fullmatch(head) or _POINTING.search(head):
        return False
    if len(words) == 1:
        return bool(_NAME.fullmatch(head)) or not (is_imperative(head + " a") or base_of(head))
    # "Customizing Supervisor Behavior" or "Add a user" is something that one does, and no thing.
    return not (is_imperative(head) or base_of(words[0]))


def _page(heads: Sequence[str], topic: str) -> str:
    """The page's title, where it is a topic that the nearest one does not say already."""
    page = heads[0] if len(heads) > 1 and _is_topic(heads[0]) else ""
    return "" if _stems(page) & _stems(topic) else page


def _stems(text: str) -> set[str]:
    return {word[:_STEM] for word in re.findall(r"[^\W_]{3,}", text.lower())}


def _generic(question: str, topic: str, page: str) -> Phrased | None:
    if not topic:
        return None
    if _stems(topic) & _stems(question):
        return None  # "how to configure advanced configuration"
    named = bool(_NAME.fullmatch(topic))
    plural = topic.rstrip(")").endswith("s") and not topic.endswith("ss") and not (named or " with " in topic)
    if plural:
        question = question.replace("does {} ", "do {} ").replace("what is {}", "what are {}")
    text = question.format(topic if named else _small(topic))
    return Phrased(text, "phrased", _within(text, page))


def _question(head: str) -> str:
    if _POINTING.search(head) or len(head.split()) < 3:  # noqa: PLR2004 - "Why fullStream?" names nothing to ask for
        return ""
    if head.endswith("?") and _ASKED.match(head):
        return head
    return head if _STATED.match(head) else ""


def _action(head: str) -> str:
    """What one does, in the base form: "add a user" for "Adding a user"; "" when the heading is no action."""
    words = head.split()
    if len(words) < 2 or _POINTING.search(head) or _BROKEN.search(head):  # noqa: PLR2004
        return ""
    found = words if is_imperative(head) else list(_based(words)) if base_of(words[0]) else []
    if not found or any(one.lower() == other.lower() for one, other in pairwise(["to", *found])):
        return ""
    return " ".join([found[0].lower(), _untitled(found[1:])])


def _based(words: Sequence[str]) -> Iterator[str]:
    """The gerunds of "Adding and removing users" in their base forms; nothing when they are not understood."""
    verbs = [words[0]]
    rest = list(words[1:])
    while len(rest) > 2 and (verbs[-1].endswith(",") or rest[0] in {"and", "or", "&"}):  # noqa: PLR2004
        if rest[0] in {"and", "or", "&"}:
            verbs.append(rest.pop(0))
        verbs.append(rest.pop(0))
    joined = [
        verb if verb in {"and", "or", "&"} else base_of(verb.rstrip(",")) + "," * verb.endswith(",") for verb in verbs
    ]
    takes_object = is_imperative(f"{joined[0]} {' '.join(rest)}", gerund=True)
    if all(part.strip(",") for part in joined) and (takes_object or len(verbs) > 1):
        yield from ("and" if part == "&" else part for part in joined)
        yield from rest


def _within(question: str, topic: str) -> str:
    """The question with its topic, when that adds something and "in" fits."""
    words = topic.split()
    if not words or _stems(topic) & _stems(question) or len(words) > 3:  # noqa: PLR2004
        return ""
    if len(words) == 1 and not _NAME.fullmatch(topic) and topic.istitle():
        return ""  # "in developer", "in installation"
    return f"{question} in {topic if _NAME.fullmatch(topic) else _small(topic)}"


def _untitled(words: Sequence[str]) -> str:
    """Words of a heading in the case of a sentence, if Every Word Has a Capital there."""
    long = [word for word in words if len(word) > 4]  # noqa: PLR2004 - small words have none even in titles
    titled = all(not word[0].islower() for word in long)
    return _small(" ".join(words)) if titled else " ".join(words)


def _small(topic: str) -> str:
    """Title case taken back; names (GitHub, API, Next.js, Node 20) keep their letters."""
    return " ".join(
        word.lower() if re.fullmatch(r"A|[A-Z][a-z]+(?:-[a-z]+)?", word) else word for word in topic.split()
    )
