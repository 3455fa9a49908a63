"""Who is to be called back, in memory: what screens, the page and /metrics read of it, and what a person does to it.

On the path of a call: woken by the pipeline after a commit that touched callbacks, and every few seconds, for a claim
may have run out and another process may have erased a person; the store alone knows them.
Promises: reads are synchronous and from memory; what the store does not tell is ``None``. Never: decides who is owed.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from zoneinfo import ZoneInfo

from prometheus_client.core import Metric

from callcenter.errors import BrokenWorld
from callcenter.metrics.callbacks import CallbackFigures, callback_gauge
from callcenter.settings import Settings
from callcenter.store.callbacks import MOST_OPEN
from callcenter.store.store import Store
from callcenter.tickets.callbacks import SPOKEN, Callback, Ended
from callcenter.web.callback_ports import Owing
from callcenter.web.text import midnight

REFRESH_SECONDS = 5.0
WITHHELD_FOR_SECONDS = 86_400.0
SAME_CLICK_SECONDS = 5.0


class LiveCallbacks:
    """``web.callback_ports.Callbacks``. Run ``run`` in a task."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        now: Callable[[], float],
        figures: CallbackFigures,
        told: Callable[[], None],
        noted: Callable[[int], None],
    ) -> None:
        """``told`` is called when they are others than before; ``noted``: the history of this ticket is."""
        self._settings, self._store, self._now = settings, store.callbacks, now
        self._server, self._zone = settings.asterisk.name, ZoneInfo(settings.site.timezone)
        self._figures, self._told, self._noted = figures, told, noted
        self._owing: Owing | None = None
        self._wake = asyncio.Event()
        self._reading = asyncio.Lock()
        """Whoever reads last tells last: an older answer must not come after a newer one."""
        self._called: dict[int, float] = {}
        """When somebody last began to call."""

    # --- read ----------------------------------------------------------------------------------------------------

    def owing(self) -> Owing | None:
        return self._owing

    def gauges(self) -> Iterable[Metric]:
        if self._owing is not None:
            yield callback_gauge(self._owing.callbacks, self._owing.beyond, self._now())

    # --- kept up -------------------------------------------------------------------------------------------------

    def changed(self, ended: Sequence[Ended]) -> None:
        """Told by the pipeline after a commit."""
        for one in ended:
            self._figures.ended(one)
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self._refresh()
            except BrokenWorld:
                self._owing = None  # not known, and the screens say so
            try:
                async with asyncio.timeout(REFRESH_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def _refresh(self) -> None:
        async with self._reading:
            await self._read()

    async def _read(self) -> None:
        self._wake.clear()
        found = await self._store.open(self._server)
        withheld = await self._store.withheld(self._server, self._now() - WITHHELD_FOR_SECONDS)
        today = await self._store.shares(self._server, midnight(self._now(), self._zone))
        spoken = [counts for (_, result), counts in today.items() if result in SPOKEN]
        shares = sum(every for every, _ in spoken), sum(in_time for _, in_time in spoken)
        beyond = await self._store.beyond(self._server, found[-1], self._now()) if len(found) >= MOST_OPEN else {}
        before, self._owing = self._owing, Owing(found, withheld, beyond, *shares)
        if before != self._owing:
            self._told()

    # --- by persons ----------------------------------------------------------------------------------------------

    def _one(self, callback_id: int) -> Callback | None:
        found = self._owing.callbacks if self._owing is not None else ()
        return next((one for one in found if one.id == callback_id), None)

    async def claim(self, callback_id: int, by: str) -> bool:
        now = self._now()
        taken = await self._store.claim(callback_id, by, now, now + self._settings.callbacks.claim_minutes * 60)
        await self._refresh()
        return taken

    def begin_call(self, callback_id: int) -> bool:
        now = self._now()
        self._called = {one: at for one, at in self._called.items() if 0 <= now - at < SAME_CLICK_SECONDS}
        if callback_id in self._called:
            return False
        self._called[callback_id] = now
        return True

    async def release(self, callback_id: int, by: str) -> bool:
        given = await self._store.release(callback_id, by)
        if given:
            self._called.pop(callback_id, None)
        await self._refresh()
        return given

    async def close(self, callback_id: int, by: str, reason: str, *, any_hand: bool = False) -> bool:
        known = self._one(callback_id)
        ended = await self._store.close(callback_id, by, reason, self._now(), any_hand=any_hand)
        if ended is not None:
            self._figures.ended(ended)
            if known is not None and known.ticket_id is not None:
                self._noted(known.ticket_id)
        await self._refresh()
        return ended is not None
