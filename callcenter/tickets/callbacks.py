"""A callback as plain data: a caller whom nobody spoke to (D11) or whose call broke off (B5), and is to be called back.

On the path of a call: ``rules/callbacks`` asks for one when a call has ended, ``store/callbacks`` keeps it, the page
``/callbacks`` and the screens show it.
Promises: one number is written in one way, so that its callers are found again; what cannot be dialled is told apart.
Never: reads a clock or a database.
"""

import re
from dataclasses import dataclass

from callcenter.errors import BadInput
from callcenter.tickets.model import number_key, storable

RULES = ("B5", "D11")
REACHED, CALLED_AGAIN, CLOSED, ERASED = "reached", "called_again", "closed", "erased"
RESULTS = (REACHED, CALLED_AGAIN, CLOSED)
"""How a callback ends: the customer lifted, called again and was answered, or a person closed it with a reason."""
SPOKEN = (REACHED, CALLED_AGAIN)
LONGEST_NOTE = 1_000
_DIALABLE = re.compile(r"\+?[0-9*#]{3,31}")
_SEPARATORS = re.compile(r"[\s()./-]")
_SHORTEST_WITH_AREA = 10
"""Digits: area code and subscriber's number without the trunk zero."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call that belongs to a callback. ``kind``: lost, tried, reached or called_again; ``by``: the seat."""

    kind: str
    at: float
    by: str


@dataclass(frozen=True, slots=True)
class Callback:
    """A stored one. ``reason``: the outcome of the lost call, or why it broke off. ``ticket_id``: of that call."""

    id: int
    rule: str
    reason: str
    number: str
    queue: str | None
    ticket_id: int | None
    ticket_number: str
    opened_at: float
    due_at: float
    losses: int
    tries: int
    claimed_by: str | None = None
    """The log-in name of whoever calls back now."""
    claimed_until: float | None = None
    attempts: tuple[Attempt, ...] = ()

    def holder(self, now: float) -> str | None:
        """Who has it in hand; a claim runs out by itself."""
        return self.claimed_by if self.claimed_until is not None and now < self.claimed_until else None


@dataclass(frozen=True, slots=True)
class Ended:
    """A callback that is no longer open, for the figures."""

    rule: str
    result: str
    in_time: bool


def dialable(number: str | None) -> str:
    """The number as it is dialled; empty for one that is withheld or that no telephone has."""
    plain = _SEPARATORS.sub("", number or "")
    return plain if _DIALABLE.fullmatch(plain) and number_key(plain) else ""


def dialled_keys(number: str | None) -> tuple[str, ...]:
    """The number keys that a dialled number may stand for: its own, and the one behind a digit for the outside line."""
    plain = dialable(number)
    if not plain:
        return ()
    keys = [number_key(plain)]
    if plain[0] in "09" and len(plain) > _SHORTEST_WITH_AREA:
        keys.append(number_key(plain[1:]))
    return tuple(dict.fromkeys(key for key in keys if key))


def note_of(text: str) -> str:
    """Why a person closed a callback, as it is stored. Raises ``BadInput`` without a reason."""
    note = storable(text, multiline=True).strip()
    if not note:
        raise BadInput("Write why nobody needs to call back.")
    if len(note) > LONGEST_NOTE:
        raise BadInput(f"The reason may have {LONGEST_NOTE} characters; cut it.")
    return note
