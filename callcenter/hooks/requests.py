"""What a hook was asked, checked.

On the path of a call: a transport (HTTP, FastAGI) hands the fields over as they came; ``hooks/answers`` gets ``Asked``.
Promises: every field that is used later has been matched against its own pattern; a refusal is one sentence that names
the field and the remedy.
Never: puts a value into a sentence: it may be a caller's number.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from callcenter.errors import BadInput
from callcenter.hooks.text import harmless


class Hook(StrEnum):
    ARRIVAL = "arrival"
    ROUTE = "route"
    GREETING = "greeting"
    SURVEY = "survey"
    VARIABLE = "variable"
    RECORDING = "recording"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request. Fields that its hook does not take are empty."""

    hook: Hook
    linkedid: str
    uniqueid: str
    caller: str = ""
    dialled: str = ""
    queue: str = ""
    company: str = ""
    language: str = ""
    seat: str = ""
    answer: str = ""
    name: str = ""
    value: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class _Field:
    pattern: re.Pattern[str]
    want: str
    required: bool = False


_ID = re.compile(r"[A-Za-z0-9_.-]{1,100}", re.ASCII)
_ANY = re.compile(r"(?s).*")
_LINKEDID = _Field(_ID, "the call's id, ${CHANNEL(linkedid)}", required=True)
_UNIQUEID = _Field(_ID, "the channel's id, ${UNIQUEID}")
_QUEUE = _Field(re.compile(r"[\w.-]{0,26}"), "a queue's name of no more than 26 letters, digits, '_', '-' and '.'")
_FREE = _Field(_ANY, "a text")
_LANGUAGE = _Field(re.compile(r"([a-z]{2})?"), "a language of two small letters, such as zh")
_SEAT = _Field(
    re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,31}", re.ASCII), "the seat's extension, such as 1001", required=True
)
_ANSWER = _Field(re.compile(r"[1-5]"), "one digit from 1 to 5", required=True)
_NAME = _Field(
    re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}", re.ASCII), "a letter and up to 31 letters, digits or '_'", required=True
)

_STATE = _Field(re.compile(r"pause|resume"), "pause or resume", required=True)

TAKES: Mapping[Hook, Mapping[str, _Field]] = {
    Hook.ARRIVAL: {"caller": _FREE, "dialled": _FREE, "queue": _QUEUE},
    Hook.ROUTE: {"caller": _FREE, "dialled": _FREE, "queue": _QUEUE, "company": _FREE, "language": _LANGUAGE},
    Hook.GREETING: {"seat": _SEAT, "queue": _QUEUE, "company": _FREE, "language": _LANGUAGE},
    Hook.SURVEY: {"answer": _ANSWER},
    Hook.VARIABLE: {"name": _NAME, "value": _FREE},
    Hook.RECORDING: {"state": _STATE},
}
"""Fields of each hook beside ``linkedid`` and ``uniqueid``, which all take."""

_CLEANED = ("caller", "dialled", "company")


def hook_named(name: str) -> Hook:
    """Raises ``BadInput`` for a name that is no hook's."""
    try:
        return Hook(name)
    except ValueError:
        raise BadInput(f"there is no such hook: ask one of {', '.join(Hook)}") from None


def read(hook: Hook, fields: Mapping[str, str]) -> Asked:
    """The request in ``fields``. Raises ``BadInput``."""
    takes = {"linkedid": _LINKEDID, "uniqueid": _UNIQUEID, **TAKES[hook]}
    if not fields.keys() <= takes.keys():
        raise BadInput(f"the hook {hook} got a field it does not know: send only {', '.join(takes)}")
    for name, field in takes.items():
        value = fields.get(name, "")
        if (value or field.required) and not field.pattern.fullmatch(value):
            raise BadInput(f"{name} is missing or not right: give {field.want}")
    checked = dict(fields)
    for name in _CLEANED:
        if name in checked:
            checked[name] = harmless(checked[name])
    checked["uniqueid"] = checked.get("uniqueid") or checked["linkedid"]
    return Asked(hook, **checked)
