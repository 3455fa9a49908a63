"""What a stretch of Chinese cannot be, told by one look: bits for the sounds of a piece that nothing heard is like.

Place on the path of a call: below ``quality/align``, before anything is laid.
Promises: pure; what is told is never more than what laying costs, so nothing is lost by not laying what costs too much
already.
Never: says that something was heard.

Each syllable has a bit for each ``STEP`` of distance. Of what was heard, the bit is set where it is nearer to the
syllable than that; of a piece, where that distance costs a ``STEP``. So each bit of a piece that nothing in a stretch
has set is a ``STEP`` of cost: one "and" and one count instead of a look at every pair of sounds.
"""

from collections.abc import Sequence
from functools import cache, lru_cache, reduce
from operator import or_

from callcenter.quality.sounds import BOUNDARY, DIGITS, Unit, all_syllables, distance, parts, sound_of

STEP = 0.15
"""The least difference between two sounds; all others are hardly less than a multiple of it."""
_STEPS = 6
_ROUNDING = 1e-6


def needed(choices: Sequence[Sequence[Unit]], weights: Sequence[float]) -> int:
    """The bits of a piece. Digits, which may be spoken in several ways, and places for several characters have none."""
    bits, places = 0, _bits()
    for one, weight in zip(choices, weights, strict=False):  # the digits of a number have no choices
        if len(one) == 1 and one[0][0] not in DIGITS and (at := places.get(one[0][1])) is not None:
            for step in _steps(weight):
                bits |= 1 << at + step
    return bits


@cache
def _steps(weight: float) -> tuple[int, ...]:
    """At which distances a place of this weight has cost another ``STEP``."""
    costs = [int((step + 1) * weight + _ROUNDING) for step in range(_STEPS)]
    return tuple(step for step, cost in enumerate(costs) if cost > (costs[step - 1] if step else 0))


@lru_cache(maxsize=20_000)
def near(text: str) -> int:
    """The bits of a character that was heard."""
    return 0 if text == BOUNDARY else _near(sound_of(text, "zh"))


@cache
def _near(sound: str) -> int:
    bits = 0
    if sound not in _bits() and parts(sound) is None:
        return bits  # a letter or a sign: a hostile text may hold any number of them
    for syllable, at in _bits().items():
        far = distance(syllable, sound) + _ROUNDING
        bits |= sum(1 << at + step for step in range(_STEPS) if far < (step + 1) * STEP)
    return bits


def near_any(heard: Sequence[int]) -> int:
    """The bits of all characters of a stretch."""
    return reduce(or_, heard, 0)


def lacking(needed: int, stretch: int) -> float:
    """What it costs at least to lay a piece that needs these bits in a stretch that has those."""
    return (needed & ~stretch).bit_count() * STEP


@cache
def _bits() -> dict[str, int]:
    """By syllable, its first bit."""
    return {syllable: n * _STEPS for n, syllable in enumerate(all_syllables())}
