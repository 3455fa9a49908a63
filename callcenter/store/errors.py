"""What can go wrong with the store, by what the caller should do.

Promises: every message is one sentence that names cause and remedy. Never: holds personal data.
"""

from callcenter.errors import BadInput, BrokenWorld, CallcenterError


class StoreError(CallcenterError):
    """The store cannot be used as it is: a person must do what the message says."""


class StoreUnavailableError(StoreError, BrokenWorld):
    """The world is broken for now (locked, disk full, server away). Nothing was written: do the same again later."""


class UsersError(BadInput):
    """A user cannot be stored as asked; the message says why and what to do."""


class NoSuchTicketError(CallcenterError, LookupError):
    """The ticket asked for does not exist."""
