"""Whole calls and single sentences of hotlines of many trades, each line with the verdict of a fair reviewer.

Place: ``tests/data/phrase-third-*.txt`` hold what was said, ``test_phrases_third`` judges it. Written from the service
standard alone, before its writer had seen matcher, script or the older sets. ``@name`` behind a line: a required
phrase is said there; ``!name``: a breach; ``?name``: two honest reviewers might differ, and it is left out
of every count.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from callcenter.quality.matching import judge
from callcenter.quality.scripts import Script
from callcenter.speech.transcript import Segment, Speaker, Transcript, Word
from tests.unit.confusion import Score, garbled

DATA = Path(__file__).parent.parent / "data"
_SPEAKERS: dict[str, Speaker] = {"S": "seat", "C": "caller"}
_WAIT = 14.0
"""Seconds of silence once a wait has been announced and the caller has agreed."""


@dataclass(frozen=True)
class Third:
    """What was said, what of it the reviewer marked, and of which phrases nothing is counted."""

    name: str
    seat: str
    company: str
    lines: tuple[tuple[Speaker, str], ...]
    waits: frozenset[int]
    said: frozenset[str]
    open: frozenset[str]
    sentence: bool = False

    def transcript(self, rate: float = 0.0, seed: int = 0) -> Transcript:
        """``rate``: how many of the characters are heard wrongly."""
        choice = random.Random(f"{self.name} {seed}")
        at, pace, segments = choice.uniform(0.2, 0.5), choice.uniform(0.19, 0.24), list[Segment]()
        for number, (speaker, text) in enumerate(self.lines):
            words = list[Word]()
            for part in text.split(","):
                heard = garbled(part, choice, rate) if rate else part
                while heard:
                    size = choice.randint(1, 3)
                    words.append(Word(heard[:size], round(at, 2), round(at + pace * len(heard[:size]), 2), 0.95))
                    at, heard = at + pace * len(heard[:size]), heard[size:]
                at += 0.3
            segments.append(Segment(speaker, tuple(words)))
            at += _WAIT if number in self.waits else choice.uniform(0.3, 1.0)
        return Transcript(self.name, self.seat, self.company, tuple(segments))


def read(file: Path) -> list[Third]:
    """Blocks that begin with ``# name seat company`` are calls; lines below ``## seat … company …`` are sentences."""
    found, block = list[Third](), list[str]()
    for line in [*file.read_text("utf-8").splitlines(), "#"]:
        if line.startswith("#"):
            found += _of(block)
            block = []
        if line.strip():
            block.append(line)
    return found


def _of(block: Sequence[str]) -> Iterator[Third]:
    if not block or not block[0].startswith("#") or len(block) < 2:
        return
    head, *lines = block
    if head.startswith("##"):
        _, _, seat, _, company = head.split()
        for line in lines:
            mark, text = line.split(" ", 1)
            verdict, nothing = frozenset([mark.lstrip("?")]) - {"none"}, frozenset[str]()
            both = (nothing, verdict) if mark.startswith("?") else (verdict, nothing)
            yield Third(f"sentence-{text}", seat, company, (("seat", text),), frozenset(), *both, sentence=True)
        return
    _, call, seat, company = head.split()
    told, waits, marks = list[tuple[Speaker, str]](), set[int](), list[str]()
    for number, line in enumerate(lines):
        speaker, text, *behind = line.split(" ")
        told.append((_SPEAKERS[speaker], text.rstrip("?!")))
        marks += behind
        if "@wait_announcement" in behind and number + 1 < len(lines):
            waits.add(number + 1 if lines[number + 1].startswith("C") else number)
    said = frozenset(mark[1:] for mark in marks if mark[0] in "@!")
    left_out = frozenset(mark[1:] for mark in marks if mark[0] == "?")
    yield Third(call, seat, company, tuple(told), frozenset(waits), said, left_out)


@dataclass
class Figures:
    """By phrase: all findings, and only the sure ones. ``clean``: calls without any breach; ``accused``: those of them
    that a sure one is found in, ``suspected``: a doubtful one."""

    either: dict[str, Score]
    sure: dict[str, Score]
    clean: int = 0
    accused: int = 0
    suspected: int = 0


def figures(given: Iterable[Third], script: Script, rate: float = 0.0, rounds: int = 1) -> Figures:
    """``rounds``: how often each is heard, with other errors. What is left open is not counted."""
    told = Figures({p.name: Score() for p in script.phrases}, {p.name: Score() for p in script.phrases})
    kinds = {phrase.name: phrase.kind for phrase in script.phrases}
    for one in given:
        breached = {name for name in one.said | one.open if kinds[name] == "forbidden"}
        for seed in range(rounds):
            findings = judge(one.transcript(rate, seed), script)
            for finding in findings:
                name, said = finding.phrase, finding.phrase in one.said
                if name in one.open or (one.sentence and one.open):
                    continue
                doubtful = finding.band == "doubtful"
                told.either[name].add(said, finding.found, doubtful)
                told.sure[name].add(said, finding.found and not doubtful, doubtful)
            if not one.sentence and not breached:
                found = {f.band for f in findings if f.kind == "forbidden" and f.found}
                told.clean += 1
                told.accused += "sure" in found
                told.suspected += found == {"doubtful"}
    return told
