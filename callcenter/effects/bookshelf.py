"""Asterisk's two books as files: what was written lately, kept in memory; and a whole period, read once.

Place on the path of a call: after its end; ``reconciler`` compares what this brings.
Promises: rotated, cut, half-written and hostile files give what they hold, and the lines that are none are counted;
what is held is bounded, and where the bound was reached that is said. Of a file that is not there nothing is concluded.
Never: writes; runs in the event loop (``read`` and ``period`` block: call them in a thread).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from callcenter.calls.books import Told, by_call
from callcenter.calls.queue_log import START, Entry, parse_lines, visits
from callcenter.calls.records import Record, parse_rows
from callcenter.effects.linefiles import Follower, history, lines_of

MAX_CALLS = 20_000
"""Calls of which lines are kept until they are compared; beyond, the oldest go and are left to the night."""
MAX_LINES = 1_000_000
"""Of one period: some hundred megabytes. A busy day of a large hotline has a third of it."""
MAX_RESTARTS = 100
LOOK_BACK_BYTES = 4 << 20
"""Following begins so far before the end: what was written while nobody read, and not the history of years."""
LONGEST_CALL_SECONDS = 86_400.0
AROUND_SECONDS = 3_600.0
"""A call's lines are looked for so long around the period of its end."""


@dataclass(frozen=True, slots=True)
class Files:
    """Where the books are; ``None``: that one is not read."""

    cdr: Path | None
    queue_log: Path | None


@dataclass
class Shelf:
    """What was read of both books, by call. ``whole``: False where more was written than is held."""

    has_cdr: bool
    has_queue_log: bool
    records: dict[str, list[Record]] = field(default_factory=dict)
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    restarts: list[float] = field(default_factory=list)
    bad_lines: int = 0
    whole: bool = True

    def put_records(self, lines: Iterable[str]) -> None:
        for line in lines:
            records, bad = parse_rows([line])
            self.bad_lines += bad
            for record in records:
                self.records.setdefault(record.call_id, []).append(record)

    def put_entries(self, lines: Iterable[str]) -> None:
        entries, bad = parse_lines(lines)
        self.bad_lines += bad
        for entry in entries:
            if entry.event == START:
                self.restarts = [*self.restarts[-MAX_RESTARTS:], entry.at]
            else:
                self.entries.setdefault(entry.uniqueid, []).append(entry)

    def told(self) -> dict[str, Told]:
        """What the books tell of each call; a book that is not read tells ``None``."""
        found = by_call(self.records, {uniqueid: visits(lines) for uniqueid, lines in self.entries.items()})
        return {call_id: self._known(told) for call_id, told in found.items()}

    def nothing(self) -> Told:
        """Of a call that stands in neither book."""
        return self._known(Told((), ()))

    def _known(self, told: Told) -> Told:
        return Told(told.records if self.has_cdr else None, told.visits if self.has_queue_log else None)

    def forget(self, call_ids: Iterable[str]) -> None:
        for call_id in call_ids:
            for record in self.records.pop(call_id, ()):
                self.entries.pop(record.uniqueid, None)
            self.entries.pop(call_id, None)

    def bound(self, most: int = MAX_CALLS) -> int:
        """Lets the oldest calls go beyond the bound; returns how many."""
        gone = 0
        while len(self.records) > most:
            self.forget([next(iter(self.records))])
            gone += 1
        while len(self.entries) > most:
            del self.entries[next(iter(self.entries))]
            gone += 1
        return gone


class Recent:
    """Follows both files. ``read`` blocks."""

    def __init__(self, files: Files) -> None:
        self.shelf = Shelf(files.cdr is not None, files.queue_log is not None)
        self._cdr = Follower(files.cdr, LOOK_BACK_BYTES) if files.cdr else None
        self._queue_log = Follower(files.queue_log, LOOK_BACK_BYTES) if files.queue_log else None
        self._began = False

    def read(self) -> None:
        """Puts on the shelf what came since. Raises ``OSError``, but not where a file does not exist yet."""
        shelf = self.shelf
        shelf.has_cdr = self._cdr is not None and _all_new(self._cdr, shelf.put_records)
        shelf.has_queue_log = self._queue_log is not None and _all_new(self._queue_log, shelf.put_entries)
        if not self._began:
            self._began = True
            self._drop_cut()
        shelf.bound()

    def _drop_cut(self) -> None:
        """Calls of which a part stands before the place where reading began."""
        shelf, since = self.shelf, 0.0
        if self._cdr is not None and self._cdr.cut and shelf.records:
            del shelf.records[next(iter(shelf.records))]
            since = max(since, min((rows[0].start for rows in shelf.records.values()), default=0.0))
        if self._queue_log is not None and self._queue_log.cut and shelf.entries:
            since = max(since, next(iter(shelf.entries.values()))[0].at)
        early = [call_id for call_id, told in shelf.told().items() if _first_at(told) < since]
        shelf.forget(early)


def _all_new(follower: Follower, put: Callable[[Iterable[str]], None]) -> bool:
    """False where the file is not there."""
    try:
        while lines := follower.read():
            put(line for line, _ in lines)
    except FileNotFoundError:
        return False
    return True


def _first_at(told: Told) -> float:
    starts = [record.start for record in told.records or ()]
    return min([*starts, *(visit.entered_at or 0.0 for visit in told.visits or ())], default=0.0)


def period(files: Files, since: float, until: float) -> Shelf:
    """Both books around the calls that ended from ``since`` to ``until``. Raises ``OSError``."""
    shelf = Shelf(False, False)
    if files.cdr is not None and (found := history(files.cdr, since)):
        shelf.has_cdr = True
        _take(found, shelf, since, until, records=True)
    if files.queue_log is not None and (found := history(files.queue_log, since)):
        shelf.has_queue_log = True
        _take(found, shelf, since, until, records=False)
    return shelf


def _take(files: Sequence[Path], shelf: Shelf, since: float, until: float, *, records: bool) -> None:
    kept = 0
    for path in files:
        for line in lines_of(path):
            part = Shelf(True, True)
            if records:
                part.put_records([line])
                kept += _merge_records(part, shelf, since - AROUND_SECONDS, until + AROUND_SECONDS)
            else:
                part.put_entries([line])
                # A line of the queue is written at its moment, and a call may have lasted for long.
                kept += _merge_entries(part, shelf, since - LONGEST_CALL_SECONDS, until + AROUND_SECONDS)
            shelf.bad_lines += part.bad_lines
            if kept > MAX_LINES:
                shelf.whole = False
                return


def _merge_records(part: Shelf, shelf: Shelf, since: float, until: float) -> int:
    kept = 0
    for call_id, rows in part.records.items():
        for row in rows:
            if since <= (row.end or row.start) < until:
                shelf.records.setdefault(call_id, []).append(row)
                kept += 1
    return kept


def _merge_entries(part: Shelf, shelf: Shelf, since: float, until: float) -> int:
    kept = 0
    shelf.restarts += [at for at in part.restarts if since <= at < until]
    for uniqueid, lines in part.entries.items():
        for line in lines:
            if since <= line.at < until:
                shelf.entries.setdefault(uniqueid, []).append(line)
                kept += 1
    return kept
