"""``callcenter erase`` and ``callcenter audit``: whose recordings go, also before anybody has looked at them, and what
is told of it. What goes with a recording, and what its days are: ``test_keeping``."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import callcenter.audit
from callcenter.audit import audit
from callcenter.errors import BadInput, BrokenWorld
from callcenter.settings import Asterisk, Settings
from callcenter.settings import Store as StoreSettings
from callcenter.speech.keeping import erase_person, on_whose_word
from callcenter.store import Store
from callcenter.store.keeping import Whose
from callcenter.store.speech import Recorded
from tests.store.build import NOW, call, commit, ended, ticket
from tests.store.places import sqlite_place
from tests.store.test_keeping import DAY, _written, files, keeper, kept


@asynccontextmanager
async def site(tmp_path: Path) -> AsyncIterator[tuple[Store, Settings, Path]]:
    """A running daemon's store, settings and folder of recordings, with a file that is nobody's."""
    place, folder = sqlite_place(tmp_path), tmp_path / "monitor"
    folder.mkdir()
    (folder / "other.wav").write_bytes(b"sound")
    await place.migrate()
    async with place.open() as store:
        yield (
            store,
            Settings(store=StoreSettings(url=place.url), asterisk=Asterisk("pbx", recordings_dir=folder)),
            folder,
        )


async def new(store: Store, folder: Path, call_id: str, **values: Any) -> None:
    """A call whose recording nobody has looked at yet."""
    names = [f"{call_id}{track}.wav" for track in ("", "-seat", "-caller")]
    _written([str(folder / name) for name in names])
    told = {"recording": names[0], "recording_seat": names[1], "recording_caller": names[2]}
    await commit(store, replace(ended(call(call_id, **values), answered_by="1001"), **told))


async def test_the_command_finds_recordings_that_have_no_row_yet(tmp_path: Path) -> None:
    async with site(tmp_path) as (store, settings, folder):
        await new(store, folder, "1", caller_number="13800138000")
        await new(store, folder, "2", caller_number="13800138001")
        assert (await erase_person(settings, "13800138000", yes=False)).startswith("There are 1 recordings and 0 ")
        assert await store.speech.status("pbx", "1") is None, "who only counts changes nothing"
        assert await erase_person(settings, "13800138000", yes=True) == (
            "Erased: 1 recordings and 0 transcripts of this number."
        )
        assert files(folder) == ["2-caller.wav", "2-seat.wav", "2.wav", "other.wav"]
        assert [line.detail for line in await store.keeping.audit()] == [{"files": 3}]
        late = await store.calls.get("pbx", "1")
        assert late is not None
        await store.speech.register(Recorded(late, "found", "ab" * 32, 12.5), NOW, hear=True)  # by a daemon that looked
        status = await store.speech.status("pbx", "1")
        assert status is not None
        assert (status.state, status.job) == ("erased", None), "nobody tries to hear what was erased"


async def test_the_command_finds_the_files_of_a_call_that_only_call_records_tell_of(tmp_path: Path) -> None:
    """They say nothing of a recording; our dialplan names it after the call."""
    async with site(tmp_path) as (store, settings, folder):
        for call_id in ("1764300000.7", "1764300000.8"):
            _written([str(folder / f"{call_id}{track}.wav") for track in ("", "-seat", "-caller")])
        for call_id, number in (("1764300000.7", "13800138000"), ("1764300000.9", "13800138000")):
            await commit(store, ended(call(call_id, caller_number=number, recovered=True)))
        assert (await erase_person(settings, "13800138000", yes=True)).startswith("Erased: 1 recordings ")
        assert files(folder) == [f"1764300000.8{track}.wav" for track in ("-caller", "-seat", "")] + ["other.wav"]


async def test_the_command_says_that_a_call_still_goes_on(tmp_path: Path) -> None:
    """What is still being written cannot be erased."""
    async with site(tmp_path) as (store, settings, folder):
        await commit(store, call("1", caller_number="13800138000"))
        await commit(store, ended(call("2", caller_number="13800138000"), ended_at=time.time() - 0.1))
        left = "2 more calls of theirs have not ended, or only just: run it again when they have."
        assert (await erase_person(settings, "13800138000", yes=False)).endswith(left)
        with pytest.raises(BrokenWorld, match=r"There are 0 recordings .* 2 more calls of theirs have not ended"):
            await erase_person(settings, "13800138000", yes=True)
        await new(store, folder, "3", caller_number="13800138000")
        with pytest.raises(BrokenWorld, match=r"Erased: 1 recordings .* 2 more calls of theirs have not ended"):
            await erase_person(settings, "13800138000", yes=True)
        assert files(folder) == ["other.wav"]


async def test_the_command_erases_the_calls_of_tickets_where_no_number_was_shown(tmp_path: Path) -> None:
    async with site(tmp_path) as (store, settings, folder):
        for call_id in ("1", "2", "3"):
            await kept(store, folder, call_id, caller_number="anonymous")
        await new(store, folder, "4", caller_number="anonymous")
        await kept(store, folder, "5", caller_number="13800138000")
        numbers = {one: (await ticket(store, one)).number for one in "12345"}
        with pytest.raises(BadInput, match="there is no ticket 26-0101-0001, 26-0101-0002; give its number"):
            await erase_person(settings, None, True, None, ["26-0101-0001", numbers["1"], "26-0101-0002"])
        with pytest.raises(BadInput, match="name the person by --number, or calls of theirs by --ticket"):
            await erase_person(settings, None, True)
        assert len(files(folder)) == 16
        told = await erase_person(settings, None, True, None, [f" {numbers['1']} ", numbers["4"]])
        assert told == "Erased: 2 recordings and 1 transcripts of these tickets."
        assert {name[0] for name in files(folder)} == {"2", "3", "5", "o"}
        told = await erase_person(settings, "13800138000", True, None, [numbers["2"]])
        assert told == "Erased: 2 recordings and 2 transcripts of this number and this ticket."
        assert {name[0] for name in files(folder)} == {"3", "o"}
        assert [line.ticket for line in await store.keeping.audit()] == [numbers[one] for one in "5241"]


async def test_a_tickets_calls_are_also_those_that_became_part_of_it(tmp_path: Path) -> None:
    async with site(tmp_path) as (store, settings, folder):
        await new(store, folder, "1", caller_number="anonymous")
        await new(store, folder, "2", caller_number="anonymous")
        numbers = [(await ticket(store, one)).number for one in "12"]
        second = await store.calls.get("pbx", "2")
        assert second is not None
        await commit(store, replace(second, merged_into="1"))
        assert (await erase_person(settings, None, True, None, numbers[1:])).startswith("Erased: 2 recordings ")
        assert files(folder) == ["other.wav"]


async def test_both_databases_find_the_same_calls(store: Store, tmp_path: Path) -> None:
    for call_id in ("1", "2", "3"):
        await new(store, tmp_path, call_id, caller_number="anonymous" if call_id == "2" else "13800138000")
    await commit(store, call("4", caller_number="13800138000"))
    number = (await ticket(store, "2")).number
    ids, unknown = await store.keeping.tickets_of([number, "26-0101-0001", number])
    assert (len(ids), unknown) == (1, ["26-0101-0001"])
    for whose, found, running in (
        (Whose("13800138000"), {"1", "3"}, 1),
        (Whose("", ids), {"2"}, 0),
        (Whose(), set(), 0),
    ):
        assert {one.call_id for one in await store.keeping.unregistered("pbx", whose)} == found
        assert await store.keeping.running("pbx", whose, NOW + DAY) == running
        for one in await store.keeping.unregistered("pbx", whose):
            await store.speech.register(Recorded(one, "found", "ab" * 32, 12.5), NOW, hear=False)
        assert {one.call_id for one in await store.keeping.of(whose)} == found
        assert await store.keeping.unregistered("pbx", whose) == []
    pages = [await store.keeping.older(None, (), NOW + DAY, 2)]
    pages.append(await store.keeping.older(None, (), NOW + DAY, 2, pages[0][-1].place))
    assert [[one.call_id for one in page] for page in pages] == [["1", "3"], ["2"]]
    for one in [two for page in pages for two in page]:
        await store.keeping.erased(one.id, NOW + one.id, "retention", 3)
    lines = await store.keeping.audit(since=NOW + pages[0][1].id, until=NOW + 60)
    assert [line.ticket for line in lines] == [number, (await ticket(store, "3")).number]
    assert len(await store.keeping.audit(before=lines[-1].id)) == 1


async def test_the_audit_says_in_words_who_erased_what_when_and_why(tmp_path: Path) -> None:
    async with site(tmp_path) as (store, settings, folder):
        told: list[str] = []
        await audit(settings, None, None, "text", told.append)
        assert told == ["There is no line of audit."]
        for call_id in ("1", "2"):
            await kept(store, folder, call_id, caller_number="13800138000", queue="q" if call_id == "1" else None)
        numbers = [(await ticket(store, one)).number for one in "12"]
        assert await keeper(store, folder, NOW + 2 * DAY, {"q": 1}).step() == 1
        await erase_person(settings, "13800138000", True, "Zhou Jing")
        told.clear()
        assert await audit(settings, None, None, "text", told.append) == 2
        assert told[0][25:] == (
            f"  Zhou Jing ({on_whose_word(None)}): erased the recording of ticket {numbers[1]} with its transcript "
            "(3 files), because the person asked for it"
        )
        when = datetime.fromtimestamp(NOW + 2 * DAY, ZoneInfo(settings.site.timezone))
        assert told[1] == (
            f"{when.isoformat(' ', 'seconds')}  retention: erased the recording of ticket {numbers[0]} with its "
            "transcript (3 files), because its queue keeps it no longer"
        )
        assert "13800138000" not in "".join(told)
        day = when.date().isoformat()
        told.clear()
        assert await audit(settings, day, day, "json", told.append) == 1
        assert json.loads(told[0]) == {
            "at": when.isoformat(" ", "seconds"),
            "what": "recording_erased",
            "by": "retention",
            "ticket": numbers[0],
            "recording": 1,
            "files": 3,
        }
        with pytest.raises(BadInput, match="audit: --to is before --from"):
            await audit(settings, day, "2026-01-01", "text", told.append)
        with pytest.raises(BadInput, match="audit: --from is no day"):
            await audit(settings, "yesterday", None, "text", told.append)


async def test_all_of_the_audit_is_read_page_by_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callcenter.audit, "PAGE", 2)
    async with site(tmp_path) as (store, settings, folder):
        for number in range(5):
            await kept(store, folder, str(number), caller_number="13800138000")
        await erase_person(settings, "13800138000", True)
        told: list[str] = []
        assert await audit(settings, None, None, "text", told.append) == len(set(told)) == 5
