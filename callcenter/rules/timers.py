"""The timers in memory: which key is due when. Rows in the store keep them over kill -9; this keeps them in order.

Promises: a key is due once; started again it moves; the same instant keeps the order of starting.
Never: reads a clock or calls anything: whoever owns the clock asks what is due.
"""

import heapq
from collections.abc import Mapping


class Timers:
    def __init__(self) -> None:
        self._due: dict[str, tuple[float, int]] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._due)

    def start(self, key: str, due_at: float) -> None:
        self._count += 1
        self._due[key] = (due_at, self._count)
        heapq.heappush(self._heap, (due_at, self._count, key))

    def load(self, timers: Mapping[str, float]) -> None:
        """Timers of an earlier run."""
        for key, due_at in timers.items():
            self.start(key, due_at)

    def cancel(self, key: str) -> None:
        self._due.pop(key, None)

    def next_due(self) -> float | None:
        """When the next one is due."""
        self._drop_stale()
        return self._heap[0][0] if self._heap else None

    def due(self, now: float) -> list[str]:
        """The keys whose time has come, in order; they are timers no more."""
        keys = []
        while (at := self.next_due()) is not None and at <= now:
            key = heapq.heappop(self._heap)[2]
            del self._due[key]
            keys.append(key)
        return keys

    def _drop_stale(self) -> None:
        heap = self._heap
        while heap and self._due.get(heap[0][2]) != heap[0][:2]:
            heapq.heappop(heap)
