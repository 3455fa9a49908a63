"""The migrations build exactly the tables that the code uses, and the code knows all of them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, insert, inspect, select

from callcenter.calls.model import Transfer, TransferKind
from callcenter.metrics.service_levels import Targets
from callcenter.quality.review import Wanted
from callcenter.quality.search import spoken_text, terms
from callcenter.speech.transcript import from_dict
from callcenter.store.call_rows import to_row
from callcenter.store.database import Database, Options
from callcenter.store.errors import StoreError
from callcenter.store.location import locate
from callcenter.store.migrate import _SCRIPTS
from callcenter.store.said import spoken
from callcenter.store.schema import (
    REVISIONS,
    calls,
    findings,
    metadata,
    observed,
    recording_seats,
    recordings,
    tickets,
    transcripts,
)
from callcenter.store.ticket_rows import _new
from callcenter.tickets.model import TicketPatch
from tests.store.build import NOW, call, ended, ticket
from tests.store.places import Place


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))


def constraint_names(connection: Connection) -> set[str | None]:
    inspector = inspect(connection)
    return {check["name"] for table in metadata.tables for check in inspector.get_check_constraints(table)}


@asynccontextmanager
async def opened(place: Place) -> AsyncIterator[Database]:
    """The database as it is, whatever its schema."""
    database = Database(locate(place.url), Options(place.secret if place.password else None))
    try:
        yield database
    finally:
        await database.close()


async def test_the_migrations_build_the_tables_of_the_code(place: Place) -> None:
    async with opened(place) as database, database.read() as connection:
        assert await connection.run_sync(differences) == []
        assert await connection.run_sync(constraint_names) == {
            "ck_callback_calls_kind",
            "ck_callbacks_state",
            "ck_outbox_state",
            "ck_recordings_state",
            "ck_review_answers_verdict",
            "ck_review_disputes_outcome",
            "ck_tickets_status",
            "ck_transcription_jobs_state",
            "ck_users_role",
        }


def test_the_code_knows_every_revision_in_order() -> None:
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == REVISIONS
    assert scripts.get_heads() == [REVISIONS[-1]]


async def test_migrating_again_changes_nothing(place: Place) -> None:
    done = await place.migrate()
    assert (done.before, done.after) == (REVISIONS[-1], REVISIONS[-1])


async def test_tickets_of_the_first_schema_are_kept(empty_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    upgrade = command.upgrade
    with monkeypatch.context() as first:
        first.setattr(command, "upgrade", lambda config, _: upgrade(config, "0001"))
        await empty_place.migrate()
    old = _new("pbx", TicketPatch("c1", NOW), "2026-11-22", 1, NOW) | {"typed": []}
    for name in NEW_OF_TICKETS:
        del old[name]
    async with opened(empty_place) as database:
        await database.write(lambda connection: connection.execute(insert(tickets).values(old)) and None)
    with pytest.raises(StoreError, match=f"has schema 0001 and this program needs {REVISIONS[-1]}"):
        async with empty_place.open():
            pass
    assert (await empty_place.migrate()).before == "0001"
    async with empty_place.open() as store:
        kept = await ticket(store, "c1")
        assert (kept.number, kept.left_open_at) == ("26-1122-0001", None)


async def migrate_to(revision: str, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """An older program's database."""
    upgrade = command.upgrade
    with monkeypatch.context() as before:
        before.setattr(command, "upgrade", lambda config, _: upgrade(config, revision))
        await place.migrate()


