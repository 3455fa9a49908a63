"""Recordings and the work of hearing them: once each, one worker at a time, three attempts."""

import asyncio
from dataclasses import replace

from sqlalchemy import select, update

from callcenter.calls.model import Call, Stay
from callcenter.quality.review import Wanted
from callcenter.store import Store
from callcenter.store.jobs import Unfinished, Written
from callcenter.store.location import SqliteFile
from callcenter.store.schema import findings, recording_seats, recordings, transcription_jobs, transcripts
from callcenter.store.speech import Recorded
from tests.store.build import NOW, call, commit, ended

WRITTEN = Written(
    "zh", "tiny", {"id": "a", "segments": []}, "您好", {"talk_over": 1},
    [{"phrase": "greeting", "rule": "A2", "kind": "required", "found": True, "speaker": "seat", "start": 0.5,
      "end_at": 1.5, "heard": "您好", "score": 0.9, "band": "sure", "severity": 1}],
)  # fmt: skip


async def recorded(store: Store, call_id: str = "1", **values: object) -> Call:
    talk = ended(call(call_id), recording=f"{call_id}.wav", answered_by="1001", **values)
    talk = replace(talk, recording_seat=f"{call_id}-seat.wav", recording_caller=f"{call_id}-caller.wav")
    await commit(store, talk)
    return talk


async def heard(store: Store, call_id: str = "1") -> Call:
    talk = await recorded(store, call_id)
    await store.speech.register(Recorded(talk, "found", "ab" * 32, 12.5), NOW, hear=True)
    return talk


async def test_a_recording_belongs_to_its_call_ticket_and_seat(store: Store) -> None:
    talk = await recorded(store)
    await commit(store, ended(call("2")))
    assert [one.call_id for one in await store.speech.unregistered("pbx", NOW - 60)] == ["1"]
    for _ in range(2):
        await store.speech.register(Recorded(talk, "found", "ab" * 32, 12.5), NOW, hear=True)
    assert await store.speech.unregistered("pbx", NOW - 60) == ()
    (row,) = await store.speech._database.rows(select(recordings))
    assert row["ticket_id"] is not None
    assert (row["seat"], row["seat_path"], row["seconds"]) == ("1001", "1-seat.wav", 12.5)
    assert (await store.jobs("pbx").states())["waiting"] == 1
    assert await store.jobs("pbx").backlog_seconds() == 12.5
    assert await store.jobs("pbx").backlog_seconds(claimed=True) == 12.5
    assert await store.jobs("another").backlog_seconds() == 0


async def test_a_recording_knows_every_seat_that_was_on_our_side(store: Store) -> None:
    stays = (Stay("1001", NOW, NOW + 9), Stay("1003", NOW + 12, NOW + 20), Stay("1001", NOW + 21, NOW + 30))
    talk = await recorded(store, stays=stays)
    for _ in range(2):
        await store.speech.register(Recorded(talk, "found", "ab" * 32, 30.0), NOW, hear=False)
    (again,) = [one for one in (await store.calls.get("pbx", "1"),) if one is not None]
    assert again.stays == stays
    rows = await store.speech._database.rows(select(recording_seats).order_by(recording_seats.c.position))
    assert [row["seat"] for row in rows] == ["1001", "1003"]


async def test_the_recording_of_a_call_that_went_out_is_of_the_seat_that_called(store: Store) -> None:
    """Nobody of us answered it."""
    talk = replace(await recorded(store, stays=(Stay("1001", NOW, NOW + 9),)), answered_by=None)
    await store.speech.register(Recorded(talk, "found", "ab" * 32, 9.0), NOW, hear=False)
    (row,) = await store.speech._database.rows(select(recordings))
    assert row["seat"] == "1001"


async def test_who_gave_up_while_it_rang_left_nothing_to_hear(store: Store) -> None:
    """Nor to review. Whom somebody answered is heard although nobody saw who."""
    gone = replace(await recorded(store, "1"), answered_by=None, answered_at=None)
    unseen = replace(await recorded(store, "2"), answered_by=None, answered_at=NOW)
    await commit(store, gone, unseen)
    for one in (gone, unseen):
        await store.speech.register(Recorded(one, "found", "ab" * 32, 8.0), NOW, hear=True)
    assert (await store.jobs("pbx").states())["waiting"] == 1
    assert await store.jobs("pbx").wanted(NOW - 60, NOW) == 0
    job = await store.jobs("pbx").claim("w", NOW, 60)
    assert job is not None
    assert job.call_id == "2"
    assert [row.call_id for row in (await store.reviews.find(Wanted())).rows] == ["2"]


