"""Which language a passage is written in, by a stated heuristic.

In: text, or the chunks of some pages. Out: the language's English name, "" for English and for whatever cannot be told.
Code does not count. A script of its own decides (Kana is Japanese, Hangul Korean, ...); Latin script is told by small
words that one language has and the others lack. It does not tell Bulgarian or Serbian from Russian, or Persian from Arabic.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice

from dragoman.records import Chunk

_FENCE = re.compile(r"\s*(```|~~~)")
_CODE = re.compile(r"`[^`\n]{0,300}`|\]\([^()\s]{0,300}\)|https?://\S{0,300}")
_WORD = re.compile(r"[^\W\d_]+")
_MOST = 20_000  # characters that are looked at: more tell nothing new
_LEAST_SHARE = 0.3  # of the letters: docs in another script still hold names and terms in Latin
_LEAST_HITS = 4
_LEAST_LEAD = 2  # times as many small words as any other language

_SCRIPTS: Mapping[str, str] = {
    "ARABIC": "Arabic",
    "BENGALI": "Bengali",
    "CYRILLIC": "Russian",
    "DEVANAGARI": "Hindi",
    "GREEK": "Greek",
    "HEBREW": "Hebrew",
    "TAMIL": "Tamil",
    "THAI": "Thai",
}
_UKRAINIAN = frozenset("іїєґ")
_TRADITIONAL = frozenset("這個說時會來對們為過學點開關國應該實現數據請選擇設檔")
_SIMPLIFIED = frozenset("这个说时会来对们为过学点开关国应该实现数据请选择设档")

_SMALL_WORDS: Mapping[str, frozenset[str]] = {
    language: frozenset(words.split())
    for language, words in {
        "": "the and of to is that for with this you are be or from can not it by an when if your",
        "German": "der die das und ist nicht mit für auf eine einen wird werden sich auch oder wenn sie dem den zu von im",
        "French": "le les des et est une dans pour que vous avec sur pas votre cette qui ce du sont être",
        "Spanish": "el los las y es una para que con su puede cuando como del se por al más está si",
        "Portuguese": "o os as e é uma para não com você seu pode quando do da dos em ao um são mais",
        "Italian": "il gli le e è una per che non con può quando di della dei nel sono questo alla come",
        "Dutch": "de het een en van is niet met voor op wordt deze zijn worden kan naar dat je bij ook",
        "Polish": "i w na z się nie do jest że to dla są przez lub jak może oraz przy po od",
        "Turkish": "ve bir bu için ile olarak değil veya olan daha gibi kadar sonra her ise çok de da",
        "Vietnamese": "và của là có không được cho các một để với trong này khi bạn hoặc từ những",
    }.items()
}


def language_of(text: str) -> str:
    """The language of a text.

    Args:
        text: Markdown; fenced and inline code is left out.

    Returns:
        Its English name; "" for English and for what cannot be told.
    """
    prose = _prose(text[:_MOST])
    letters = [letter for letter in prose if letter.isalpha()]
    if not letters:
        return ""
    counts = Counter(_script(letter) for letter in letters if ord(letter) > 0x24F)  # noqa: PLR2004 - the end of Latin Extended-B
    foreign = sum(counts[name] for name in counts if name not in {"LATIN", ""})
    if foreign >= _LEAST_SHARE * len(letters):
        return _by_script(counts, frozenset(letters))
    return _by_small_words(prose)


def languages(chunks: Sequence[Chunk]) -> dict[str, str]:
    """The language of each chunk: that of its page, since a chunk alone is often too short to tell.

    Args:
        chunks: All chunks.

    Returns:
        Language by chunk id; see ``language_of``.
    """
    pages: dict[tuple[str, str], list[Chunk]] = {}
    for chunk in chunks:
        pages.setdefault((chunk.source, chunk.path), []).append(chunk)
    found: dict[str, str] = {}
    for page in pages.values():
        # Chunks may begin inside a fence: each is cut free of code by itself.
        text = "\n".join(_prose(chunk.text[:_MOST]) for chunk in islice(page, 50))
        language = language_of(text)
        found |= {chunk.id: language for chunk in page}
    return found


def language_asked(chunk: Chunk, setting: str, known: Mapping[str, str]) -> str:
    """The language to ask in about a chunk.

    Args:
        chunk: The chunk.
        setting: "auto": that of the docs; "": whatever the model does; else the name of a language.
        known: What ``languages`` found.

    Returns:
        English name of a language, or "" when nothing needs to be said.
    """
    return known.get(chunk.id, "") if setting == "auto" else setting


def _prose(text: str) -> str:
    kept = []
    fence = ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if mark and fence in {"", mark[1]}:
            fence = "" if fence else mark[1]
        elif not fence:
            kept.append(_CODE.sub(" ", line))
    return "\n".join(kept)


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]


def _by_script(counts: Mapping[str, int], letters: frozenset[str]) -> str:
    if counts.get("HIRAGANA", 0) + counts.get("KATAKANA", 0) > counts.get("CJK", 0) / 10:
        return "Japanese"
    if counts.get("HANGUL", 0) > counts.get("CJK", 0):
        return "Korean"
    most = max(sorted(name for name in counts if name != "LATIN"), key=lambda name: counts[name])
    if most == "CJK":
        traditional = len(letters & (_TRADITIONAL - _SIMPLIFIED)) > len(letters & (_SIMPLIFIED - _TRADITIONAL))
        return "Traditional Chinese" if traditional else "Simplified Chinese"
    if most == "CYRILLIC" and letters & _UKRAINIAN:
        return "Ukrainian"
    return _SCRIPTS.get(most, "")


def _by_small_words(prose: str) -> str:
    hits: Counter[str] = Counter()
    for word in _WORD.findall(prose.casefold()):
        for language, words in _SMALL_WORDS.items():
            if word in words:
                hits[language] += 1
    ranked = sorted(hits, key=lambda language: (-hits[language], language))
    if not ranked or hits[ranked[0]] < _LEAST_HITS:
        return ""
    second = hits[ranked[1]] if len(ranked) > 1 else 0
    return ranked[0] if hits[ranked[0]] >= _LEAST_LEAD * second else ""