async def test_what_was_heard_before_seats_were_told_apart_belongs_to_the_seat_that_answered(
    empty_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But for calls that were sent on: of their findings nobody knows who spoke."""
    await migrate_to("0005", empty_place, monkeypatch)
    sent_on = (Transfer(TransferKind.BLIND, "1001", "1002", NOW),)
    old = [ended(call("c1", answered_by="1001")), ended(call("c2", answered_by="1001", transfers=sent_on))]

    before_clocks = _table(calls, *NEW_OF_CALLS)
    before_seats = Table("findings", MetaData(), *[c._copy() for c in findings.c if c.name != "seat"])

    def fill(connection: Connection) -> None:
        for number, one in enumerate(old, start=1):
            row = to_row(one, None, NOW)
            row |= {name: json.loads(row[name]) for name in ("detail", "breaches")}
            connection.execute(before_clocks.insert(), {name: row[name] for name in row if name in before_clocks.c})
            recording = {"id": number, "server": "pbx", "call_id": one.call_id, "seat": "1001", "sha256": ""}
            connection.execute(insert(recordings).values(**recording, state="found", created_at=NOW))
            transcript = {"id": number, "recording_id": number, "language": "zh", "model": "m", "words": {}, "text": ""}
            connection.execute(insert(transcripts).values(**transcript, measures={}, created_at=NOW))
            for phrase, kind, found, speaker in OLD_FINDINGS:
                values = {"phrase": phrase, "rule": "A2", "kind": kind, "found": found, "speaker": speaker}
                plain = {"transcript_id": number, "heard": "", "score": 1.0, "band": "sure", "severity": 1}
                connection.execute(before_seats.insert(), values | plain)

    async with opened(empty_place) as database:
        await database.write(fill)
    await empty_place.migrate()
    async with empty_place.open() as store:
        rows = await store.reviews._readers.rows(select(findings).order_by(findings.c.id))
        seats = await store.reviews._readers.rows(select(recording_seats).order_by(recording_seats.c.recording_id))
    assert [row["seat"] for row in rows] == ["1001", "1001", None, None, None, None, None, None]
    assert [(row["recording_id"], row["seat"]) for row in seats] == [(1, "1001"), (2, "1001")]


async def test_texts_of_before_are_searched_in_simplified_characters(
    empty_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate_to("0019", empty_place, monkeypatch)

    def fill(connection: Connection) -> None:
        for number, text in enumerate(("電話打不通", "It's fine", "电话"), start=1):
            recording = {"id": number, "server": "pbx", "call_id": text, "seat": "1001", "sha256": ""}
            connection.execute(insert(recordings).values(**recording, state="found", created_at=NOW))
            row = {"id": number, "recording_id": number, "language": "zh", "model": "m", "words": {}, "text": text}
            connection.execute(insert(transcripts).values(**row, measures={}, created_at=NOW))

    async with opened(empty_place) as database:
        await database.write(fill)
    await empty_place.migrate()
    async with empty_place.open() as store:
        rows = await store.reviews._readers.rows(select(transcripts.c.text).order_by(transcripts.c.id))
    assert [row["text"] for row in rows] == ["电话打不通", "It's fine", "电话"]


async def test_what_was_said_before_is_searched_as_what_is_said_now(
    empty_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate_to("0021", empty_place, monkeypatch)
    told = [{"speaker": "seat", "words": [{"word": one, "start": 0.0, "end": 1.0, "conf": 1.0} for one in said]}
            for said in (("電話", "零一", "，"), ("It's",))]  # fmt: skip
    kept = ({"id": "t", "segments": told}, {"id": "t", "segments": []}, {})

    def fill(connection: Connection) -> None:
        for number, words in enumerate(kept, start=1):
            recording = {"id": number, "server": "pbx", "call_id": str(number), "seat": "1001", "sha256": ""}
            connection.execute(insert(recordings).values(**recording, state="found", created_at=NOW))
            row = {"id": number, "recording_id": number, "language": "zh", "model": "m", "words": words, "text": ""}
            connection.execute(insert(transcripts).values(**row, measures={}, created_at=NOW))

    async with opened(empty_place) as database:
        await database.write(fill)
    await empty_place.migrate()
    async with empty_place.open() as store:
        rows = await store.reviews._readers.rows(select(spoken.c.text).order_by(spoken.c.transcript_id))
        assert [row["text"] for row in rows] == ["电话01\nits", "", ""]
        assert rows[0]["text"] == spoken_text(from_dict(kept[0], stored=True))
        assert [row.id for row in (await store.reviews.find(Wanted(terms=terms("电话01")))).rows] == [1]


NEW_OF_TICKETS = ("left_open_at", "level", "severity", "responded_at", "plan_at")
NEW_OF_CALLS = ("survey", "transferred")
"""Columns of ``calls`` since 0013."""


def _table(table: Table, *without: str) -> Table:
    """The table as it was before it had these columns."""
    return Table(table.name, MetaData(), *[c._copy() for c in table.c if c.name not in without])


async def test_answers_and_transfers_of_calls_before_0013_are_counted(
    empty_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate_to("0011", empty_place, monkeypatch)
    sent_on = (Transfer(TransferKind.BLIND, "1001", "1002", NOW),)
    old = [
        ended(call("good", variables={"survey": "5", "company": "一"})),
        ended(call("other", variables={"survey": "9"}, transfers=sent_on)),
        ended(call("none", variables={"company": "二"})),
        ended(call("empty", variables={"survey": ""})),
    ]
    before_clocks = _table(calls, *NEW_OF_CALLS)

    def fill(connection: Connection) -> None:
        for one in old:
            row = to_row(one, None, NOW)
            row |= {name: json.loads(row[name]) for name in ("detail", "breaches")}
            connection.execute(before_clocks.insert(), {name: row[name] for name in row if name in before_clocks.c})

    async with opened(empty_place) as database:
        await database.write(fill)
    await empty_place.migrate()
    async with empty_place.open() as store:
        found = await store.reviews._readers.rows(select(calls.c.call_id, calls.c.survey, calls.c.transferred))
    assert (
        {row["call_id"]: (row["survey"], row["transferred"]) for row in found}
        == {one.call_id: (to_row(one, None, NOW)["survey"], bool(one.transfers)) for one in old}
        == {"good": ("5", False), "other": ("other", True), "none": (None, False), "empty": (None, False)}
    )


OLD_FINDINGS = (
    ("greeting", "required", True, "seat"),
    ("closing", "required", False, None),
    ("refusal", "forbidden", False, None),
    ("ask_name", "required", True, "caller"),
)


async def test_an_older_store_is_observed_since_its_first_call_that_was_seen(
    empty_place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    await migrate_to("0018", empty_place, monkeypatch)
    old = Table("observed", MetaData(), *[c._copy() for c in observed.c if c.name != "since"])
    known = [call("seen", arrived_at=NOW - 50), call("from records", arrived_at=NOW - 900, recovered=True)]

    def fill(connection: Connection) -> None:
        for server in ("pbx", "quiet"):
            connection.execute(old.insert(), {"server": server, "until": NOW})
        for one in known:
            row = to_row(one, None, NOW)
            row |= {name: json.loads(row[name]) for name in ("detail", "breaches")}
            connection.execute(insert(calls).values(row))

    async with opened(empty_place) as database:
        await database.write(fill)
    await empty_place.migrate()
    async with empty_place.open() as store:
        since = [await store.service_levels(name, Targets()).observed_since() for name in ("pbx", "quiet", "new")]
    assert since == [NOW - 50, NOW, None]
