"""Programs that the fault tests of the store run in a process of their own, to be killed or starved.

Usage: python -m tests.faults.store_child STORY DATABASE_URL. Each acknowledged batch is one line on stdout.
"""

import asyncio
import os
import resource
import signal
import sys

from callcenter.store import Batch, Store, StoreError, StoreUnavailableError, migrate
from tests.store.build import batch, call, ended


def say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def numbered(number: int) -> Batch:
    """Batch ``number``: a log row, five new calls with tickets, and the end of five calls of the batch before."""
    new = [call(f"{number}-{i}") for i in range(5)]
    old = [ended(call(f"{number - 1}-{i}")) for i in range(5)] if number else []
    return batch(*new, *old, log=f"batch {number}".encode(), observed_until=float(number))


async def commit_for_ever(url: str) -> None:
    """Commits one batch after the other, going on after the last one that is there."""
    store = await Store.open(url)
    number = len([row async for row in store.journal.tail("pbx")])
    say("open", number)
    while True:
        await store.commit(numbered(number))
        say("committed", number)
        number += 1


async def hold(url: str) -> None:
    """Opens the store and keeps it until killed."""
    store = await Store.open(url)
    say("open")
    await asyncio.sleep(600)
    await store.close()


async def refused(url: str) -> None:
    """Tries to open the store and says what it was told."""
    try:
        store = await Store.open(url)
    except StoreError as error:
        say("refused", error)
    else:
        await store.close()
        say("opened")


async def starve(url: str) -> None:
    """Commits until the operating system lets no file grow any more, then again when it does."""
    store = await Store.open(url)
    say("open")
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, resource.RLIM_INFINITY))
    number = 0
    while number < 5_000:
        try:
            await store.commit(numbered(number))
        except StoreUnavailableError as error:
            say("unavailable", number, error)
            break
        number += 1
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for again in range(number, number + 10):
        await store.commit(numbered(again))
    say("resumed", number)
    await store.close()


async def die_in_migration(url: str) -> None:
    """Kills itself at the statement whose number the environment names, while it migrates."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    left = int(os.environ["DIE_AT_STATEMENT"])

    @event.listens_for(Engine, "before_cursor_execute")
    def count(*_: object) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)

    password = os.environ.get("STORE_PASSWORD")
    await migrate(url, (lambda: password) if password else None)
    say("migrated")


STORIES = {story.__name__: story for story in (commit_for_ever, hold, refused, starve, die_in_migration)}

if __name__ == "__main__":
    asyncio.run(STORIES[sys.argv[1]](sys.argv[2]))
