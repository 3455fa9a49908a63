"""Phrase matching: transcripts a second on one core, and what the bare walk over their words costs beside it."""

import random
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from benchmarks.measure import Row, spread

TARGET_PER_SECOND = 2_000
CHARACTERS = 300
PHRASES = 40
TRANSCRIPTS = 400
"""Of each round: other calls, of the same sentences."""
GARBLED, GARBLED_SHARE = 100, 0.15
"""Of them, how many are heard with other errors in every round, and how much of each is wrong."""
SEED = 20261126
_TALK = (
    "您好华信公司我是零一八号值班员", "我的电脑打不开了一直是黑屏", "请您稍等马上为您查询", "请问您是哪个部门的",
    "我在三楼财务科",
    "这个打印机昨天还是好的今天早上就报错了", "麻烦您看一下电源灯是不是亮着", "亮着呢就是没有反应",
    "请您先把网线拔下来再插上",
    "好的我试一下", "现在可以上网了吗", "可以了谢谢", "密码我忘记了能不能帮我重置一下",
    "我已经帮您登记了工程师会联系您",
    "如果还有问题请随时拨打我们的服务热线", "嗯好的", "系统提示说账号已经锁定", "您看这样行不行", "感谢您的耐心等待",
    "我们下午两点安排工程师上门", "大概需要多长时间", "一般半个小时左右就能处理好", "请问还有其他问题吗", "没有了再见",
)  # fmt: skip


def rows(rounds: int) -> list[Row]:
    from callcenter.quality.matching import judge

    script = script_of(PHRASES)
    judge(transcript(-1), script)
    rates, fresh, walks = [], [], []
    for number in range(rounds):
        usual = [transcript(number * TRANSCRIPTS + n) for n in range(TRANSCRIPTS)]
        rates.append(_rate(lambda one: judge(one, script), usual))
        anew = [_garbled(one, random.Random(f"{SEED} {number} {one.id}")) for one in usual[:GARBLED]]
        fresh.append(_rate(lambda one: judge(one, script), anew))
        walks.append(_rate(lambda one: "".join(word.word for segment in one.segments for word in segment.words), usual))
    rate = sorted(rates)[len(rates) // 2]
    what = f"phrase matching, {PHRASES} phrases, {CHARACTERS} characters, one core"
    return [
        Row(
            what, f"≥ {TARGET_PER_SECOND:,} /s", f"{spread(rates, '{:,.0f}')} transcripts/s", rate >= TARGET_PER_SECOND
        ),
        Row(
            "of them, where every sentence is garbled anew and nothing is remembered", "",
            f"{spread(fresh, '{:,.0f}')} transcripts/s",
        ),
        Row(
            "beside it: only joining the words of the same transcripts", "", f"{spread(walks, '{:,.0f}')} transcripts/s"
        ),
    ]  # fmt: skip


def _rate(work: Callable[[Any], object], transcripts: list[Any]) -> float:
    """Transcripts a second of this process's time."""
    began = time.process_time()
    for one in transcripts:
        work(one)
    return len(transcripts) / (time.process_time() - began)


def _garbled(told: Any, choice: random.Random) -> Any:
    """The same call with one of seven characters wrong, so that hardly a stretch of it was ever heard before."""
    from callcenter.speech.transcript import Segment

    others = "".join(_TALK)

    def heard(text: str) -> str:
        return "".join(choice.choice(others) if choice.random() < GARBLED_SHARE else c for c in text)

    return replace(
        told,
        segments=tuple(
            Segment(one.speaker, tuple(replace(word, word=heard(word.word)) for word in one.words))
            for one in told.segments
        ),
    )


def script_of(phrases: int):  # type: ignore[no-untyped-def]
    """The shipped script, filled up with sentences of a hotline."""
    from callcenter.quality.scripts import Script, default_script, parse

    shipped = default_script("zh")
    more = {
        f"more_{n}": {
            "rule": "B8",
            "kind": ("required", "forbidden")[n % 2],
            "variants": [_TALK[n % len(_TALK)][: 4 + n % 9]],
        }
        for n in range(phrases - len(shipped.phrases))
    }
    filled = parse({"language": "zh", "phrases": more}, "the benchmark")
    return Script("zh", "", shipped.wait_seconds, shipped.phrases + filled.phrases)


def transcript(number: int) -> Any:
    """A call of 300 characters, in words of one to three, its speakers in turn."""
    from callcenter.speech.transcript import Segment, Transcript, Word

    choice = random.Random(SEED + number)
    segments: list[Segment] = []
    length, at = 0, 0.0
    while length < CHARACTERS:
        text, words = choice.choice(_TALK)[: CHARACTERS - length], []
        length += len(text)
        while text:
            size = choice.randint(1, 3)
            words.append(Word(text[:size], at, at + 0.2 * size, 0.9))
            at, text = at + 0.2 * size, text[size:]
        segments.append(Segment("seat" if len(segments) % 2 == 0 else "caller", tuple(words)))
        at += 0.6
    return Transcript(str(number), "018", "华信公司", tuple(segments))
