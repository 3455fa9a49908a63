"""What a hook is answered, and what it tells the call.

On the path of a call: the transports ask, the dialplan goes on with the values, and the facts go into the pipeline as
events, so that they share the order, the log and the commit of everything else.
Promises: answers come from settings and memory alone, at once; the first greeting or route that matches wins; without a
match the answer is what the dialplan would have done by itself.
Never: waits, reads a clock, or tells one caller's data to another.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from typing import TypeVar
from zoneinfo import ZoneInfo

from callcenter.ami.events import UserEvent
from callcenter.days import DayKind, Days
from callcenter.errors import BadInput
from callcenter.hooks.choices import Condition, Subject
from callcenter.hooks.requests import Asked, Hook
from callcenter.hooks.text import harmless, one_line
from callcenter.rules.cadence import Cadence
from callcenter.settings import Queue, Settings

FACT = "CallcenterVariable"
STANDARD = "standard"
"""The variant without a name of its own (``prompts.names.STANDARD``, whose package is not for the path of a call)."""
BEHIND_SECONDS = 1.0
"""How far the dialplan's time limits stand behind the daemon's steps of the ladder."""
SURVEY = "survey"
RESERVED = frozenset({SURVEY, "company", "language", "priority"})
"""Variables that other hooks set; the hook ``variable`` may not."""
_Choice = TypeVar("_Choice", bound=Condition)
_KEY = re.compile(r"[a-z0-9][a-z0-9_]{0,31}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Answer:
    """``values``: (name, value) for the dialplan, the name empty where one bare value is asked. ``facts``: variables of
    the call. ``calendar_unknown``: a choice depended on a day that no published calendar holds."""

    values: tuple[tuple[str, str], ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    calendar_unknown: bool = False
    pause: bool | None = None
    """The recording is to be silent from now on, or not any more; ``asked_to_pause`` has then the dialplan's answer."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known at the moment of asking: ``now`` in epoch seconds, the rules of a queue, a seat's work number."""

    now: float
    queue: Callable[[str], Queue]
    work_number: Callable[[str], str | None]
    day: Callable[[date], DayKind] = Days(chinese=True).kind
    keeps_ladder: bool = False
    """Whether the daemon can act on calls now, so that the ladder of A1 is its own."""


def answer(asked: Asked, settings: Settings, known: Known) -> Answer:
    """The answer to ``asked``. Raises ``BadInput``."""
    match asked.hook:
        case Hook.ARRIVAL:
            return _arrival(asked, settings, known)
        case Hook.ROUTE:
            return _route(asked, settings, known)
        case Hook.GREETING:
            return _greeting(asked, settings, known)
        case Hook.SURVEY:
            return Answer(facts=((SURVEY, asked.answer),))
        case Hook.VARIABLE:
            return _variable(asked, settings)
        case Hook.RECORDING:
            return Answer(pause=asked.state == "pause")


def asked_to_pause(found: Answer, became: str) -> Answer:
    """What the dialplan is told of its wish for the recording: that Asterisk was asked, or why not."""
    return replace(found, values=(("", became),))


def events(asked: Asked, facts: Sequence[tuple[str, str]], at: float) -> list[UserEvent]:
    """The facts as the same event that a dialplan's own ``UserEvent(CallcenterVariable,...)`` makes."""
    return [
        UserEvent(at, asked.uniqueid, asked.linkedid, FACT, (("Name", name), ("Value", value))) for name, value in facts
    ]


def _arrival(asked: Asked, settings: Settings, known: Known) -> Answer:
    subject, rules = _subject(asked, settings, known), known.queue(asked.queue)
    values = (("language", subject.language), ("company", harmless(subject.company)), ("priority", str(rules.priority)))
    facts = tuple((name, value) for name, value in values if value not in ("", "0"))
    return Answer((*values, *_ladder(rules, settings.rings.cadence)) if known.keeps_ladder else values, facts)


def _ladder(rules: Queue, cadence: Cadence) -> tuple[tuple[str, str], ...]:
    """A1: the daemon takes the steps itself, on the ring; the dialplan's own time limits stand a little behind it."""
    found = []
    for step in rules.ladder:
        after = step.after_seconds(cadence) + BEHIND_SECONDS
        if step.do == "announce":
            found.append(("ring_seconds", str(math.ceil(after))))
        else:
            found.append(("backup_after", f"{after:.1f}"))
    return tuple(found)


def _route(asked: Asked, settings: Settings, known: Known) -> Answer:
    route, unsure = _first(settings.routes, _subject(asked, settings, known), settings, known)
    return Answer((("", route.to if route else asked.queue),), calendar_unknown=unsure)


def _greeting(asked: Asked, settings: Settings, known: Known) -> Answer:
    """The name of the prompt without ``.wav``; empty for a seat that nobody knows, whose greeting nobody built."""
    if known.work_number(asked.seat) is None:
        return Answer((("", ""),))
    subject = _subject(asked, settings, known)
    greeting, unsure = _first(settings.greetings, subject, settings, known)
    company = subject.company if subject.company != settings.site.company and _KEY.fullmatch(subject.company) else ""
    variant = greeting.variant if greeting and greeting.variant != STANDARD else ""
    parts = ("greeting", subject.language, asked.seat, company, variant)
    return Answer((("", "-".join(filter(None, parts))),), calendar_unknown=unsure)


def _variable(asked: Asked, settings: Settings) -> Answer:
    allowed = settings.hooks.variable_names
    if asked.name.lower() in RESERVED or not any(fnmatchcase(asked.name, pattern) for pattern in allowed):
        raise BadInput("name is not allowed: choose another, or add a pattern to hooks.variable_names")
    return Answer(facts=((asked.name, one_line(asked.value, settings.hooks.max_value_chars)),))


def _subject(asked: Asked, settings: Settings, known: Known) -> Subject:
    """What the dialplan says of the call, completed by its queue's rules and the site's."""
    rules = known.queue(asked.queue)
    return Subject(
        company=asked.company or rules.company or settings.site.company,
        queue=asked.queue,
        language=asked.language or rules.language or settings.site.language,
        dialled=asked.dialled,
    )


def _first(
    choices: Sequence[_Choice], subject: Subject, settings: Settings, known: Known
) -> tuple[_Choice | None, bool]:
    """The first choice that holds, and whether a day of unknown kind stood in the way of one."""
    local = _local(settings, known.now)
    unknown: list[date] = []

    def kind(day: date) -> DayKind:
        found = known.day(day)
        if found is DayKind.UNKNOWN:
            unknown.append(day)
        return found

    chosen = next((choice for choice in choices if choice.holds(subject, local, kind)), None)
    return chosen, bool(unknown)


def site_day(settings: Settings, now: float) -> date:
    """The day at the site at ``now`` (epoch seconds)."""
    return _local(settings, now).date()


def _local(settings: Settings, now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(settings.site.timezone))
