"""Two months of a hotline's calls in a real store, for the page of reports and the forecast.

More on workdays, two peaks a day, few at night; one queue has a hostile name. The same seed gives the same calls.
"""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from callcenter.calls.model import Call, Outcome
from callcenter.days import Days
from callcenter.metrics.service_levels import Target, Targets
from callcenter.reports.report import Site
from callcenter.store import Gap, Store
from tests.store.build import batch, call, ended

SHANGHAI = ZoneInfo("Asia/Shanghai")
TARGETS = Targets(Target(15, 5), {"vip": Target(10, 5, "vip")})
SITE = Site(SHANGHAI, TARGETS, supported_users=2_600, groups={"白班组": ("1001", "1002"), "夜班组": ("1003",)})
HOSTILE = '=cmd|"<img src=x onerror=alert(1)>'
QUEUES = ("support", "support", "support", "vip", HOSTILE)
SHAPE = (0, 0, 0, 0, 0, 0, 0, 1, 4, 8, 9, 6, 3, 4, 8, 9, 6, 3, 2, 1, 1, 1, 0, 0)
"""Calls of each hour of a workday."""
BATCH = 200


def calls_of(last: date, days: int, seed: int = 1, scale: float = 1.0) -> list[Call]:
    """The calls of so many days up to ``last``."""
    random, found = Random(seed), list[Call]()
    for number in range(days):
        day = last - timedelta(days=days - 1 - number)
        worked = Days(chinese=True).works(day)
        for hour, many in enumerate(SHAPE):
            for _ in range(_about(random, many * scale * (1.0 if worked else 0.3))):
                at = datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI).timestamp() + random.uniform(0, 3600)
                found.append(_call(random, f"{day}-{len(found)}", at))
    return found


def _about(random: Random, mean: float) -> int:
    return max(0, round(random.gauss(mean, mean**0.5))) if mean else 0


def _call(random: Random, name: str, at: float) -> Call:
    one = call(name, queue=random.choice(QUEUES), arrived_at=at, caller_number=f"139{random.randrange(10**8):08}")
    lot = random.random()
    if lot < 0.86:
        wait, talk = min(random.expovariate(1 / 8), 90), random.expovariate(1 / 180)
        return ended(
            replace(one, answered_by=random.choice(("1001", "1002", "1003")), answered_at=at + wait),
            wait_seconds=wait,
            talk_seconds=talk,
            hold_seconds=10.0,
            ended_at=at + wait + talk + 10,
            recovered=lot < 0.01,
        )
    outcome = Outcome.ABANDONED if lot < 0.96 else Outcome.OVERFLOWED
    return ended(one, outcome=outcome, wait_seconds=random.expovariate(1 / 20), ended_at=at + 20)


async def fill(store: Store, last: date, days: int = 70) -> list[Call]:
    calls = calls_of(last, days)
    began = datetime.combine(last - timedelta(days=days - 1), time(), SHANGHAI).timestamp()
    await store.commit(batch(batch_id="began", observed_until=began))
    for begin in range(0, len(calls), BATCH):
        some = calls[begin : begin + BATCH]
        await store.commit(batch(*some, batch_id=f"reports-{begin}"))
    noon = datetime(last.year, last.month, last.day, 12, tzinfo=SHANGHAI).timestamp() - 86400
    await store.commit(batch(batch_id="gap", gaps=[Gap(noon, noon + 300, "link lost")]))
    return calls
