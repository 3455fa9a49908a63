"""What fills the slots of a phrase: the seat's work number (工号) and the company's name, in all ways to say them (A2).

Place on the path of a call: below ``quality/matching``. Promises: pure; a number that is clearly another one is never
taken for the seat's. Never: guesses a number that the transcript does not give.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from callcenter.quality.align import EXTRA, Laid, Line, Piece, lay, piece_of
from callcenter.quality.sounds import BOUNDARY, DIGITS, ENGLISH_DIGITS, TENS, digit_row, edits, row, units

SHAKY = 0.3
"""A number or name that cost more was perhaps another one."""
_MARGIN = 4
"""Units beside the figures of a number that may be others of it, misheard."""
_UNLIKE = 0.45
"""What is less like the company's name than this is not that name."""
_LONG_NAME, _BRIEF_COST = 4, 0.15
"""A name of so many syllables has a short one; what that may cost: hardly anything, two syllables are like too much."""

_DIGIT_WEIGHT = 0.7
_ANOTHER_DIGIT = 1.0
_UNNAMED_COST = 0.4
"""What a number of two figures may cost where no 号 follows: 看一下 is like 十八."""
_EXTRA: Mapping[str, float] = dict(EXTRA) | dict.fromkeys((*DIGITS, *TENS, *ENGLISH_DIGITS), _ANOTHER_DIGIT)
_LEGAL_FORM = re.compile(r"(股份|集团|控股)*(有限)?(责任)?公司$|集团$|,? (inc|ltd|llc|co|corp|gmbh)\.?$", re.IGNORECASE)
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TIES = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_FIGURES = frozenset((*DIGITS, *TENS, *ENGLISH_DIGITS, *_TEENS, *_TIES))


class Slots:
    """The number and the name that one transcript gives."""

    def __init__(self, number: str, company: str, language: str) -> None:
        self.number, self.company, self._language = number.strip(), company.strip(), language
        self._numbers = number_pieces(self.number, language) if self.number else ()
        self._companies = company_pieces(self.company, language) if self.company else ()
        self._brief = brief_piece(self.company, language) if self.company else None
        self._known: dict[tuple[Line, int, int, bool], Filled] = {}

    def number_in(self, heard: Line, low: int, high: int, behind: bool) -> "Filled":
        """Where the seat's number was said between ``low`` and ``high``; any number, where the seat's is not known.
        ``behind``: what it belongs to ends at ``low``, otherwise it begins at ``high``."""
        key = heard, low, high, behind
        if key not in self._known:
            self._known[key] = self._number_in(heard, low, high, behind)
        return self._known[key]

    def _number_in(self, heard: Line, low: int, high: int, behind: bool) -> "Filled":
        if not self.number:
            return Filled(_any_number(heard, low, high), shaky=True)
        runs = list(_figures(heard, low, high))
        if not runs:
            return Filled(None)
        found = self._seats_number(heard, max(low, runs[0][0] - _MARGIN), min(high, runs[-1][1] + _MARGIN))
        between = (low, found.start) if found and behind else (found.end, high) if found else (0, 0)
        if another_number(heard, *between):
            found = None  # the greeting told that one; what comes later belongs to another sentence
        if found is None:
            return Filled(self._one_digit_off(heard, low, high, behind), off=True)
        return Filled(found, shaky=found.cost > SHAKY)

    def _seats_number(self, heard: Line, low: int, high: int) -> Laid | None:
        best: Laid | None = None
        for piece in self._numbers:
            most = _most(len(piece.weights))
            laid = lay(piece, heard, low, high, most if best is None else min(best.cost, most))
            if laid is None:
                continue
            laid = laid._replace(cost=laid.cost + _neighbours(heard, laid))
            known = sum(map(_is_figure, heard.texts[laid.start : laid.end]))
            if len(piece.weights) == 2 and not _named(heard, laid.end):
                most = min(most, _UNNAMED_COST)
            enough = laid.cost <= most and 2 * known >= len(piece.weights) - 1 and known
            if enough and (best is None or laid.cost < best.cost):
                best = laid
        return best

    def _one_digit_off(self, heard: Line, low: int, high: int, behind: bool) -> Laid | None:
        """A number of two digits or more that is the seat's but for one too many, too few or another."""
        own = "".join(map(_value, _plain(self.number, self._language)))
        ways = {own, own.lstrip("0")} if len(own) > 1 else set()
        for start, end in _figures(heard, low, high):
            said = "".join(map(_value, heard.texts[start:end]))
            if len(said) == end - start > 1 and any(edits(way, said) == 1 for way in ways):
                return Laid(_DIGIT_WEIGHT, start, end)
            if behind and end - start > 1:
                return None  # that is the number that was told
        return None

    def company_in(self, heard: Line, low: int, high: int) -> "Filled":
        """Where the company was named; its legal form may be missing. Of a name of four syllables or more the first two
        may stand for it (康达 for 康达家电), which is never sure."""
        best: Laid | None = None
        for piece in self._companies:
            laid = lay(piece, heard, low, high, _UNLIKE * piece.weight)
            if laid is not None and (best is None or laid.cost < best.cost):
                best = laid
        if best is None and self._brief is not None:
            best = lay(self._brief, heard, low, high, _BRIEF_COST)
            return Filled(best, shaky=True)
        return Filled(best, shaky=best is not None and best.cost > SHAKY)


