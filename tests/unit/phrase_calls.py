"""Whole calls of a hotline as transcripts without errors, each with the verdict of a fair reviewer.

Place: ``tests/data/phrase-calls.txt`` holds what was said, ``test_phrases`` judges it. Written from the service
standard alone, by somebody who knew neither the matcher nor its script. The times are made up, the same at each
reading: 0.19 to 0.24 s a syllable, as hotlines speak, 0.3 s at a comma, up to a second between turns.
"""

import random
from dataclasses import dataclass
from pathlib import Path

from callcenter.speech.transcript import Segment, Speaker, Transcript, Word

DATA = Path(__file__).parent.parent / "data"
PROOF_CALLS, WIDE_CALLS = DATA / "phrase-calls.txt", DATA / "phrase-calls-wide.txt"
_SPEAKERS: dict[str, Speaker] = {"S": "seat", "C": "caller"}


@dataclass(frozen=True)
class Verdict:
    """A call, and which phrases the seat said in it (required ones: where they belong)."""

    transcript: Transcript
    said: frozenset[str]


def calls(file: Path) -> list[Verdict]:
    blocks = file.read_text("utf-8").split("\n== ")[1:]
    return [_call(*block.strip().splitlines()) for block in blocks]


def _call(head: str, *lines: str) -> Verdict:
    (number, seat, company), told = head.partition(":")[0].split(), head.partition(":")[2]
    choice = random.Random(int(number))
    at, pace, segments = choice.uniform(0.2, 0.5), choice.uniform(0.19, 0.24), list[Segment]()
    for line in lines:
        kind, text = line.split(" ", 1)
        if kind == "~":
            at += float(text)
            continue
        words = _words(text, at, pace, choice)
        segments.append(Segment(_SPEAKERS[kind], words))
        at = words[-1].end + choice.uniform(0.3, 1.0)
    said = frozenset(name.strip() for name in told.split(",") if name.strip())
    return Verdict(Transcript(number, seat, company, tuple(segments)), said)


def _words(text: str, at: float, pace: float, choice: random.Random) -> tuple[Word, ...]:
    """One to three syllables a word, as an engine writes them: without punctuation."""
    words = []
    for part in text.split(","):
        while part:
            size = choice.randint(1, 3)
            syllables, part = part[:size], part[size:]
            words.append(Word(syllables, round(at, 2), round(at + pace * len(syllables), 2), 0.95))
            at += pace * len(syllables)
        at += 0.3
    return tuple(words)
