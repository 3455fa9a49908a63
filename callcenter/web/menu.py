"""The menu: the pages that a person may open, always in the same order, on the bar and in the person's own menu.

Beside the path of a call. Promises: nobody is led to a page that refuses them (a test compares with the routes);
whoever sets a preference comes back to the page of the menu that it was set on. Never: grants anything; routes do.
"""

from dataclasses import dataclass

from callcenter.web.access import EVERYBODY, REVIEWERS, SEATS, SUPERVISORS
from callcenter.web.ports import Role
from callcenter.web.words import N_


@dataclass(frozen=True, slots=True)
class Entry:
    """``name``: of the page and its address. ``own_title``: what a seat reads, who sees only its own there."""

    name: str
    title: str
    roles: frozenset[Role]
    own_title: str = ""
    apart: bool = False
    """Opens in a window of its own: a screen without a menu, and nobody leaves a running ticket for it."""

    def title_for(self, role: Role) -> str:
        return self.own_title if self.own_title and role is Role.SEAT else self.title


MENU = (
    Entry("desk", N_("Desk"), SEATS),
    Entry("tickets", N_("Tickets"), EVERYBODY),
    Entry("callbacks", N_("Callbacks"), SEATS),
    Entry("review", N_("Quality review"), EVERYBODY, own_title=N_("My reviews")),
    Entry("wallboard", N_("Wallboard"), EVERYBODY, apart=True),
    Entry("supervise", N_("Supervise"), SUPERVISORS),
    Entry("reports", N_("Reports"), REVIEWERS),
    Entry("books", N_("Books"), SUPERVISORS),
    Entry("status", N_("Status"), SUPERVISORS),
)


def menu_of(role: Role) -> tuple[Entry, ...]:
    """What the role may open."""
    return tuple(entry for entry in MENU if role in entry.roles)


def way_back(role: Role, name: str) -> str:
    """The address of the page of that name, or the start page."""
    if name == "account":
        return "/account"
    return next((f"/{entry.name}" for entry in menu_of(role) if entry.name == name and not entry.apart), "/")
