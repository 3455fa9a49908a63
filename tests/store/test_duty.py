"""Who kept which shift, on SQLite and on PostgreSQL: written, written again, taken back, forgotten."""

from dataclasses import replace

from callcenter.roster.duty import Key, Post, State
from callcenter.store import Store
from tests.store.build import NOW

ONE = Post(Key("早班", NOW, "1001"), NOW + 600, State.LATE, NOW, NOW + 0.25, late=True)
OTHER = Post(Key("早班", NOW, "1002"), NOW + 600, State.READY, NOW, NOW, came=True, came_at=NOW)


async def test_what_is_written_is_read_again_whole(store: Store) -> None:
    await store.duty.store("pbx", [OTHER, ONE])
    assert await store.duty.between("pbx", NOW, NOW + 1) == [ONE, OTHER]
    came = replace(ONE, state=State.LEFT, since=NOW + 90.5, came=True, came_at=NOW + 61, missed=True, lefts=2)
    await store.duty.store("pbx", [replace(came, left_seconds=12.5)])
    assert await store.duty.between("pbx", NOW, NOW + 1) == [replace(came, left_seconds=12.5), OTHER]


async def test_a_time_has_the_shifts_that_lie_in_it_if_only_in_part(store: Store) -> None:
    night = replace(OTHER, key=Key("夜班", NOW + 600, "1002"), ends_at=NOW + 1200)
    await store.duty.store("pbx", [ONE, night])
    assert await store.duty.between("pbx", NOW + 599, NOW + 601) == [ONE, night]
    assert await store.duty.between("pbx", NOW + 600, NOW + 601) == [night]
    assert await store.duty.between("pbx", NOW - 9, NOW) == []
    assert await store.duty.between("other", NOW, NOW + 999) == []


async def test_what_is_planned_no_more_and_what_is_old_goes(store: Store) -> None:
    await store.duty.store("pbx", [ONE, OTHER])
    await store.duty.store("elsewhere", [ONE, OTHER])
    await store.duty.store("pbx", [], [ONE.key])
    assert await store.duty.between("pbx", NOW, NOW + 1) == [OTHER]
    await store.duty.forget("pbx", NOW + 600)
    assert await store.duty.between("pbx", NOW, NOW + 1) == [OTHER]
    await store.duty.forget("pbx", NOW + 601)
    assert await store.duty.between("pbx", NOW, NOW + 1) == []
    assert await store.duty.between("elsewhere", NOW, NOW + 1) == [ONE, OTHER]
