"""Following Asterisk's record file: every line once, whatever is rotated, cut, late or refused."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from callcenter.calls.model import Call, Outcome
from callcenter.effects import linefiles
from callcenter.effects import recovery as recovery_module
from callcenter.effects.recovery import SETTLED_SECONDS, Recovery
from callcenter.errors import BrokenWorld
from callcenter.store.batch import CdrPosition
from tests.fakes.links import until
from tests.fakes.pipeline import Run
from tests.fakes.story import T0, told
from tests.unit.test_records import CALL_ID, TERMS, row

OTHER = "pbx-1700000009.4"


class Bench:
    """A record file, the recovery that follows it, and what it hands to the pipeline."""

    def __init__(self, folder: Path, position: CdrPosition | None = None, observed_before: bool = True) -> None:
        self.file = folder / "callcenter.csv"
        self.run = Run()
        self.stored: dict[str, Call] = {}
        self.broken = 0
        self.handed: list[tuple[Call | None, Call]] = []
        self.positions: list[CdrPosition] = []
        self.run.pipeline.recovered = self._recovered  # type: ignore[method-assign]
        clock = self.run.clock
        self.recovery = Recovery(
            self.file, self.run.pipeline, self._stored, lambda: TERMS, clock.monotonic, position, observed_before
        )

    def _recovered(self, calls: Sequence[tuple[Call | None, Call]], position: CdrPosition) -> None:
        self.handed += calls
        self.positions.append(position)

    async def _stored(self, call_id: str) -> Call | None:
        if self.broken and call_id == OTHER:
            self.broken -= 1
            raise BrokenWorld("The store is away.")
        return self.stored.get(call_id)

    def write(self, text: str) -> None:
        with self.file.open("a", encoding="utf-8") as file:
            file.write(text)

    async def settle(self) -> None:
        """Read, wait for stragglers, read again."""
        await self.recovery.step()
        self.run.clock.advance(SETTLED_SECONDS + 0.1)
        await self.recovery.step()

    @property
    def ids(self) -> list[str]:
        return [call.call_id for _, call in self.handed]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


async def test_records_wait_until_none_was_added_for_a_while(bench: Bench) -> None:
    bench.write(row(answer="", disposition="NO ANSWER"))
    await bench.recovery.step()
    bench.run.clock.advance(SETTLED_SECONDS - 0.1)
    bench.write(row(dstchannel="PJSIP/1002-2"))
    await bench.recovery.step()
    bench.run.clock.advance(SETTLED_SECONDS - 0.1)
    await bench.recovery.step()
    assert bench.handed == []
    bench.run.clock.advance(0.2)
    await bench.recovery.step()
    assert [(call.answered_by, call.recovered) for _, call in bench.handed] == [("1002", True)]


async def test_the_position_is_where_the_first_waiting_record_begins(bench: Bench) -> None:
    """A crash in between reads them again; after they were handed on it does not."""
    bench.write(row())
    size = bench.file.stat().st_size
    await bench.settle()
    assert [position.offset for position in bench.positions] == [0, size]
    bench.write(row(linkedid=OTHER, uniqueid=OTHER))
    await bench.recovery.step()
    assert bench.positions[-1].offset == size
    again = Bench(bench.file.parent, bench.positions[-1])
    await again.settle()
    assert again.ids == [OTHER]


async def test_half_a_line_waits_for_its_other_half(bench: Bench) -> None:
    whole = row(clid='"张三" <138>')
    bench.write(whole[:40])
    await bench.settle()
    assert (bench.handed, bench.recovery.bad_lines) == ([], 0)
    bench.write(whole[40:])
    await bench.settle()
    assert bench.ids == [CALL_ID]


async def test_a_call_that_runs_or_has_just_ended_is_the_pipelines(bench: Bench) -> None:
    await bench.run.feed(told("0.0 Newchannel caller Ring 13800138000 4008"))
    bench.write(row())
    await bench.settle()
    assert bench.handed == []


async def test_a_call_that_was_stored_whole_is_left_alone(bench: Bench) -> None:
    bench.write(row())
    await bench.settle()
    known = bench.handed.pop()[1]
    bench.stored[CALL_ID] = replace(known, recovered=False, complete=True)
    bench.write(row())
    await bench.settle()
    assert bench.handed == []


async def test_a_call_whose_end_was_missed_is_completed_and_handed_on_with_what_was_stored(bench: Bench) -> None:
    bench.write(row())
    await bench.settle()
    seen_in_part = replace(
        bench.handed.pop()[1], outcome=Outcome.UNKNOWN, ended_at=None, recovered=False, rings_heard=2
    )
    bench.stored[CALL_ID] = seen_in_part
    bench.write(row())
    await bench.settle()
    ((before, after),) = bench.handed
    assert before == seen_in_part
    assert (after.outcome, after.rings_heard, after.recovered) == (Outcome.ANSWERED, 2, True)


async def test_a_call_that_became_part_of_another_is_left_alone(bench: Bench) -> None:
    bench.write(row())
    await bench.settle()
    bench.stored[CALL_ID] = replace(bench.handed.pop()[1], outcome=None, merged_into=OTHER)
    bench.write(row())
    await bench.settle()
    assert bench.handed == []


async def test_a_store_that_is_away_for_one_of_two_calls_loses_neither(bench: Bench) -> None:
    bench.write(row() + row(linkedid=OTHER, uniqueid=OTHER))
    bench.broken = 1
    await bench.recovery.step()
    bench.run.clock.advance(SETTLED_SECONDS + 0.1)
    with pytest.raises(BrokenWorld):
        await bench.recovery.step()
    await bench.recovery.step()
    assert sorted(bench.ids) == [CALL_ID, OTHER]


async def test_a_rotated_file_is_begun_anew_and_nothing_that_waited_is_lost(bench: Bench) -> None:
    bench.write("no record\n" + row())
    await bench.recovery.step()
    bench.file.rename(bench.file.with_suffix(".1"))
    bench.write("")
    await bench.recovery.step()
    assert bench.positions[-1].offset == 0, "not where a record stood in the file that is gone"
    bench.write(row(linkedid=OTHER, uniqueid=OTHER))
    await bench.settle()
    assert sorted(bench.ids) == [CALL_ID, OTHER]
    assert bench.positions[-1].inode == bench.file.stat().st_ino
    assert bench.positions[-1].offset == bench.file.stat().st_size


@pytest.mark.parametrize("watched", [True, False])
async def test_what_was_written_just_before_a_rotation_is_read_under_the_new_name(
    tmp_path: Path, watched: bool
) -> None:
    """Also where the daemon was down meanwhile: then only the stored position knows the old file."""
    bench = Bench(tmp_path)
    bench.write(row())
    await bench.settle()
    bench.write(row(linkedid=OTHER, uniqueid=OTHER))
    bench.file.rename(bench.file.with_name("callcenter.csv-20261126"))
    bench.write(row(linkedid="pbx-1700000010.1", uniqueid="pbx-1700000010.1"))
    after = bench if watched else Bench(tmp_path, bench.positions[-1])
    for _ in range(3):
        await after.settle()
    assert after.ids[-2:] == [OTHER, "pbx-1700000010.1"]
    assert after.positions[-1].inode == bench.file.stat().st_ino


async def test_a_file_that_was_replaced_by_a_longer_one_is_begun_anew(bench: Bench) -> None:
    """As logrotate's copytruncate does on a busy machine: the same file, shorter and then longer than it was."""
    bench.write(row())
    await bench.settle()
    new = row(linkedid=OTHER, uniqueid=OTHER, clid="a longer name than that of the first one") + row()
    bench.file.write_text(new, encoding="utf-8")
    await bench.settle()
    assert OTHER in bench.ids


