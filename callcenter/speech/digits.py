"""Digits as digits, and personal numbers out of sight: what happens to a transcript before anybody stores it.

Place on the path of a call: between the engine and the store; phrases are looked for in what this leaves.
Promises: a run of ``RUN`` spoken digits or more becomes one word of Arabic digits with the run's own times; a number
that is as long as a telephone's, also when it is said with pauses or with a 嗯 or "um" in between, keeps its last two
digits only; words keep their times.
Never: touches digits that stand alone (三 in 三天); stores or logs a number.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import NamedTuple

from callcenter.speech.transcript import MAX_WORD, SPEAKERS, Segment, Speaker, Transcript, Word, joined

RUN = 2
"""Digits in a row from which on they are a number. A single 一 is a word like any other."""
PAUSE_SECONDS = 4.0
"""A number goes on after a pause of up to so long."""
SHOWN = 2
MASK = "*"

WRITTEN: Mapping[str, str] = dict(
    zip("零〇洞一幺壹二两兩贰三叁四肆五伍六陆七拐柒八捌九勾玖", "00011122223344556677788999", strict=True)
)
"""Every character for a digit (洞 幺 拐 勾 are those of telephone operators), for comparing: in a transcript 洞 and 勾
are mostly other words, so what is stored keeps to the fewer below."""
_HAN = {**dict(zip("零一二三四五六七八九", "0123456789", strict=True)), "〇": "0", "幺": "1", "两": "2"}
_ENGLISH = dict(
    zip(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"), "0123456789", strict=True)
)

_OH = frozenset({"oh", "o"})
"""English for nought, among digits: "one three oh two". Alone or beside a single digit it is a word like any other."""

# What is read for hiding only: in what is stored it stays as it was said.
_AMONG_DIGITS = dict.fromkeys(_OH, "0") | {one: WRITTEN[one] for one in "洞拐勾"}
"""Digits only behind other ones."""
_TEENS = {
    name: str(n)
    for n, name in enumerate(
        (
            *("ten", "eleven", "twelve", "thirteen", "fourteen"),
            *("fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
        ),
        10,
    )
}
_TIES = dict(
    zip(("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), "23456789", strict=True)
)
_TIMES = {"double": 2, "triple": 3, "treble": 3}
_FULL_WIDTH = {ord("０") + n: str(n) for n in range(10)}

FILLERS = (
    *("那个", "这个", "就是", "然后", "那", "就", "是", "对", "呢", "横杠", "杠"),
    *("er", "erm", "um", "uh", "uhm", "hm", "hmm", "mm", "ah", "eh", "well", "like", "then", "it's", "dash", "hyphen"),
)
"""Words that say nothing inside a number. What joins two figures in ordinary talk (和, "and", "to", 点) is none."""
_SOUNDS = "嗯啊呃额哦噢喔唔诶欸哎唉呀"
"""The same, of any length: 嗯, 嗯嗯, 呃啊."""
MAX_FILLERS = 2
"""More of them in a row end a number."""

_INNER = r"\s\-‐‑‒–—―－_~·•,，、()（）+＋"
_EDGE = _INNER + r".。．…;；:：!！?？'\"“”‘’"
_NAMES = "|".join(sorted((*_ENGLISH, *_OH, *_TEENS, *_TIES, *_TIMES), key=len, reverse=True))
_PART = re.compile(rf"(?:{_NAMES})(?![a-z])|[0-9０-９零〇一二三四五六七八九幺两洞拐勾]", re.IGNORECASE)
_PIECE = re.compile(
    rf"[{_EDGE}{_SOUNDS}]*(?:(?:{_PART.pattern})[{_INNER}{_SOUNDS}]*)+[{_EDGE}{_SOUNDS}]*", re.IGNORECASE
)
"""A word that is nothing but figures, with what stands between and beside them: 138-0013-8000，"""
_OTHER = re.compile(
    rf"[{_EDGE}]*(?:(?:19|20)\d\d-(?:0?[1-9]|1[0-2])-(?:0?[1-9]|[12]\d|3[01])|\d{{1,3}}(?:[,，]\d{{3}})+)[{_EDGE}]*",
    re.ASCII,
)
"""A date, an amount with its thousands: a word that tells by its form that it is nobody's number."""
_BETWEEN = re.compile(
    rf"[{_EDGE}]*(?:(?:[{_SOUNDS}]+|(?:{'|'.join(sorted(FILLERS, key=len, reverse=True))})(?![a-z']))[{_EDGE}]*)"
    rf"{{0,{MAX_FILLERS}}}"
)


def digits_of(word: str) -> str:
    """The digits that a word says, or "" if it says anything else."""
    if word.lower() in _ENGLISH:
        return _ENGLISH[word.lower()]
    told = "".join(_HAN.get(character, character) for character in word.translate(_FULL_WIDTH))
    return told if told.isascii() and told.isdigit() else ""


def normalised(transcript: Transcript) -> Transcript:
    """Runs of digits become one word each."""
    segments = (replace(segment, words=tuple(_joined(segment.words))) for segment in transcript.segments)
    return replace(transcript, segments=tuple(segments))


