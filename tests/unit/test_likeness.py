"""Sentences beside a script's examples: what is like them is found for a person to look at, what is none is not."""

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.errors import BadInput
from callcenter.quality.align import Line
from callcenter.quality.finding import Finding, all_places
from callcenter.quality.likeness import ENOUGH, LIKE, LONGEST, Example, Likeness, sentences
from callcenter.quality.matching import judge
from callcenter.quality.scripts import Script, default_script, read_script, while_it_runs
from callcenter.quality.sounds import BOUNDARY, spoken
from callcenter.speech.transcript import Segment, Speaker, Transcript, Turn, Word

ZH = default_script("zh")
UNWRITTEN = "按钮都按反了还说机器有毛病"
"""It blames (B8), and no wording of the script stands in it."""
FRUIT, TOOLS = ("苹果", "香蕉", "葡萄", "西瓜", "樱桃"), ("锤子", "钳子", "扳手", "电钻", "螺丝刀")
SIDES: dict[str, tuple[str, ...]] = {"fruit": FRUIT, "none": TOOLS}


def examples(count: int = ENOUGH) -> list[Example]:
    choice = random.Random(7)
    return [
        (name, f"请您把{choice.choice(things)}和{choice.choice(things)}放好{n % 10}")
        for name, things in SIDES.items()
        for n in range(count)
    ]


def line(text: str) -> Line:
    return Line(*spoken(text, "zh"), "zh")


def said(*turns: tuple[Speaker, str], seats: tuple[Turn, ...] = (), conf: float = 0.95) -> Transcript:
    segments, at = [], 0.0
    for speaker, text in turns:
        segments.append(
            Segment(speaker, tuple(Word(c, at + 0.2 * n, at + 0.2 * n + 0.2, conf) for n, c in enumerate(text)))
        )
        at += 0.2 * len(text) + 1.0
    return Transcript("call", "018", "华信公司", tuple(segments), seats)


def finding(transcript: Transcript, phrase: str, script: Script = ZH) -> Finding:
    return next(one for one in judge(transcript, script) if one.phrase == phrase)


def bare(script: Script) -> Script:
    """The script without its examples."""
    return Script(script.language, script.title, script.wait_seconds, script.phrases)


def test_what_is_said_otherwise_is_for_a_person_to_look_at() -> None:
    """The whole sentence is shown, with the second at which it begins; nothing makes it sure."""
    told = said(("seat", "您好"), ("seat", UNWRITTEN))
    one = finding(told, "blame")
    assert (one.found, one.band, one.speaker, one.heard) == (True, "doubtful", "seat", UNWRITTEN)
    assert one.start == pytest.approx(1.4)
    assert 0.88 <= one.score <= 1
    assert not finding(told, "blame", bare(ZH)).found


def test_the_caller_may_say_it() -> None:
    assert not finding(said(("caller", UNWRITTEN)), "blame").found


def test_what_an_announcement_says_is_nobodys() -> None:
    seats = (Turn("018", 60.0, 90.0, "1001"),)
    assert not finding(said(("seat", UNWRITTEN), seats=seats), "blame").found


def test_each_place_is_told_once_with_its_seat() -> None:
    turns = (Turn("018", 0.0, 20.0, "1001"),)
    told = said(("seat", UNWRITTEN), ("seat", "好的"), ("seat", UNWRITTEN), seats=turns)
    places = all_places(one for one in judge(told, ZH, every_place=True) if one.phrase == "blame")
    assert [(one.seat, one.band) for one in places] == [("1001", "doubtful")] * 2
    assert places[0].start != places[1].start


def test_what_only_sounds_like_a_wording_is_none_by_the_examples() -> None:
    """Heard badly, 公布型号 is like 不行; no sentence of that kind was ever a refusal. What is sure stays."""
    text = "官网上公布型号您可以对照一下"
    assert finding(said(("seat", text)), "refusal", bare(ZH)).band == "doubtful"
    assert not finding(said(("seat", text)), "refusal").found
    assert ZH.likeness is not None
    sure = "这个肯定不行我帮您登记一下手机号码"
    heard = line(sure)
    assert finding(said(("seat", sure)), "refusal").band == "sure"
    assert ZH.likeness.of(heard, 0, len(heard.texts))["refusal"] < LIKE


def test_a_context_of_the_script_decides_before_the_examples() -> None:
    assert not finding(said(("seat", "不清楚的话我再说一遍")), "not_clear").found


def test_learning_is_counting() -> None:
    """The order of the examples is nothing; what stands on both sides alike speaks for neither."""
    told, shuffled = examples(), examples()
    random.Random(3).shuffle(shuffled)
    one, other = Likeness(told, "zh"), Likeness(shuffled, "zh")
    for text in ("香蕉和苹果", "电钻", "请您把", "别的什么"):
        heard = line(text)
        assert one.of(heard, 0, len(text)) == pytest.approx(other.of(heard, 0, len(text)))
    likes = {text: one.of(line(text), 0, len(text))["fruit"] for text in ("苹果香蕉葡萄", "锤子钳子扳手")}
    assert likes["苹果香蕉葡萄"] > LIKE > 0 > likes["锤子钳子扳手"]