async def test_many_calls_are_handed_on_by_and_by(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery_module, "SETTLE_CALLS", 2)
    ids = [f"pbx-170000000{n}.1" for n in range(5)]
    bench.write("".join(row(linkedid=one, uniqueid=one) for one in ids))
    await bench.settle()
    assert bench.ids == ids[:2]
    assert bench.positions[-1].offset < bench.file.stat().st_size, "a crash here reads the rest again"
    await bench.recovery.step()
    await bench.recovery.step()
    assert bench.ids == ids
    assert bench.positions[-1].offset == bench.file.stat().st_size


async def test_what_is_no_file_is_refused_and_not_waited_for(bench: Bench) -> None:
    os.mkfifo(bench.file)
    with pytest.raises(OSError, match="not a file"):
        await bench.recovery.step()


async def test_an_unreadable_file_is_complained_about_once(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recovery_module, "EVERY_SECONDS", 0.001)
    bench.file.mkdir()
    looks = 0
    step = bench.recovery.step

    async def counted() -> None:
        nonlocal looks
        looks += 1
        await step()

    monkeypatch.setattr(bench.recovery, "step", counted)
    task = asyncio.create_task(bench.recovery.run())
    async with asyncio.timeout(10):
        while looks < 5:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
    task.cancel()
    assert bench.recovery.state == "cannot be read: Is a directory"
    assert len([record for record in caplog.records if "cannot be read" in record.getMessage()]) == 1


