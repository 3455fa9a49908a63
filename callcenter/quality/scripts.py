"""Phrase scripts: what a seat has to say and must not say, as data in TOML or YAML files. See docs/phrases.md.

Place on the path of a call: read once, before transcripts are judged; the shipped ones lie in the folder beside this
file.
Promises: all mistakes of a file at once, each with its key and the remedy; what was loaded is immutable.
Never: matches anything; that is ``quality/matching``.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeAlias

import yaml

from callcenter.errors import BadInput
from callcenter.quality.finding import Kind
from callcenter.quality.likeness import NONE, Example, Likeness
from callcenter.quality.patterns import Wording, wordings
from callcenter.quality.tables import Tables, read_utf8, toml_of

LANGUAGES = ("zh", "en")
Who: TypeAlias = Literal["seat", "caller", "anyone"]
WHO: tuple[Who, ...] = ("seat", "caller", "anyone")
Where: TypeAlias = Literal["anywhere", "first", "last", "before_wait", "after_wait"]
WHERE: tuple[Where, ...] = ("anywhere", "first", "last", "before_wait", "after_wait")
LONGEST_EXAMPLE, MOST_WRONG_EXAMPLES = 200, 20
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_RULE = re.compile(r"[A-Z][0-9]{1,2}")
_TOP_KEYS = ("language", "title", "wait_seconds", "tolerance", "examples", "phrases")
_PHRASE_KEYS = (
    "rule", "kind", "who", "window", "severity", "variants", "doubtful_variants", "unless", "doubtful_when", "always",
    "tolerance",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """Where a required phrase belongs. ``seconds``: from the beginning or to the end of talk, before or after a
    wait."""

    where: Where = "anywhere"
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Scores from which a match is sure, and from which it is doubtful; and the engine's confidence that it needs."""

    sure: float = 0.88
    doubtful: float = 0.72
    confidence: float = 0.5


@dataclass(frozen=True, slots=True)
class Context:
    """Words around a phrase. ``exact``: characters that stand over it instead (``=步行``)."""

    wording: Wording = ()
    exact: str = ""


@dataclass(frozen=True, eq=False)
class Phrase:
    """One phrase in all its wordings. ``unless``: contexts in which it is no breach; ``doubtful_when``: a person looks;
    ``always``: contexts in which it is one whatever the others say."""

    name: str
    rule: str
    kind: Kind
    who: Who
    window: Window
    severity: int
    tolerance: Tolerance
    variants: tuple[Wording, ...]
    doubtful_variants: tuple[Wording, ...]
    unless: tuple[Context, ...]
    doubtful_when: tuple[Context, ...]
    always: tuple[Context, ...]


@dataclass(frozen=True, eq=False)
class Script:
    """All phrases of one language. ``wait_seconds``: silence of both speakers that is a wait (B1). ``likeness``: what
    its examples tell, if it has any."""

    language: str
    title: str
    wait_seconds: float
    phrases: tuple[Phrase, ...]
    likeness: Likeness | None = None


def _has_slots(phrase: Phrase) -> bool:
    return any(part.kind != "words" for wording in phrase.variants for part in wording)


class _Plain(yaml.SafeLoader):
    """YAML's anchors can blow a small file up to any size; of two equal keys the first would silently be lost."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it uses anchors and aliases (& and *); write the words out")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    where = f"line {key.start_mark.line + 1}"
                    raise yaml.YAMLError(f"{where} has the key {key.value[:64]} a second time; give each its own name")
                seen.add(key.value)
        return super().construct_mapping(node, deep)


@cache
def default_script(language: str = "zh") -> Script:
    """The shipped script. Raises ``BadInput`` for a language that none is shipped for."""
    if language not in LANGUAGES:
        raise BadInput(f"There is no phrase script for this language; there are {', '.join(LANGUAGES)}.")
    file = resources.files("callcenter.quality").joinpath("scripts", f"{language}.toml")
    return parse(tomllib.loads(file.read_text(encoding="utf-8")), f"the shipped script {language}.toml")


def script_for(path: Path | None, language: str) -> Script:
    """A queue's own script, or the shipped one of its language. Raises ``BadInput``."""
    return default_script(language) if path is None else read_script(path)


