"""Users (seats, supervisors ...) and their browser sessions.

Promises: a person who is switched off or gets a new password is logged out everywhere in the same transaction (but
where they changed it themselves); one extension belongs to one user.
Never: sees a password or a session token: the caller hands over an argon2 hash and the token's hash.
"""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Delete, Select, Update, delete, insert, or_, select, update

from callcenter.store.database import Database
from callcenter.store.errors import UsersError
from callcenter.store.schema import audit, sessions, users
from callcenter.store.upsert import ignore_known


class Role(StrEnum):
    SEAT = "seat"
    SUPERVISOR = "supervisor"
    QA = "qa"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class User:
    """``extension``: the telephone of the seat; ``work_number``: what the greeting tells the caller (A2)."""

    name: str
    password_hash: str
    role: Role
    extension: str | None
    work_number: str | None
    display_name: str
    language: str
    active: bool
    created_at: float


@dataclass(frozen=True, slots=True)
class Session:
    """A log-in. ``created_at`` and ``seen_at``: epoch seconds, for the absolute and the idle time-out."""

    user: User
    created_at: float
    seen_at: float


class Users:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, user: User) -> None:
        """Raises ``UsersError`` if the name, the extension or the work number is taken."""

        def work(connection: Connection) -> None:
            _check_extension(connection, user.extension, user.name)
            _check_work_number(connection, user.work_number, user.name)
            result = connection.execute(ignore_known(connection.dialect.name, users, ["name"]), asdict(user))
            if result.rowcount != 1:
                raise UsersError("There is a user of that name already; choose another name.")

        await self._database.write(work)

    async def change(self, name: str, **values: Any) -> None:
        """Changes columns of a user. Raises ``UsersError`` for an unknown user and for what is taken."""
        if unknown := values.keys() - (User.__dataclass_fields__.keys() - {"name", "created_at"}):
            raise TypeError(f"no such columns of a user: {sorted(unknown)}")

        def work(connection: Connection) -> None:
            _check_extension(connection, values.get("extension"), name)
            _check_work_number(connection, values.get("work_number"), name)
            result = connection.execute(update(users).where(users.c.name == name).values(values))
            if result.rowcount != 1:
                raise UsersError("There is no user of that name; list them with 'callcenter user list'.")
            if "password_hash" in values or values.get("active") is False:
                connection.execute(delete(sessions).where(sessions.c.user_name == name))

        await self._database.write(work)

    async def change_password(self, name: str, old: str, new: str, keep: str, at: float) -> tuple[str, ...] | None:
        """The hash ``new`` in the place of ``old``, with a line of audit; every session but ``keep`` ends. Returns the
        hashes of those that did; ``None``, and nothing is changed, if ``old`` is not the hash (any more)."""

        def work(connection: Connection) -> tuple[str, ...] | None:
            mine = update(users).where(users.c.name == name, users.c.password_hash == old, users.c.active)
            if connection.execute(mine.values(password_hash=new)).rowcount != 1:
                return None
            others = (sessions.c.user_name == name, sessions.c.token_hash != keep)
            ended = tuple(connection.execute(select(sessions.c.token_hash).where(*others)).scalars())
            connection.execute(delete(sessions).where(*others))
            line = {"at": at, "what": "password_changed", "by": name, "detail": {"sessions_ended": len(ended)}}
            connection.execute(insert(audit).values(line))
            return ended

        return await self._database.write(work)

    async def get(self, name: str) -> User | None:
        return await self._one(select(users).where(users.c.name == name))

    async def of_extension(self, extension: str) -> User | None:
        """The active user whose telephone this is."""
        return await self._one(select(users).where(users.c.extension == extension, users.c.active))

    async def all(self) -> tuple[User, ...]:
        return tuple(_user(row) for row in await self._database.rows(select(users).order_by(users.c.name)))

    async def begin_session(self, token_hash: str, name: str, at: float) -> None:
        """Raises ``UsersError`` if the user does not exist or is switched off."""

        def work(connection: Connection) -> None:
            active = select(users.c.name).where(users.c.name == name, users.c.active).with_for_update()
            if connection.execute(active).first() is None:
                raise UsersError("This user cannot log in; ask an administrator.")
            row = {"token_hash": token_hash, "user_name": name, "created_at": at, "seen_at": at}
            connection.execute(insert(sessions), row)

        await self._database.write(work)

    async def session(self, token_hash: str) -> Session | None:
        """The session of a token, if its user may still log in. The caller applies the time-outs."""
        columns = (sessions.c.created_at.label("begun_at"), sessions.c.seen_at)
        joined = sessions.join(users, users.c.name == sessions.c.user_name)
        statement = (
            select(users, *columns).select_from(joined).where(sessions.c.token_hash == token_hash, users.c.active)
        )
        rows = await self._database.rows(statement)
        if not rows:
            return None
        begun_at, seen_at = rows[0].pop("begun_at"), rows[0].pop("seen_at")
        return Session(_user(rows[0]), begun_at, seen_at)

    async def touch_session(self, token_hash: str, at: float) -> None:
        """The session was used; not more often than the idle time-out needs, since it is a write."""
        await self._run(update(sessions).where(sessions.c.token_hash == token_hash).values(seen_at=at))

    async def end_session(self, token_hash: str) -> None:
        await self._run(delete(sessions).where(sessions.c.token_hash == token_hash))

    async def end_sessions_of(self, name: str) -> None:
        await self._run(delete(sessions).where(sessions.c.user_name == name))

    async def purge_sessions(self, seen_before: float, created_before: float) -> None:
        """Removes sessions that are past their idle or absolute time-out."""
        stale = or_(sessions.c.seen_at < seen_before, sessions.c.created_at < created_before)
        await self._run(delete(sessions).where(stale))

    async def _one(self, statement: Select[Any]) -> User | None:
        rows = await self._database.rows(statement)
        return _user(rows[0]) if rows else None

    async def _run(self, statement: Update | Delete) -> None:
        def work(connection: Connection) -> None:
            connection.execute(statement)

        await self._database.write(work)


def _check_extension(connection: Connection, extension: str | None, name: str) -> None:
    if extension is None:
        return
    taken = select(users.c.name).where(users.c.extension == extension, users.c.name != name)
    other = connection.execute(taken).scalar()
    if other is not None:
        raise UsersError(
            f"That extension belongs to another user, {other}. Give {other} another one, or disable {other} and take "
            f"it away with: callcenter user set {other} --extension ''."
        )


def _check_work_number(connection: Connection, number: str | None, name: str) -> None:
    """People log in with it: with two of one number, neither could."""
    if number is None:
        return
    taken = select(users.c.name).where(users.c.work_number == number, users.c.name != name)
    other = connection.execute(taken).scalar()
    if other is not None:
        raise UsersError(
            f"That work number belongs to another user, {other}. Choose another one, or take it away with: callcenter "
            f"user set {other} --work-number ''."
        )


def _user(row: dict[str, Any]) -> User:
    return User(**row | {"role": Role(row["role"])})
