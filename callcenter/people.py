"""``callcenter user``: the people who log in, from the command line.

Promises: a password is hashed with argon2 before it is stored and never shown; a seat has an extension. Works beside a
running daemon. Never: prints a hash.
"""

import re
import time
from argparse import Namespace
from typing import Any

from argon2 import PasswordHasher

from callcenter.app import open_store
from callcenter.errors import BadInput
from callcenter.settings import Settings
from callcenter.store.errors import UsersError
from callcenter.store.store import Store
from callcenter.store.users import Role, User

MIN_PASSWORD = 8
_EXTENSION = re.compile(r"[0-9A-Za-z_.+-]{1,32}")
_NAME = re.compile(r"[^\s/<>\x00-\x1f]{1,80}")


async def manage(settings: Settings, options: Namespace, password: str | None) -> str:
    """One action on the list of users; what to print. Raises ``BadInput``."""
    store = await open_store(settings, exclusive=False)
    try:
        return await _act(store, options, password)
    except UsersError as error:
        raise BadInput(str(error)) from None
    finally:
        await store.close()


async def _act(store: Store, options: Namespace, password: str | None) -> str:
    if options.action == "list":
        return "\n".join(_line(user) for user in await store.users.all()) or "There are no users yet."
    name = options.name or ""
    if not _NAME.fullmatch(name) or not name.isprintable():
        raise BadInput("name: give the log-in name, up to 80 characters without spaces.")
    if options.action in ("disable", "enable"):
        await store.users.change(name, active=options.action == "enable")
        return f"{name} is {options.action}d."
    if options.action == "set":
        return await _set(store, name, options, password)
    await store.users.add(_new(name, options, password))
    return f"{name} is added."


async def _set(store: Store, name: str, options: Namespace, password: str | None) -> str:
    values: dict[str, Any] = {
        column: value
        for column in ("role", "extension", "work_number", "display_name", "language")
        if (value := getattr(options, column)) is not None
    }
    if password is not None:
        values["password_hash"] = _hash(password)
    if not values:
        raise BadInput("set: say what to change, for example --work-number 018 or --password-stdin.")
    _check(options)
    await store.users.change(name, **values)
    return f"{name} is changed."


def _new(name: str, options: Namespace, password: str | None) -> User:
    role = Role(options.role or "seat")
    if role is Role.SEAT and not options.extension:
        raise BadInput("--extension: a seat needs the telephone it sits at, for example --extension 1001.")
    _check(options)
    return User(
        name=name,
        password_hash=_hash(password or ""),
        role=role,
        extension=options.extension,
        work_number=options.work_number,
        display_name=options.display_name or name,
        language=options.language or "zh",
        active=True,
        created_at=time.time(),
    )


def _check(options: Namespace) -> None:
    if options.extension is not None and not _EXTENSION.fullmatch(options.extension):
        raise BadInput("--extension: letters, digits and _ . + - only, up to 32.")
    for name, longest in (("work_number", 16), ("display_name", 80)):
        text = getattr(options, name) or ""
        if not text.isprintable() or len(text) > longest:
            raise BadInput(f"--{name.replace('_', '-')}: one line of up to {longest} readable characters.")


def _hash(password: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise BadInput(f"password: needs at least {MIN_PASSWORD} characters.")
    return PasswordHasher().hash(password)


def _line(user: User) -> str:
    seat = f"extension {user.extension}" if user.extension else "no extension"
    number = f", work number {user.work_number}" if user.work_number else ""
    return f"{user.name}: {user.role.value}, {seat}{number}, {user.language}{'' if user.active else ', disabled'}"
