"""What fills the slots of a phrase: the seat's work number (工号) and the company's name, in all ways to say them (A2).

Place on the path of a call: below ``quality/matching``. Promises: pure; a number that is clearly another one is never
taken for the seat's. Never: guesses a number that the transcript does not give.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

from callcenter.quality.align import EXTRA, Laid, Line, Piece, lay, piece_of
from callcenter.quality.sounds import BOUNDARY, DIGITS, ENGLISH_DIGITS, TENS, digit_row, row, units

_DIGIT_WEIGHT = 0.7
_ANOTHER_DIGIT = 1.0
_EXTRA: Mapping[str, float] = dict(EXTRA) | dict.fromkeys((*DIGITS, *TENS, *ENGLISH_DIGITS), _ANOTHER_DIGIT)
_LEGAL_FORM = re.compile(r"(股份|集团|控股)*(有限)?(责任)?公司$|集团$|,? (inc|ltd|llc|co|corp|gmbh)\.?$", re.IGNORECASE)
_TEENS = ["ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
_TIES = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def number_in(number: str, heard: Line, low: int, high: int, language: str) -> Laid | None:
    """Where the seat's number was said between ``low`` and ``high``; any number, where the seat's is not known."""
    if not number:
        return _any_number(heard, low, high)
    best: Laid | None = None
    for piece in number_pieces(number, language):
        laid = lay(piece, heard, low, high)
        laid = Laid(laid.cost + _neighbours(heard, laid), laid.start, laid.end)
        known = sum(_is_figure(unit[0]) for unit in heard.units[laid.start : laid.end])
        enough = laid.cost <= _most(len(piece.rows)) and 2 * known >= len(piece.rows) - 1 and known
        if enough and (best is None or laid.cost < best.cost):
            best = laid
    return best


def another_number(heard: Line, low: int, high: int) -> bool:
    """Whether two figures or more stand together between ``low`` and ``high``."""
    figures = [_is_figure(unit[0]) for unit in heard.units[max(0, low) : max(0, high)]]
    return any(one and two for one, two in pairwise(figures))


def company_in(company: str, heard: Line, low: int, high: int, language: str) -> Laid | None:
    """Where the company was named; its legal form may be missing."""
    laid = [(lay(piece, heard, low, high), piece) for piece in company_pieces(company, language)]
    near = [one for one, piece in laid if one.cost <= 0.45 * piece.weight]
    return min(near, key=lambda one: one.cost, default=None)


@lru_cache(maxsize=4096)
def number_pieces(number: str, language: str) -> tuple[Piece, ...]:
    """Digit by digit, without zeros in front, and as a number (十八)."""
    plain = [unit[0] for unit in units(number, language) if unit[0] not in (BOUNDARY, "工", "号", "號")]
    ways = {tuple(plain), tuple("".join(plain).lstrip("0")) if all(len(c) == 1 for c in plain) else ()}
    found = [_digits(way, language) for way in sorted(ways) if way]
    if re.fullmatch(r"[0-9]{2,4}", "".join(plain)):
        found += [_digits(way, language) for way in _as_number(int("".join(plain)), language)]
    return tuple(found)


@lru_cache(maxsize=4096)
def company_pieces(company: str, language: str) -> tuple[Piece, ...]:
    names = {company, _LEGAL_FORM.sub("", company)}
    return tuple(piece_of(name, language) for name in sorted(names) if units(name, language))


def _digits(way: Sequence[str], language: str) -> Piece:
    rows = tuple(digit_row(c, language) if c in "0123456789" else row((units(c, language)[0],), language) for c in way)
    return Piece("".join(way), rows, (_DIGIT_WEIGHT,) * len(rows), (), _EXTRA)


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
    front = laid.start
    while front and _value(heard.units[front - 1][0]) == "0":
        front -= 1
    before = heard.units[front - 1][0] if front else ""
    after = heard.units[laid.end][0] if laid.end < len(heard.units) else ""
    wrong = _is_figure(before) + _is_figure(after)
    return wrong * (_ANOTHER_DIGIT + 0.5)


def _value(character: str) -> str:
    return DIGITS.get(character) or ENGLISH_DIGITS.get(character, "")


def _is_figure(character: str) -> bool:
    return bool(_value(character)) or character in TENS


def _any_number(heard: Line, low: int, high: int) -> Laid | None:
    """The first run of digits. It cannot be sure: nobody said which number is right."""
    for start in range(max(0, low), min(high, len(heard.units))):
        if _is_figure(heard.units[start][0]):
            end = next(
                (n for n in range(start, len(heard.units)) if not _is_figure(heard.units[n][0])), len(heard.units)
            )
            return Laid(0.6, start, end)
    return None
