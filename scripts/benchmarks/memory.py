"""Memory per live call: the daemon's own structures at many calls that talk, in a process of their own."""

import asyncio
import gc
import sys
from pathlib import Path

from benchmarks import traffic
from benchmarks.measure import Child, Row, say

TARGET_KB = 8.0
SETTLE_ROUNDS = 5
"""Seconds until the last calls, too, have been talking for a while."""
_LIVE = ({"queue-answered": 1}, {"hotline-answered": 1})


def rows(calls: int) -> list[Row]:
    found = []
    for number, title in enumerate(("plain queue", "the product's hotline, three seats ring")):
        with Child("memory", number, calls) as child:
            told = child.hear()
        kilobytes = told["bytes"] / calls / 1024
        what = f"memory per live call at {calls:,} live calls ({title}, {told['legs']:.0f} channels per call)"
        found.append(Row(what, f"≤ {TARGET_KB:.0f} KB", f"{kilobytes:.1f} KB", kilobytes <= TARGET_KB))
    return found


async def live_calls(mix: dict[str, int], calls: int) -> None:
    from callcenter.ami.codec import Decoder
    from callcenter.ami.parse import WANTED, parse
    from callcenter.calls.model import Phase
    from callcenter.calls.parties import Terms
    from callcenter.clock import Clock
    from callcenter.desk import LiveDesk
    from callcenter.metrics.figures import Figures
    from callcenter.pipeline import Changed, Pipeline
    from callcenter.settings import Settings
    from callcenter.store.batch import Batch, Committed
    from callcenter.tickets.model import TicketRef

    class Unit:
        """The store takes the batch and remembers nothing here; its ticket numbers stay with the daemon."""

        async def commit(self, batch: Batch) -> Committed:
            return Committed(1, {p.call_id: TicketRef(n, f"26-1122-{n:04d}") for n, p in enumerate(batch.tickets)})

    settings = Settings()
    desk: list[LiveDesk] = []

    def publish(changes: list[Changed], seats: frozenset[str]) -> None:
        desk[0].changed(changes, seats)

    terms = Terms("pbx", settings.rings.cadence, lines=frozenset(settings.asterisk.trunks))
    pipeline = Pipeline(settings, lambda: terms, Unit(), publish, lambda commands: None, Clock(), Figures())  # type: ignore[arg-type]
    desk.append(LiveDesk(settings, pipeline, lambda: None))  # type: ignore[arg-type, return-value]

    (story,) = (traffic.story(name) for name in mix)
    names = [data[7 : data.find(b"\r\n")] for _, data in story.messages]
    joined = max(number for number, name in enumerate(names) if name == b"BridgeEnter")
    until = names.index(b"HangupRequest", joined)

    async def begin(first: int, count: int) -> None:
        for serial in range(first, first + count):
            decoder, values = Decoder(WANTED), story.tell(serial, 400)
            text = b"".join(
                data % {**values, b"at": b"%.6f" % (1_795_000_000 + serial / 100 + at)}
                for at, data in story.messages[:until]
            )
            pipeline.events([event for m in decoder.feed(text) if (event := parse(m)) is not None])
            while pipeline.backlog:
                await pipeline.step()

    await begin(0, 200)
    gc.collect()
    before = resident_bytes()
    await begin(200, calls)
    for _ in range(SETTLE_ROUNDS):
        await asyncio.sleep(1)
        await pipeline.step()
    gc.collect()
    used = resident_bytes() - before
    talking = sum(call.phase is Phase.TALKING for call in pipeline.calls.values())
    assert talking == calls + 200, f"{talking} calls talk"
    say(bytes=used, legs=names[:until].count(b"Newchannel"))


def resident_bytes() -> int:
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmRSS:")[2].split()[0])


if __name__ == "__main__":
    asyncio.run(live_calls(_LIVE[int(sys.argv[1])], int(sys.argv[2])))
