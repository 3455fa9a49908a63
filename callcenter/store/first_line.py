"""First-line solutions (E3): of the calls that the hotline answered, how many were solved at the first contact.

Beside the path of a call: added up for reports, and for the last day for screens and figures.
The definition is the field's strict *first call resolution*: fully solved at the first contact, with no callback and no
transfer, approximated by whether the number comes back within a few days (vicifast.com/glossary/first-call-resolution;
searchcrm.techtarget.com, expert answer 0,289625,sid11_gci1045299, on why a transfer is none). Here, of an answered call
from outside:

- its ticket was closed in the wrap-up of the call (``LONGEST_WRAP_UP_SECONDS``), and never left open or reopened;
- by the seat that answered, or one of its group;
- the call was not transferred, nothing was promised on the ticket, and nobody had to be sent (D3, D4);
- the same number did not call again about it within ``again_days``: a later call whose ticket names another category is
  about something else.

Promises: facts only, so that the same question later may be answered otherwise while the days are not over. A withheld
number cannot call again. Never: writes, or makes a percentage.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, case, exists, func, literal, not_, or_, select

from callcenter.reports.figures import LONGEST_WRAP_UP_SECONDS
from callcenter.store.schema import calls, promises, ticket_pauses, tickets, users
from callcenter.store.step_tables import ticket_steps
from callcenter.tickets.dispatch import NEEDS

AGAIN_DAYS = 7.0
DAY_SECONDS = 86_400.0


def contacts(hotline: FromClause) -> ColumnElement[bool]:
    """Calls that the first line answered; ``hotline``: calls from outside that ended and were not merged."""
    return and_(hotline.c.outcome == "answered", hotline.c.answered_by.is_not(None))


def solved(hotline: FromClause, groups: Sequence[Sequence[str]], again_days: float = AGAIN_DAYS) -> ColumnElement[bool]:
    """Those solved at the first contact. ``tickets`` is joined to ``hotline``; ``groups``: the seats of each group."""
    c, t = hotline.c, tickets.c
    in_wrapup = and_(
        *(t.status == "closed", t.left_open_at.is_(None), t.closed_at >= c.ended_at),
        t.closed_at <= c.ended_at + LONGEST_WRAP_UP_SECONDS,
    )
    promised = exists().where(promises.c.ticket_id == t.id)
    opened_again = exists().where(ticket_pauses.c.ticket_id == t.id, ticket_pauses.c.reason == "closed")
    sent = exists().where(
        *(ticket_steps.c.ticket_id == t.id, ticket_steps.c.undone_at.is_(None)),
        ticket_steps.c.kind.in_([kind.value for kind in NEEDS]),
    )
    cheap = and_(contacts(hotline), not_(c.transferred), in_wrapup)
    asked = and_(~promised, ~opened_again, ~sent, _own_group(hotline, groups), ~_again(hotline, again_days))
    # The questions to other tables are asked only of calls that passed the cheap ones.
    return case((cheap, case((asked, 1), else_=0)), else_=0) == 1


def _own_group(hotline: FromClause, groups: Sequence[Sequence[str]]) -> ColumnElement[bool]:
    c = hotline.c
    same = [users.c.extension == c.answered_by]
    same += [and_(users.c.extension.in_(list(group)), c.answered_by.in_(list(group))) for group in groups if group]
    return exists().where(users.c.name == tickets.c.closed_by, or_(*same))


def _again(hotline: FromClause, days: float) -> ColumnElement[bool]:
    """The number called again about it."""
    t, later, call = tickets.c, tickets.alias("later"), calls.alias("later_call")
    other_matter = and_(later.c.category != "", t.category != "", later.c.category != t.category)
    joined = and_(call.c.server == later.c.server, call.c.call_id == later.c.call_id, call.c.direction == "inbound")
    return and_(
        t.caller_key != "",
        exists().where(
            *(later.c.caller_key == t.caller_key, later.c.id != t.id, later.c.merged_into.is_(None)),
            *(later.c.opened_at > t.opened_at, later.c.opened_at <= hotline.c.ended_at + days * DAY_SECONDS),
            *(joined, not_(other_matter)),
        ),
    )


def columns(hotline: FromClause, groups: Sequence[Sequence[str]]) -> dict[str, ColumnElement[Any]]:
    """The sums ``contacts`` and ``solved``, of calls joined to their tickets."""
    parts: Mapping[str, ColumnElement[bool]] = {"contacts": contacts(hotline), "solved": solved(hotline, groups)}
    return {name: func.coalesce(func.sum(case((true, 1), else_=0)), literal(0)) for name, true in parts.items()}


def of_server(server: str, since: float, now: float, groups: Sequence[Sequence[str]]) -> Any:
    """By queue, of the calls that arrived since the instant and whose wrap-up is over ``now``: what a seat still writes
    up may be solved in a minute."""
    c, t = calls.c, tickets.c
    chosen = and_(
        *(c.server == server, c.direction == "inbound", c.phase == "ended", c.merged_into.is_(None)),
        c.arrived_at >= since,
        or_(t.closed_at.is_not(None), t.left_open_at.is_not(None), c.ended_at <= now - LONGEST_WRAP_UP_SECONDS),
    )
    joined = calls.outerjoin(tickets, and_(tickets.c.server == c.server, tickets.c.call_id == c.call_id))
    queue = func.coalesce(c.queue, "").label("queue_name")
    sums = [column.label(name) for name, column in columns(calls, groups).items()]
    return select(queue, *sums).select_from(joined).where(chosen).group_by("queue_name")
