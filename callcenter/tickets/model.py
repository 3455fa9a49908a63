"""The ticket as plain data: what the record of a call holds (C2), who may change which part of it, and its number.

On the path of a call: the pipeline asks for tickets by ``TicketPatch``; ``store/tickets`` opens and fills them by the
functions here; the seat's window reads ``Ticket`` and writes fields by name.
Promises: a text that a person typed is never replaced by a machine; a text is stored as it was typed, apart from
control characters that no database or page can carry.
Never: reads a clock, a database or the network; puts a field's value into an error message.
"""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum
from types import MappingProxyType

from callcenter.calls.model import Breach, Call, Direction, Outcome, Phase
from callcenter.calls.naming import endpoint
from callcenter.errors import BadInput


class Status(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One field of C2. ``max_chars``: longest text in characters; ``multiline``: line breaks are kept."""

    max_chars: int
    multiline: bool = False


FIELDS: Mapping[str, FieldSpec] = MappingProxyType(
    {
        "caller_name": FieldSpec(120),
        "organisation": FieldSpec(200),
        "department": FieldSpec(200),
        "address": FieldSpec(300),
        "phone": FieldSpec(40),
        "problem": FieldSpec(8_000, multiline=True),
        "wants": FieldSpec(4_000, multiline=True),
        "handling": FieldSpec(8_000, multiline=True),
        "result": FieldSpec(4_000, multiline=True),
        "category": FieldSpec(80),
    }
)
"""The fields that a person fills in, in the order of the form. Promises are rows of their own."""

PROMISE = FieldSpec(1_000, multiline=True)
_PROMISE_KEY = re.compile(r"[0-9A-Za-z_-]{1,40}")
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_PHONE = re.compile(r"[+(]?\d[\d ()-]{5,30}")
_LONGEST_NATIONAL_NUMBER = 11  # China: mobile numbers, area code and subscriber number without the trunk zero
_LONGEST_SERVICE_NUMBER = 8  # short codes and subscriber numbers; a longer one that begins with 0 has a trunk zero
_SHORTEST_SEARCHED_NUMBER = 7
_LINE_BREAKS = re.compile("\r\n|[\r\u2028\u2029]")


class FieldError(BadInput):
    """A text that a ticket cannot hold. ``field`` names it; the message is one sentence without the text."""

    def __init__(self, name: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = name


@dataclass(frozen=True, slots=True)
class TicketPatch:
    """What a machine knows for the ticket of a call. Opens the ticket if there is none yet (C1).

    ``opened_at``: the call's arrival, epoch seconds; ``None`` if it was not observed. ``fields``: values for fields of
    C2; an empty one leaves the field alone. ``seat``: the extension that has the call; ``None`` leaves it alone.
    """

    call_id: str
    opened_at: float | None = None
    caller_number: str = ""
    seat: str | None = None
    fields: Mapping[str, str] = field(default_factory=dict)
    recovered: bool = False

    def fingerprint(self) -> int:
        """64 bits that another patch has by chance only; within one run of the program."""
        fields = tuple(self.fields.items())
        return hash((self.opened_at, self.caller_number, self.seat, fields, self.recovered))


@dataclass(frozen=True, slots=True)
class TicketRef:
    """Enough to point at a ticket. ``opened``: this commit made it."""

    id: int
    number: str
    opened: bool = False


@dataclass(frozen=True, slots=True)
class CallFacts:
    """The facts of a ticket's call that lists show; ``store.calls.get`` has the whole call."""

    direction: Direction
    phase: Phase
    queue: str | None
    arrived_at: float | None
    answered_at: float | None
    ended_at: float | None
    outcome: Outcome | None
    answered_by: str | None
    rings_heard: int
    wait_seconds: float | None
    talk_seconds: float | None
    breaches: tuple[Breach, ...]
    recording: str | None
    complete: bool


@dataclass(frozen=True, slots=True)
class Ticket:
    """A stored ticket. ``fields`` holds every name of ``FIELDS``; ``typed`` those that a person wrote."""

    id: int
    number: str
    server: str
    call_id: str
    opened_at: float
    status: Status
    closed_at: float | None
    closed_by: str | None
    seat: str | None
    caller_number: str
    fields: Mapping[str, str]
    typed: frozenset[str]
    recovered: bool
    merged_into: int | None
    version: int
    updated_at: float
    left_open_at: float | None = None
    """When the seat ended its wrap-up without closing the ticket, or somebody opened it again."""
    call: CallFacts | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """A promise made to the customer (C2). ``key``: chosen by the window, so that saving twice is saving once."""

    key: str
    ticket_id: int
    text: str
    due_at: float | None
    done_at: float | None
    made_by: str
    made_at: float


@dataclass(frozen=True, slots=True)
class Change:
    """One line of a ticket's history (audit)."""

    field: str
    old: str
    new: str
    changed_by: str
    at: float
    version: int


@dataclass(frozen=True, slots=True)
class Conflict:
    """A save replaced a text that its writer had not seen: ``other``, written by ``changed_by`` at ``at``."""

    field: str
    other: str
    changed_by: str
    at: float


@dataclass(frozen=True, slots=True)
class Saved:
    """The ticket after a save. ``ticket_id`` differs from the one asked for when that ticket was merged into it."""

    ticket_id: int
    version: int
    values: Mapping[str, str]
    conflicts: tuple[Conflict, ...] = ()


def patch_of(call: Call) -> TicketPatch:
    """What a call itself tells its ticket. Of a call that a seat began by a click, the customer is whom it dials."""
    number, name = call.caller_number or "", call.caller_name or ""
    if call.clicked_by is not None:
        number, name = call.dialled or "", ""
    known = {"caller_name": "" if name == number else name, "phone": number}
    return TicketPatch(call.call_id, call.arrived_at, number, _seat(call), known, call.recovered)


def _seat(call: Call) -> str | None:
    """Whose ticket it is: of the seat that talks, or else answered. An outgoing call's far end is no seat: it is of the
    one that called, also where nobody lifts, and then of the one that the call is handed on to."""
    far = call.dialled or "" if call.direction is Direction.OUTBOUND else ""
    ours = [one for one in call.talking_to if not (far and (far.endswith(one) or one.endswith(far)))]
    if ours or not call.talking_to:
        return ours[0] if ours else call.answered_by or _dialler(call)
    return endpoint(call.caller_channel) if call.caller_channel else None


def _dialler(call: Call) -> str | None:
    """The seat whose call outwards nobody has answered yet. Of one that calls under another number nothing is said."""
    if call.answered_at is not None:
        return None
    own = endpoint(call.caller_channel) if call.caller_channel and call.direction is Direction.OUTBOUND else None
    return call.clicked_by or (own if own == call.caller_number else None)


def normalise(name: str, text: str) -> str:
    """The text as it is stored. Raises ``FieldError`` for an unknown field or a text that is too long."""
    spec = FIELDS.get(name)
    if spec is None:
        raise FieldError("", f"There is no such ticket field; the fields are {', '.join(FIELDS)}.")
    return _limited(name, spec, storable(text, multiline=spec.multiline))


def normalise_promise(text: str) -> str:
    """A promise's text as it is stored. Raises ``FieldError`` if it is empty or too long."""
    clean = storable(text, multiline=True)
    if not clean.strip():
        raise FieldError("promise", "A promise needs a text; write what was promised or remove it.")
    return _limited("promise", PROMISE, clean)


def check_promise_key(key: str) -> str:
    if not _PROMISE_KEY.fullmatch(key):
        raise FieldError("promise", "A promise's key must be 1 to 40 letters, digits, '-' or '_'.")
    return key


def storable(text: str, multiline: bool = False) -> str:
    """Without what PostgreSQL, SQLite or UTF-8 refuse. One line only: breaks and tabs become spaces, ends are cut."""
    clean = _UNSTORABLE.sub("", _LINE_BREAKS.sub("\n", text))
    return clean if multiline else clean.replace("\n", " ").replace("\t", " ").strip()


def _limited(name: str, spec: FieldSpec, text: str) -> str:
    if len(text) > spec.max_chars:
        raise FieldError(name, f"The text of {name} has {len(text)} characters and may have {spec.max_chars}; cut it.")
    return text


def fill_in(fields: Mapping[str, str], typed: Collection[str], known: Mapping[str, str]) -> dict[str, str]:
    """What a machine may change: fields that no person wrote and for which it knows something new.

    A text from outside that is too long is cut: it was not typed by anybody, and a call must never fail for it.
    """
    changed = {}
    for name, raw in known.items():
        spec = FIELDS.get(name)
        if spec is None or name in typed:
            continue
        text = storable(raw, multiline=spec.multiline)[: spec.max_chars]
        if text and text != fields.get(name, ""):
            changed[name] = text
    return changed


def local_day(at: float, zone: tzinfo) -> str:
    """The site's date of an instant, ``2026-11-22``."""
    return datetime.fromtimestamp(at, zone).date().isoformat()


def format_number(day: str, sequence: int) -> str:
    """The ticket's number: ``26-1122-0007`` is the seventh of 2026-11-22. Four digits or more."""
    year, month, day_of_month = day.split("-")
    return f"{year[-2:]}-{month}{day_of_month}-{sequence:04d}"


def number_key(number: str, country_code: str = "86") -> str:
    """What two writings of one telephone number share, so that a caller's earlier tickets are found.

    Digits without the international prefix, the country code and the trunk zero: ``+86 21 1234 5678``,
    ``0086-21-12345678`` and ``021 12345678`` agree (E.164 national significant number). Empty for a withheld number.
    """
    digits = number if number.isascii() and number.isdigit() else _digits(number)
    if number.strip().startswith(("+", "00")) or len(digits) > _LONGEST_NATIONAL_NUMBER:
        digits = digits.lstrip("0").removeprefix(country_code)
    return digits[1:] if len(digits) > _LONGEST_SERVICE_NUMBER and digits.startswith("0") else digits


def number_writings(number: str, country_code: str = "86") -> frozenset[str]:
    """The ways in which an exchange may write this number: as given, and what ``number_key`` sees no difference in."""
    key = number_key(number, country_code)
    given = {number.strip(), re.sub(r"[\s()-]", "", number)}
    if not key:
        return frozenset(given)
    abroad = number.strip().startswith(("+", "00")) and not _digits(number).lstrip("0").startswith(country_code)
    prefixes = ("", "+", "00") if abroad else ("", "0", country_code, f"+{country_code}", f"00{country_code}")
    return frozenset(given | {prefix + key for prefix in prefixes})


def _digits(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c in "0123456789")


def fold(text: str) -> str:
    """Text for searching: width, case and compatibility forms do not matter (NFKC, case folding)."""
    if text.isascii() and not _UNSTORABLE.search(text):
        return text.lower()
    return unicodedata.normalize("NFKC", storable(text, multiline=True)).casefold()


def search_text(number: str, caller_number: str, fields: Mapping[str, str]) -> str:
    """All that a ticket is found by, folded, one piece per line."""
    keys = (number_key(caller_number), number_key(fields.get("phone", "")))
    return fold("\n".join(filter(None, (number, caller_number, *keys, *fields.values()))))


@dataclass(frozen=True, slots=True)
class SearchTerms:
    """A ticket is found if it holds all ``words``, or the number key ``phone`` if the query is a telephone number."""

    words: tuple[str, ...]
    phone: str = ""


def search_terms(query: str) -> SearchTerms:
    """The terms of a query; at most eight words of at most 80 characters."""
    folded = fold(query[:1_000])
    phone = number_key(query) if _PHONE.fullmatch(folded.strip()) else ""
    phone = phone if len(phone) >= _SHORTEST_SEARCHED_NUMBER else ""
    return SearchTerms(tuple(word[:80] for word in folded.split()[:8]), phone)
