"""Scorecards as TOML files: what a site asks of a call, as data. See docs/scorecards.md.

Place on the path of a call: read once, when the daemon starts; the shipped card lies in the folder beside this file.
Promises: all mistakes of a file at once, each with its place and the remedy; a card that was loaded, or was stored with
a signed review, is the same again after ``to_text`` and ``from_text``; its version changes with whatever it says.
Never: judges a call; that is ``quality/scorecard``.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from callcenter.errors import BadInput
from callcenter.quality.card_text import versioned
from callcenter.quality.scorecard import (
    CRITICAL,
    FACTS,
    SCALE,
    YES_NO,
    Question,
    Scorecard,
    Scorecards,
    Section,
    Text,
    Verdict,
)
from callcenter.quality.tables import Tables, read_utf8, toml_of
from callcenter.settings import Queue, Settings

MAX_QUESTIONS = 100
MAX_WEIGHT = 1_000
MAX_TEXT = 200
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_RULE = re.compile(r"[A-Z][0-9]{1,2}")
_ANSWERS = {"scale": SCALE, "yes_no": YES_NO}
_TOP_KEYS = ("name", "title", "passing", "sections", "questions")
_QUESTION_KEYS = (
    "id", "section", "text", "weight", "rule", "phrases", "fact", "answers", "not_applicable", "critical",
)  # fmt: skip


@cache
def shipped_card() -> Scorecard:
    """The questions of the service standard."""
    file = resources.files("callcenter.quality").joinpath("scorecards", "standard.toml")
    return parse_card(tomllib.loads(file.read_text(encoding="utf-8")), "the shipped scorecard", None)


def read_card(path: Path, phrases: Mapping[str, str] | None) -> Scorecard:
    """The card in a TOML file. ``phrases``: name to rule, of the script that the same calls are judged by. Raises
    ``BadInput`` with all mistakes, a line each."""
    text = read_utf8(path, "scorecard")
    if path.suffix.lower() != ".toml":
        raise BadInput(f"{path}: a scorecard is a .toml file; rename it.")
    return parse_card(toml_of(text, path, "docs/scorecards.md"), str(path), phrases)


def scorecards_of(settings: Settings) -> Scorecards:
    """The card of each queue, looked at beside the queue's own phrase script. Raises ``BadInput`` with the mistakes of
    all files."""
    problems: dict[str, None] = {}

    def card(queue: Queue) -> Scorecard:
        if queue.scorecard is None:
            return shipped_card()
        # Half a second of pinyin tables, for sites with cards of their own.
        from callcenter.quality.scripts import rules_of, script_for

        try:
            script = script_for(queue.script, queue.language or settings.site.language)
            return read_card(queue.scorecard, rules_of(script))
        except BadInput as error:
            problems.update(dict.fromkeys(str(error).splitlines()))
            return shipped_card()

    found = Scorecards(card(settings.queue_defaults), {name: card(queue) for name, queue in settings.queues.items()})
    if problems:
        raise BadInput("\n".join(problems))
    return found


def parse_card(value: Any, name: str, phrases: Mapping[str, str] | None) -> Scorecard:
    """A card from what a file holds; with ``phrases`` ``None`` those are not looked at."""
    reader = _Reader(phrases)
    card = reader.card(value)
    if reader.problems:
        raise BadInput("\n".join(f"{name}: {problem}" for problem in reader.problems))
    return versioned(card)


class _Reader(Tables):
    """Goes through a card and notes each mistake; what it returns is right only if there was none."""

    def __init__(self, phrases: Mapping[str, str] | None) -> None:
        super().__init__()
        self._phrases = phrases

    def card(self, value: Any) -> Scorecard:
        told = self.table(value, "the scorecard", _TOP_KEYS)
        sections = tuple(
            Section(self.name(str(key), f"sections.{key}"), self.words(title, f"sections.{key}"))
            for key, title in self.table(told.get("sections", {}), "sections").items()
        )
        if not sections and isinstance(told.get("sections", {}), Mapping):
            self.problems.append(
                'sections: there are none; write at least one, such as opening = { zh = "开场", en = "Opening" }.'
            )
        return Scorecard(
            name=self.name(told.get("name", ""), "name"),
            title=self.words(told.get("title", told.get("name", "")), "title"),
            passing=self.number(told, "passing", "passing", 85.0, 0.0, 100.0),
            sections=sections,
            questions=self._questions(told.get("questions"), {section.id for section in sections}),
        )

    def name(self, value: Any, key: str) -> str:
        if isinstance(value, str) and _NAME.fullmatch(value):
            return value
        self.problems.append(f"{key}: is 1 to 64 small letters, digits, _ and -, a letter first.")
        return ""

    def words(self, value: Any, key: str) -> Text:
        """One text for both languages, or a table of both."""
        both = value if isinstance(value, Mapping) else {"zh": value, "en": value}
        texts = {language: both.get(language) for language in ("zh", "en")}
        for language, text in texts.items():
            if not isinstance(text, str) or not 1 <= len(text.strip()) <= MAX_TEXT:
                place = f"{key}.{language}" if isinstance(value, Mapping) else key
                self.problems.append(f"{place}: must be a text in quotes, of 1 to {MAX_TEXT} characters.")
                if not isinstance(value, Mapping):
                    break
        if isinstance(value, Mapping):
            self.table(value, key, ("zh", "en"))
        return Text(*(text.strip() if isinstance(text, str) else "" for text in texts.values()))

    def _questions(self, value: Any, sections: set[str]) -> tuple[Question, ...]:
        if not isinstance(value, list) or not value:
            self.problems.append("questions: there are none; write at least one table [[questions]].")
            return ()
        if len(value) > MAX_QUESTIONS:
            self.problems.append(f"questions: there are more than {MAX_QUESTIONS}; a person has to answer each.")
        made = [self._question(n, one, sections) for n, one in enumerate(value[:MAX_QUESTIONS], 1)]
        self._together(made, sections)
        return tuple(made)

    def _together(self, made: list[Question], sections: set[str]) -> None:
        ids = [question.id for question in made if question.id]
        for one in dict.fromkeys(one for one in ids if ids.count(one) > 1):
            places = [str(n) for n, question in enumerate(made, 1) if question.id == one]
            self.problems.append(f"questions {' and '.join(places)}: have the same id, {one}; give each its own.")
        used = {question.section for question in made}
        for section in sorted(sections - used if "" not in used else ()):
            self.problems.append(f"sections.{section}: no question is in it; remove it, or add one.")
        if not any(question.weight for question in made):
            self.problems.append("questions: all weights are 0; give at least one question a weight.")

    def _question(self, number: int, value: Any, sections: set[str]) -> Question:
        given = value.get("id") if isinstance(value, Mapping) else None
        named = isinstance(given, str) and _NAME.fullmatch(given)
        key = f"question {number} ({given})" if named else f"question {number}"
        told = self.table(value, key, _QUESTION_KEYS)
        verdicts = _ANSWERS.get(self.one_of(told, "answers", tuple(_ANSWERS), f"{key}.answers", "scale"), SCALE)
        question = Question(
            id=self.name(told.get("id", ""), f"{key}.id"),
            section=self._section(told, key, sections),
            text=self.words(told.get("text"), f"{key}.text"),
            weight=self._weight(told, key),
            rule=self._rule(told, key),
            phrases=self._evidence(told, key),
            fact=self.one_of(told, "fact", FACTS, f"{key}.fact", ""),
            critical=self.one_of(told, "critical", CRITICAL, f"{key}.critical", ""),
            verdicts=(*verdicts, Verdict.NA) if self._flag(told, "not_applicable", key) else verdicts,
        )
        if question.phrases and question.fact:
            self.problems.append(
                f"{key}: has both phrases and fact; one of them proposes the answer, remove the other."
            )
        return question

    def _section(self, told: Mapping[str, Any], key: str, sections: set[str]) -> str:
        value = told.get("section")
        if isinstance(value, str) and value in sections:
            return value
        if sections:  # without any that is the mistake, and told once
            why = "is missing; name one" if value is None else "is none"
            self.problems.append(f"{key}.section: {why} of [sections]; it has {', '.join(sorted(sections))}.")
        return ""

    def _weight(self, told: Mapping[str, Any], key: str) -> int:
        value = told.get("weight")
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_WEIGHT:
            return value
        why = "is missing" if value is None else "is negative" if _negative(value) else "is no such number"
        self.problems.append(f"{key}.weight: {why}; write a whole number from 0 to {MAX_WEIGHT}.")
        return 1

    def _rule(self, told: Mapping[str, Any], key: str) -> str:
        value = told.get("rule", "")
        if isinstance(value, str) and (not value or _RULE.fullmatch(value)):
            return value
        self.problems.append(f"{key}.rule: must be an id of the service standard, such as A2.")
        return ""

    def _evidence(self, told: Mapping[str, Any], key: str) -> tuple[str, ...]:
        value = told.get("phrases", [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.problems.append(f'{key}.phrases: must be a list of phrases or rules, such as ["greeting"] or ["B8"].')
            return ()
        if self._phrases is not None:
            known = {*self._phrases, *self._phrases.values()}
            for one in dict.fromkeys(value):
                if one not in known:
                    what = "has no phrase of the rule" if _RULE.fullmatch(one) else "has no phrase"
                    names = ", ".join(self._phrases)
                    self.problems.append(f"{key}.phrases: the phrase script {what} {one[:64]!r}; it has {names}.")
        return tuple(dict.fromkeys(value))

    def _flag(self, told: Mapping[str, Any], name: str, key: str) -> bool:
        value = told.get(name, True)
        if not isinstance(value, bool):
            self.problems.append(f"{key}.{name}: must be true or false.")
        return value is True


def _negative(value: Any) -> bool:
    return isinstance(value, int | float) and value < 0
