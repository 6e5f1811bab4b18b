"""What is wrong with the words of a question, as far as words alone can tell.

In: the text of a question, and for leaks the passage that it was made from. Out: the words at fault, "" when there are none.
What a question needs to stand alone is known for English only; in other languages nothing is found, and nothing is lost.
"""

import re
from collections.abc import Iterator, Sequence

_WORD = re.compile(r"\w+")
# Scripts that put no spaces between words: kana, Han, Thai, Lao, Khmer, Burmese. Two signs are about a word.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")
_SEEN = 4000  # characters of a question that are looked at: its length is another step's concern
_MOST_WORDS = 200  # of a question or heading that are compared
_FEWEST_SHARED = 4  # "how do I delete a dataset" is what people ask, whatever the heading says

_PART = (
    "answer|article|block|chapter|code|content|context|description|diagram|doc|docs|document|documentation|example|"
    "excerpt|extract|figure|guide|image|information|instructions|list|note|notebook|output|page|paragraph|passage|"
    "picture|readme|screenshot|script|section|sentence|snippet|step|steps|table|text|tutorial"
)
_API = "argument|class|command|field|function|method|module|option|parameter|setting|variable"
_SHOWN = "defined|described|discussed|explained|given|listed|mentioned|outlined|provided|shown|specified|stated|used"
_POINTING = re.compile(
    rf"""\b(?:
        the\ (?:above|below|preceding|foregoing)\b
      | the\ (?:given|provided|supplied|shown|present|previous|next|code\ )\ ?(?:{_PART})s?\b
      | (?:{_PART}|{_API}|line|lines|one)s?\ (?:above|below)\b
      | (?:as|from|see|{_SHOWN})\ (?:above|below|here)\b
      | (?:according\ to|based\ on|(?:{_SHOWN})\ (?:in|by|on))\ (?:the|this)\ (?:code\ )?(?:{_PART})s?\b
      | (?:in|of|from|by|does)\ the\ (?:passage|excerpt|snippet|extract|readme)s?\b
      | the\ (?:code|example|text)\ (?:{_SHOWN})\b
      | here\s*(?:[?.!,;:]|$)
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_FOLLOWING = re.compile(r"\b(?:the|these) following\b|\bas follows\b", re.IGNORECASE)
_THIS_PART = re.compile(rf"\b(?:this|these|that)\ (?:code |same )?(?P<noun>{_PART}|{_API})(?:e?s)?\b", re.IGNORECASE)
_BARE = re.compile(
    r"""\b(?:
        it|its|they|them|their
      | (?:this|that|these|those)(?=\s*(?:[?.!,;:]|$)
            |\s+(?:is|are|was|do|does|did|mean|means|work|works|happen|happens|affect|affects|in|with|for|when|if|and|or
                 |to|on|from|using|without|instead|by|again|used|called|supposed|good|manually|automatically)\b)
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)
# "Is it possible to ...", "how long does it take to ...": nothing is pointed at.
_EMPTY_IT = re.compile(
    r"""\b(?:(?:is|isn't|was|would|be)\ it\ (?:also\ |always\ |still\ |really\ )?(?:a\ good|possible|necessary|safe|ok
            |okay|required|recommended|worth|better|best|allowed|enough|normal|true|easy|hard|important|common|supported
            |like)
      | (?:does|do|will|would|did|can)\ it\ (?:take|cost|matter|mean\ (?:to|if|when|that))
      | it\ (?:is|'s|was)\ (?:possible|necessary|safe|required|recommended|worth)
      | (?:make|makes|find)\ it\ (?:possible|easy|easier|hard|harder))\b""",
    re.IGNORECASE | re.VERBOSE,
)
_LITTLE = frozenset(
    """a about after all also am an and any are as at be because been before being but by can cannot could did do does
    don done each either else ever every for from had has have having how i if in into is it its itself just ll may me
    might mine more most must my need no not of off on once one only or other our ours out over own please re s same
    shall she should so some something such t than that the their them themselves then there these they this those
    through thing things to too under until up us ve very via want was way ways we well were what when where whether
    which while who whom whose why will with within without would you your yours""".split()  # noqa: SIM905
)
# Verbs that a question opens with; what stands for a thing comes after them.
_DOING = frozenset(
    """access add allow apply build call change check choose clear close configure connect convert copy create
    customize customise debug define delete deploy disable display download edit enable execute explain export extend
    find fix force format get give go handle happen help implement import improve include initialize insert install
    know learn limit list load look make manage mean modify move open override pass prevent print provide put read
    receive remove rename replace reset resolve restart retrieve return run save search see select send set setup show
    solve specify start stop store support switch tell test try turn understand update upgrade upload use used using
    useful validate verify view wait work works write happens means called able possible necessary safe ok okay required
    recommended worth better best allowed enough normal true easy hard important common supported good like""".split()  # noqa: SIM905
)


def words_in(text: str) -> int:
    """How many words a text has; where words are not spaced, two signs count as one.

    Args:
        text: Any text.

    Returns:
        The number of words.
    """
    unspaced = len(_UNSPACED.findall(text))
    return len(_UNSPACED.sub(" ", text).split()) + (unspaced + 1) // 2


def normalised(text: str) -> str:
    """A text without case, punctuation and markup: what two askers of the same have in common.

    Args:
        text: Any text.

    Returns:
        Its words, one space between them. A text without any word is itself, so that "?" and "!" stay apart.
    """
    return " ".join(_WORD.findall(text.casefold())) or text.strip()


def points_elsewhere(text: str) -> str:
    """The words by which a question leans on something that its reader does not see.

    Args:
        text: The question.

    Returns:
        "the example above", "this section", "it" where no thing was named before it; "" for a question that stands
        alone.
    """
    text = " ".join(text[:_SEEN].split())
    if found := _POINTING.search(text):
        return found[0]
    # "the following error: ..." brings along what follows.
    if ":" not in text and (found := _FOLLOWING.search(text)):
        return found[0]
    for found in _THIS_PART.finditer(text):
        if found["noun"].lower() not in _content(text[: found.start()]):
            return found[0]
    return _pronoun(text)


def leak_of(text: str, trail: Sequence[str], passage: str, share: float) -> str:
    """What a question repeats so closely that finding its passage again proves nothing.

    Args:
        text: The question.
        trail: Headings above the passage, the page's title first.
        passage: The passage that answers it.
        share: The question leaks when more than this share of its content words (of four or more) stand in the
            headings in the same order.

    Returns:
        The heading or sentence that is repeated, "" when there is none.
    """
    plain = normalised(text)
    for heading in (*trail, " ".join(trail), " ".join(trail[-2:]), " ".join(reversed(trail[-2:]))):
        if plain == normalised(heading):
            return heading
    for sentence in _sentences(passage):
        if plain == normalised(sentence):
            return sentence
    asked = _content(text)[:_MOST_WORDS]
    if len(asked) >= _FEWEST_SHARED:
        headings = _content(" ".join(trail))[:_MOST_WORDS]
        if _in_order(asked, headings) > share * len(asked):
            return " > ".join(trail)
    return ""


def _pronoun(text: str) -> str:
    """The first pronoun before which no thing is named, "" if there is none."""
    bare = _EMPTY_IT.sub(lambda found: " " * len(found[0]), text)
    if (found := _BARE.search(bare)) and not set(_content(text[: found.start()])) - _DOING:
        return found[0]
    return ""


def _content(text: str) -> list[str]:
    """The words that carry meaning, lower case, a plural's "s" off."""
    words = (word for word in _WORD.findall(text.casefold()) if word not in _LITTLE)
    return [word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word for word in words]  # noqa: PLR2004


def _sentences(text: str) -> Iterator[str]:
    return (sentence for sentence in _SENTENCE_END.split(text) if sentence.strip())


def _in_order(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest common subsequence."""
    row = [0] * (len(other) + 1)
    for word in one:
        before = 0
        for place, match in enumerate(other, start=1):
            before, row[place] = row[place], before + 1 if word == match else max(row[place], row[place - 1])
    return row[-1]
