"""All rules in reading order: what they make of a call that changed, and of a timer that is due.

On the path of a call: ``pipeline`` hands the call before and after a batch of events; what comes back is committed
together with the call, and performed only then.
Never: performs, reads a clock (``now`` is handed in), or knows how a command is carried out.
"""

from collections.abc import Collection, Iterator

from callcenter.calls.model import Call
from callcenter.rules import callbacks, three_rings, webhooks
from callcenter.rules.commands import Command
from callcenter.settings import Settings


def decide(
    before: Call | None, after: Call, settings: Settings, now: float, seats: Collection[str] = ()
) -> Iterator[Command]:
    """The commands that follow from a change. ``now``: epoch seconds by Asterisk's clock; ``seats``: our numbers."""
    queue = settings.queue(after.queue)
    yield from three_rings.on_change(before, after, queue.ladder, settings.rings.cadence, now)
    yield from callbacks.on_change(before, after, settings, seats, now)
    yield from webhooks.on_change(before, after, settings)


def on_timer(key: str, call: Call, settings: Settings, now: float) -> Iterator[Command]:
    """The commands of a timer that is due for ``call``."""
    if (parsed := three_rings.parse_timer_key(key)) is not None:
        queue = settings.queue(call.queue)
        yield from three_rings.on_timer(call, parsed[2], queue.ladder, settings.rings.cadence, now)


def call_of_timer(key: str) -> tuple[str, str] | None:
    """(server, call_id) of the call that a timer belongs to."""
    parsed = three_rings.parse_timer_key(key)
    return parsed[:2] if parsed is not None else None
