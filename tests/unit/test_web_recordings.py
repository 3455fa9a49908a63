"""Recordings: byte ranges of one folder's sound files, for those who may hear them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from callcenter.riff import Format, header
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


FRAMES = bytes(range(256)) * 625
"""Twenty seconds of A-law."""
RIGHT = header(Format("alaw", 1, 8000, 8), len(FRAMES)) + FRAMES
MISLED = {
    "unfinished": header(Format("alaw", 1, 8000, 8), 0) + FRAMES,
    "understated": header(Format("alaw", 1, 8000, 8), 40_000) + FRAMES,
    "cut off": header(Format("alaw", 1, 8000, 8), 999_999) + FRAMES,
}


@pytest.mark.parametrize("flaw", MISLED)
async def test_a_wrong_header_is_sent_as_it_should_be(here: Site, folder: Path, flaw: str) -> None:
    """Its length and every range are those of what is sent, also over the border of header and sound."""
    file = folder / "2026" / "call.wav"
    file.write_bytes(MISLED[flaw])
    person = await here.signed_in("li")
    path = "/recordings/187/mix"
    whole = await person.get(path)
    assert (whole.status, await whole.read()) == (200, RIGHT)
    assert whole.headers["Content-Length"] == str(len(RIGHT))
    assert (whole.headers["Content-Type"], whole.headers["Accept-Ranges"]) == ("audio/wav", "bytes")
    assert whole.headers["Cache-Control"] == "no-store"
    size, last = len(RIGHT), len(RIGHT) - 1
    ranges = {
        "0-": (0, last), "0-0": (0, 0), "0-43": (0, 43), "40-47": (40, 47), "43-44": (43, 44), "44-44": (44, 44),
        "100-99999999": (100, last), f"{last}-": (last, last), "-5": (size - 5, last), "-99999999": (0, last),
    }  # fmt: skip
    for asked, (first, end) in ranges.items():
        part = await person.get(path, headers={"Range": f"bytes={asked}"})
        assert (part.status, await part.read()) == (206, RIGHT[first : end + 1]), asked
        assert part.headers["Content-Range"] == f"bytes {first}-{end}/{size}"
        assert part.headers["Content-Length"] == str(end - first + 1)
    for asked in (f"bytes={size}-", "bytes=9-1", "bytes=a-b"):
        beyond = await person.get(path, headers={"Range": asked})
        assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{size}"), asked
    since = await person.get(path, headers={"Range": "bytes=1-2", "If-Range": '"older"'})
    assert (since.status, await since.read()) == (200, RIGHT)
    head = await person.client.head(path)
    assert (head.status, head.headers["Content-Length"], await head.read()) == (200, str(size), b"")
    assert file.read_bytes() == MISLED[flaw]


async def test_a_right_header_and_what_is_behind_the_sound_are_sent_as_they_are(here: Site, folder: Path) -> None:
    stored = RIGHT + b"LIST\x04\0\0\0INFO"
    (folder / "2026" / "call.wav").write_bytes(stored)
    person = await here.signed_in("li")
    whole = await person.get("/recordings/187/mix")
    assert (whole.status, await whole.read()) == (200, stored)
