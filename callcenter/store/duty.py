"""Who kept which shift (A5): written as it changes, read after a restart and for the day's history.

Beside the path of a call: below ``callcenter/duty`` and the supervisor's desk.
Promises: what is written is there after a restart, so that who was late stays late. Never: knows a person's name.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, and_, delete, select

from callcenter.roster.duty import Key, Post, State
from callcenter.store.database import Database
from callcenter.store.duty_tables import duty_posts
from callcenter.store.upsert import upsert

_KEY = ("server", "begins_at", "shift", "seat")


class Duty:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def store(self, server: str, posts: Collection[Post], dropped: Collection[Key] = ()) -> None:
        """Writes these posts, and lets those go that are planned no more."""

        def work(connection: Connection) -> None:
            if posts:
                statement = upsert(connection.dialect.name, duty_posts, _KEY)
                connection.execute(statement, [_row(server, post) for post in posts])
            for key in dropped:
                connection.execute(delete(duty_posts).where(_is(server, key)))

        await self._database.write(work)

    async def between(self, server: str, since: float, until: float) -> Sequence[Post]:
        """Posts of shifts that lie in this time, if only in part; in the order of their begins."""
        d = duty_posts.c
        statement = select(duty_posts).where(d.server == server, d.ends_at > since, d.begins_at < until)
        rows = await self._database.rows(statement.order_by(d.begins_at, d.shift, d.seat))
        return [_post(row) for row in rows]

    async def forget(self, server: str, before: float) -> None:
        """Posts of shifts that ended before then."""

        def work(connection: Connection) -> None:
            d = duty_posts.c
            connection.execute(delete(duty_posts).where(d.server == server, d.ends_at < before))

        await self._database.write(work)


def _is(server: str, key: Key) -> Any:
    d = duty_posts.c
    return and_(d.server == server, d.begins_at == key.begins_at, d.shift == key.shift, d.seat == key.seat)


def _row(server: str, post: Post) -> dict[str, Any]:
    key = post.key
    return {
        "server": server,
        "begins_at": key.begins_at,
        "shift": key.shift,
        "seat": key.seat,
        "ends_at": post.ends_at,
        "state": post.state.value,
        "since": post.since,
        "known_from": post.known_from,
        "came": post.came,
        "came_at": post.came_at,
        "late": post.late,
        "missed": post.missed,
        "lefts": post.lefts,
        "left_seconds": post.left_seconds,
    }


def _post(row: Mapping[str, Any]) -> Post:
    return Post(
        Key(row["shift"], row["begins_at"], row["seat"]),
        row["ends_at"],
        State(row["state"]),
        row["since"],
        row["known_from"],
        row["came"],
        row["came_at"],
        row["late"],
        row["missed"],
        row["lefts"],
        row["left_seconds"],
    )
