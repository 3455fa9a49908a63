"""``callcenter user``: the people who log in, from the command line.

Promises: a password is hashed with argon2 before it is stored and never shown; a seat has an extension. Works beside a
running daemon. Never: prints a hash.
"""

import re
import time
from argparse import Namespace
from typing import Any

from argon2 import PasswordHasher

from callcenter import passwords
from callcenter.errors import BadInput
from callcenter.opening import beside
from callcenter.settings import Settings
from callcenter.store.errors import UsersError
from callcenter.store.store import Store
from callcenter.store.users import Role, User

_EXTENSION = re.compile(r"[0-9A-Za-z_.+-]{1,32}")
_NAME = re.compile(r"[^\s/<>\x00-\x1f]{1,80}")


def look_at(options: Namespace) -> None:
    """Raises ``BadInput`` for what is wrong without looking into the store: before anybody types a password."""
    if options.action == "list":
        return
    name = options.name or ""
    if not _NAME.fullmatch(name) or not name.isprintable():
        raise BadInput("name: give the log-in name, up to 80 characters without spaces.")
    if options.action == "add":
        _check_seat(Role(options.role or "seat"), options.extension)
    if options.extension and not _EXTENSION.fullmatch(options.extension):
        raise BadInput("--extension: letters, digits and _ . + - only, up to 32.")
    for field, longest in (("work_number", 16), ("display_name", 80)):
        text = getattr(options, field) or ""
        if not text.isprintable() or len(text) > longest:
            raise BadInput(f"--{field.replace('_', '-')}: one line of up to {longest} readable characters.")


def _check_seat(role: Role, extension: str | None) -> None:
    if role is Role.SEAT and not extension:
        raise BadInput("--extension: a seat needs the telephone it sits at, for example --extension 1001.")


async def manage(settings: Settings, options: Namespace, password: str | None) -> str:
    """One action on the list of users; what to print. Raises ``BadInput``."""
    look_at(options)
    async with beside(settings, create=True) as store:
        try:
            return await _act(store, options, password)
        except UsersError as error:
            raise BadInput(str(error)) from None


async def _act(store: Store, options: Namespace, password: str | None) -> str:
    if options.action == "list":
        return "\n".join(_line(user) for user in await store.users.all()) or "There are no users yet."
    name: str = options.name
    if options.action in ("disable", "enable"):
        known = await store.users.get(name)
        if known is not None and options.action == "enable":
            _check_seat(known.role, known.extension)
        await store.users.change(name, active=options.action == "enable")
        return f"{name} is {options.action}d."
    if options.action == "set":
        return await _set(store, name, options, password)
    await store.users.add(_new(name, options, password))
    return f"{name} is added."


async def _set(store: Store, name: str, options: Namespace, password: str | None) -> str:
    """What is given empty is taken away: an extension, a work number."""
    values: dict[str, Any] = {
        column: value or None
        for column in ("role", "extension", "work_number", "display_name", "language")
        if (value := getattr(options, column)) is not None
    }
    if "display_name" in values:
        values["display_name"] = values["display_name"] or name
    if password is not None:
        values["password_hash"] = _hash(password, name)
    if not values:
        raise BadInput("set: say what to change, for example --work-number 018 or --password.")
    known = await store.users.get(name)
    if known is not None and known.active:
        _check_seat(Role(values.get("role", known.role)), values.get("extension", known.extension))
    await store.users.change(name, **values)
    return f"{name} is changed."


def _new(name: str, options: Namespace, password: str | None) -> User:
    return User(
        name=name,
        password_hash=_hash(password or "", name),
        role=Role(options.role or "seat"),
        extension=options.extension or None,
        work_number=options.work_number or None,
        display_name=options.display_name or name,
        language=options.language or "zh",
        active=True,
        created_at=time.time(),
    )


def _hash(password: str, name: str) -> str:
    if not passwords.fits(password):
        least, most = passwords.SHORTEST, passwords.LONGEST
        raise BadInput(f"password: needs at least {least} characters, and {most} at most.")
    if passwords.guessable(password, name):
        raise BadInput("password: this is one of those that are tried first; choose another.")
    return PasswordHasher().hash(password)


def _line(user: User) -> str:
    seat = f"extension {user.extension}" if user.extension else "no extension"
    name = user.name if user.display_name in (user.name, "") else f"{user.name} ({user.display_name})"
    number = f", work number {user.work_number}" if user.work_number else ""
    return f"{name}: {user.role.value}, {seat}{number}, {user.language}{'' if user.active else ', disabled'}"
