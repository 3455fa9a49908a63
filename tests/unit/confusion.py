"""A recogniser's errors, made up: a seeded confusion model over pinyin, and cases of phrases that it garbles.

15 of 100 characters are wrong: near syllables (most), any others, lost ones, added ones. The sentences are not those that
the shipped script was tuned on (``phrase_proof``), and the seeds are the test's own.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from pypinyin import lazy_pinyin

from callcenter.quality.matching import judge
from callcenter.quality.scripts import Script
from callcenter.speech.transcript import Segment, Speaker, Transcript, Word
from tests.unit.phrase_proof import PROOF
from tests.unit.phrase_templates import Templates

ERROR_RATE = 0.15
_MERGERS = (
    ("zh", "z"),
    ("ch", "c"),
    ("sh", "s"),
    ("n", "l"),
    ("f", "h"),
    ("r", "l"),
    ("b", "p"),
    ("d", "t"),
    ("g", "k"),
    ("j", "q"),
)
_FINALS = (
    ("ing", "in"),
    ("eng", "en"),
    ("ang", "an"),
    ("ong", "eng"),
    ("uo", "o"),
    ("ai", "ei"),
    ("ao", "ou"),
    ("ie", "ue"),
)
_COMMON = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所"
    "民得经十三之进着等部度家电力里如水化高自二理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政四日"
    "那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者最立代想"
    "已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角期根论运农指"
    "几九区强放决西被干做必战先回则任取据处队南给色光门即保治北造百规热领七海口东导器压志世金增争济阶油思术极交受联什认六共权"
    "收证改清己美再采转更单风切打白教速花带安场身车例真务具万每目至达走积示议声报斗完类八离华名确才科张信马节话米整空元况今集"
    "温传土许步群广石记需段研界拉林律叫且究观越织装影算低持音众书布复容儿须际商非验连断深难近矿千周委素技备半办青省列习响约支"
    "般史感劳便团往酸历市克何除消构府称太准精值号率族维划选标写存候毛亲快效斯院查江型眼王按格养易置派层片始却专状育厂京识适属"
    "圆包火住调满县局照参红细引听该铁价严首底液官德调随病苏失尔死讲配女黄推显谈罪神艺呢席含企望密批营项防举球英氧势告李台落木"
    "帮轮破亚师围注远字材排供河态封另施减树溶怎止案言士均武固叶鱼波视仅费紧爱左章早朝害续轻服试食充兵源判护司足某练差致板田降"
    "黑犯负击范继兴似余坚曲输修的故城夫够送笔船占右财吃富春职觉汉画功巴跟虽杂飞检吸助升阳互初创抗考投坏策古径换未跑留钢曾端责"
    "站简述钱副尽帝射草冲承独令限阿宣环双请超微让控州良轴找否纪益依优顶础载倒房突坐粉敌略客袁冷胜绝析块剂测丝协重诉念陈仍罗盐"
)  # fmt: skip


def _by_sound() -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for character in dict.fromkeys(_COMMON):
        found[lazy_pinyin(character)[0]].append(character)
    return found


BY_SOUND = _by_sound()


def near(character: str, choice: random.Random) -> str:
    """Another character that sounds the same or nearly so."""
    sound = lazy_pinyin(character)[0]
    sounds = {sound}
    for one, other in _MERGERS:
        for a, b in ((one, other), (other, one)):
            if sound.startswith(a) and not (len(a) == 1 and sound[1:2] == "h"):
                sounds.add(b + sound[len(a) :])
    for one, other in _FINALS:
        for a, b in ((one, other), (other, one)):
            if sound.endswith(a):
                sounds.add(sound[: -len(a)] + b)
    known = [c for one in sorted(sounds) for c in BY_SOUND.get(one, []) if c != character]
    return choice.choice(known) if known else choice.choice(_COMMON)


def garbled(text: str, choice: random.Random, rate: float = ERROR_RATE) -> str:
    """The text with ``rate`` of its characters wrong."""
    heard = []
    for character in text:
        if choice.random() >= rate:
            heard.append(character)
            continue
        kind = choice.random()
        if kind < 0.7:
            heard.append(near(character, choice))
        elif kind < 0.85:
            continue
        else:
            heard += [character, choice.choice(_COMMON)]
    return "".join(heard)


@dataclass(frozen=True)
class Case:
    """A call in which ``phrase`` was said (or nothing of it, though much like it)."""

    phrase: str
    said: bool
    transcript: Transcript


def cases(
    count: int, seed: int, kinds: tuple[str, ...], rate: float = ERROR_RATE, templates: Templates = PROOF
) -> Iterator[Case]:
    """``count`` cases in which a phrase was said, and as many in which it was not; a third of those by the caller."""
    choice = random.Random(seed)
    for number in range(2 * count):
        phrase, said = kinds[number // 2 % len(kinds)], number % 2 == 0
        seat = "".join(choice.choice("0123456789") for _ in range(3))
        fill = {"company": choice.choice(("华信公司", "天成科技", "蓝海信息")), "number": spoken(seat, choice)}
        fill["other"] = spoken(f"{(int(seat) + choice.randint(1, 998)) % 1000:03}", choice)
        by_caller = not said and number % 6 == 1 and phrase not in ("greeting", "closing")
        text = choice.choice((templates.said if said or by_caller else templates.like_it)[phrase]).format(**fill)
        other: list[tuple[Speaker, str]] = [("caller", choice.choice(templates.openings))]
        other += [("seat", choice.choice(templates.neutral)) for _ in range(3)]
        where = {"greeting": 0, "closing": 4}.get(phrase, choice.randint(1, 4))
        other.insert(where, ("caller" if by_caller else "seat", text))
        yield Case(phrase, said, call(other, seat, fill["company"], choice, rate))


def spoken(number: str, choice: random.Random) -> str:
    return "".join(choice.choice(("一", "幺") if d == "1" else ("零一二三四五六七八九"[int(d)], d)) for d in number)


def call(turns: list[tuple[Speaker, str]], seat: str, company: str, choice: random.Random, rate: float) -> Transcript:
    """The sentences one after the other, all heard with errors."""
    segments, at = [], 0.0
    for speaker, one in turns:
        heard, words = garbled(one, choice, rate), []
        while heard:
            size = choice.randint(1, 3)
            words.append(Word(heard[:size], at, at + 0.2 * size, 0.9))
            at, heard = at + 0.2 * size, heard[size:]
        segments.append(Segment(speaker, tuple(words)))
        at += 0.5
    return Transcript("case", seat, company, tuple(segments))


@dataclass
class Score:
    right: int = 0
    missed: int = 0
    wrong: int = 0
    doubtful: int = 0

    def add(self, said: bool, found: bool, doubtful: bool) -> None:
        self.doubtful += found and doubtful
        self.right += said and found
        self.missed += said and not found
        self.wrong += found and not said

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.wrong)


def scores(given: Iterator[Case], script: Script, show: bool = False) -> dict[str, Score]:
    """Per phrase: what was said and found (doubtful ones, too: a person then looks), missed, and found without being said."""
    found: dict[str, Score] = defaultdict(Score)
    texts: Counter[str] = Counter()
    for case in given:
        finding = next(one for one in judge(case.transcript, script) if one.phrase == case.phrase)
        found[case.phrase].add(case.said, finding.found, finding.band == "doubtful")
        if show and case.said != finding.found:
            said = " / ".join(segment.text for segment in case.transcript.segments if segment.speaker == "seat")
            texts[
                f"{case.phrase} {case.transcript.seat} {case.said} {finding.heard} {finding.score:.2f} {finding.band}: {said}"
            ] += 1
    for text in texts:
        print(text)
    return dict(found)
