"""Hotlines in the states that a wallboard shows, filled with invented people, for pictures and for tests of pages."""

from dataclasses import replace

from callcenter.calls.model import Breach, Call, Outcome, Phase
from callcenter.metrics.service_levels import Target, Targets, Variant
from callcenter.quality.rates import Counted
from callcenter.reports.figures import Sums, Total
from callcenter.settings.sections import Wallboard
from callcenter.web.board_ports import Owed, Worked
from callcenter.web.ports import (
    Link,
    LinkState,
    Phone,
    Queue,
    Seat,
)
from callcenter.web.wallboard import Screens
from tests.fakes import calls as story
from tests.fakes.web import LADDER, Memory

TITLES = ("医疗热线", "政企热线", "教育热线", "金融热线", "校园网服务", "税务热线", "社保服务台", "设备报修")
WORKED = Worked(
    {
        "q0": Sums(talk=Total(30, 5400.0), hold=Total(30, 300.0), wrapup=Total(24, 960.0)),
        "q1": Sums(talk=Total(10, 1000.0), hold=Total(10, 0.0), wrapup=Total()),
    },
    {
        "q0": {
            "greeting": Counted("", -1, "greeting", 28, 2, 1),
            "wait_announcement": Counted("", -1, "wait_announcement", 9, 3, 0),
            "closing": Counted("", -1, "closing", 20, 10, 0),
            "forbidden": Counted("", -1, "forbidden", 1, 29, 2),
        },
        "q1": {
            "greeting": Counted("", -1, "greeting", 10, 0, 0),
            "wait_announcement": Counted("", -1, "wait_announcement", 0, 0, 0),
            "closing": Counted("", -1, "closing", 10, 0, 0),
            "forbidden": Counted("", -1, "forbidden", 0, 10, 0),
        },
    },
)
"""By hand: handled in 160 + 7.5 + 40 s, of 40 calls; the greeting was said in 95 % of 40."""
KNOWN = (
    *((Outcome.ANSWERED, waited) for waited in (2.0, 2.0, 2.0, 2.0, 12.0, 18.0)),
    *((Outcome.ABANDONED, waited) for waited in (3.0, 40.0)),
    (Outcome.OVERFLOWED, 18.0),
)
"""As the calls of tests/asterisk/test_figures.py became: what was their end, and how long the caller waited."""
HOSTILE = "<script>alert(1)</script>\u202e队列"


def stage(name: str, memory: Memory) -> Wallboard:
    """``busy`` (8 queues, 60 seats), ``hundred`` and ``three`` (the same with 120 and 300 seats),
    ``large`` (1,200 seats, 120 calls more in one queue), ``small`` (one queue, 6 seats), ``six`` (6 queues, 40 seats),
    ``twelve`` (12 queues, 4 seats), ``over`` (as busy, with calls that ring for long), ``none`` (no calls yet),
    ``lost`` (no link), ``many`` (20 queues), ``hostile``, ``perfect`` (one queue, 5 seats, each share is 100 %),
    ``known`` (the calls of ``KNOWN``)."""
    queues = {"many": 20, "small": 1, "perfect": 1, "known": 2, "hostile": 3, "six": 6, "twelve": 12}.get(name, 8)
    sizes = {
        "small": 6,
        "perfect": 5,
        "known": 5,
        "hostile": 12,
        "many": 24,
        "large": 1200,
        "six": 40,
        "twelve": 4,
        "hundred": 120,
        "three": 300,
    }
    seats = sizes.get(name, 60)
    for number in range(queues):
        title = TITLES[number % 8] + (f" {number // 8 + 1}" if number >= 8 else "")
        if name == "hostile":
            title = HOSTILE * 3
        memory.queues[f"q{number}"] = Queue(f"q{number}", title, "远信服务", LADDER)
    memory.queues.pop("it", None)
    memory.targets = Targets(Target(), {"q0": Target(15, 5, "vip"), "q1": Target(15, 5, "advanced")})
    memory.seat_states.clear()
    _seats(memory, seats, queues)
    if name == "none":
        return Wallboard(title="热线中心")
    if name == "perfect":
        _perfect(memory)
        return Wallboard(title="热线中心")
    if name == "known":
        _known(memory)
        return Wallboard(title="热线中心")
    _day(memory, 24 * queues if queues > 1 else 40, queues)
    _now(memory, queues, few=name in ("small", "twelve"))
    now = memory.now()
    memory.owed = (
        Owed("D11", 171, "26-1126-0171", "q0", None, now - 80),
        Owed("C2", 185, "26-1126-0185", "q1", "1004", now + 220),
        Owed("C2", 166, "26-1126-0166", "q0", "1009", now + 3000),
        Owed("D11", 190, "26-1126-0190", "q0", None, now + 2800),
    )
    memory.unobserved = 412.0
    memory.worked = WORKED
    if name == "over":
        for number, heard in enumerate((15.2, 61.0)):
            call = story.ringing(now, str(1033 + number), f"o-{number}", heard, queue=f"q{5 + number}")
            memory.calls_by_id["pbx", call.call_id] = replace(call, hotline=True)
    if name == "large":
        for number in range(120):
            call = story.ringing(now, str(1200 + number), f"l-{number}", 3.0 + number / 20, queue="q1")
            memory.calls_by_id["pbx", call.call_id] = replace(call, hotline=True)
    if name == "lost":
        memory.link_state = Link(LinkState.LOST, now - 30, "closed", "")
    return Wallboard(title="热线中心" if name != "hostile" else HOSTILE)


