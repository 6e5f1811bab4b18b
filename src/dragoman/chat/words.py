"""The words of a text that say what it is about.

In: a question or a sentence. Out: its words, without those that only hold a sentence together. Knows no passages and
no language but English; in another, few words are left out.
"""

import re

# A word keeps its dots, hyphens and underscores inside: client.users, opt-out, min_submitted.
_WORD = re.compile(r"[^\W_](?:[\w.-]*\w)?")
_PLAIN = """
a about after again all also an and another any anyone anything are as at be been before being but by can could did do
does doing done each either else every everyone everything exactly for from get gets getting give go goes got had has
have having he her here him his how i if in into instead is it its just kind later let like made make makes making many
may me mean more most much must my need needs no not now of off ok okay on once one ones only or other our out over
please put same say says several shall she should so some somewhere such take takes tell than that the their them then
there these they thing things this those to too up us use used uses using very want wants was way we well were what
when where which while who whom whose why will with without work works would yes you your afterwards
"""
_FUNCTION_WORDS = frozenset(_PLAIN.split())


def content_words(text: str) -> list[str]:
    """Words that carry the meaning of a text.

    Args:
        text: A question or a sentence.

    Returns:
        The words as written and in their order, each once whatever its case.
    """
    found: dict[str, str] = {}
    for word in _WORD.findall(text.replace("'s ", " ").replace("’s ", " ")):
        folded = word.casefold()
        if folded not in _FUNCTION_WORDS:
            found.setdefault(folded, word)
    return list(found.values())
