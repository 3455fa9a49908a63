"""What the page of callbacks, and whoever counts them, need from the rest of the house: part of ``ports``.

Promises: plain records, read from memory; instants are epoch seconds. Never: imports the store.
"""

from dataclasses import dataclass
from typing import Protocol

from callcenter.tickets.callbacks import Callback


@dataclass(frozen=True, slots=True)
class Owing:
    """What is owed now, the most urgent first. ``withheld``: callers of the last day whom nobody spoke to and who
    showed no number; ``cut``: there are more than are told; ``spoken``: callbacks of today whose customer was spoken
    to, ``in_time`` of them by the due time."""

    callbacks: tuple[Callback, ...]
    withheld: int = 0
    cut: bool = False
    spoken: int = 0
    in_time: int = 0

    def due_before(self, at: float) -> int:
        return sum(one.due_at < at for one in self.callbacks)


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

    async def close(self, callback_id: int, by: str, reason: str) -> bool:
        """Ends it without a call; False if it is over already. Raises ``BadInput`` without a reason."""