def _joined(words: tuple[Word, ...]) -> Iterator[Word]:
    for _, group in groupby(words, lambda word: bool(digits_of(word.word)) or _is_oh(word)):
        run = list(group)
        known = sum(bool(digits_of(word.word)) for word in run)
        number = "".join(digits_of(word.word) or "0" for word in run) if known else ""
        if len(number) >= RUN and (known == len(run) or known > 1):
            yield from map(_number_of, _parts(run))
        else:
            yield from run


def _number_of(run: Sequence[Word]) -> Word:
    number = "".join(digits_of(word.word) or "0" for word in run)
    return Word(number, run[0].start, run[-1].end, min(word.conf for word in run))


def _parts(run: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """The run, cut where a number would be longer than a word may be."""
    begin, length = 0, 0
    for n, word in enumerate(run):
        length += len(word.word)
        if length > MAX_WORD and n > begin:
            yield run[begin:n]
            begin, length = n, len(word.word)
    yield run[begin:]


def _is_oh(word: Word) -> bool:
    return word.word.lower() in _OH


def masked(transcript: Transcript, from_digits: int) -> Transcript:
    """Numbers of ``from_digits`` digits or more lose all but their last two; 0 leaves everything as it is."""
    if not from_digits:
        return transcript
    hidden = {key: text for who in SPEAKERS for key, text in _hidden(transcript, who, from_digits)}
    segments = (
        replace(
            segment,
            words=tuple(
                replace(word, word=hidden.get((number, place), word.word)) for place, word in enumerate(segment.words)
            ),
        )
        for number, segment in enumerate(transcript.segments)
    )
    return replace(transcript, segments=tuple(segments))


class _Figure(NamedTuple):
    """Digits in a word: where they stand in it, and which they are."""

    start: int
    end: int
    digits: str


class _Piece(NamedTuple):
    """A word of a number, and its place."""

    key: tuple[int, int]
    word: str
    figures: Sequence[_Figure]


def _hidden(transcript: Transcript, who: Speaker, from_digits: int) -> Iterator[tuple[tuple[int, int], str]]:
    run: list[_Piece] = []
    between: list[str] = []
    ended = 0.0
    said = list(_said(transcript.segments, who))
    following = [*(word.word for _, word in said[1:]), ""]
    for (key, word), after in zip(said, following, strict=False):
        if run and (word.start - ended > PAUSE_SECONDS or (_PIECE.fullmatch(word.word) and not _goes_on(between))):
            yield from _covered(run, from_digits)
            run = []
        figures = _figures(word.word, after, bool(run))
        if figures:
            run.append(_Piece(key, word.word, figures))
        between = [] if figures or not run else [*between, word.word]
        ended = word.end
    yield from _covered(run, from_digits)


def _goes_on(between: Sequence[str]) -> bool:
    """Whether these words may stand inside a number."""
    return bool(_BETWEEN.fullmatch(joined([*between]).lower()))


def _figures(word: str, after: str, going: bool) -> list[_Figure]:
    """The digits of a word, or none if it says anything else. ``after``: the next word; ``going``: among digits."""
    if not _PIECE.fullmatch(word) or _OTHER.fullmatch(word):
        return []
    found: list[_Figure] = []
    parts = list(_PART.finditer(word))
    for part, following in zip(parts, [*(one[0] for one in parts[1:]), _first(after)], strict=True):
        digits = _told(part[0].lower(), following.lower(), going or bool(found))
        if not digits:
            return []
        found.append(_Figure(part.start(), part.end(), digits))
    return found


def _first(word: str) -> str:
    part = _PART.search(word) if _PIECE.fullmatch(word) else None
    return part[0] if part else ""


def _told(part: str, following: str, going: bool) -> str:
    """``thirty`` is 3 before a digit and else 30; ``double`` is as many digits more as the next one needs."""
    one = digits_of(following)[:1]
    if part in _TIMES:
        return (one or _AMONG_DIGITS.get(following, "")) * (_TIMES[part] - 1)
    if part in _TIES:
        return _TIES[part] + ("" if one > "0" else "0")
    return _TEENS.get(part) or (_AMONG_DIGITS.get(part, "") if going else "") or digits_of(part)


def _said(segments: tuple[Segment, ...], who: Speaker) -> Iterator[tuple[tuple[int, int], Word]]:
    for number, segment in enumerate(segments):
        if segment.speaker == who:
            yield from (((number, place), word) for place, word in enumerate(segment.words))


def _covered(run: Sequence[_Piece], from_digits: int) -> Iterator[tuple[tuple[int, int], str]]:
    left = sum(len(figure.digits) for piece in run for figure in piece.figures)
    if left < from_digits:
        return
    for piece in run:
        text, at = "", 0
        for figure in piece.figures:
            shown = "".join(MASK if left - n > SHOWN else digit for n, digit in enumerate(figure.digits))
            text, at, left = text + piece.word[at : figure.start] + shown, figure.end, left - len(figure.digits)
        yield piece.key, text + piece.word[at:]
