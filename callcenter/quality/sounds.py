"""How words sound: what makes a phrase findable although the recogniser wrote other characters for it.

Place on the path of a call: below ``quality/align``; turns the words of a transcript, and those of a phrase, into
units.
Promises: pure; the same text always sounds the same; spaces, commas, case, full-width forms and the writing of digits
make
no difference, traditional and simplified characters sound alike.
Never: knows a phrase, a speaker or a time.

A unit is ``(character, sound, class)``: in Chinese a character, its pinyin syllable without tone, and the class of
syllables
that recognisers hardly tell apart; in English a word, itself, and its consonants.
The distance of two sounds is 0 (the same) to 1 (nothing in common). Northern and southern mergers (zh/z, n/l, in/ing,
f/h ...) are near; that is how people speak and where recognisers err.
"""

import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import TypeAlias

from pypinyin import lazy_pinyin

from callcenter.speech.digits import WRITTEN

BOUNDARY = "|"
"""The unit between two sentences: a full stop, a pause, a turn of the other speaker."""
Unit: TypeAlias = tuple[str, str, str]
PAUSE: Unit = (BOUNDARY, BOUNDARY, BOUNDARY)
DIGITS: Mapping[str, str] = {d: d for d in "0123456789"} | dict(WRITTEN)
"""Every way to write or speak a digit, and the digit."""
TENS = frozenset("十百千拾佰仟")
_ALIKE = {"你": "您", "妳": "您", "她": "他", "它": "他"}
"""Taken for one another: recognisers choose between them at random."""
_SPOKEN = dict(zip("0123456789", ("ling", "yi", "er", "san", "si", "wu", "liu", "qi", "ba", "jiu"), strict=True))
ALSO_SPOKEN: Mapping[str, tuple[str, ...]] = {
    "0": ("dong",),
    "1": ("yao",),
    "2": ("liang",),
    "7": ("guai",),
    "9": ("gou",),
}
_STOPS = frozenset("。！？!?；;")
_HOMOPHONE = 0.1
"""Another character of the same sound: nearly nothing in a sentence, but a short word may then be another word."""

_FIRST_CODE, _MOST_CODES = 0xF0000, 100_000
_CODES: dict[str, str] = {}

_INITIALS = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxzcsr")
_MERGED = {"zh": "z", "ch": "c", "sh": "s", "n": "l", "r": "l", "f": "h"}
_GROUP = {c: group for group in ("bpm", "hkg", "dtl", "jqxzcs") for c in group}
# The parts of each final: glide, vowel, ending (N: -n and -ng alike).
_FINALS = {
    "a": " a ", "o": " o ", "e": " e ", "i": " i ", "u": " u ", "v": " v ", "er": " er",
    "ai": " ai", "ei": " ei", "ao": " au", "ou": " ou", "an": " aN", "en": " eN", "ang": " aN",
    "eng": " eN", "ong": " oN",
    "ia": "ia ", "ie": "ie ", "iao": "iau", "iu": "iou", "ian": "iaN", "in": " iN", "iang": "iaN", "ing": " iN",
    "iong": "ioN",
    "ua": "ua ", "uo": "uo ", "uai": "uai", "ui": "uei", "uan": "uaN", "un": "ueN", "uang": "uaN", "ueng": "ueN",
    "io": "io ",
    "ve": "ve ", "van": "vaN", "vn": " vN",
}  # fmt: skip
_WHOLE = {
    "yi": "i", "wu": "u", "yu": "v", "you": "iu", "wei": "ui", "wen": "un", "yin": "in", "ying": "ing", "yong": "iong",
    "yue": "ve", "yuan": "van", "yun": "vn", "ye": "ie", "weng": "ueng",
}  # fmt: skip