async def test_what_is_missing_gets_no_job_and_a_back_fill_adds_those_that_lack_one(store: Store) -> None:
    await store.speech.register(Recorded(await recorded(store, "1"), "missing"), NOW, hear=True)
    await store.speech.register(Recorded(await recorded(store, "2"), "found"), NOW, hear=False)
    assert await store.jobs("pbx").wanted(NOW - 60, NOW) == 1
    assert await store.jobs("pbx").wanted(NOW - 60, NOW) == 0
    job = await store.jobs("pbx").claim("w", NOW, 60)
    assert job is not None
    assert job.call_id == "2"


async def test_what_is_missing_is_told_page_by_page_and_is_found_once(store: Store) -> None:
    talks = {number: await recorded(store, number) for number in ("1", "2", "3")}
    for talk in talks.values():
        await store.speech.register(Recorded(talk, "missing"), NOW, hear=True)
    first = await store.speech.missing("pbx", NOW - 60, None, 2)
    rest = await store.speech.missing("pbx", NOW - 60, first[-1], 2)
    assert [one.call.call_id for one in (*first, *rest)] == ["3", "2", "1"]
    assert rest[0].call == talks["1"]
    assert await store.speech.missing("pbx", NOW + 60) == ()
    late = Recorded(talks["1"], "found", "ab" * 32, 9.0)
    assert await store.speech.found_late(rest[0].recording_id, late, NOW + 1, hear=True)
    assert not await store.speech.found_late(rest[0].recording_id, late, NOW + 2, hear=True)
    job = await store.jobs("pbx").claim("w", NOW + 3, 60)
    assert job is not None
    assert (job.call_id, job.seconds) == ("1", 9.0)
    assert await store.jobs("pbx").claim("w", NOW + 3, 60) is None


async def test_what_is_left_of_the_jobs_is_told_by_what_it_waits_for(store: Store) -> None:
    for number in ("1", "2", "3", "4"):
        await heard(store, number)
    assert await store.jobs("pbx").unfinished(NOW) == Unfinished(waiting=4)
    first, second, third = [await store.jobs("pbx").claim("w", NOW, 60) for _ in range(3)]
    assert first is not None
    assert second is not None
    assert third is not None
    await store.jobs("pbx").later(first, "w", NOW, "away", 30, "store")
    await store.jobs("pbx").failed(second, "w", NOW, "broken", "damaged")
    assert await store.jobs("pbx").unfinished(NOW) == Unfinished(waiting=1, claimed=1, store=1)
    assert await store.jobs("pbx").unfinished(NOW - 1) == Unfinished()


async def test_workers_never_share_a_job(store: Store) -> None:
    for number in range(8):
        await heard(store, str(number))
    jobs = await asyncio.gather(*(store.jobs("pbx").claim(f"w{n}", NOW, 60) for n in range(10)))
    taken = [job.id for job in jobs if job is not None]
    assert len(taken) == len(set(taken))
    while (job := await store.jobs("pbx").claim("late", NOW, 60)) is not None:
        taken.append(job.id)
    assert len(taken) == len(set(taken)) == 8


async def test_a_transcript_is_stored_once_with_its_findings(store: Store) -> None:
    await heard(store)
    job = await store.jobs("pbx").claim("w", NOW, 60)
    assert job is not None
    assert await store.jobs("pbx").done(job, "w", NOW + 5, WRITTEN)
    assert not await store.jobs("pbx").done(job, "w", NOW + 5, WRITTEN)
    database = store.speech._database
    (row,) = await database.rows(select(transcripts))
    assert (row["text"], row["words"], row["measures"]) == ("您好", {"id": "a", "segments": []}, {"talk_over": 1})
    (found,) = await database.rows(select(findings))
    assert (found["phrase"], found["found"], found["transcript_id"]) == ("greeting", True, row["id"])
    assert (await store.jobs("pbx").states())["done"] == 1