def choose(screens: Screens, *tiles: str) -> None:
    """As a site has it whose settings name these tiles."""
    screens.site = replace(screens.site, shown=replace(screens.site.shown, tiles=tiles))
    screens.tiles, screens.parts = tiles, ("head", *tiles, "foot")


def count(screens: Screens, variant: str) -> None:
    """As a site has it whose contract counts the service level so."""
    screens.site = replace(screens.site, variant=Variant(variant))


def _seats(memory: Memory, count: int, queues: int) -> None:
    now = memory.now()
    phones = (Phone.IDLE, Phone.IDLE, Phone.IDLE, Phone.UNREACHABLE)
    for number in range(count):
        extension = str(1001 + number)
        memory.seat_states[extension] = Seat(
            *(extension, f"{number + 1:03}", f"座席{number + 1}", phones[number % 4]),
            paused=number % 11 == 5,
            paused_since=now - 500 - 37 * number,
            since=now - 20 - 13 * number,
        )
        memory.serves[extension] = (f"q{number % queues}",)


def _day(memory: Memory, count: int, queues: int) -> None:
    now = memory.now()
    for number in range(count):
        at = now - 1 - 2 * number
        call = story.ringing(at - 60, "9999", f"d-{number}", 3.0, queue=f"q{number % queues}")
        if number % 13 == 4:
            call = story.abandoned(replace(call, arrived_at=at - 60), at - 60 + (3 if number % 2 else 20))
        elif number % 31 == 9:
            call = replace(story.ended(call, at), outcome=Outcome.OVERFLOWED, wait_seconds=15.0)
        else:
            late = number % 9 == 2
            talked = story.talking(call, at - 40 if late else at - 58, "9999")
            call = replace(story.ended(talked, at), breaches=(Breach("A1", "not_lifted", at),) if late else ())
        told = {"survey": "2" if number % 14 == 6 else "5"} if number % 2 == 0 else {}
        memory.calls_by_id["pbx", f"d-{number}"] = replace(call, recovered=number % 60 == 7, variables=told)


def _perfect(memory: Memory) -> None:
    """What a site sees in its first hour."""
    now = memory.now()
    for number in range(2):
        at = now - 600 * (number + 1)
        call = story.talking(story.ringing(at - 60, "9999", f"p-{number}", 3.0, queue="q0"), at - 58, "9999")
        memory.calls_by_id["pbx", f"p-{number}"] = replace(story.ended(call, at), variables={"survey": "5"})
    said = {name: Counted("", -1, name, 2, 0, 0) for name in WORKED.said["q0"]}
    memory.unobserved = 16.3 * 3600
    memory.worked = Worked({"q0": Sums(talk=Total(2, 120.0), hold=Total(2, 0.0), wrapup=Total())}, {"q0": said})


def _known(memory: Memory) -> None:
    now = memory.now()
    for number, (outcome, waited) in enumerate(KNOWN):
        call = story.ended(
            story.talking(story.ringing(now - 200, "9999", f"k-{number}", 3.0, queue="q0"), now - 190), now
        )
        memory.calls_by_id["pbx", call.call_id] = replace(call, outcome=outcome, wait_seconds=waited)


def _now(memory: Memory, queues: int, few: bool) -> None:
    now = memory.now()

    def queue(number: int) -> str:
        return f"q{number % queues}"

    def put(call: Call) -> None:
        memory.calls_by_id["pbx", call.call_id] = replace(call, hotline=True)

    for number, heard in enumerate((12.1, 7.4, 2.3) if not few else (7.4,)):
        seat = str(1001 + number)
        put(story.ringing(now, seat, f"r-{number}", heard, queue=queue(number), caller_number="13800138042"))
    for number in range(9, 10 if few else 30, 3):
        seat = str(1001 + number % (6 if few else 60))
        call = story.talking(story.ringing(now - 40 * number, seat, f"t-{number}", 4, queue=queue(number)),
                             now - 35 * (number - 8), seat)  # fmt: skip
        put(story.held(call, now - 67) if number == 12 else call)
    if not few:
        put(replace(story.ringing(now, "1004", "w-1", 42.0, queue=queue(1)), ringing=(), rings=(),
                    phase=Phase.WAITING, announced_at=now - 27, waiting_since=now - 42))  # fmt: skip
