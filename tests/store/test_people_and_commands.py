"""Users and sessions, the outbox, and what may be forgotten, on SQLite and on PostgreSQL."""

import asyncio
from dataclasses import replace

import pytest
from argon2 import PasswordHasher

from callcenter.rules.commands import Announce, OpenGate, from_row
from callcenter.store import Result, Role, Store, User, UsersError
from callcenter.web.sessions import Sessions, token_hash
from callcenter.web_ports import StoredUsers
from tests.store.build import HOUR, NOW, batch, call, commit, ended

ANNA = User("anna", "$argon2id$...", Role.SEAT, "1001", "018", "安娜", "zh", True, NOW)


async def test_users(store: Store) -> None:
    boss = replace(ANNA, name="boss", role=Role.SUPERVISOR, extension=None, work_number=None)
    await store.users.add(ANNA)
    await store.users.add(boss)
    await store.users.add(replace(boss, name="boss2"))
    assert await store.users.get("anna") == ANNA
    assert await store.users.get("nobody") is None
    assert await store.users.of_extension("1001") == ANNA
    assert [user.name for user in await store.users.all()] == ["anna", "boss", "boss2"]
    await store.users.change("anna", display_name="Anna", active=False)
    assert await store.users.get("anna") == replace(ANNA, display_name="Anna", active=False)
    assert await store.users.of_extension("1001") is None


async def test_names_and_extensions_are_taken_once(store: Store) -> None:
    await store.users.add(ANNA)
    await store.users.add(replace(ANNA, name="ben", extension="1002", work_number="019"))
    with pytest.raises(UsersError, match="user of that name already"):
        await store.users.add(replace(ANNA, extension="1003"))
    with pytest.raises(UsersError, match="extension belongs to another user"):
        await store.users.add(replace(ANNA, name="carl"))
    with pytest.raises(UsersError, match="extension belongs to another user"):
        await store.users.change("ben", extension="1001")
    with pytest.raises(UsersError, match="work number belongs to another user, anna"):
        await store.users.add(replace(ANNA, name="carl", extension="1003"))
    with pytest.raises(UsersError, match="work number belongs to another user, anna"):
        await store.users.change("ben", work_number="018")
    await store.users.change("anna", work_number="018")
    with pytest.raises(UsersError, match="no user of that name"):
        await store.users.change("nobody", language="en")
    with pytest.raises(TypeError):
        await store.users.change("anna", created_at=1.0)
    results = await asyncio.gather(
        *(store.users.add(replace(ANNA, name=f"n{n}", extension="1009", work_number=None)) for n in range(5)),
        return_exceptions=True,
    )
    assert sum(result is None for result in results) == 1
    assert all(result is None or isinstance(result, UsersError) for result in results)


async def test_sessions(store: Store) -> None:
    await store.users.add(ANNA)
    await store.users.begin_session("hash1", "anna", NOW)
    await store.users.touch_session("hash1", NOW + 60)
    session = await store.users.session("hash1")
    assert session is not None
    assert (session.user, session.created_at, session.seen_at) == (ANNA, NOW, NOW + 60)
    assert await store.users.session("hash2") is None
    await store.users.end_session("hash1")
    assert await store.users.session("hash1") is None
    with pytest.raises(UsersError, match="cannot log in"):
        await store.users.begin_session("hash3", "nobody", NOW)


async def test_who_changes_the_own_password_stays_where_they_are(store: Store) -> None:
    await store.users.add(ANNA)
    await store.users.add(replace(ANNA, name="ben", extension="1002", work_number=None))
    for token, name in (("here", "anna"), ("home", "anna"), ("phone", "anna"), ("bens", "ben")):
        await store.users.begin_session(token, name, NOW)
    assert await store.users.change_password("anna", "another hash", "$new", "here", NOW) is None
    assert await store.users.get("anna") == ANNA
    assert await store.keeping.audit() == []
    ended = await store.users.change_password("anna", ANNA.password_hash, "$new", "here", NOW + 5)
    assert sorted(ended or ()) == ["home", "phone"]
    alive = [token for token in ("here", "home", "phone", "bens") if await store.users.session(token) is not None]
    assert alive == ["here", "bens"]
    assert await store.users.get("anna") == replace(ANNA, password_hash="$new")
    (line,) = await store.keeping.audit()
    assert (line.at, line.what, line.by, line.recording_id) == (NOW + 5, "password_changed", "anna", None)
    assert line.detail == {"sessions_ended": 2}, "and nothing of a password"


