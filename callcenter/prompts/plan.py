"""From a specification to the pieces of each prompt: pure text, no sound.

Place on the path of a call: decides what the caller will hear when the seat lifts (A2) and when nobody does (A1).
Promises: numbers are said digit by digit; a piece may be replaced by a recording only if the recording's words are the
same; the same specification gives the same plan.
Never: opens a file, or says a digit string as a quantity.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from callcenter.prompts.names import STANDARD, common_name, digit_name, greeting_name, suffixes
from callcenter.prompts.phrases import DIGITS, YAO, Phrases, Voice
from callcenter.prompts.spec import Company, PromptSpec, Seat

DIGIT_PAUSE_MS = 60
"""Silence between two digits, so that they are heard one by one."""
PHRASE_PAUSE_MS = 120


@dataclass(frozen=True, slots=True)
class Piece:
    """Words spoken in one go. ``recordings``: names of recorded pieces with these words, best first."""

    words: str
    recordings: tuple[str, ...] = ()
    pause_ms: int = 0
    """Silence after it."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One file to build: ``name`` without ``.wav``."""

    name: str
    language: str
    voice: Voice
    pieces: tuple[Piece, ...]

    @property
    def words(self) -> str:
        return " ".join(piece.words for piece in self.pieces)


def plan(spec: PromptSpec) -> list[Prompt]:
    """All prompts of ``spec`` in a fixed order: per language the common ones, the digits, then the greetings."""
    return [prompt for phrases in spec.phrases for prompt in _of_language(spec, phrases)]


def _of_language(spec: PromptSpec, phrases: Phrases) -> Iterator[Prompt]:
    yield from _common(spec, phrases)
    for digit in [*DIGITS, YAO]:
        if digit in phrases.digits:
            yield _prompt(phrases, digit_name(phrases.language, digit), _digit(digit, phrases.digits[digit], 0))
    for seat in spec.seats:
        for company in spec.companies:
            for variant in spec.variants:
                name = greeting_name(phrases.language, seat.extension, company.key, variant)
                yield _prompt(phrases, name, *_greeting(spec, phrases, seat, company, variant))


def _common(spec: PromptSpec, phrases: Phrases) -> Iterator[Prompt]:
    for kind, text in phrases.common.items():
        for company in spec.companies if "{company}" in text else spec.companies[:1]:
            piece = Piece(_with_company(text, phrases, company))
            yield _prompt(phrases, common_name(kind, phrases.language, company.key), piece)


def _greeting(spec: PromptSpec, phrases: Phrases, seat: Seat, company: Company, variant: str) -> Iterator[Piece]:
    number = phrases.number(seat.work_number, spec.one_as_yao)
    before, after = _around(phrases, company, variant)
    if before:
        yield Piece(before, _recordings(spec, phrases, company, variant, after=False), PHRASE_PAUSE_MS)
    for place, (key, word) in enumerate(number, 1):
        last_pause_ms = PHRASE_PAUSE_MS if after else 0
        yield _digit(key, word, DIGIT_PAUSE_MS if place < len(number) else last_pause_ms)
    if after:
        yield Piece(after, _recordings(spec, phrases, company, variant, after=True))


def _recordings(spec: PromptSpec, phrases: Phrases, company: Company, variant: str, after: bool) -> tuple[str, ...]:
    """A more general recording may stand in only where it says the same: never another company's name."""
    first = spec.companies[0]
    words = _around(phrases, company, variant)[after]
    candidates = [(company, variant), (company, STANDARD), (first, variant), (first, STANDARD)]
    same = [each for each in candidates if _around(phrases, *each)[after] == words]
    stem = "greeting-after" if after else "greeting-before"
    return tuple(dict.fromkeys("-".join((stem, *suffixes(owner.key, kind))) for owner, kind in same))


def _around(phrases: Phrases, company: Company, variant: str) -> tuple[str, str]:
    """The words before and after the number; a mark alone (a full stop) is no words."""
    before, _, after = phrases.greeting[variant].partition("{number}")
    return _words(_with_company(before, phrases, company)), _words(_with_company(after, phrases, company))


def _words(text: str) -> str:
    return text.strip() if any(character.isalnum() for character in text) else ""


def _with_company(text: str, phrases: Phrases, company: Company) -> str:
    return text.replace("{company}", company.names[phrases.language])


def _digit(key: str, word: str, pause_ms: int) -> Piece:
    return Piece(word, (f"digit-{key}",), pause_ms)


def _prompt(phrases: Phrases, name: str, *pieces: Piece) -> Prompt:
    return Prompt(name, phrases.language, phrases.voice, pieces)
