"""Every way in which a seat hands its caller to another, played by two telephones on a real Asterisk.

Each begins with the first seat on ``own``, and returns the second seat's line once caller and second seat are together.
What the first seat says to its colleague before that (``aside``) is none of the customer's business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from callcenter.calls.model import TransferKind
from tests.asterisk.handset import Handset
from tests.asterisk.lab import Lab
from tests.asterisk.twoline import Dialog

FIRST, SECOND = "1001", "1004"
"""The second one is no member of the queue: it rings for nothing else."""
LATER = 20_000
"""Where the second telephone's RTP begins to count: a lower number would be left out by Debian's Asterisk (its patch
2016_opus_plc)."""
RINGS, CONSULTS = 0.8, 2.0
"""Seconds that the second seat rings, and that both seats talk among themselves."""

Aside: TypeAlias = Callable[[Dialog], AbstractContextManager[object]]
"""Begins to say something on a line."""
HandOver: TypeAlias = Callable[[Handset, Dialog, Handset, Aside], Dialog]


def taken(second: Handset) -> Dialog:
    invite = second.ring()
    time.sleep(RINGS)
    return second.lift(invite)


def by_refer(first: Handset, own: Dialog, second: Handset, _: Aside) -> Dialog:
    """Blind, by the telephone's own key: REFER."""
    first.refer(own, second.name)
    first.hang_up(own)
    return taken(second)


def by_code(first: Handset, own: Dialog, second: Handset, _: Aside) -> Dialog:
    """Blind, by #1: Asterisk collects the number."""
    first.press(own, f"#1{second.name}")
    line = taken(second)
    first.parted()
    return line


def by_code_attended(first: Handset, own: Dialog, second: Handset, aside: Aside) -> Dialog:
    """Attended, by *2: the first seat's own line goes over to the consultation; its hanging up joins them."""
    first.press(own, f"*2{second.name}")
    line = taken(second)
    with aside(own):
        time.sleep(CONSULTS)
    first.hang_up(own)
    return line


def by_second_line(first: Handset, own: Dialog, second: Handset, aside: Aside) -> Dialog:
    """Attended, by the telephone: hold, a call on the second line, REFER with Replaces."""
    first.press_hold(own)
    consulting = first.place(second.name)
    line = taken(second)
    with aside(first.answered(consulting)):
        time.sleep(CONSULTS)
    first.join(own, consulting)
    first.parted()
    return line


MANNERS: dict[str, tuple[HandOver, TransferKind]] = {
    "refer": (by_refer, TransferKind.BLIND),
    "code": (by_code, TransferKind.BLIND),
    "attended code": (by_code_attended, TransferKind.ATTENDED),
    "second line": (by_second_line, TransferKind.ATTENDED),
}


@contextmanager
def handsets(lab: Lab, *seats: str) -> Iterator[list[Handset]]:
    ports = lab.server.ports
    phones = [Handset(name, ports[f"SEAT{name}"], ports["SIP"]) for name in seats]
    try:
        yield phones
    finally:
        for phone in phones:
            phone.stop()


@dataclass(frozen=True)
class Pair:
    """Both seats' telephones, and what is said in A-law."""

    first: Handset
    second: Handset
    says: Path
    second_says: Path
    aside: Path

    def called(self) -> Dialog:
        """The first seat's line, when it is called and lifts."""
        return self.first.lift(self.first.ring())

    def calls(self, number: str) -> Dialog:
        """The same, when it calls somebody, who lifts."""
        return self.first.answered(self.first.place(number))

    def handed_on(self, manner: str, own: Dialog, before: float = 60.0, after: float = 60.0) -> None:
        """The first seat talks on *own* and hands it on; the second one talks and hangs up. Each says all that it has
        to say, or so many seconds of it."""
        hand_over, _ = MANNERS[manner]
        with self.first.speaking(own, self.says, first=1) as talk:
            talk.join(before)
        line = hand_over(self.first, own, self.second, self._alone)
        with self.second.speaking(line, self.second_says, first=LATER) as talk:
            talk.join(after)
        self.second.hang_up(line)

    def _alone(self, line: Dialog) -> AbstractContextManager[object]:
        return self.first.speaking(line, self.aside, first=LATER // 2)
