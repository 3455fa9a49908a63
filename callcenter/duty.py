"""The duty roster of the running daemon (A5): the plan's files beside the seats, once a second.

Beside the path of a call: reads the pipeline's seats, is read by the screens (``web/roster_ports``), /metrics and
``health``. What comes of a look is stored as it changes, so that a restart goes on where it was.
Promises: a broken file keeps the plan that was, and says so once in the log, on the status page and as a figure; a
store that is away delays what is stored, and nothing else; a seat is counted late or missing once a shift.
Never: holds a person's name; decides anything about a call.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from zoneinfo import ZoneInfo

from prometheus_client.core import CounterMetricFamily, Metric

from callcenter.ami.events import MemberState
from callcenter.days import Days
from callcenter.errors import BrokenWorld
from callcenter.metrics.figures import gauge
from callcenter.roster import duty
from callcenter.roster.duty import Key, Muster, Post, Seen, Standing, State
from callcenter.roster.files import PlanFiles
from callcenter.roster.plan import Plan, Turn
from callcenter.settings import Settings
from callcenter.store.duty import Duty

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
REREAD_SECONDS = 5.0
FORGET_SECONDS = 3_600.0
_THERE = frozenset({1, 2, 3, 6, 7, 8})
"""app_queue's device states of a phone that is reachable."""
_AWAY = frozenset({4, 5})


def standing_of(members: Sequence[MemberState], on_call: bool) -> tuple[Standing, str]:
    """What the queues say of a seat, with the reason of its pause. It is there as soon as one queue may ring it."""
    if on_call:
        return Standing.THERE, ""
    if not members or all(member.status in _AWAY for member in members):
        return Standing.AWAY, ""
    if not any(member.status in _THERE for member in members):
        return Standing.UNKNOWN, ""
    if all(member.paused for member in members):
        return Standing.PAUSED, next((member.reason for member in members if member.reason), "")
    return Standing.THERE, ""


