"""Digits as digits, and personal numbers out of sight: what happens to a transcript before anybody stores it.

Place on the path of a call: between the engine and the store; phrases are looked for in what this leaves.
Promises: a run of ``RUN`` spoken digits or more becomes one word of Arabic digits with the run's own times; a number
that is as long as a telephone's, also when it is said with pauses, keeps its last two digits only.
Never: touches digits that stand alone (三 in 三天); stores or logs a number.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from callcenter.speech.transcript import MAX_WORD, SPEAKERS, Segment, Speaker, Transcript, Word

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


def digits_of(word: str) -> str:
    """The digits that a word says, or "" if it says anything else."""
    if word.lower() in _ENGLISH:
        return _ENGLISH[word.lower()]
    told = "".join(_HAN.get(character, character) for character in word)
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


def _hidden(transcript: Transcript, who: Speaker, from_digits: int) -> Iterator[tuple[tuple[int, int], str]]:
    run: list[tuple[tuple[int, int], str]] = []
    ended = 0.0
    for key, word in _said(transcript.segments, who):
        number = digits_of(word.word) or ("0" if run and _is_oh(word) else "")
        if not number or word.start - ended > PAUSE_SECONDS:
            yield from _covered(run, from_digits)
            run = []
        if number:
            run.append((key, number))
        ended = word.end
    yield from _covered(run, from_digits)


def _said(segments: tuple[Segment, ...], who: Speaker) -> Iterator[tuple[tuple[int, int], Word]]:
    for number, segment in enumerate(segments):
        if segment.speaker == who:
            yield from (((number, place), word) for place, word in enumerate(segment.words))


def _covered(run: list[tuple[tuple[int, int], str]], from_digits: int) -> Iterator[tuple[tuple[int, int], str]]:
    total = sum(len(number) for _, number in run)
    if total < from_digits:
        return
    left = total
    for key, number in run:
        shown = "".join(MASK if left - place > SHOWN else digit for place, digit in enumerate(number))
        left -= len(number)
        yield key, shown