async def test_the_pages_way_to_another_password(store: Store) -> None:
    """From the form's words to the row: argon2 before, argon2 after, and the other log-in is over."""
    hasher = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    await store.users.add(replace(ANNA, password_hash=hasher.hash("the old password")))
    door = Sessions(StoredUsers(store), lambda: NOW, 600, 3600, hasher)
    here, home = [(await door.log_in("018", "the old password", "a")).token or "" for _ in range(2)]
    found = await door.find(here)
    assert found is not None
    session, anna = found
    wrong = await door.change_password(anna, session.token_hash, "no", "the new password", "a")
    assert wrong.refused is not None
    done = await door.change_password(anna, session.token_hash, "the old password", "the new password", "a")
    assert (done.refused, done.ended) == (None, (token_hash(home),))
    assert (await door.find(here) is not None, await door.find(home)) == (True, None)
    assert (await door.log_in("anna", "the old password", "b")).token is None
    assert (await door.log_in("anna", "the new password", "b")).token is not None
    assert [line.what for line in await store.keeping.audit()] == ["password_changed"]


async def test_of_two_changes_at_once_one_is_made(store: Store) -> None:
    await store.users.add(ANNA)
    changes = [store.users.change_password("anna", ANNA.password_hash, f"$new{n}", "here", NOW) for n in range(8)]
    assert sum(done is not None for done in await asyncio.gather(*changes)) == 1
    assert len(await store.keeping.audit()) == 1


@pytest.mark.parametrize("change", [{"active": False}, {"password_hash": "new"}])
async def test_who_leaves_or_changes_the_password_is_logged_out(store: Store, change: dict[str, object]) -> None:
    await store.users.add(ANNA)
    await store.users.begin_session("hash1", "anna", NOW)
    await store.users.change("anna", language="en")
    assert await store.users.session("hash1") is not None
    await store.users.change("anna", **change)
    assert await store.users.session("hash1") is None
    await store.users.change("anna", active=True)
    assert await store.users.session("hash1") is None, "the session does not come back"


async def test_stale_sessions_are_removed(store: Store) -> None:
    await store.users.add(ANNA)
    for name, begun, seen in (("idle", 5, 6), ("old", 1, 9), ("good", 5, 9)):
        await store.users.begin_session(name, "anna", NOW + begun)
        await store.users.touch_session(name, NOW + seen)
    await store.users.purge_sessions(seen_before=NOW + 7, created_before=NOW + 3)
    assert [n for n in ("idle", "old", "good") if await store.users.session(n)] == ["good"]
    await store.users.end_sessions_of("anna")
    assert await store.users.session("good") is None


def gate(name: str) -> OpenGate:
    return OpenGate(name, "pbx", "c1", "1001", "Local/1001@cc-gate-1;2", NOW + 9)


async def put_back(store: Store, *names: str) -> None:
    """As a performer does who knows that they did not happen."""
    for name in names:
        await store.outbox.retry(name, NOW)


async def test_commands_belong_to_whoever_committed_them(store: Store) -> None:
    await commit(store, commands=[gate("z"), gate("b")])
    await commit(store, commands=[gate("z")])
    assert await store.outbox.states("pbx") == {"claimed": 2}
    assert await store.outbox.claim("pbx", NOW + HOUR) == ()


