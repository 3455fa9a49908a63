"""A pipeline whose store is a list in memory, so that a test sees every batch, change and command."""

from collections.abc import Callable, Sequence
from typing import Any

from callcenter.ami.events import Event
from callcenter.calls.derive import Terms
from callcenter.calls.model import Call
from callcenter.clock import ManualClock
from callcenter.errors import BrokenWorld
from callcenter.metrics.figures import Figures
from callcenter.pipeline import Changed, Pipeline
from callcenter.rules.commands import Performed
from callcenter.settings import Intake, Settings
from callcenter.store.batch import Batch, Committed
from callcenter.tickets.model import TicketRef
from tests.fakes.story import T0, TERMS


class KeptBatches:
    """``Unit``: keeps what was committed; the next ``failing`` attempts fail, after or before they were kept."""

    def __init__(self) -> None:
        self.attempts: list[Batch] = []
        self.batches: dict[str, Batch] = {}
        self.failing = 0
        self.kept_though_failing = False
        self.during: Callable[[], Any] = lambda: None

    async def commit(self, batch: Batch) -> Committed:
        self.attempts.append(batch)
        self.during()
        fails = self.failing > 0
        self.failing -= fails
        if not fails or self.kept_though_failing:
            self.batches[batch.batch_id] = batch
        if fails:
            raise BrokenWorld("The disk is full; make room.")
        tickets = {patch.call_id: TicketRef(n, f"26-{n}") for n, patch in enumerate(batch.tickets, 1)}
        return Committed(len(self.batches), tickets)

    @property
    def logged(self) -> list[bytes]:
        return [batch.log for batch in self.batches.values() if batch.log is not None]


class Run:
    """A pipeline with everything it told."""

    def __init__(self, unit: Any = None, terms: Terms = TERMS, settings: Settings | None = None) -> None:
        self.unit = unit if unit is not None else KeptBatches()
        self.clock = ManualClock(T0)
        self.figures = Figures()
        self.changes: list[Changed] = []
        self.seats: list[frozenset[str]] = []
        self.performed: list[Performed] = []
        self.stock_taken: list[str] = []
        settings = settings or Settings(intake=Intake(batch_ms=0))
        self.pipeline = Pipeline(
            settings, lambda: terms, self.unit, self._publish, self.performed.extend, self.clock, self.figures
        )
        self.pipeline.take_stock = self.stock_taken.append

    def _publish(self, changes: Sequence[Changed], seats: frozenset[str]) -> None:
        self.changes += changes
        self.seats.append(seats)

    async def feed(self, events: Sequence[Event]) -> None:
        """Events, each batch at the time of its last one."""
        self.pipeline.events(list(events))
        while self.pipeline.backlog:
            await self.pipeline.step()

    @property
    def views(self) -> dict[str, Call]:
        """The last view of each call that was published."""
        return {change.after.call_id: change.after for change in self.changes}

    def value(self, name: str, **labels: str) -> float:
        return self.figures.registry.get_sample_value(name, labels) or 0.0