class LiveDuty:
    """``web.roster_ports.Roster``, where the settings name files."""

    def __init__(
        self,
        settings: Settings,
        stored: Duty,
        members: Callable[[str], Sequence[MemberState]],
        on_call: Callable[[str], bool],
        link_up: Callable[[], bool],
        now: Callable[[], float],
        changed: Callable[[], None],
        days: Days | None = None,
    ) -> None:
        """``changed`` is called when a screen has to show something else; ``days``: the site's calendar."""
        self._settings, self._stored, self._server = settings.roster, stored, settings.asterisk.name
        self._zone = ZoneInfo(settings.site.timezone)
        groups = {name: group.seats for name, group in settings.seat_groups.items()}
        self.files = PlanFiles(settings.roster.files, self._zone, groups, days)
        self._members, self._on_call, self._link_up, self._now, self._told = members, on_call, link_up, now, changed
        self._seen: dict[str, Seen] = {}
        self._posts: dict[Key, Post] = {}
        self._owed: dict[Key, Post] = {}
        """Not stored yet."""
        self._dropped: set[Key] = set()
        self._restored = False
        self._late: Counter[str] = Counter()
        self._missed: Counter[str] = Counter()
        self._planned: tuple[tuple[int, int], tuple[Turn, ...], float] | None = None
        self._muster: Muster | None = None
        self._reread_at: float | None = None
        self._forgot_at: float | None = None

    # --- read by the screens -----------------------------------------------------------------------------------------

    def muster(self) -> Muster | None:
        """``None`` until there is a plan, and what was stored is read."""
        return self._muster

    def problems(self) -> Sequence[str]:
        """What is wrong with the files as they are now."""
        folders = {f"{file.parent}/" for file in self._settings.files}
        return [_without(problem, folders) for problem in self.files.problems]

    async def between(self, since: float, until: float) -> Sequence[Post]:
        """How the shifts of this time were kept."""
        return await self._stored.between(self._server, since, until)

    # --- kept up -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self.step(self._now())
            await asyncio.sleep(LOOK_SECONDS)

    async def step(self, now: float) -> None:
        """One look, with what is due besides."""
        if self._reread_at is None or abs(now - self._reread_at) >= REREAD_SECONDS:
            self._reread_at = now
            await self._reread()
        try:
            await self._restore(now)
            self.look(now)
            await self._store()
            if self._forgot_at is None or abs(now - self._forgot_at) >= FORGET_SECONDS:
                self._forgot_at = now
                await self._stored.forget(self._server, now - self._settings.keep_days * 86_400.0)
        except BrokenWorld:
            pass  # the store is away for now: what is owed to it is stored later

    async def _reread(self) -> None:
        if not await asyncio.to_thread(self.files.reread):
            return
        self._planned = None
        if self.files.problems:
            kept = "the plan before it stays in force" if self.files.plan is not None else "there is no plan"
            log.error("the duty plan is broken, %s: %s", kept, " ".join(self.files.problems[:5]))
        else:
            log.info("the duty plan is read: %d files", len(self._settings.files))

    async def _restore(self, now: float) -> None:
        if not self._restored:
            known = await self._stored.between(self._server, now, now + 1)
            self._posts = {post.key: post for post in known}
            self._restored = True

    def look(self, now: float) -> None:
        """Compares the plan with the seats."""
        plan = self.files.plan
        if plan is None or not self._restored:
            return
        turns, until = self._around(plan, now)
        posts = duty.look(turns, self.seen, now, self._posts, self._settings.missing_after_minutes * 60.0)
        for key, post in posts.items():
            before = self._posts.get(key)
            self._late[key.shift] += post.late and not (before is not None and before.late)
            self._missed[key.shift] += post.missed and not (before is not None and before.missed)
            if post != before:
                self._owed[key] = post
                self._dropped.discard(key)
        self._let_go(posts, now)
        self._posts = posts
        coming = duty.coming(turns, self.seen, now, self._settings.prepare_minutes * 60.0)
        next_at = min((turn.begins_at for turn in turns if turn.begins_at > now), default=None)
        muster = Muster(now, tuple(posts.values()), coming, next_at, max(now, until))
        if self._muster is None or _shown(self._muster) != _shown(muster):
            self._told()
        self._muster = muster

    def _around(self, plan: Plan, now: float) -> tuple[tuple[Turn, ...], float]:
        """What is planned around now, and how far the plan reaches; worked out once a quarter of an hour, in which
        no day begins anywhere."""
        quarter = int(now // 900), id(plan)
        if self._planned is None or self._planned[0] != quarter:
            self._planned = quarter, plan.around(now), plan.reaches(now)
        return self._planned[1:]

    def _let_go(self, posts: dict[Key, Post], now: float) -> None:
        """Posts whose shift goes on and that are planned no longer are not kept."""
        for key, post in self._posts.items():
            if key in posts:
                continue
            if post.ends_at > now:
                self._owed.pop(key, None)
                self._dropped.add(key)

    def seen(self, seat: str) -> Seen:
        """How a seat stands now, and since when it does."""
        standing, reason = standing_of(self._members(seat), self._on_call(seat))
        if not self._link_up():
            standing, reason = Standing.UNKNOWN, ""
        known = self._seen.get(seat)
        if known is None or (known.standing, known.reason) != (standing, reason):
            known = self._seen[seat] = Seen(standing, self._now(), reason)
        return known

    async def _store(self) -> None:
        if not self._owed and not self._dropped:
            return
        owed, dropped = dict(self._owed), set(self._dropped)
        await self._stored.store(self._server, tuple(owed.values()), dropped)
        self._owed = {key: post for key, post in self._owed.items() if owed.get(key) != post}
        self._dropped -= dropped

    # --- read by /metrics --------------------------------------------------------------------------------------------

    def metrics(self) -> Iterable[Metric]:
        """Nothing of a seat's name: seats by state, how far the plan reaches, who was late by shift."""
        ok = [((), float(not self.files.problems))]
        yield gauge("callcenter_roster_plan_ok", "Whether the duty plan's files are right as they stand (A5).", [], ok)
        plan, muster = self.files.plan, self._muster
        if plan is None or muster is None:
            return
        states = [((state.value,), float(muster.count(state))) for state in State]
        yield gauge("callcenter_roster_seats", "Seats planned in the running shifts, by state (A5).", ["state"], states)
        gone = [((), float(sum(one.there is False for one in muster.coming)))]
        text = "Seats of a shift that begins soon that are not there yet (A5: ten minutes of preparation)."
        yield gauge("callcenter_roster_unprepared_seats", text, [], gone)
        ahead = [((), muster.planned_until - muster.at)]
        text = "How far the duty plan reaches (A5: half a day at least)."
        yield gauge("callcenter_roster_ahead_seconds", text, [], ahead)
        begun = {post.key.shift: post.key.begins_at for post in muster.posts}
        text = "When the running shift began; there while it runs."
        rows = [((shift,), at) for shift, at in sorted(begun.items())]
        yield gauge("callcenter_shift_started_timestamp_seconds", text, ["shift"], rows)
        yield _counter("callcenter_roster_late_seats", "Seats that were not there when their shift began (A5).",
                       plan, self._late)  # fmt: skip
        yield _counter("callcenter_roster_missing_seats", "Seats that were late for too long (A5).", plan, self._missed)


def _counter(name: str, text: str, plan: Plan, counts: Counter[str]) -> Metric:
    family = CounterMetricFamily(name, text, labels=["shift"])
    for shift in plan.shifts:
        family.add_metric([shift], float(counts[shift]))
    return family


def _without(problem: str, folders: Iterable[str]) -> str:
    """A screen names the file, and not where it lies."""
    for folder in folders:
        problem = problem.replace(folder, "")
    return problem


def _shown(muster: Muster) -> object:
    """What a screen tells of it; all but the instant."""
    return muster.posts, muster.coming, muster.next_at
