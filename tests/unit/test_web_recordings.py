"""Recordings: byte ranges of one folder's sound files, for those who may hear them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from callcenter.web.recordings import located
from tests.fakes.web_client import Site, site

SOUND = b"RIFF" + bytes(range(256)) * 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rec" / "2026").mkdir(parents=True)
    (tmp_path / "rec" / "2026" / "call.wav").write_bytes(SOUND)
    (tmp_path / "rec" / "notes.txt").write_text("no sound")
    (tmp_path / "secret.wav").write_bytes(b"outside")
    (tmp_path / "rec" / "out.wav").symlink_to(tmp_path / "secret.wav")
    (tmp_path / "rec" / "up").symlink_to(tmp_path)
    (tmp_path / "rec" / "inside.wav").symlink_to(tmp_path / "rec" / "2026" / "call.wav")
    return tmp_path / "rec"


@pytest.mark.parametrize(
    "name",
    [
        "../secret.wav",
        "out.wav",
        "up/secret.wav",
        "/etc/passwd",
        "notes.txt",
        "2026",
        "",
        "none.wav",
        "a\0b.wav",
        "2026/../../secret.wav",
    ],
)
def test_nothing_but_sound_inside_the_folder_is_found(folder: Path, name: str) -> None:
    assert located(folder, name) is None


@pytest.mark.parametrize("name", ["2026/call.wav", "inside.wav", "./2026/call.wav"])
def test_sound_inside_is_found(folder: Path, name: str) -> None:
    assert located(folder, name) == folder / "2026" / "call.wav"


def test_an_absolute_name_inside_is_found(folder: Path) -> None:
    assert located(folder, str(folder / "2026" / "call.wav")) is not None
    assert located(None, "2026/call.wav") is None
    assert located(folder / "missing", "2026/call.wav") is None


@pytest.fixture
async def here(folder: Path) -> AsyncIterator[Site]:
    async with site(folder) as one:
        for step in ("ringing", "talking", "ended"):
            one.control.put(step, "a")
        yield one


async def test_it_is_played_in_byte_ranges(here: Site) -> None:
    person = await here.signed_in("li")
    whole = await person.get("/recordings/187/mix")
    assert (whole.status, await whole.read()) == (200, SOUND)
    assert whole.headers["Content-Type"] == "audio/wav"
    assert whole.headers["Accept-Ranges"] == "bytes"
    part = await person.get("/recordings/187/mix", headers={"Range": "bytes=100-199"})
    assert (part.status, await part.read()) == (206, SOUND[100:200])
    beyond = await person.get("/recordings/187/mix", headers={"Range": "bytes=999999-"})
    assert beyond.status == 416


@pytest.mark.parametrize(
    "wanted",
    [
        *(
            "bytes=0-0,2-3",
            "bytes=" + "0-1," * 1_000,
            "bytes=9-1",
            "bytes=-0",
            "bytes=-99999999999999999999",
            "bytes=-",
        ),
        *("bytes=0-99999999999999999999", "bytes=99999999999999999999-", "bytes=a-b", "lines=1-2", "bytes=٣-٤", ""),
    ],
)
async def test_a_range_that_is_none_breaks_nothing(here: Site, wanted: str, caplog: pytest.LogCaptureFixture) -> None:
    person = await here.signed_in("li")
    answer = await person.get("/recordings/187/mix", headers={"Range": wanted})
    assert answer.status in (200, 206, 416)
    assert len(await answer.read()) <= max(len(SOUND), 200)
    assert answer.headers["Cache-Control"] == "no-store"
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(("name", "status"), [("li", 200), ("ma", 403), ("wu", 200), ("qa", 200), ("root", 200)])
async def test_who_may_hear(here: Site, name: str, status: int) -> None:
    person = await here.signed_in(name)
    assert (await person.get("/recordings/187/mix")).status == status
    page = await (await person.get("/tickets/187")).text()
    assert ("<audio" in page) == (status == 200)


async def test_a_track_that_was_not_recorded_is_not_there(here: Site) -> None:
    person = await here.signed_in("li")
    assert (await person.get("/recordings/187/seat")).status == 404
    assert (await person.get("/recordings/187/other")).status == 404
    assert (await person.get("/recordings/999/mix")).status == 404


async def test_a_path_out_of_the_folder_is_not_served_even_if_the_call_says_so(here: Site) -> None:
    person = await here.signed_in("li")
    key = ("pbx", "a")
    here.memory.calls_by_id[key] = replace(here.memory.calls_by_id[key], recording="../secret.wav")
    answer = await person.get("/recordings/187/mix")
    assert answer.status == 404
    assert b"outside" not in await answer.read()


async def test_a_copy_is_played_where_the_local_file_is_gone(here: Site, folder: Path, tmp_path: Path) -> None:
    """In byte ranges as well; while the store is away the page says so, and stays whole."""
    person = await here.signed_in("li")
    copy = tmp_path / "copy.wav"
    (folder / "2026" / "call.wav").rename(copy)
    assert (await person.get("/recordings/187/mix")).status == 404
    here.shelf.copies["mix"] = copy
    part = await person.get("/recordings/187/mix", headers={"Range": "bytes=100-199"})
    assert (part.status, await part.read()) == (206, SOUND[100:200])
    here.shelf.away = True
    assert "<audio" in await (await person.get("/tickets/187")).text()
    assert (await person.get("/recordings/187/mix")).status == 503
    refused = await here.signed_in("ma")
    assert (await refused.get("/recordings/187/mix")).status == 403
