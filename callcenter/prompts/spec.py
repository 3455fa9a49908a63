"""What to build: which seats, companies, languages and variants of the greeting.

Place on the path of a call: filled from the store's seats and the site's prompts file when prompts are built.
Promises: a specification that exists is sound; all mistakes are listed at once, by key, without anybody's number.
Never: knows a file or a sound.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import product
from types import MappingProxyType
from typing import Any

from callcenter.errors import BadInput
from callcenter.prompts import phrases as texts
from callcenter.prompts.names import EXTENSION, KEY, STANDARD, WORK_NUMBER, greeting_name

MAX_GREETINGS = 10_000
MAX_COMPANY_LENGTH = 60
_CHINESE = re.compile(r"[\u3400-\u9fff]")


class SpecError(BadInput):
    """The specification cannot be built. ``problems``: one sentence each, naming the key and the remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Seat:
    """A seat: ``extension`` names its files, ``work_number`` (工号) is what the greeting says."""

    extension: str
    work_number: str


@dataclass(frozen=True, slots=True)
class Company:
    """A company that calls are answered for: its name as spoken, by language; ``key`` is empty for the first one."""

    names: Mapping[str, str]
    key: str = ""


@dataclass(frozen=True, slots=True)
class PromptSpec:
    """Every seat gets a greeting per company, language and variant; the common prompts come once per language.

    ``variants`` are names of greeting texts; ``one_as_yao`` reads 1 in numbers as 幺 where the language knows it;
    ``own_texts`` are laid over the shipped phrases: language -> group -> name -> text. Raises ``SpecError``."""

    seats: tuple[Seat, ...]
    companies: tuple[Company, ...]
    languages: tuple[str, ...] = ("zh",)
    variants: tuple[str, ...] = (STANDARD,)
    one_as_yao: bool = False
    own_texts: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    phrases: tuple[texts.Phrases, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        problems = [*_languages(self), *_seats(self), *_companies(self)]
        if not problems:
            loaded = [texts.load(language, self.own_texts.get(language, {}), problems) for language in self.languages]
            object.__setattr__(self, "phrases", tuple(phrases for phrases in loaded if phrases))
            problems += [*_variants(self), *_names(self)]
        if problems:
            raise SpecError(problems)


def _languages(spec: PromptSpec) -> list[str]:
    known = texts.languages()
    problems = []
    if not spec.languages or len(set(spec.languages)) < len(spec.languages) or set(spec.languages) - set(known):
        problems.append(f"languages must name each language once, out of {', '.join(known)}.")
    if set(spec.own_texts) - set(spec.languages):
        problems.append("texts: has texts for a language that languages does not name; add it there or remove them.")
    return problems


def _seats(spec: PromptSpec) -> list[str]:
    problems = []
    for index, seat in enumerate(spec.seats, 1):
        if not EXTENSION.fullmatch(seat.extension):
            problems.append(f"seats[{index}].extension must be 1 to 32 letters, digits, _ or -, as it is dialled.")
        if not WORK_NUMBER.fullmatch(seat.work_number):
            problems.append(f"seats[{index}].work_number must be 1 to 12 digits, as the greeting shall say them.")
    if len({seat.extension for seat in spec.seats}) < len(spec.seats):
        problems.append("seats: two seats have the same extension; give each its own.")
    return problems


def _companies(spec: PromptSpec) -> list[str]:
    problems = [] if spec.companies else ["companies must hold at least one company: the greeting says its name."]
    keys = Counter(company.key for company in spec.companies[1:])
    for index, company in enumerate(spec.companies, 1):
        if index == 1 and company.key:
            problems.append("companies[1].key must be empty: the first company's files carry no key.")
        if index > 1 and (not KEY.fullmatch(company.key) or keys[company.key] > 1):
            problems.append(f"companies[{index}].key must be small letters, digits and _, and no other company's key.")
        known = [language for language in spec.languages if language in texts.languages()]
        problems += [problem for language in known if (problem := _company_name(company, language, index))]
    return problems


def _company_name(company: Company, language: str, index: int) -> str:
    name = company.names.get(language, "")
    if not name.strip() or len(name) > MAX_COMPANY_LENGTH:
        return f"companies[{index}].{language} must be the name as spoken, 1 to {MAX_COMPANY_LENGTH} characters."
    if language == "en" and _CHINESE.search(name):
        return f"companies[{index}].en has Chinese characters, which the English voice cannot say; write it in English."
    return ""


def _variants(spec: PromptSpec) -> list[str]:
    problems = []
    if not spec.variants or len(set(spec.variants)) < len(spec.variants):
        problems.append(f"variants must name each variant once, such as {STANDARD}.")
    for phrases in spec.phrases:
        for variant in spec.variants:
            if variant not in phrases.greeting:
                known = ", ".join(phrases.greeting)
                problems.append(f"variants: a greeting is missing in {phrases.language}; use {known}, or add its text.")
    return problems


def _names(spec: PromptSpec) -> list[str]:
    if len(spec.seats) * len(spec.companies) * len(spec.languages) * len(spec.variants) > MAX_GREETINGS:
        return [f"seats x companies x languages x variants are more than {MAX_GREETINGS}; build in several folders."]
    every = product(spec.seats, spec.companies, spec.variants)
    names = Counter(greeting_name("", seat.extension, company.key, variant) for seat, company, variant in every)
    if max(names.values(), default=1) > 1:
        return ["companies: a key is also the name of a variant or the end of an extension; choose another key."]
    return []


def parse(table: Mapping[str, Any]) -> PromptSpec:
    """The specification from a prompts file (TOML, already read). Raises ``SpecError`` with all mistakes."""
    problems: list[str] = []
    known = ("languages", "variants", "one_as_yao", "companies", "seats", "texts")
    problems += [f"{key[:32]} is not known; use {', '.join(known)}." for key in table if key not in known]
    languages = _strings(table, "languages", ["zh"], problems)
    variants = _strings(table, "variants", [STANDARD], problems)
    one_as_yao = table.get("one_as_yao", False)
    if not isinstance(one_as_yao, bool):
        problems.append("one_as_yao must be true or false.")
    rows = {key: _rows(table, key, problems) for key in ("companies", "seats")}
    own = table.get("texts", {})
    if not isinstance(own, dict) or not all(isinstance(group, dict) for group in own.values()):
        problems.append("texts must be tables such as [texts.zh.greeting].")
    problems += _unknown(rows["seats"], "seats", {"extension", "work_number"})
    problems += _unknown(rows["companies"], "companies", {"key", *texts.languages()})
    if problems:
        raise SpecError(problems)
    seats = tuple(_seat(**row) for row in rows["seats"])
    companies = tuple(
        Company({language: name for language, name in row.items() if language != "key"}, row.get("key", ""))
        for row in rows["companies"]
    )
    return PromptSpec(seats, companies, languages, variants, one_as_yao, own)


def _seat(extension: str = "", work_number: str | None = None) -> Seat:
    return Seat(extension, extension if work_number is None else work_number)


def _strings(table: Mapping[str, Any], key: str, default: list[str], problems: list[str]) -> tuple[str, ...]:
    value = table.get(key, default)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        problems.append(f'{key} must be a list of texts, such as ["{default[0]}"].')
        return ()
    return tuple(value)


def _rows(table: Mapping[str, Any], key: str, problems: list[str]) -> list[dict[str, str]]:
    rows = table.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        problems.append(f"{key} must be tables [[{key}]].")
        return []
    for index, row in enumerate(rows, 1):
        problems += [
            f'{key}[{index}].{name} must be text in quotes, such as "1001".'
            for name, value in row.items()
            if not isinstance(value, str)
        ]
    return rows


def _unknown(rows: list[dict[str, str]], key: str, known: set[str]) -> list[str]:
    return [
        f"{key}[{index}].{name[:32]} is not known; use {', '.join(sorted(known))}."
        for index, row in enumerate(rows, 1)
        for name in row
        if name not in known
    ]
