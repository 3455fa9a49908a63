"""Callbacks in memory behind ``web/callback_ports.py``, with what was done to them."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from callcenter.tickets.callbacks import Attempt, Callback, note_of
from callcenter.web.callback_ports import Owing

CLAIM_SECONDS = 600.0


@dataclass
class MemoryCallbacks:
    now: Callable[[], float]
    found: dict[int, Callback] = field(default_factory=dict)
    withheld: int = 0
    beyond: dict[tuple[str | None, str], tuple[int, int]] = field(default_factory=dict)
    spoken: int = 0
    in_time: int = 0
    away: bool = False
    closed: list[tuple[int, str, str]] = field(default_factory=list)
    told: Callable[[], None] = lambda: None
    called: set[int] = field(default_factory=set)

    def owing(self) -> Owing | None:
        shown = sorted(self.found.values(), key=lambda one: (one.due_at, one.id))
        return None if self.away else Owing(tuple(shown), self.withheld, self.beyond, self.spoken, self.in_time)

    def put(self, *callbacks: Callback) -> None:
        self.found |= {one.id: one for one in callbacks}
        self.told()

    async def claim(self, callback_id: int, by: str) -> bool:
        one = self.found.get(callback_id)
        if one is None or one.holder(self.now()) not in (None, by):
            return False
        self.put(replace(one, claimed_by=by, claimed_until=self.now() + CLAIM_SECONDS))
        return True

    def begin_call(self, callback_id: int) -> bool:
        again = callback_id in self.called
        self.called.add(callback_id)
        return not again

    async def release(self, callback_id: int, by: str) -> bool:
        one = self.found.get(callback_id)
        if one is None or one.claimed_by != by:
            return False
        self.called.discard(callback_id)
        self.put(replace(one, claimed_by=None, claimed_until=None))
        return True

    async def close(self, callback_id: int, by: str, reason: str, *, any_hand: bool = False) -> bool:
        note, one = note_of(reason), self.found.get(callback_id)
        if one is None or not (any_hand or one.holder(self.now()) in (None, by)):
            return False
        del self.found[callback_id]
        self.closed.append((callback_id, by, note))
        self.told()
        return True


def owed(index: int, now: float, minutes: float, rule: str = "D11", **more: object) -> Callback:
    """A callback that is due in so many minutes."""
    base = Callback(
        *(index, rule, "abandoned" if rule == "D11" else "no_sound", f"1380000{index:04}", "it", 187),
        *("26-1126-0187", now - 600, now + 60 * minutes, 1, 0),
        attempts=(Attempt("lost", now - 600, ""),),
    )
    return replace(base, **more)  # type: ignore[arg-type]
