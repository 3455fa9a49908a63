"""The words of the prompts, from the data files in phrases/ or the site's own.

On the path of a call: nowhere; long before it. Promises a complete and checked set of words, or sentences that say what
is wrong with the file. Never holds a phrase itself.
"""

import string
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHIPPED = Path(__file__).parent / "phrases"
PROMPTS = ("announcement", "sorry", "survey", "thanks")
MAX_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language: how it is spoken, its digits, the greetings by variant, the other prompts by name."""

    language: str
    voice: str
    words_per_minute: int
    pitch: int
    between_digits: str
    digits: tuple[str, ...]
    greetings: Mapping[str, str]
    prompts: Mapping[str, str]

    def number(self, digits: str) -> str:
        """A work number as it is said, digit by digit."""
        return self.between_digits.join(self.digits[int(digit)] for digit in digits)


def languages() -> list[str]:
    return sorted(path.stem for path in SHIPPED.glob("*.toml"))


def load(language: str, own: Path | None, problems: list[str]) -> Phrases | None:
    """The words of *language*; where *own* (a TOML file) has a key it wins. What is wrong is added to *problems*."""
    shipped = SHIPPED / f"{language}.toml"
    if language not in languages():
        problems.append(f'language "{language}": there are phrases for {", ".join(languages())} only')
        return None
    data = _read(shipped, problems)
    if own is not None:
        data = _merge(data, _read(own, problems))
    problems += [f"phrases {own or shipped}: {problem}" for problem in _mistakes(data)]
    if problems:
        return None
    return Phrases(language, data["voice"], data["words_per_minute"], data["pitch"], data["between_digits"], tuple(data["digits"]),
                   data["greeting"], data["prompt"])


def _read(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"phrases {path}: cannot be read as TOML ({error}); begin with a copy of {SHIPPED.name}/zh.toml")
        return {}


def _merge(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in own.items():
        merged[key] = {**base[key], **value} if isinstance(value, dict) and isinstance(base.get(key), dict) else value
    return merged


def _mistakes(data: Mapping[str, Any]) -> list[str]:
    kinds = {"voice": str, "words_per_minute": int, "pitch": int, "between_digits": str, "digits": list, "greeting": dict, "prompt": dict}
    wrong = [f"{key} has to be given, as {kind.__name__}" for key, kind in kinds.items() if not isinstance(data.get(key), kind)]
    if wrong:
        return wrong
    if len(data["digits"]) != len(string.digits) or not all(isinstance(digit, str) and digit for digit in data["digits"]):
        wrong.append("digits has to be a list of ten words, from zero to nine")
    if not 80 <= data["words_per_minute"] <= 450 or not 0 <= data["pitch"] <= 99:
        wrong.append("words_per_minute has to be 80 to 450, and pitch 0 to 99")
    wrong += [f"prompt.{name} is missing" for name in PROMPTS if name not in data["prompt"]]
    if "standard" not in data["greeting"]:
        wrong.append("greeting.standard is missing")
    for table in ("greeting", "prompt"):
        wrong += [f"{table}.{name}: {why}" for name, text in data[table].items() if (why := _unspeakable(name, text))]
    return wrong


def _unspeakable(name: str, text: object) -> str:
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_CHARACTERS:
        return f"has to be a text of 1 to {MAX_CHARACTERS} characters"
    if not name.isascii() or not name.replace("-", "").isalnum():
        return "its name becomes part of a file name: only a-z, 0-9 and - please"
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
    except ValueError:
        return "has a brace that is not closed"
    unknown = fields - {"company", "number"}
    return f"only {{company}} and {{number}} can be filled in, not {', '.join(sorted(unknown))}" if unknown else ""
