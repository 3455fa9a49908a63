"""The link takes stock anew when the pipeline asks for it: what it had shed is made good by a snapshot."""

from callcenter.ami.events import LinkLost, Snapshot
from tests.fakes.asterisk import FakeAsterisk
from tests.fakes.links import is_up, quick, running, until


async def test_taking_stock_is_a_loss_and_a_snapshot() -> None:
    async with FakeAsterisk(channels=2) as pbx, running(quick(pbx.port)) as (link, sink):
        await is_up(link)
        link.take_stock("more events came than could be stored")
        await until(lambda: len(sink.of(Snapshot)) == 2)
        assert [lost.reason for lost in sink.of(LinkLost)] == ["more events came than could be stored"]
        assert [type(event) for event in sink.kept if isinstance(event, LinkLost | Snapshot)] == [
            Snapshot,
            LinkLost,
            Snapshot,
        ]


async def test_a_link_that_is_down_has_nothing_to_take() -> None:
    async with running(quick(1)) as (link, sink):
        link.take_stock("nothing")
        assert sink.of(LinkLost) == []
