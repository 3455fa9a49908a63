"""The duty roster on the supervisor's desk (A5): who is not where the plan says, and how the day's shifts were kept.

Beside the path of a call. Promises: nothing where there is no roster; seats by name, for supervisors alone
(``web/supervise`` is their page). Never: says who is late (``roster/duty`` does).
"""

from collections.abc import Callable

from callcenter.web.context import Web
from callcenter.web.roster_view import roster_of, worth_telling
from callcenter.web.text import midnight


async def roster_context(web_: Web, name: Callable[[str], str]) -> dict[str, object]:
    """What ``supervise_roster.html`` prints. ``name``: of a seat, as the page calls it."""
    source = web_.ports.roster
    if source is None:
        return {"has_roster": False}
    now = web_.now()
    posts = await source.between(midnight(now, web_.options.zone), now)
    return {
        "has_roster": True,
        "roster": roster_of(source.muster(), name),
        "roster_problems": list(source.problems()),
        "kept": [(post, name(post.key.seat), post.left_for(now)) for post in worth_telling(posts)],
    }