async def test_commands_put_back_are_claimed_in_order_and_finished(store: Store) -> None:
    announce = Announce("a", "pbx", "c1", "PJSIP/trunk-1", "support", NOW + 9)
    await commit(store, commands=[gate("z"), announce])
    await commit(store, commands=[gate("b")])
    await put_back(store, "b", "z", "a")
    assert await store.outbox.claim("other", NOW) == ()
    assert await store.outbox.claim("pbx", NOW - 1) == (), "not before its moment"
    first = await store.outbox.claim("pbx", NOW, limit=2)
    assert [from_row(row.kind, row.payload) for row in first] == [gate("z"), announce]
    assert [row.command_id for row in await store.outbox.claim("pbx", NOW)] == ["b"]
    assert await store.outbox.claim("pbx", NOW) == ()
    await store.outbox.finish("z", Result.DONE, NOW + 1)
    await store.outbox.finish("a", Result.FAILED, NOW + 1, "no such channel")
    await store.outbox.retry("b", NOW + 5, "not connected")
    await store.outbox.retry("z", NOW)
    assert await store.outbox.states("pbx") == {"done": 1, "failed": 1, "pending": 1}
    assert await store.outbox.claim("pbx", NOW + 4) == ()
    (again,) = await store.outbox.claim("pbx", NOW + 5)
    assert (again.command_id, again.attempts) == ("b", 3)


async def test_a_command_is_claimed_by_one(store: Store) -> None:
    names = [str(n) for n in range(40)]
    await commit(store, commands=[gate(name) for name in names])
    await put_back(store, *names)
    claims = await asyncio.gather(*(store.outbox.claim("pbx", NOW, limit=7) for _ in range(10)))
    ids = [row.command_id for claim in claims for row in claim]
    rest = await store.outbox.claim("pbx", NOW)
    assert sorted([*ids, *(row.command_id for row in rest)]) == sorted(names)


async def test_after_a_crash_nothing_is_done_twice(store: Store) -> None:
    await commit(store, commands=[gate("sent"), Announce("said", "pbx", "c1", "PJSIP/x", None, NOW), gate("waiting")])
    await put_back(store, "waiting")
    assert await store.outbox.recover("other", NOW + 1) == ()
    lost = await store.outbox.recover("pbx", NOW + 1, repeatable=["Announce"])
    assert [row.command_id for row in lost] == ["sent"]
    assert await store.outbox.states("pbx") == {"unknown": 1, "pending": 2}
    assert {row.command_id for row in await store.outbox.claim("pbx", NOW)} == {"said", "waiting"}


async def test_the_purge_keeps_what_running_calls_and_replays_need(store: Store) -> None:
    await commit(store, ended(call("over")), log=b"over", commands=[gate("old")], at=NOW)
    await commit(store, call("long"), log=b"begin", commands=[gate("needed")], at=NOW + 1)
    await commit(store, ended(call("over2")), log=b"over2", at=NOW + 2)
    await store.commit(batch(server="other", log=b"theirs"))
    for name in ("old", "needed"):
        await store.outbox.finish(name, Result.DONE, NOW + 3)
    purged = await store.journal.purge("pbx", NOW + HOUR)
    assert (purged.log_rows, purged.commands) == (1, 1)
    assert [row.payload async for row in store.journal.tail("pbx")] == [b"begin", b"over2"]
    await commit(store, ended(call("long")), log=b"end", commands=[gate("fresh")], at=NOW + 2 * HOUR)
    purged = await store.journal.purge("pbx", NOW + HOUR)
    assert (purged.log_rows, purged.commands) == (2, 1)
    assert [row.payload async for row in store.journal.tail("pbx")] == [b"end"]
    assert await store.outbox.states("pbx") == {"claimed": 1}
    assert [row.payload async for row in store.journal.tail("other")] == [b"theirs"]


async def test_a_position_is_never_given_out_twice(store: Store) -> None:
    before = await commit(store, log=b"x")
    assert (await store.journal.purge("pbx", NOW + HOUR)).log_rows == 1
    after = await commit(store, log=b"y")
    assert before.position is not None
    assert after.position is not None
    assert after.position > before.position
