"""The duty plan's files: read again whenever one has changed, and the last good plan kept while one is broken.

Place on the path of a call: beside it; ``callcenter/duty`` asks every few seconds, ``callcenter roster`` once.
Promises: all mistakes of all files at once, each with its file, key and remedy; no day is planned by two files, no seat
twice over the midnight between them.
Never: waits for a file in the event loop (the caller uses a thread).
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from callcenter.day_files import days_in
from callcenter.days import Days
from callcenter.errors import BadInput
from callcenter.quality.tables import read_utf8
from callcenter.roster.plan import Plan, Sheet, overlaps
from callcenter.roster.sheet import MOST_SHIFTS, sheet_of
from callcenter.settings import Settings

Groups = Mapping[str, Sequence[str]]


def plan_in(settings: Settings, files: Sequence[Path] = (), days: Days | None = None) -> Plan:
    """The plan of these files, or of those that the settings name. ``days``: instead of the site's calendar. Raises
    ``BadInput`` with all mistakes."""
    groups = {name: group.seats for name, group in settings.seat_groups.items()}
    return read_plan(
        files or settings.roster.files, ZoneInfo(settings.site.timezone), groups, days or days_in(settings)
    )


def read_plan(files: Sequence[Path], zone: ZoneInfo, groups: Groups, days: Days | None = None) -> Plan:
    """Raises ``BadInput`` with all mistakes, a line each."""
    return plan_of([(path, _text(path)) for path in files], zone, groups, days)


def plan_of(
    texts: Sequence[tuple[Path, "str | BadInput"]], zone: ZoneInfo, groups: Groups, days: Days | None = None
) -> Plan:
    """A plan of what stands in each file, or why it could not be read. Raises ``BadInput``."""
    problems: list[str] = []
    sheets: list[tuple[Path, Sheet]] = []
    for path, text in texts:
        sheet, wrong = (None, [str(text)]) if isinstance(text, BadInput) else _sheet(path, text, zone, groups)
        problems += wrong
        if sheet is not None:
            sheets.append((path, sheet))
    problems += _between(sheets)
    plan = Plan(tuple(sheet for _, sheet in sheets), zone, days)
    problems += _over_midnight(sheets, plan) if not problems else ()
    if problems:
        raise BadInput("\n".join(problems))
    return plan


def _text(path: Path) -> "str | BadInput":
    try:
        return read_utf8(path, "duty plan")
    except BadInput as error:
        return error


def _sheet(path: Path, text: str, zone: ZoneInfo, groups: Groups) -> tuple[Sheet | None, list[str]]:
    try:
        value = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        what = "too deep" if isinstance(error, RecursionError) else str(error)
        return None, [f"{path}: is not TOML: {what}; a name with other letters than a to z stands in quotes."]
    sheet, problems = sheet_of(value, zone, groups)
    return sheet, [f"{path}: {problem}" for problem in problems]


def _between(sheets: Sequence[tuple[Path, Sheet]]) -> Iterator[str]:
    ordered = sorted(sheets, key=lambda one: one[1].first)
    for (path, sheet), (other, later) in pairwise(ordered):
        if later.first <= sheet.last:
            yield f"{other}: first: {later.first} is planned in {path.name}, too; a day stands in one file."
    names = {shift.name for _, sheet in sheets for shift in sheet.shifts}
    if len(names) > MOST_SHIFTS:
        yield f"{ordered[0][0]}: shifts: all files together have more than {MOST_SHIFTS} names; use the same ones."


def _over_midnight(sheets: Sequence[tuple[Path, Sheet]], plan: Plan) -> Iterator[str]:
    """A night shift of the last day of a file reaches into the first one of the next."""
    for path, sheet in sheets:
        eve = sheet.first - timedelta(days=1)
        for seat, one, other in overlaps((*plan.turns(eve), *plan.turns(sheet.first))):
            if one.day == eve and other.day == sheet.first:
                yield (
                    f"{path}: shifts.{other.shift}: on {other.day} seat {seat} is still in {one.shift} of the file "
                    "before; take it out of one, or swap it."
                )


class PlanFiles:
    """The plan as it is in force. ``problems``: of the files as they are now, empty if they are what is in force."""

    def __init__(self, files: Sequence[Path], zone: ZoneInfo, groups: Groups, days: Days | None = None) -> None:
        self._files, self._zone, self._groups, self._days = files, zone, groups, days
        self._texts: list[tuple[Path, str]] | None = None
        self.plan: Plan | None = None
        self.problems: tuple[str, ...] = ()

    def reread(self) -> bool:
        """Whether anything is another than at the last time: the plan, or what is wrong."""
        texts = [(path, _text(path)) for path in self._files]
        seen = [(path, str(text)) for path, text in texts]
        if seen == self._texts:
            return False
        self._texts = seen
        try:
            self.plan, self.problems = plan_of(texts, self._zone, self._groups, self._days), ()
        except BadInput as error:
            self.problems = tuple(str(error).splitlines())
        return True
