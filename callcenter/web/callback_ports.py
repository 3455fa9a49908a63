"""What the page of callbacks, and whoever counts them, need from the rest of the house: part of ``ports``.

Promises: plain records, read from memory; instants are epoch seconds. Never: imports the store.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from callcenter.tickets.callbacks import Callback


@dataclass(frozen=True, slots=True)
class Owing:
    """What is owed now, the most urgent first. ``withheld``: callers of the last day whom nobody spoke to and who
    showed no number; ``beyond``: how many more there are than are told, and how many of these are overdue, by queue
    and rule; ``spoken``: callbacks of today whose customer was spoken to, ``in_time`` of them by the due time."""

    callbacks: tuple[Callback, ...]
    withheld: int = 0
    beyond: Mapping[tuple[str | None, str], tuple[int, int]] = field(default_factory=dict)
    spoken: int = 0
    in_time: int = 0

    @property
    def cut(self) -> bool:
        return bool(self.beyond)

    @property
    def all(self) -> int:
        return len(self.callbacks) + sum(more for more, _ in self.beyond.values())

    def due_before(self, at: float) -> int:
        """Of those beyond, the overdue ones: what is told are the most urgent."""
        return sum(one.due_at < at for one in self.callbacks) + sum(late for _, late in self.beyond.values())


class Callbacks(Protocol):
    """Reads are synchronous and from memory."""

    def owing(self) -> Owing | None:
        """``None`` where the store does not tell."""

    async def claim(self, callback_id: int, by: str) -> bool:
        """Takes it in hand for a while; False if it is over, or somebody else has it."""

    def begin_call(self, callback_id: int) -> bool:
        """Whoever has it in hand dials now; False so soon after the last time that it is the same click. Giving it back
        ends that."""

    async def release(self, callback_id: int, by: str) -> bool:
        """Gives it back; False if it was not in that hand."""

    async def close(self, callback_id: int, by: str, reason: str, *, any_hand: bool = False) -> bool:
        """Ends it without a call; False if it is over already, or in somebody else's hand and not ``any_hand``. Raises
        ``BadInput`` without a reason."""
