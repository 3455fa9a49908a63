"""The one way from the settings to an open store: of the daemon, and of commands beside it.

Never: makes a SQLite file unless asked to.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from callcenter.settings import Settings, read_secret
from callcenter.store.store import Store


async def open_store(settings: Settings, *, exclusive: bool = True, create: bool = True) -> Store:
    """``exclusive``, ``create``: as ``Store.open`` has them. Raises ``StoreError``."""
    store, file = settings.store, settings.store.password_file
    return await Store.open(
        store.url,
        password=(lambda: read_secret(file, "store.password_file")) if file else None,
        timezone=settings.site.timezone,
        synchronous=store.synchronous,
        exclusive=exclusive,
        create=create,
    )


@asynccontextmanager
async def beside(settings: Settings, *, create: bool = False) -> AsyncIterator[Store]:
    """The store for a command, beside a running daemon or without one; closed at the end. Raises ``StoreError``."""
    store = await open_store(settings, exclusive=False, create=create)
    try:
        yield store
    finally:
        await store.close()