async def older(store: Store, seconds: float) -> None:
    """The heartbeats are so much longer ago, whichever clock told them."""
    c = transcription_jobs.c
    earlier = update(transcription_jobs).where(c.state == "claimed").values(heartbeat_at=c.heartbeat_at - seconds)
    await store.speech._database.write(lambda connection: connection.execute(earlier))


async def test_a_silent_worker_loses_its_job_and_three_times_are_enough(store: Store) -> None:
    await heard(store)
    first = await store.jobs("pbx").claim("dead", NOW, 60)
    assert first is not None
    await older(store, 50)
    assert await store.jobs("pbx").claim("next", NOW, 60) is None
    assert await store.jobs("pbx").beat(first, "dead", NOW)
    await older(store, 50)
    assert await store.jobs("pbx").claim("next", NOW, 60) is None
    await older(store, 20)
    second = await store.jobs("pbx").claim("next", NOW, 60)
    assert second is not None
    assert second.attempts == 2
    assert not await store.jobs("pbx").beat(first, "dead", NOW)
    assert not await store.jobs("pbx").done(first, "dead", NOW, WRITTEN)
    await older(store, 70)
    assert await store.jobs("pbx").claim("third", NOW, 60) is not None
    await older(store, 70)
    assert await store.jobs("pbx").claim("fourth", NOW, 60) is None
    (job,) = await store.speech._database.rows(select(transcription_jobs))
    assert (job["state"], job["attempts"]) == ("quarantined", 3)


async def test_a_clock_that_differs_takes_no_job_from_another_machine(store: Store) -> None:
    """Machines meet on PostgreSQL; an SQLite file is of one machine, and its clock is believed."""
    await heard(store)
    first = await store.jobs("pbx").claim("late", NOW - 3_600, 60)
    assert first is None, "not due by the clock of that machine"
    first = await store.jobs("pbx").claim("here", NOW, 60)
    assert first is not None
    one_machine = isinstance(store.speech._database.location, SqliteFile)
    assert (await store.jobs("pbx").claim("ahead", NOW + 3_600, 60) is not None) == one_machine
    assert await store.jobs("pbx").beat(first, "here", NOW - 3_600) is not one_machine
    assert await store.jobs("pbx").claim("ahead", NOW, 60) is None


async def test_workers_of_a_server_share_its_jobs_and_touch_no_others(store: Store) -> None:
    """Whoever has the recordings of one server only would fail those of another as gone."""
    await heard(store, "1")
    await heard(store, "2")
    talk = replace(await recorded(store, "3"), server="other")
    await commit(store, talk)
    await store.speech.register(Recorded(talk, "found", "ab" * 32, 12.5), NOW - 5, hear=True)
    claimed = [await store.jobs("pbx").claim(f"w{n}", NOW, 60) for n in range(3)]
    assert [job and job.call_id for job in claimed] == ["1", "2", None]
    theirs = await store.jobs("other").claim("far", NOW, 60)
    assert theirs is not None
    assert (theirs.server, theirs.call_id) == ("other", "3")
    for worker in ("a", "b"):
        await older(store, 70)
        assert await store.jobs("other").claim(worker, NOW, 60) is not None
    await older(store, 70)
    told: list[int] = []
    taken = [await store.jobs("pbx").claim("w", NOW, 60, told.append) for _ in range(3)]
    assert [job and job.call_id for job in taken] == ["1", "2", None]
    assert told == [], "the other server's lost job is not ours to set aside"
    assert await store.jobs("other").claim("c", NOW, 60, told.append) is None
    assert told == [1]


async def test_failed_attempts_wait_and_end_in_quarantine(store: Store) -> None:
    await heard(store)
    states = []
    for attempt in range(3):
        job = await store.jobs("pbx").claim("w", NOW + attempt * 100, 60)
        assert job is not None
        states.append(await store.jobs("pbx").again(job, "w", NOW + attempt * 100, "the worker ended by signal 9", 30))
        assert await store.jobs("pbx").claim("w", NOW + attempt * 100 + 29, 60) is None
    assert states == ["waiting", "waiting", "quarantined"]
