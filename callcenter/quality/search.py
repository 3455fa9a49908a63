"""Looking for words in transcripts: what a query means, and at which second it was said.

Place on the path of a call: the review page, long after it. The store finds transcripts by ``spoken_text``; the
moments are found here, in the words themselves, so that every database gives the same answer.
Promises: width, case, spaces, punctuation, quotes and invisible characters do not matter, a digit is one digit in every
writing (018, 零一八, 洞幺八), and a traditional character is its simplified one (電話, 电话), on both sides alike; a
term is a piece of what one speaker said in one go.
Never: reads a database.
"""

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from callcenter.quality.han import simplified
from callcenter.speech.digits import WRITTEN
from callcenter.speech.transcript import Segment, Speaker, Transcript, joined

MAX_TERMS, MAX_TERM_CHARACTERS = 6, 60
AROUND_WORDS = 8


def fold(text: str) -> str:
    """Text for comparing: letters and digits only, in one case and in simplified characters, without compatibility
    forms."""
    plain = simplified(unicodedata.normalize("NFKC", text).lower())
    return "".join(filter(_counts, plain)).translate(_DIGITS)


_DIGITS = str.maketrans(dict(WRITTEN))


def _counts(character: str) -> bool:
    """Marks are parts of letters, but for the selectors that only choose how a character is drawn."""
    mark = unicodedata.category(character)[0] == "M" and not "\ufe00" <= character <= "\ufe0f"
    return character.isalnum() or mark


def terms(query: str) -> tuple[str, ...]:
    """The terms of a query, all of which must have been said; too many or too long ones are cut. What has no
    letter at all stays as it is, and is found nowhere: it must not mean everything."""
    words = query[:400].split()
    told = [folded for folded in map(fold, words) if folded] or words
    return tuple(dict.fromkeys(word[:MAX_TERM_CHARACTERS] for word in told))[:MAX_TERMS]


@dataclass(frozen=True, slots=True)
class Moment:
    """Where a term was said. ``before``, ``said``, ``after``: a few words for reading."""

    term: str
    speaker: Speaker
    start: float
    end: float
    before: str
    said: str
    after: str


def spoken_text(transcript: Transcript) -> str:
    """All that a term can be found in: what was said in one go, folded, in a line of its own."""
    return "\n".join("".join(fold(word.word) for word in segment.words) for segment in transcript.segments)


def moments(transcript: Transcript, wanted: Iterable[str]) -> list[Moment]:
    """Every place in which one of the folded terms was said, in order of time."""
    sought = tuple(wanted)
    found = [moment for segment in transcript.segments for term in sought for moment in _within(segment, term)]
    return sorted(found, key=lambda moment: moment.start)


def all_said(transcript: Transcript, wanted: tuple[str, ...]) -> list[Moment]:
    """The moments, or none if one of the terms was never said."""
    found = moments(transcript, wanted)
    return found if {moment.term for moment in found} == set(wanted) else []


def _within(segment: Segment, term: str) -> Iterator[Moment]:
    folded = [fold(word.word) for word in segment.words]
    ends = list(accumulate(map(len, folded)))
    text, at = "".join(folded), 0
    while term and (at := text.find(term, at)) >= 0:
        first, last = bisect_right(ends, at), bisect_right(ends, at + len(term) - 1)
        yield _moment(segment, term, first, last)
        at += len(term)


def _moment(segment: Segment, term: str, first: int, last: int) -> Moment:
    words = [word.word for word in segment.words]
    return Moment(
        term,
        segment.speaker,
        segment.words[first].start,
        segment.words[last].end,
        joined(words[max(0, first - AROUND_WORDS) : first]),
        joined(words[first : last + 1]),
        joined(words[last + 1 : last + 1 + AROUND_WORDS]),
    )