class Filled(NamedTuple):
    """Where a slot was filled, if it was. ``shaky``: perhaps by something else; ``off``: by a number one digit off."""

    laid: Laid | None
    shaky: bool = False
    off: bool = False


def another_number(heard: Line, low: int, high: int) -> bool:
    """Whether two figures or more stand together between ``low`` and ``high``."""
    return any(end - start > 1 for start, end in _figures(heard, low, high))


@lru_cache(maxsize=4096)
def number_pieces(number: str, language: str) -> tuple[Piece, ...]:
    """Digit by digit, without zeros in front, and as a number (十八)."""
    plain = _plain(number, language)
    ways = {tuple(plain), tuple("".join(plain).lstrip("0")) if all(len(c) == 1 for c in plain) else ()}
    found = [_digits(way, language) for way in sorted(ways) if way]
    if re.fullmatch(r"[0-9]{2,4}", "".join(plain)):
        found += [_digits(way, language) for way in _as_number(int("".join(plain)), language)]
    return tuple(found)


def _plain(number: str, language: str) -> list[str]:
    return [unit[0] for unit in units(number, language) if unit[0] not in (BOUNDARY, "工", "号", "號")]


@lru_cache(maxsize=4096)
def company_pieces(company: str, language: str) -> tuple[Piece, ...]:
    names = {company, _LEGAL_FORM.sub("", company)}
    return tuple(piece_of(name, language) for name in sorted(names) if units(name, language))


@lru_cache(maxsize=4096)
def brief_piece(company: str, language: str) -> Piece | None:
    """What a Chinese company is called for short; ``None`` for a name that is short itself."""
    name = _LEGAL_FORM.sub("", company)
    return piece_of(name[:2], language) if language == "zh" and len(units(name, language)) >= _LONG_NAME else None


def _digits(way: Sequence[str], language: str) -> Piece:
    rows = tuple(digit_row(c, language) if c in "0123456789" else row((units(c, language)[0],), language) for c in way)
    return Piece("".join(way), rows, (_DIGIT_WEIGHT,) * len(rows), (), _EXTRA, language)


def _as_number(value: int, language: str) -> Iterator[tuple[str, ...]]:
    """一百零八, 十八: what a number of two to four figures is called. Digits stand as figures."""
    if language == "en":
        if 10 <= value < 100:
            tens, ones = divmod(value, 10)
            yield (_TEENS[ones],) if tens == 1 else (_TIES[tens - 2], *([str(ones)] if ones else []))
        return
    if value < 10:
        return
    said, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        figure = value // unit % 10
        if figure:
            said, zero = said + ("0" if zero else "") + str(figure) + name, False
        elif said:
            zero = True
    yield tuple(said)
    if said.startswith("1十"):
        yield tuple(said[1:])


def _most(figures: int) -> float:
    """What a number may cost. One digit has to be written as one; a clearly different digit always costs more."""
    return (0.0, 0.0, 0.5, 0.75)[figures] if figures < 4 else 1.45


def _neighbours(heard: Line, laid: Laid) -> float:
    """018 is no part of 1018 or 0180: a digit beside it makes it another number. A zero in front changes nothing."""
    texts, front = heard.texts, laid.start
    while front and _value(texts[front - 1]) == "0":
        front -= 1
    before = texts[front - 1] if front else ""
    after = texts[laid.end] if laid.end < len(texts) else ""
    wrong = _is_figure(before) + _is_figure(after)
    return wrong * (_ANOTHER_DIGIT + 0.5)


def _named(heard: Line, at: int) -> bool:
    """Whether the word that says a number follows."""
    return at < len(heard.texts) and heard.texts[at] in "号好耗"


def _value(text: str) -> str:
    return DIGITS.get(text) or ENGLISH_DIGITS.get(text, "")


def _is_figure(text: str) -> bool:
    return text in _FIGURES


def _figures(heard: Line, low: int, high: int) -> Iterator[tuple[int, int]]:
    """From where to where figures stand side by side, between ``low`` and ``high``; the last may reach beyond."""
    texts, at, high = heard.texts, max(0, low), min(high, len(heard.texts))
    while at < high:
        start = at
        while at < len(texts) and texts[at] in _FIGURES:
            at += 1
        if at > start:
            yield start, at
        at += 1


def _any_number(heard: Line, low: int, high: int) -> Laid | None:
    """The first run of digits. It cannot be sure: nobody said which number is right."""
    return next((Laid(0.6, start, end) for start, end in _figures(heard, low, high)), None)
