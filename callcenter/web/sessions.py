"""Log-in and sessions: a password becomes a cookie, a cookie becomes a user.

Promises: argon2 in a thread, at most two at a time; the cookie holds 128 random bits or more and the store only their
hash; a session ends by log-out, idleness or age; failed log-ins are slowed per account and per address, the same
whether the account exists or not. Never: logs a name, an address or a password.
"""

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from callcenter.errors import BrokenWorld
from callcenter.passwords import LONGEST
from callcenter.web.ports import Session, User, Users

TOKEN_BYTES = 24
TOUCH_EVERY_SECONDS = 60.0


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_of(token: str) -> str:
    """The token that pages send with every change of state; worthless without the cookie that it is made from."""
    return hashlib.sha256(b"csrf\0" + token.encode()).hexdigest()[:40]


class Throttle:
    """Counts failures per key in a sliding window; memory is bounded, the oldest keys are forgotten first."""

    def __init__(self, failures: int, window_seconds: float, now: Callable[[], float], keys: int = 10_000) -> None:
        self._failures, self._window, self._now, self._keys = failures, window_seconds, now, keys
        self._seen: OrderedDict[str, list[float]] = OrderedDict()

    def failed(self, key: str) -> None:
        self._seen[key] = [*self._recent(key), self._now()][-self._failures :]
        self._seen.move_to_end(key)
        while len(self._seen) > self._keys:
            self._seen.popitem(last=False)

    def forget(self, key: str) -> None:
        self._seen.pop(key, None)

    def left(self, key: str) -> int:
        """Failures still allowed before the key is locked."""
        return self._failures - len(self._recent(key))

    def locked_seconds(self, key: str) -> float:
        """How long the key stays locked; 0 if it is not."""
        recent = self._recent(key)
        return max(0.0, recent[0] + self._window - self._now()) if len(recent) >= self._failures else 0.0

    def _recent(self, key: str) -> list[float]:
        since = self._now() - self._window
        return [at for at in self._seen.get(key, ()) if at > since]


Keys: TypeAlias = tuple[tuple[Throttle, str], ...]


def _locked_seconds(keys: Keys) -> float:
    return max(throttle.locked_seconds(key) for throttle, key in keys)


@dataclass(frozen=True, slots=True)
class LoginResult:
    """``token`` if the log-in succeeded; else how many tries are left, or how long the door stays shut."""

    user: User | None = None
    token: str | None = None
    tries_left: int = 0
    locked_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class PasswordResult:
    """``ended``: the hashes of the sessions that ended with the old password; ``refused``: why it stays."""

    refused: LoginResult | None
    ended: tuple[str, ...] = ()


def _failed(keys: Keys) -> LoginResult:
    for throttle, key in keys:
        throttle.failed(key)
    return LoginResult(
        tries_left=min(throttle.left(key) for throttle, key in keys), locked_seconds=_locked_seconds(keys)
    )


class Sessions:
    """Opens, finds and closes sessions."""

    def __init__(
        self,
        users: Users,
        now: Callable[[], float],
        idle_seconds: float,
        absolute_seconds: float,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._users, self._now = users, now
        self._idle, self._absolute = idle_seconds, absolute_seconds
        self._hasher = hasher or PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex(16))
        self._busy = asyncio.Semaphore(2)
        self._by_account = Throttle(5, 900, now)
        self._by_account_anywhere = Throttle(30, 900, now)
        self._by_address = Throttle(40, 900, now)

    async def log_in(self, name: str, password: str, address: str) -> LoginResult:
        """Check the password and open a session. Slow on purpose; refused at once while locked."""
        user = await self._users.user(name)
        # One account has two names, its own and the work number, and one limit for both.
        refused = await self._refused(user, user.name if user is not None else name, password, address)
        if user is None or refused is not None:
            return refused or LoginResult()
        known = user.password_hash
        if self._hasher.check_needs_rehash(known):
            known = await asyncio.to_thread(self._hasher.hash, password)
            await self._users.set_password_hash(user.name, known)
        token = await self._open(user)
        # Another password may have been set meanwhile, and had no session of this one to end.
        now = await self._users.user(user.name)
        if now is None or now.password_hash != known:
            await self.close(token)
            return LoginResult(tries_left=self._by_account.left(f"{user.name}\0{address}"))
        return LoginResult(user=user, token=token)

    async def change_password(self, user: User, session: str, old: str, new: str, address: str) -> PasswordResult:
        """The person's new password, if the old one is right; every session of theirs but ``session`` ends."""
        refused = await self._refused(user, user.name, old[:LONGEST], address)
        if refused is not None:
            return PasswordResult(refused)
        async with self._busy:
            hashed = await asyncio.to_thread(self._hasher.hash, new)
        ended = await self._users.change_password(user.name, user.password_hash, hashed, session, self._now())
        # Somebody else was faster, from another page: the old password is no longer right.
        return PasswordResult(LoginResult(tries_left=5)) if ended is None else PasswordResult(None, tuple(ended))

    async def _refused(self, user: User | None, account: str, password: str, address: str) -> LoginResult | None:
        """Why not, or ``None`` where the password is right."""
        keys: Keys = (
            (self._by_account, f"{account}\0{address}"),
            (self._by_account_anywhere, account),
            (self._by_address, address),
        )
        if locked := _locked_seconds(keys):
            return LoginResult(locked_seconds=locked)
        async with self._busy:
            # Once more, now that it is its turn: of a thousand guesses sent at once only the first few may be tried.
            if locked := _locked_seconds(keys):
                return LoginResult(locked_seconds=locked)
            good = await self._verify(user, password)
            if user is None or not good:
                return _failed(keys)
        self._by_account.forget(keys[0][1])
        return None

    async def find(self, token: str) -> tuple[Session, User] | None:
        """The session of a cookie and its user; ``None`` if it has ended or the user was switched off."""
        if not 20 <= len(token) <= 200 or not token.isascii():
            return None
        hashed, now = token_hash(token), self._now()
        session = await self._users.session(hashed)
        if session is None:
            return None
        user = await self._users.user(session.user)
        if user is None or not user.active or not self.lives(session):
            with suppress(BrokenWorld):
                await self._users.drop_session(hashed)
            return None
        if now - session.seen_at > TOUCH_EVERY_SECONDS:
            with suppress(BrokenWorld):  # while the disk is full pages are still read
                await self._users.touch_session(hashed, now)
        return session, user

    async def close(self, token: str) -> None:
        await self._users.drop_session(token_hash(token))

    def lives(self, session: Session) -> bool:
        """False for one that was idle for too long, or is too old."""
        now = self._now()
        return now - session.seen_at <= self._idle and now - session.created_at <= self._absolute

    async def _open(self, user: User) -> str:
        token, now = secrets.token_urlsafe(TOKEN_BYTES), self._now()
        await self._users.add_session(Session(token_hash(token), user.name, now, now))
        return token

    async def _verify(self, user: User | None, password: str) -> bool:
        # The hash of nobody costs the same time, so that the answer does not tell which accounts exist.
        known = user.password_hash if user is not None and user.active else self._nobody
        return await asyncio.to_thread(self._matches, known, password)

    def _matches(self, known: str, password: str) -> bool:
        try:
            return self._hasher.verify(known, password)
        except (Argon2Error, InvalidHashError):
            return False
