"""``callcenter roster``: look through a duty plan before it is in force, and see who is planned on a day (A5).

Beside the path of a call, and without a daemon.
Promises: ``check`` tells all mistakes of a file at once; ``show`` says what the daemon would, and how far the plan
reaches. Never: changes anything.
"""

import argparse
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from callcenter.errors import BadInput
from callcenter.roster.files import plan_in
from callcenter.roster.plan import Plan, Turn
from callcenter.settings import Settings


def roster(settings: Settings, options: argparse.Namespace, now: float) -> list[str]:
    """What to print. Raises ``BadInput`` with a line for each mistake."""
    files = options.files or list(settings.roster.files)
    if not files:
        raise BadInput("roster: there are no files; name one, or set roster.files in the settings.")
    plan = plan_in(settings, files)
    today = datetime.fromtimestamp(now, plan.zone).date()
    if options.action == "check":
        return list(_checked(plan))
    try:
        day = date.fromisoformat(options.day) if options.day else today
    except ValueError:
        raise BadInput(f"--day: {options.day[:40]!r} is no day; write it as 2026-11-30.") from None
    return [*_shown(plan, day), _reach(plan, now)]


def _checked(plan: Plan) -> Iterator[str]:
    for sheet in plan.sheets:
        days = (sheet.last - sheet.first).days + 1
        turns = [turn for n in range(days) for turn in plan.turns(sheet.first + timedelta(days=n))]
        planned = {seat for turn in turns for seat in turn.seats}
        yield f"{sheet.first} to {sheet.last}: {len(turns)} shifts, {len(planned)} seats. The plan is right."


def _shown(plan: Plan, day: date) -> Iterator[str]:
    turns = plan.turns(day)
    kind = plan.kind(day).value
    yield f"{day} {day.strftime('%A')} ({kind})" if turns else f"{day} ({kind}): nobody is planned."
    for turn in turns:
        yield f"  {turn.shift}  {_clock(turn, plan.zone)}  {' '.join(turn.seats)}"


def _clock(turn: Turn, zone: ZoneInfo) -> str:
    begins, ends = (datetime.fromtimestamp(at, zone) for at in (turn.begins_at, turn.ends_at))
    later = "" if begins.date() == ends.date() else " of the next day"
    return f"{begins:%H:%M}-{ends:%H:%M}{later}"


def _reach(plan: Plan, now: float) -> str:
    until = plan.reaches(now)
    if until <= now:
        return "Today is in no file, so nobody is planned now (A5)."
    return f"The plan reaches until {datetime.fromtimestamp(until, plan.zone):%Y-%m-%d %H:%M} from now on."