@cache
def while_it_runs(script: Script) -> Script:
    """For a call that is not over: that a wait is coming is said before there is one, so its announcement counts
    wherever it was said. Its seat is told by wordings alone: nobody looks at what is doubtful meanwhile."""
    anywhere = Window("anywhere")
    phrases = (replace(one, window=anywhere) if one.window.where == "before_wait" else one for one in script.phrases)
    return replace(script, phrases=tuple(phrases), likeness=None)


def rules_of(script: Script) -> dict[str, str]:
    """Phrase to rule: what a scorecard may ask for."""
    return {phrase.name: phrase.rule for phrase in script.phrases}


def read_script(path: Path) -> Script:
    """The script in a TOML or YAML file. Raises ``BadInput`` with all mistakes, a line each."""
    text = read_utf8(path, "phrase script")
    return parse(_loaded(text, path), str(path), path.parent)


def _loaded(text: str, path: Path) -> Any:
    suffix = path.suffix.lower()
    if suffix == ".toml":
        return toml_of(text, path, "docs/phrases.md")
    try:
        if suffix in (".yaml", ".yml"):
            return yaml.load(text, _Plain)  # noqa: S506 - it is a SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        what = " ".join(str(error).split()) or "too deep"
        raise BadInput(f"{path} is not YAML: {what}; compare it with docs/phrases.md.") from None
    raise BadInput(f"{path}: a phrase script is a .toml, .yaml or .yml file; rename it.")


def parse(value: Any, name: str, folder: Path | None = None) -> Script:
    """A script from what a file in the ``folder`` holds. Raises ``BadInput``: each mistake on a line of its own, with
    ``name`` and key."""
    reader = _Reader(folder)
    script = reader.script(value)
    if reader.problems:
        raise BadInput("\n".join(f"{name}: {problem}" for problem in reader.problems))
    return script


