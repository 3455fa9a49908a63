"""The migrations build exactly the tables that the code uses, and the code knows all of them."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, insert, inspect

from callcenter.store.database import Database, Options
from callcenter.store.errors import StoreError
from callcenter.store.location import locate
from callcenter.store.migrate import _SCRIPTS
from callcenter.store.schema import REVISIONS, metadata, tickets
from callcenter.store.ticket_rows import _new
from callcenter.tickets.model import TicketPatch
from tests.store.build import NOW, ticket
from tests.store.places import Place


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata))


def constraint_names(connection: Connection) -> set[str | None]:
    inspector = inspect(connection)
    return {check["name"] for table in metadata.tables for check in inspector.get_check_constraints(table)}


async def test_the_migrations_build_the_tables_of_the_code(place: Place) -> None:
    database = Database(locate(place.url), Options(place.secret if place.password else None))
    try:
        async with database.read() as connection:
            assert await connection.run_sync(differences) == []
            assert await connection.run_sync(constraint_names) == {
                "ck_outbox_state",
                "ck_recordings_state",
                "ck_review_answers_verdict",
                "ck_review_disputes_outcome",
                "ck_tickets_status",
                "ck_transcription_jobs_state",
                "ck_users_role",
            }
    finally:
        await database.close()


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
    del old["left_open_at"]
    database = Database(locate(empty_place.url), Options(empty_place.secret if empty_place.password else None))
    try:
        await database.write(lambda connection: connection.execute(insert(tickets).values(old)) and None)
    finally:
        await database.close()
    with pytest.raises(StoreError, match=f"has schema 0001 and this program needs {REVISIONS[-1]}"):
        async with empty_place.open():
            pass
    assert (await empty_place.migrate()).before == "0001"
    async with empty_place.open() as store:
        kept = await ticket(store, "c1")
        assert (kept.number, kept.left_open_at) == ("26-1122-0001", None)