def units(text: str, language: str) -> list[Unit]:
    """The units of a text; empty for one of punctuation only."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return _english(plain) if language == "en" else [unit for c in plain for unit in _chinese(c)]


def spoken(text: str, language: str) -> tuple[str, str]:
    """The units of a text as they are written (those of English with spaces between), and one code point for the class
    of each."""
    found = units(text, language)
    return (" " if language == "en" else "").join([unit[0] for unit in found]), "".join([code_of(u[2]) for u in found])


def sound_of(text: str, language: str) -> str:
    """How a unit that is written so sounds."""
    return text if language == "en" or text == BOUNDARY else _SPOKEN.get(text) or _syllable(text)


def code_of(name: str) -> str:
    """The code point that stands for a class. Beyond all that people say, they share one."""
    if name not in _CODES:
        if len(_CODES) >= _MOST_CODES:
            return chr(_FIRST_CODE)
        _CODES[name] = chr(_FIRST_CODE + 1 + len(_CODES))
    return _CODES[name]


@cache
def distance(one: str, other: str) -> float:
    """Of two sounds of Chinese, 0 to 1."""
    if one == other:
        return 0.0
    a, b = parts(one), parts(other)
    if a is None or b is None:
        return 1.0
    return min(1.0, _between_initials(a[0], b[0]) + _between_finals(a[1], b[1]))


@cache
def blurred(sound: str, language: str) -> str:
    """The class of a sound whose members are told apart neither by all speakers nor by recognisers."""
    if language == "en":
        return _skeleton(sound)
    both = parts(sound)
    return sound if both is None else _MERGED.get(both[0], both[0]) + _FINALS[both[1]]


class Row(dict[str, float]):
    """What it costs to hear something else in the place of one unit: by its character, else by its sound.

    ``row.get(character)``, then ``row[sound]``: that one is always there."""

    def __init__(self, sounds: tuple[str, ...], language: str, known: Mapping[str, float], most: float = 1.0) -> None:
        super().__init__(known)
        self._sounds, self._most = sounds, most
        self.places: dict[float, dict[str, float]] = {}
        """What is kept of it in places of each weight."""
        self._distance = _between_words if language == "en" else distance

    def __missing__(self, sound: str) -> float:
        cost = min(_HOMOPHONE if (d := self._distance(own, sound)) == 0 else d for own in self._sounds)
        if len(self) > 5_000:  # a hostile text may hold any number of words
            return min(cost, self._most)
        self[sound] = min(cost, self._most)
        return self[sound]


@lru_cache(maxsize=20_000)
def row(choices: tuple[Unit, ...], language: str) -> Row:
    """The costs in the place of an ordinary character or word of a phrase, or of any of several."""
    same = {c for unit in choices for c in (unit[0], *(c for c, d in DIGITS.items() if d == DIGITS.get(unit[0])))}
    return Row(tuple(unit[1] for unit in choices), language, dict.fromkeys(same, 0.0) | {BOUNDARY: 1.0})


def neighbours(sound: str, most: float) -> list[str]:
    """The classes of all syllables of Chinese that are no further than this from one."""
    return sorted({blurred(other, "zh") for other in all_syllables() if distance(sound, other) <= most})


@cache
def all_syllables() -> tuple[str, ...]:
    """How the characters of Chinese sound."""
    return tuple(sorted({_syllable(chr(code)) for code in range(0x4E00, 0x9FA6)}))


@cache
def digit_row(digit: str, language: str) -> Row:
    """The costs in the place of a digit: another digit that is clearly written is never taken for this one."""
    words = ENGLISH_DIGITS if language == "en" else DIGITS
    sounds = ENGLISH_SOUNDS[digit] if language == "en" else (_SPOKEN[digit], *ALSO_SPOKEN.get(digit, ()))
    known = {word: 0.0 if meant == digit else 3.0 for word, meant in words.items()}
    return Row(sounds, language, known | {BOUNDARY: 1.0}, most=0.7)


def _chinese(character: str) -> list[Unit]:
    if character in _STOPS:
        return [PAUSE]
    if not character.isalnum():
        return []
    character = _ALIKE.get(character, character)
    sound = _SPOKEN.get(character) or _syllable(character)
    return [(character, sound, blurred(sound, "zh"))]


@cache
def _syllable(character: str) -> str:
    found = lazy_pinyin(character, errors="ignore")
    return found[0].replace("ü", "v") if found else character


@cache
def parts(sound: str) -> tuple[str, str] | None:
    """(initial, final) of a sound; ``None`` for what is no syllable."""
    if sound in _WHOLE:
        return "", _WHOLE[sound]
    if sound[:1] in ("y", "w"):
        sound = {"y": "i", "w": "u"}[sound[0]] + sound[1:]
    initial = next((i for i in _INITIALS if sound.startswith(i)), "")
    final = sound[len(initial) :]
    if initial in ("j", "q", "x") and final.startswith("u"):
        final = "v" + final[1:]
    return (initial, final) if final in _FINALS else None


def _between_initials(one: str, other: str) -> float:
    if one == other:
        return 0.0
    one, other = _MERGED.get(one, one), _MERGED.get(other, other)
    if one == other:
        return 0.15
    return 0.35 if _GROUP.get(one, one) == _GROUP.get(other, other) else 0.6


def _between_finals(one: str, other: str) -> float:
    if one == other:
        return 0.0
    same = sum(a == b for a, b in zip(_FINALS[one], _FINALS[other], strict=True))
    return (0.6, 0.5, 0.35, 0.15)[same]


# --- English: words, compared by spelling and by their consonants ---------------------------------------------------

ENGLISH_SOUNDS: Mapping[str, tuple[str, ...]] = {
    "0": ("zero", "oh"), "1": ("one",), "2": ("two",), "3": ("three",), "4": ("four",), "5": ("five",), "6": ("six",),
    "7": ("seven",), "8": ("eight",), "9": ("nine",),
}  # fmt: skip
ENGLISH_DIGITS: Mapping[str, str] = {d: d for d in "0123456789"} | {
    word: digit for digit, words in (*ENGLISH_SOUNDS.items(), ("0", ("o",))) for word in words
}
_SPELLINGS = (
    ("ph", "f"),
    ("ck", "k"),
    ("gh", ""),
    ("kn", "n"),
    ("wr", "r"),
    ("qu", "k"),
    ("c", "k"),
    ("z", "s"),
    ("y", "i"),
)


def _english(text: str) -> list[Unit]:
    found: list[Unit] = []
    word = ""
    for c in text.replace("'", "").replace("’", "") + " ":
        if word and not (c.isalpha() and not is_digit(word)):
            found.append((word, word, blurred(word, "en")))
            word = ""
        if c.isalnum():
            word += c
        elif c in _STOPS or c == ".":
            found.append(PAUSE)
    return found


def is_digit(character: str) -> bool:
    """One of the ten, as a figure."""
    return character in _SPOKEN


@cache
def _skeleton(word: str) -> str:
    """A word's consonants, much as Metaphone has them: what survives of it in another spelling."""
    for spelling, sound in _SPELLINGS:
        word = word.replace(spelling, sound)
    kept = word[:1] + "".join(c for c in word[1:] if c not in "aeiouwh")
    return "".join(c for n, c in enumerate(kept) if c != kept[n - 1 : n])


def _between_words(one: str, other: str) -> float:
    """Edits per letter; half of them where the consonants are the same."""
    if one == other:
        return 0.0
    if len(other) > 40:
        return 1.0
    share = edits(one, other) / max(len(one), len(other))
    return min(1.0, share * (0.6 if _skeleton(one) == _skeleton(other) else 1.2))


def edits(one: str, other: str) -> int:
    """How many characters have to be put in, left out or changed to make one of the other."""
    previous = list(range(len(other) + 1))
    for n, a in enumerate(one, 1):
        line = [n]
        for m, b in enumerate(other, 1):
            line.append(min(previous[m] + 1, line[-1] + 1, previous[m - 1] + (a != b)))
        previous = line
    return previous[-1]
