"""Makes a follow-up a question of its own, so that it can be searched for.

In: the message just sent and the turns before it. Out: what to search for; the message itself where it needs no
history. Either a language model writes it, or a rule: the message, and in brackets what the questions before it were
about. What answers said is left out by the rule: their words drew the search away from the question.
"""

import asyncio
import re
from collections.abc import Sequence

from dragoman.chat.excerpt import shorten
from dragoman.chat.words import content_words
from dragoman.errors import LLMError
from dragoman.models.protocols import Message, TextGenerator
from dragoman.records import Turn

TURNS = 3  # as far back as a follow-up may lean
SECONDS = 10.0  # a reader waits for the answer, not for the question
TOKENS = 60
_SEED = 13
_SHORT = 3  # words; a shorter message rarely names its subject
_SUBJECT = 3  # words of each earlier question; what comes later is mostly the detail that the follow-up replaces
_MANY_WORDS = 45  # of a written question; more is an answer
_ANSWER_CHARS = 300  # of each answer that the model sees
_LEADS = re.compile(
    r"^\W*(?:(?:and|but|or|so|also|then|why|what about|how about|what if|ok(?:ay)?|yes|no)\b[\s,]+)*"
    r"(?:(?:is|are|was|were|do|does|did|can|could|will|would|should|must|has|have|how|why|when|where|what|which)"
    r"(?:'s)?\s+){0,3}(?:it(?!\s+(?:possible|ok|okay|safe|necessary|needed|better|recommended)\b)|its|that|this|they"
    r"|them|their|those|these|the same|the (?:first|second|last|other) one)\b",
    re.IGNORECASE,
)
_OPENERS = re.compile(r"^\W*(?:and|but|or|so|also|then|what about|how about|what if)\b", re.IGNORECASE)
# A message such as "only the settings, without records?" has no verb of its own.
_ELLIPSIS = re.compile(r"^\W*(?:only|just|even|not|with|without|for|in|on|from|to|by|except)\b", re.IGNORECASE)
_VERBAL = re.compile(
    r"\b(?:is|are|was|were|do|does|did|can|could|will|would|should|must|has|have|how|what|why)\b", re.IGNORECASE
)
_POINTER = re.compile(
    r"\b(?:it(?!\s+(?:is|possible|ok|okay)\b)|its|them|they|their|those|these|this|each one|one(?=\W*$)"
    r"|that(?=\W*$|\s+(?:off|on|up|out|in|again|for|with|to|from|by|too)\b))\b",
    re.IGNORECASE,
)
_BACKWARD = re.compile(
    r"\bwhich ones?\b|\bthe \w+ ones?\b|\b(?:instead|too|as well|there|then|otherwise|the same)\W*$", re.IGNORECASE
)
# "a dataset when it holds records", "how do labels get their colour": the subject stands in the message itself.
_NAMED = re.compile(
    r"\b(?:an?|the|my|our|your|every|any|some|all)\s+\w+"
    r"|\b(?:is|are|was|were|do|does|did|can|could|will|would|should|must|has|have)\s+"
    r"(?!(?:i|you|we|they|it|this|that|these|those|there|one|each|not|to|\w+ed)\b)\w+",
    re.IGNORECASE,
)
_ACTION = re.compile(r"\b(?:i|you|we|they|one|to)\s+([a-z]+)\b", re.IGNORECASE)
_LABEL = re.compile(r"^\W*(?:(?:stand-?alone|rewritten|last|new)\s+)?question\s*:\s*", re.IGNORECASE)

_SYSTEM = """\
Rewrite the user's last question so that it is understood without the conversation. Say what words such as "it", \
"that" or "one" stand for, and what was left out. Do not answer it. Write one question and nothing else."""


def is_follow_up(question: str) -> bool:
    """Whether a message can only be understood with the question before it.

    A heuristic, with no model: three words or fewer, a lead such as "and" or "what about", no verb, a word that points
    back ("instead"), or a pronoun whose subject is not named before it in the message ("Can I change it later?").
    """
    if len(question.split()) <= _SHORT or any(sign.search(question) for sign in (_OPENERS, _LEADS, _BACKWARD)):
        return True
    if _ELLIPSIS.match(question) and not _VERBAL.search(question):
        return True
    pointer = _POINTER.search(question)
    return bool(pointer) and not _NAMED.search(question[: pointer.start()] if pointer else "")


def leaned_on(question: str, history: Sequence[Turn]) -> list[Turn]:
    """The turns that a message needs to be understood.

    Args:
        question: The message just sent.
        history: The turns before it, oldest first.

    Returns:
        The last turn whose question stands alone, and those after it; none when the message stands alone.
    """
    leading = question
    kept: list[Turn] = []
    for turn in reversed(history[-TURNS:]):
        if not is_follow_up(leading):
            break
        kept.insert(0, turn)
        leading = turn.question
    return kept


def by_words(question: str, turns: Sequence[Turn]) -> str:
    """Add to a follow-up what the questions before it were about.

    Args:
        question: The message just sent.
        turns: Those it leans on, oldest first.

    Returns:
        The message, and the first words of each in brackets that it lacks. What was to be done with the subject is left
        out, since a follow-up mostly asks for something else: of "How do I create a workspace?", the workspace stays.
    """
    had = {word.casefold() for word in content_words(question)}
    about: dict[str, str] = {}
    for turn in turns:
        actions = {verb.casefold() for verb in _ACTION.findall(turn.question)}
        words = [word for word in content_words(turn.question) if word.casefold() not in had | actions]
        for word in words[:_SUBJECT]:
            about.setdefault(word.casefold(), word)
    return f"{question} ({' '.join(about.values())})" if about else question


async def by_model(generator: TextGenerator, question: str, turns: Sequence[Turn], *, seconds: float = SECONDS) -> str:
    """Have a language model write the question that a follow-up means.

    Args:
        generator: The language model.
        question: The message just sent.
        turns: Those it leans on, oldest first.
        seconds: How long that may take.

    Returns:
        The question; "" when the model failed, was too slow, or wrote something else.
    """
    talk = "\n".join(f"User: {turn.question}\nAssistant: {shorten(turn.answer, _ANSWER_CHARS)}" for turn in turns)
    messages = [Message("system", _SYSTEM), Message("user", f"{talk}\n\nLast question: {question}\nQuestion:")]
    try:
        async with asyncio.timeout(seconds):
            reply = await generator.reply(messages, max_tokens=TOKENS, temperature=0.0, seed=_SEED)
    except (LLMError, TimeoutError):
        return ""
    return _usable(reply.text, question, turns)


def _usable(text: str, question: str, turns: Sequence[Turn]) -> str:
    """The written text, if it is a question, no earlier one again, and says something of the talk that the message does not."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    written = _LABEL.sub("", line).strip(" \t\"'`*")
    talked = {word for turn in turns for word in _folded(f"{turn.question} {turn.answer}")}
    resolved = _folded(written) & (talked - _folded(question))
    repeated = written.casefold() in {turn.question.casefold() for turn in turns}
    asks = written.endswith("?") and len(written.split()) <= _MANY_WORDS
    return written if asks and resolved and not repeated else ""


def _folded(text: str) -> set[str]:
    return {word.casefold() for word in content_words(text)}