class _Reader(Tables):
    """Goes through a script and notes each mistake; what it returns is right only if there was none."""

    def __init__(self, folder: Path | None) -> None:
        super().__init__()
        self._folder = folder

    def script(self, value: Any) -> Script:
        told = self.table(value, "the script", _TOP_KEYS)
        language = self.one_of(told, "language", LANGUAGES, "language", None)
        tolerance = self._tolerance(told.get("tolerance", {}), "tolerance", Tolerance())
        phrases = self.table(told.get("phrases"), "phrases")
        if not phrases and isinstance(told.get("phrases"), Mapping | None):
            self.problems.append("phrases: there are none; write at least one table [phrases.NAME].")
        script = Script(
            language=language,
            title=self.text(told, "title", "title", ""),
            wait_seconds=self.number(told, "wait_seconds", "wait_seconds", 8.0, 1.0, 600.0),
            phrases=tuple(self._phrase(str(name), phrase, tolerance) for name, phrase in phrases.items()),
        )
        examples = self._examples(self.text(told, "examples", "examples", ""), script.phrases)
        return replace(script, likeness=Likeness(examples, language)) if examples else script

    def _examples(self, file: str, phrases: Iterable[Phrase]) -> list[Example]:
        """Of a file beside the script, or of a shipped one."""
        names = {NONE, *(phrase.name for phrase in phrases if not _has_slots(phrase))}
        found: list[Example] = []
        wrong = 0
        for number, line in enumerate(self._lines(file) if file else (), 1):
            name, _, sentence = line.strip().partition(" ")
            if not name or name.startswith("#"):
                continue
            if name in names and 1 <= len(sentence.strip()) <= LONGEST_EXAMPLE:
                found.append((name, sentence.strip()))
                continue
            wrong += 1
            if wrong <= MOST_WRONG_EXAMPLES:
                self.problems.append(
                    f"examples: {file}, line {number}: must be NAME, a space and a sentence of 1 to {LONGEST_EXAMPLE}"
                    f" characters; NAME is a phrase of this script without {{number}} and {{company}}, or {NONE}."
                )
        if wrong > MOST_WRONG_EXAMPLES:
            self.problems.append(f"examples: {file}: so are {wrong - MOST_WRONG_EXAMPLES} further lines.")
        return found

    def _lines(self, file: str) -> Sequence[str]:
        beside = self._folder / file if self._folder else None
        shipped = resources.files("callcenter.quality").joinpath("scripts", file)
        if beside is not None and beside.exists():
            try:
                return read_utf8(beside, "file of examples").splitlines()
            except BadInput as error:
                self.problems.append(f"examples: {error}")
        elif "/" not in file and shipped.is_file():
            return shipped.read_text("utf-8").splitlines()
        else:
            self.problems.append(f"examples: there is no {file} beside the script; name the file with its sentences.")
        return ()

    def _phrase(self, name: str, value: Any, tolerance: Tolerance) -> Phrase:
        key = f"phrases.{name}"
        if not _NAME.fullmatch(name):
            self.problems.append(f"{key}: a name is small letters, digits and _, at most 64 characters.")
        told = self.table(value, key, _PHRASE_KEYS)
        rule = self.text(told, "rule", f"{key}.rule", None)
        if rule and not _RULE.fullmatch(rule):
            self.problems.append(f"{key}.rule: must be an id of the service standard, such as A2.")
        kind: Kind = self.one_of(told, "kind", ("required", "forbidden"), f"{key}.kind", None)
        self._fitting(told, kind, key)
        return Phrase(
            name=name,
            rule=rule,
            kind=kind,
            who=self.one_of(told, "who", WHO, f"{key}.who", "seat"),
            window=self._window(told.get("window", {}), f"{key}.window"),
            severity=int(self.number(told, "severity", f"{key}.severity", 1, 1, 3, whole=True)),
            tolerance=self._tolerance(told.get("tolerance", {}), f"{key}.tolerance", tolerance),
            variants=self._wordings(told, "variants", key, needed=True),
            doubtful_variants=self._wordings(told, "doubtful_variants", key),
            unless=self._contexts(told, "unless", key),
            doubtful_when=self._contexts(told, "doubtful_when", key),
            always=self._contexts(told, "always", key),
        )

    def _fitting(self, told: Mapping[str, Any], kind: str, key: str) -> None:
        for name, of in (("severity", "forbidden"), ("window", "required")):
            if name in told and kind not in ("", of):
                self.problems.append(f"{key}.{name}: belongs to {of} phrases; remove it, or change kind.")

    def _wordings(self, told: Mapping[str, Any], name: str, key: str, needed: bool = False) -> tuple[Wording, ...]:
        found: dict[Wording, None] = {}
        for place, text in self._texts(told, name, key, needed):
            try:
                found.update(dict.fromkeys(wordings(text)))
            except BadInput as error:
                self.problems.append(f"{place}: {error}.")
        return tuple(found)

    def _contexts(self, told: Mapping[str, Any], name: str, key: str) -> tuple[Context, ...]:
        found: dict[Context, None] = {}
        for place, text in self._texts(told, name, key, False):
            if text.startswith("="):
                found[Context(exact=text[1:].strip().lower())] = None
                continue
            try:
                found.update(dict.fromkeys(Context(one) for one in wordings(text, context=True)))
            except BadInput as error:
                self.problems.append(f"{place}: {error}.")
        return tuple(found)

    def _texts(self, told: Mapping[str, Any], name: str, key: str, needed: bool) -> list[tuple[str, str]]:
        value = told.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            self.problems.append(f'{key}.{name}: must be a list of texts in quotes, such as ["请您稍等"].')
            return []
        if needed and not value:
            self.problems.append(f"{key}.{name}: is missing; write at least one wording.")
        for n, one in enumerate(value):
            if not 1 <= len(one.strip("= ")) <= 200:
                self.problems.append(f"{key}.{name}[{n}]: must have 1 to 200 characters.")
        return [(f"{key}.{name}[{n}]", one) for n, one in enumerate(value) if 1 <= len(one.strip("= ")) <= 200]

    def _window(self, value: Any, key: str) -> Window:
        told = self.table(value, key, WHERE[1:])
        if not told:
            return Window()
        if len(told) > 1:
            self.problems.append(f"{key}: takes one of {', '.join(WHERE[1:])}; remove the others.")
        where: Where = next((one for one in WHERE if one in told), "anywhere")
        return Window(where, self.number(told, where, f"{key}.{where}", 0.0, 0.1, 600.0))

    def _tolerance(self, value: Any, key: str, usual: Tolerance) -> Tolerance:
        told = self.table(value, key, ("sure", "doubtful", "confidence"))
        found = Tolerance(
            sure=self.number(told, "sure", f"{key}.sure", usual.sure, 0.5, 1.0),
            doubtful=self.number(told, "doubtful", f"{key}.doubtful", usual.doubtful, 0.5, 1.0),
            confidence=self.number(told, "confidence", f"{key}.confidence", usual.confidence, 0.0, 1.0),
        )
        if found.doubtful > found.sure:
            self.problems.append(f"{key}.doubtful: must not be above {key}.sure.")
        return found
