"""The callers of the demonstration, who come again and again: who calls, who lifts, and what the two say.

Place on the path of a call: the people at both its ends. One call goes as the standard wants it, in one a seat says
what it must not and hangs up first, one is given up, and one comes to the duty manager after three rings. It promises
that both voices keep time with each other: the caller's begins where the call is answered, the seat's where it lifts.
Never: needs a speech model; people speak whether somebody listens or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from callcenter.demo.phones import Phones
from callcenter.demo.scenario import Digits, Hangup, Talk
from callcenter.demo.voices import Turn, dialogue

NUMBER = "4000"
ANNOUNCED_SECONDS = 8.5
"""The announcement after the third ring (A1), which answers the call."""
GREETED = 5.5
"""When the caller begins to speak: after the greeting, seconds from the seat's lifting."""
SILENCE_SECONDS = 90.0
"""Behind the last word, for a phone begins its voice anew when it ends."""


@dataclass(frozen=True)
class Story:
    """``lifts``: which phone, and seconds after it began to ring. ``announced``: the caller was answered before."""

    title: str
    number: str
    name: str = ""
    lifts: tuple[str, float] | None = None
    turns: Sequence[Turn] = ()
    voices: tuple[str, str] = ("", "")
    """The seat's and the caller's, as espeak-ng calls them."""
    announced: bool = False
    seat_ends: bool = False
    gives_up: float = 0.0


STORIES = (
    Story(
        "张敏 calls; 018 answers in the second ring, helps, and says goodbye",
        "13901000142",
        "张敏",
        ("1001", 7.0),
        (
            Turn("caller", "您好，我的打印机坏了，今天上午开始卡纸，请帮我看一下。", GREETED),
            Turn("seat", "请问您贵姓？"),
            Turn("caller", "我姓张。"),
            Turn("seat", "好的，请您稍等，马上为您查询。"),
            Turn("seat", "感谢您的耐心等待。请您重启打印机。", 9.0),
            Turn("caller", "现在可以了，谢谢您。", 1.5),
            Turn("seat", "请问还有其他问题吗？"),
            Turn("caller", "没有了，谢谢。"),
            Turn("seat", "感谢您的来电，有问题请拨打我们的服务热线，再见。"),
            Turn("caller", "谢谢，再见。"),
        ),
        ("f2", "linda"),
    ),
    Story(
        "刘洋 calls; 019 answers in the third ring, says what nobody should, and hangs up first",
        "02155500188",
        "刘洋",
        ("1002", 11.0),
        (
            Turn("caller", "我无法登录系统，我的密码忘记了。", GREETED),
            Turn("seat", "这个我们不清楚。"),
            Turn("caller", "重启了还是不行，你们什么时候能修好？"),
            Turn("seat", "您自己操作有误。", -1.2),
            Turn("caller", "我要投诉。", 1.0),
            Turn("seat", "明天上午工程师会联系您。"),
        ),
        ("paul", "m3"),
        seat_ends=True,
    ),
    Story("a caller without a name gives up after nine seconds", "13700000063", gives_up=9.0),
    Story(
        "李静 calls; nobody lifts within three rings, the duty manager answers",
        "13600000027",
        "李静",
        ("3001", 3.0),
        (
            Turn("caller", "您好，我们办公室的网络连不上，请帮我看一下。", GREETED),
            Turn("seat", "非常抱歉，给您添麻烦了。请问您贵姓，您是哪里？"),
            Turn("caller", "我姓李。"),
            Turn("seat", "请您稍等，我马上帮您查一下。"),
            Turn("seat", "我已经查到了，明天上午工程师会联系您。", 11.0),
            Turn("caller", "好的，谢谢。"),
            Turn("seat", "感谢您的来电，有问题请拨打我们的服务热线，再见。"),
            Turn("caller", "谢谢，再见。"),
        ),
        ("victor", "Annie"),
        announced=True,
    ),
)


def play(story: Story, phones: Phones, folder: Path, seats: Sequence[str]) -> float:
    """Lets the caller call; how many seconds until the call is over, at most. ``seats``: every phone there is."""
    lifts, after = story.lifts or ("", 0.0)
    seconds, ends = _speak(story, phones, folder, after) if story.turns else (0.0, 0.0)
    for seat in seats:
        if seat == lifts and story.seat_ends:
            phones.seat(seat, after, Talk(ends), Hangup())
        else:
            phones.seat(seat, after if seat == lifts else None)
    if not story.turns:
        phones.customer(story.number, NUMBER, name=story.name, give_up=story.gives_up)
        return story.gives_up + 1
    # Whom the seat leaves hears the question of the survey (D8), and presses a key.
    last = (Talk(seconds + 6), Digits("2"), Talk(4)) if story.seat_ends else (Talk(seconds),)
    phones.customer(story.number, NUMBER, *last, Hangup(), name=story.name)
    return 15.0 + seconds + (12.0 if story.seat_ends else 0.0)


def _speak(story: Story, phones: Phones, folder: Path, lifted_after: float) -> tuple[float, float]:
    """Gives both phones their voices. Seconds of the call from its answer, and from the seat's lifting."""
    head = ANNOUNCED_SECONDS + lifted_after if story.announced else 0.0
    seat, caller = story.voices
    said = dialogue(story.turns, folder / story.number, seat, caller, head, SILENCE_SECONDS)
    phones.voices = {"seat": said.seat, "customer": said.caller}
    return head + said.seconds, said.seconds
