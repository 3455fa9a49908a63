"""Short ways to make calls and batches for the store's tests."""

from dataclasses import replace
from typing import Any

from callcenter.calls.model import (
    Breach,
    Call,
    Direction,
    EndedBy,
    Gate,
    Hold,
    Outcome,
    Phase,
    Ring,
    RingResult,
    Stay,
    Transfer,
    TransferKind,
)
from callcenter.store import Batch, Committed, Store
from callcenter.tickets.model import Ticket, TicketPatch, patch_of

NOW = 1_795_305_600.0
"""2026-11-22 08:00 in Shanghai, which is 00:00 UTC."""
HOUR = 3600.0


def call(call_id: str, **values: Any) -> Call:
    """A hotline call that arrived at ``NOW`` and rings."""
    defaults = {"caller_number": "13800138000", "queue": "support", "arrived_at": NOW, "phase": Phase.RINGING}
    return Call(server="pbx", call_id=call_id, direction=Direction.INBOUND, **{**defaults, **values})


def ended(call: Call, **values: Any) -> Call:
    return replace(call, **{"phase": Phase.ENDED, "ended_at": NOW + 60, "outcome": Outcome.ANSWERED, **values})


FULL_CALL = Call(
    server="pbx",
    call_id="lab-1795305600.1",
    direction=Direction.INBOUND,
    phase=Phase.ENDED,
    phase_since=NOW + 60.25,
    caller_number="02112345678",
    caller_name="张三 “O'Neil” \\ <script>",
    dialled="4001234567",
    queue="support",
    caller_channel="PJSIP/trunk-00000001",
    arrived_at=NOW + 0.125,
    first_ring_at=NOW + 1,
    answered_at=NOW + 11.5,
    ended_at=NOW + 60.25,
    rings_heard=3,
    wait_seconds=11.375,
    outcome=Outcome.ANSWERED,
    answered_by="1002",
    ringing=("1003",),
    talking_to=("1002", "1004"),
    seats_missed=("1001", "1001"),
    rings=(
        Ring("1001", "lab-2", NOW + 1, NOW + 6, RingResult.MISSED),
        Ring("1005", "lab-3", None, NOW + 6, RingResult.NOT_RUNG),
        Ring("1002", "lab-4", NOW + 6, NOW + 11.5, RingResult.ANSWERED),
    ),
    holds=(Hold("1002", NOW + 20, NOW + 28), Hold("1002", NOW + 40, None)),
    transfers=(Transfer(TransferKind.ATTENDED, "1002", "1004", NOW + 50),),
    stays=(Stay("1002", NOW + 11.5, NOW + 20), Stay("1004", NOW + 50, NOW + 60)),
    caller_gone_at=NOW + 60,
    gates=(Gate("1006", "Local/1006@cc-gate-1;2"),),
    talk_seconds=40.75,
    hold_seconds=8.0,
    ended_by=EndedBy.CALLER,
    cause=16,
    recording="2026/11/22/a.wav",
    recording_seat="2026/11/22/a-seat.wav",
    recording_caller="2026/11/22/a-caller.wav",
    announced_at=NOW + 10,
    breaches=(Breach("A1", "not_lifted", NOW + 15),),
    variables={"company": "示例服务", "survey": "5"},
    complete=False,
    recovered=True,
)
"""A call in which every field says something."""


def batch(*calls: Call, **values: Any) -> Batch:
    """These calls with the patches for their tickets."""
    defaults = {"server": "pbx", "at": NOW, "calls": calls, "tickets": [patch_of(c) for c in calls]}
    return Batch(**{**defaults, **values})


async def commit(store: Store, *calls: Call, **values: Any) -> Committed:
    return await store.commit(batch(*calls, **values))


async def ticket(store: Store, call_id: str) -> Ticket:
    """The ticket of a call; the test fails if there is none."""
    found = await store.tickets.by_call("pbx", call_id)
    assert found is not None
    return found


async def new_ticket(store: Store, call_id: str = "c1", **values: Any) -> Ticket:
    await commit(store, call(call_id, **values))
    return await ticket(store, call_id)


def patch(call_id: str, **fields: str) -> TicketPatch:
    return TicketPatch(call_id, NOW, fields=fields)
