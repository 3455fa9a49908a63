"""Which callbacks a person may make: the same on the page of callbacks, beside its entry of the menu, on the desk.

Beside the path of a call. Promises: whoever may not open the page is told of none; a seat that sees only its own
tickets is told of those of the queues that it serves. Never: asks the store.
"""

from dataclasses import replace

from callcenter.web.access import SEATS, Policy
from callcenter.web.callback_ports import Owing
from callcenter.web.ports import Ports, Role, User

SOON_SECONDS = 600.0
"""What is due within this is told on the seat's window."""


def narrow(policy: Policy, user: User) -> bool:
    return user.role is Role.SEAT and policy.seats_see == "own"


def owing_for(ports: Ports, policy: Policy, user: User | None) -> Owing | None:
    """``None`` where the store does not tell, or the person may not know."""
    if ports.callbacks is None or user is None or user.role not in SEATS:
        return None
    owing = ports.callbacks.owing()
    if owing is None or not narrow(policy, user):
        return owing
    board, extension = ports.board, user.extension
    served = set(board.queues_of(extension)) if board is not None and extension is not None else set()
    beyond = {key: more for key, more in owing.beyond.items() if key[0] in served}
    return replace(owing, callbacks=tuple(one for one in owing.callbacks if one.queue in served), beyond=beyond)


def counts_for(ports: Ports, policy: Policy, user: User | None) -> dict[str, int]:
    """What stands beside entries of the menu: how much waits there."""
    owing = owing_for(ports, policy, user)
    return {"callbacks": owing.all if owing is not None else 0}