async def test_a_file_that_was_cut_short_is_begun_anew(bench: Bench) -> None:
    bench.write(row() + row())
    await bench.settle()
    os.truncate(bench.file, 0)
    bench.write(row(linkedid=OTHER, uniqueid=OTHER))
    await bench.settle()
    assert bench.ids == [CALL_ID, OTHER]


async def test_a_first_start_imports_no_history(tmp_path: Path) -> None:
    bench = Bench(tmp_path, observed_before=False)
    bench.write(row())
    await bench.settle()
    bench.write(row(linkedid=OTHER, uniqueid=OTHER))
    await bench.settle()
    assert bench.ids == [OTHER]


async def test_a_first_start_amid_a_line_imports_no_history_either(tmp_path: Path) -> None:
    bench = Bench(tmp_path, observed_before=False)
    line = row(linkedid=OTHER, uniqueid=OTHER)
    bench.write(row() + line[:40])
    await bench.settle()
    bench.write(line[40:] + row(linkedid="pbx-1700000010.1", uniqueid="pbx-1700000010.1"))
    await bench.settle()
    assert bench.ids == ["pbx-1700000010.1"]


async def test_a_file_that_appears_after_a_first_start_is_no_history(tmp_path: Path) -> None:
    """Asterisk makes it with the first call that ends, which may have been missed (C1)."""
    bench = Bench(tmp_path, observed_before=False)
    with pytest.raises(FileNotFoundError):
        await bench.recovery.step()
    bench.write(row())
    await bench.settle()
    assert bench.ids == [CALL_ID]


async def test_lines_that_are_no_records_are_counted_and_passed_over(bench: Bench) -> None:
    bench.file.write_bytes(b"\xff\xfe garbage\n" + row(clid="x" * 200_000).encode() + row().encode())
    await bench.settle()
    assert (bench.ids, bench.recovery.bad_lines) == ([CALL_ID], 2)


async def test_a_line_without_an_end_does_not_stop_the_reading(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linefiles, "READ_BYTES", 1_000)
    bench.write("x" * 2_500 + "\n" + row())
    for _ in range(4):
        await bench.recovery.step()
    await bench.settle()
    assert bench.ids == [CALL_ID]


async def test_arrival_is_what_the_records_say(bench: Bench) -> None:
    bench.write(row())
    await bench.settle()
    assert [call.arrived_at for _, call in bench.handed] == [T0]


async def test_the_state_is_logged_when_it_changes_only(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refused = [FileNotFoundError(), PermissionError(13, "Permission denied"), PermissionError(13, "Permission denied")]

    async def step() -> None:
        if refused:
            raise refused.pop(0)

    monkeypatch.setattr(bench.recovery, "step", step)
    monkeypatch.setattr(recovery_module, "EVERY_SECONDS", 0)
    with caplog.at_level("INFO"):
        task = asyncio.ensure_future(bench.recovery.run())
        await until(lambda: not refused and bench.recovery.state == "reading")
        task.cancel()
    told = [(record.levelname, record.message) for record in caplog.records if record.name == recovery_module.__name__]
    assert told == [
        ("INFO", "call records: the file does not exist yet"),
        ("WARNING", "call records: cannot be read: Permission denied"),
        ("INFO", "call records: reading"),
    ]
