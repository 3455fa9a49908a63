"""What the screens need of the duty roster (A5): part of ``ports``. Seats are named by extension.

Never: imports the store.
"""

from collections.abc import Sequence
from typing import Protocol

from callcenter.roster.duty import Muster, Post


class Roster(Protocol):
    """Who is planned, and who is there. Synchronous but for the history."""

    def muster(self) -> Muster | None:
        """``None`` until there is a plan: its files are read and right, and what was stored is read."""

    def problems(self) -> Sequence[str]:
        """What is wrong with the plan's files as they are now; the plan before stays in force."""

    async def between(self, since: float, until: float) -> Sequence[Post]:
        """How the shifts of this time were kept, in the order of their begins."""
