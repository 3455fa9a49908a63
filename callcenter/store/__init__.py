"""What lasts: calls, tickets, users, timers, commands and the event log, on SQLite or PostgreSQL."""

from callcenter.store.batch import Batch, CdrPosition, Committed, Gap
from callcenter.store.errors import NoSuchTicketError, StoreError, StoreUnavailableError, UsersError
from callcenter.store.migrate import Migrated, migrate
from callcenter.store.outbox import OutboxRow, Result, Timer
from callcenter.store.store import Store
from callcenter.store.ticket_queries import Page, TicketFilter, TicketPage
from callcenter.store.users import Role, Session, User

__all__ = [
    "Batch",
    "CdrPosition",
    "Committed",
    "Gap",
    "Migrated",
    "NoSuchTicketError",
    "OutboxRow",
    "Page",
    "Result",
    "Role",
    "Session",
    "Store",
    "StoreError",
    "StoreUnavailableError",
    "TicketFilter",
    "TicketPage",
    "Timer",
    "User",
    "UsersError",
    "migrate",
]