def test_every_process_tells_the_same_to_the_last_digit() -> None:
    """Sets of strings have another order in each."""
    told = "from tests.unit.test_likeness import *; print([finding(said(('seat', UNWRITTEN)), 'blame').score"
    told += ", *Likeness(examples(), 'zh').of(line('请把苹果和香蕉放好'), 0, 9).values()])"
    out = {
        subprocess.run(
            [sys.executable, "-c", told],
            env=os.environ | {"PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[2],
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(out) == 1, out


def test_other_characters_of_the_same_sound_are_nearly_as_like() -> None:
    likeness = Likeness(examples(), "zh")
    assert likeness.of(line("香交平果"), 0, 4)["fruit"] > likeness.of(line("前子般手"), 0, 4)["fruit"]


def test_a_few_examples_tell_nothing() -> None:
    few = [one for one in examples() if one[0] != "fruit"] + examples(ENOUGH - 1)
    assert Likeness(few, "zh").phrases == ()
    assert Likeness(examples(), "zh").phrases == ("fruit",)


def test_the_seat_of_a_running_call_is_told_by_wordings_alone() -> None:
    assert finding(said(("seat", UNWRITTEN)), "blame").found
    assert not finding(said(("seat", UNWRITTEN)), "blame", while_it_runs(ZH)).found


@given(st.text(f"不行您好{BOUNDARY}", max_size=120))
def test_every_word_is_in_a_sentence_and_none_is_long(text: str) -> None:
    heard = line(text.replace(BOUNDARY, "。"))
    spans = list(sentences(heard))
    assert all(0 < high - low <= LONGEST for low, high in spans)
    assert all(BOUNDARY not in heard.texts[low:high] for low, high in spans)
    within = {n for low, high in spans for n in range(low, high)}
    assert within == {n for n, text in enumerate(heard.texts) if text != BOUNDARY}


# --- the file of examples ---------------------------------------------------------------------------------------------

OWN = """
language = "zh"
examples = "own.txt"
[phrases.fruit]
rule = "B8"
kind = "forbidden"
variants = ["水果不卖"]
[phrases.greeting]
rule = "A2"
kind = "required"
variants = ["您好…{number}"]
"""


def own(folder: Path, text: str) -> Script:
    (folder / "own.txt").write_text(text, "utf-8")
    (folder / "own.toml").write_text(OWN, "utf-8")
    return read_script(folder / "own.toml")


def test_a_site_has_examples_of_its_own(tmp_path: Path) -> None:
    text = "# judged in spring\n\n" + "".join(f"{name} {sentence}\n" for name, sentence in examples())
    script = own(tmp_path, text)
    assert finding(said(("seat", "葡萄和樱桃苹果")), "fruit", script).band == "doubtful"
    assert finding(said(("seat", "葡萄和樱桃苹果")), "fruit", script).found
    assert not finding(said(("seat", "锤子和扳手")), "fruit", script).found


def test_a_copy_of_the_shipped_script_finds_the_shipped_examples(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[2] / "callcenter" / "quality" / "scripts" / "zh.toml"
    (tmp_path / "copy.toml").write_text(shipped.read_text("utf-8"), "utf-8")
    assert finding(said(("seat", UNWRITTEN)), "blame", read_script(tmp_path / "copy.toml")).found


@pytest.mark.parametrize("wrong", ["greeting 您好", "苹果", "fruit", "none " + "苹" * 201])
def test_a_wrong_line_is_told_with_its_number(wrong: str, tmp_path: Path) -> None:
    """A greeting has slots: no example tells whether its number is right."""
    with pytest.raises(BadInput) as told:
        own(tmp_path, f"fruit 苹果\n\n{wrong}\n")
    assert "examples: own.txt, line 3: must be NAME, a space and a sentence of 1 to 200 characters" in str(told.value)
    assert str(told.value).count("\n") == 0


def test_a_wrong_file_is_not_told_line_by_line(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as told:
        own(tmp_path, "这不是例句\n" * 1_000)
    assert str(told.value).count("\n") == 20
    assert str(told.value).endswith("examples: own.txt: so are 980 further lines.")


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN, "utf-8")
    with pytest.raises(BadInput, match=r"there is no own\.txt beside the script"):
        read_script(tmp_path / "own.toml")


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN, "utf-8")
    (tmp_path / "own.txt").write_bytes(b"fruit \xff\xfe")
    with pytest.raises(BadInput, match="is not UTF-8"):
        read_script(tmp_path / "own.toml")
