"""Which recordings are still to be copied to the store of recordings, where copies lie, whose local files may go.

On the path of a call: after its recording has got its row and hash. ``speech/storing`` does the copying.
Promises: what is to be done is asked from the rows each time, so that a crash loses none; a copy is noted once, and
never for a recording that was erased meanwhile.
Never: opens a file or a connection.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, select, update

from callcenter.store.database import Database
from callcenter.store.schema import calls, recordings, tickets

Copies = Mapping[str, Mapping[str, Any]]
"""By track (mix, seat, caller): ``key`` in the store, ``sha256`` and ``size`` in bytes."""


@dataclass(frozen=True, slots=True)
class ToStore:
    """``sha256``: over all tracks, as it was reckoned when the call had ended. ``copies``: what is noted already."""

    id: int
    server: str
    call_id: str
    paths: Mapping[str, str]
    sha256: str
    copies: Copies


@dataclass(frozen=True, slots=True)
class Hashed:
    """A recording to be compared with its hash; ``number``: its ticket's, or nothing."""

    recording: ToStore
    number: str


class StoredRecordings:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def waiting(self, skip: Collection[int], limit: int = 20) -> list[ToStore]:
        """Recordings without a copy, the oldest first, but for ``skip``."""
        r = recordings.c
        return await self._rows(and_(_WAITS, r.id.not_in(list(skip))), limit)

    async def count_waiting(self) -> int:
        return int(await self._database.scalar(select(func.count()).select_from(recordings).where(_WAITS)))

    async def copied_before(self, before: float, skip: Collection[int], limit: int = 100) -> list[ToStore]:
        """Recordings with a copy of before then, whose local files are not known to be gone."""
        r = recordings.c
        due = and_(r.local_gone_at.is_(None), r.stored_at < before, r.state == "found", r.id.not_in(list(skip)))
        return await self._rows(due, limit)

    async def note(self, recording_id: int, copies: Copies, at: float) -> bool:
        """All tracks lie in the store; False if the recording was erased meanwhile."""
        return await self._change(recording_id, {"stored": dict(copies), "stored_at": at})

    async def local_gone(self, recording_id: int, at: float) -> bool:
        return await self._change(recording_id, {"local_gone_at": at})

    async def hashed(self, server: str, since: float, after: int, limit: int = 200) -> list[Hashed]:
        """Recordings of calls that came in since then and have a hash, in the order of their ids, behind ``after``."""
        r = recordings.c
        of_call = and_(calls.c.server == r.server, calls.c.call_id == r.call_id)
        came_in = func.coalesce(calls.c.arrived_at, r.created_at)
        numbers = (
            select(r.id, tickets.c.number)
            .select_from(recordings.outerjoin(calls, of_call).outerjoin(tickets, tickets.c.id == r.ticket_id))
            .where(r.server == server, r.state == "found", r.sha256 != "", came_in >= since, r.id > after)
        )
        found = await self._database.rows(numbers.order_by(r.id).limit(limit))
        told = {row["id"]: row["number"] or "" for row in found}
        return [Hashed(one, told[one.id]) for one in await self._rows(r.id.in_(list(told)), limit)]

    async def copies(self, server: str, call_id: str) -> Copies:
        """Of a call's recording; empty if there are none."""
        r = recordings.c
        rows = await self._database.rows(select(r.stored).where(r.server == server, r.call_id == call_id))
        return (rows[0]["stored"] or {}) if rows else {}

    async def _change(self, recording_id: int, values: Mapping[str, Any]) -> bool:
        mine = and_(recordings.c.id == recording_id, recordings.c.state == "found")
        return await self._database.write(
            lambda connection: connection.execute(update(recordings).where(mine).values(dict(values))).rowcount == 1
        )

    async def _rows(self, which: Any, limit: int) -> list[ToStore]:
        r = recordings.c
        columns = (r.id, r.server, r.call_id, r.mixed_path, r.seat_path, r.caller_path, r.sha256, r.stored)
        rows = await self._database.rows(select(*columns).where(which).order_by(r.id).limit(limit))
        named = (("mix", "mixed_path"), ("seat", "seat_path"), ("caller", "caller_path"))
        return [
            ToStore(
                *(row["id"], row["server"], row["call_id"]),
                {track: row[column] for track, column in named if row[column]},
                row["sha256"],
                row["stored"] or {},
            )
            for row in rows
        ]


_WAITS = and_(recordings.c.local_gone_at.is_(None), recordings.c.stored_at.is_(None), recordings.c.state == "found")
