"""The words of the prompts, one file per language beside this module: data, never constants in code.

Place on the path of a call: read when prompts are built, long before a call.
Promises: a text names only ``{company}`` and ``{number}``; each greeting says the seat's number (rule A2); a site's own
texts are laid over ours and checked by the same rules; all mistakes are listed, each with its key.
Never: fills in a name, or speaks.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from callcenter.prompts.names import KEY

DIGITS = "0123456789"
YAO = "yao"
"""Key of the second reading of 1 in telephone numbers (幺)."""
MAX_TEXT_LENGTH = 400

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_UNFIT_VOICES = {"cmn": "cmn-latn-pinyin", "zh": "cmn-latn-pinyin", "zh-cmn": "cmn-latn-pinyin"}
_LIMITS = {"words_per_minute": (80, 300), "pitch": (0, 99)}


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice of espeak-ng; ``pitch`` 0 to 99. There is no pitch range here: large ones crash espeak-ng 1.51."""

    name: str
    words_per_minute: int
    pitch: int


@dataclass(frozen=True, slots=True)
class Phrases:
    """All texts of one language; greetings by variant, common prompts by kind, digits by their figure (and ``yao``)."""

    language: str
    voice: Voice
    digits: Mapping[str, str]
    greeting: Mapping[str, str]
    common: Mapping[str, str]

    def number(self, figures: str, one_as_yao: bool) -> list[tuple[str, str]]:
        """(recording's key, word) for each figure of a number, in order."""
        keys = [YAO if figure == "1" and one_as_yao and YAO in self.digits else figure for figure in figures]
        return [(key, self.digits[key]) for key in keys]


def languages() -> list[str]:
    """Languages that phrases are shipped for."""
    files = resources.files("callcenter.prompts").joinpath("phrases").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def load(language: str, own: Mapping[str, Any], problems: list[str]) -> Phrases | None:
    """The shipped texts of ``language`` with the site's ``own`` laid over them; appends mistakes to ``problems``."""
    shipped = _shipped(language)
    found: list[str] = []
    tables = {name: _laid_over(shipped[name], own.get(name, {}), f"texts.{language}.{name}", found) for name in shipped}
    if own.keys() - shipped.keys():
        found.append(f"texts.{language}: the groups of texts are {', '.join(shipped)}; remove the others.")
    if not found:
        found += [*_check_voice(tables["voice"], language), *_check_texts(tables, language)]
    problems += sorted(found)
    voice = tables["voice"]
    return None if found else Phrases(language, Voice(**voice), tables["digits"], tables["greeting"], tables["common"])


@cache
def _shipped(language: str) -> Mapping[str, dict[str, Any]]:
    file = resources.files("callcenter.prompts").joinpath("phrases", f"{language}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _laid_over(shipped: dict[str, Any], own: Any, key: str, problems: list[str]) -> dict[str, Any]:
    if not isinstance(own, Mapping):
        problems.append(f"{key} must be a table of texts, such as [{key}].")
        return shipped
    closed = key.endswith((".voice", ".digits"))
    for name, value in own.items():
        if closed and name not in shipped:
            problems.append(f"{key}: only {', '.join(shipped)} are known here; remove the other names.")
        elif not KEY.fullmatch(name):
            problems.append(f"{key}: each name must be small letters, digits and _, at most 32 characters.")
        elif type(value) is not type(shipped.get(name, "")):
            problems.append(f"{key}.{name} has the wrong type; write text in quotes, and numbers without.")
    return {**shipped, **own}


def _check_voice(voice: Mapping[str, Any], language: str) -> list[str]:
    problems = []
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9+_-]{0,63}", voice["name"]):
        problems.append(f"texts.{language}.voice.name must be the name of a voice that 'espeak-ng --voices' lists.")
    if better := _UNFIT_VOICES.get(voice["name"]):
        problems.append(f"texts.{language}.voice.name reads Chinese out in English letters; use {better}.")
    for name, (low, high) in _LIMITS.items():
        if not low <= voice[name] <= high:
            problems.append(f"texts.{language}.voice.{name} must be from {low} to {high}.")
    return problems


def _check_texts(tables: Mapping[str, Mapping[str, str]], language: str) -> list[str]:
    problems = []
    if tables["common"].keys() & {"greeting", "digit"}:
        problems.append(f"texts.{language}.common: greeting and digit are names of other prompts; use another name.")
    for group, allowed in (("digits", set()), ("greeting", {"company", "number"}), ("common", {"company"})):
        for name, text in tables[group].items():
            key = f"texts.{language}.{group}.{name}"
            if reason := _unfit(text, allowed):
                problems.append(f"{key} {reason}.")
            elif group == "greeting" and text.count("{number}") != 1:
                problems.append(f"{key} must say {{number}} exactly once: the greeting names the seat (rule A2).")
    return problems


def _unfit(text: str, allowed: set[str]) -> str:
    if not text.strip() or len(text) > MAX_TEXT_LENGTH:
        return f"must have 1 to {MAX_TEXT_LENGTH} characters"
    if set(_PLACEHOLDER.findall(text)) - allowed or re.search(r"[{}]", _PLACEHOLDER.sub("", text)):
        names = " and ".join(f"{{{name}}}" for name in sorted(allowed))
        return f"may use {names} and no other braces" if allowed else "may not use braces"
    return ""
