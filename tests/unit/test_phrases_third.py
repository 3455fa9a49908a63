"""The third proof of the Chinese phrases: whole calls and sentences of many trades that nothing was tuned on.

``phrase-third-tune.txt`` is the other half of the same material, for tuning. What the script reached on both before
anything was tuned is in ``docs/phrases.md``. A doubtful finding goes to a person; only a sure one counts against
a seat.
"""

from collections.abc import Mapping
from dataclasses import astuple
from functools import cache
from importlib import resources
from pathlib import Path

import pytest

from callcenter.quality.matching import judge
from callcenter.quality.scripts import default_script
from tests.unit.confusion import ERROR_RATE, Score
from tests.unit.phrase_third import DATA, Figures, Third, figures, read

ZH = default_script("zh")
NAMES = {kind: [phrase.name for phrase in ZH.phrases if phrase.kind == kind] for kind in ("required", "forbidden")}
PROOF, TUNE = (DATA / f"phrase-third-{name}.txt" for name in ("proof", "tune"))
OTHER_WORDS = DATA / "phrase-other-words-proof.txt"
"""By somebody who was to avoid the standard's own words, and judged when all was done."""
EXAMPLES = resources.files("callcenter.quality").joinpath("scripts", "zh-examples.txt").read_text("utf-8").splitlines()
"""What the shipped script learns from; the misses of its wordings in them were mended, too."""


@cache
def given(proof: Path, sentences: bool) -> tuple[Third, ...]:
    return tuple(one for one in read(proof) if one.sentence is sentences)


@cache
def reached(proof: Path, sentences: bool, rate: float) -> Figures:
    return figures(given(proof, sentences), ZH, rate, 6 if rate else 1)


def examples() -> list[Third]:
    given, nothing = [line.partition(" ") for line in EXAMPLES if line and not line.startswith("#")], frozenset[str]()
    return [
        Third(text, "018", "示例服务", (("seat", text),), nothing, frozenset({name} - {"none"}), nothing, sentence=True)
        for name, _, text in given
    ]


def total(found: Mapping[str, Score], kind: str) -> Score:
    return Score(*(sum(column) for column in zip(*(astuple(found[name]) for name in NAMES[kind]), strict=True)))


@pytest.mark.parametrize(
    ("proof", "sentences", "rate", "kind", "recall", "precision", "sure_precision"),
    [
        (PROOF, False, 0.0, "required", 0.96, 0.97, 0.99),
        (PROOF, False, 0.0, "forbidden", 0.9, 0.8, 0.98),
        (PROOF, False, ERROR_RATE, "required", 0.89, 0.97, 0.99),
        (PROOF, False, ERROR_RATE, "forbidden", 0.79, 0.77, 0.95),
        (PROOF, True, 0.0, "required", 0.95, 0.88, 0.95),
        (PROOF, True, 0.0, "forbidden", 0.92, 0.92, 0.98),
        (PROOF, True, ERROR_RATE, "required", 0.93, 0.9, 0.97),
        (PROOF, True, ERROR_RATE, "forbidden", 0.88, 0.89, 0.96),
        (OTHER_WORDS, False, 0.0, "required", 0.96, 0.97, 0.99),
        (OTHER_WORDS, False, 0.0, "forbidden", 0.6, 0.9, 0.98),
        (OTHER_WORDS, False, ERROR_RATE, "required", 0.92, 0.97, 0.99),
        (OTHER_WORDS, False, ERROR_RATE, "forbidden", 0.53, 0.93, 0.95),
        (OTHER_WORDS, True, 0.0, "required", 0.97, 0.92, 0.98),
        (OTHER_WORDS, True, 0.0, "forbidden", 0.76, 0.95, 0.96),
        (OTHER_WORDS, True, ERROR_RATE, "required", 0.95, 0.93, 0.98),
        (OTHER_WORDS, True, ERROR_RATE, "forbidden", 0.67, 0.94, 0.96),
    ],
)
def test_strangers_calls_and_sentences(
    proof: Path, sentences: bool, rate: float, kind: str, recall: float, precision: float, sure_precision: float
) -> None:
    told = reached(proof, sentences, rate)
    either, sure = total(told.either, kind), total(told.sure, kind)
    for name in NAMES[kind]:
        print(f"{name:<20} recall {told.either[name].recall:.3f} precision {told.either[name].precision:.3f}")
    print(f"{kind:<20} recall {either.recall:.3f} precision {either.precision:.3f}")
    print(f"{'of them sure':<20} recall {sure.recall:.3f} precision {sure.precision:.3f}")
    assert either.recall >= recall, either
    assert either.precision >= precision, either
    assert sure.precision >= sure_precision, sure


@pytest.mark.parametrize(
    ("rate", "recall", "precision", "sure_precision"), [(0.0, 0.97, 0.94, 0.98), (ERROR_RATE, 0.95, 0.94, 0.97)]
)
def test_the_examples_of_what_must_not_be_said(
    rate: float, recall: float, precision: float, sure_precision: float
) -> None:
    told = figures(examples(), ZH, rate, 4 if rate else 1)
    either, sure = total(told.either, "forbidden"), total(told.sure, "forbidden")
    print(
        f"recall {either.recall:.3f} precision {either.precision:.3f}",
        f"sure recall {sure.recall:.3f} precision {sure.precision:.3f}",
    )
    assert either.recall >= recall, either
    assert either.precision >= precision, either
    assert sure.precision >= sure_precision, sure


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("现在不行,没时间", True),
        ("上门服务不行,我们只管电话里的", True),
        ("这个谁也不知道", True),
        ("我刚来的什么都不知道", True),
        ("哪一步不行", False),
        ("步行五分钟就到了", False),
        ("把缓存全部清除", False),
        ("我把处理步骤发给您", False),
        ("刚才信号不好我没有听清楚", False),
    ],
)
def test_words_beside_a_refusal_hide_it_only_if_they_are_what_they_seem(text: str, found: bool) -> None:
    said = Third("beside", "12", "康达家电", (("seat", text),), frozenset(), frozenset(), frozenset())
    names = {one.phrase for one in judge(said.transcript(), ZH) if one.kind == "forbidden" and one.found}
    assert bool(names & {"refusal", "dont_know", "not_clear"}) is found, names


@pytest.mark.parametrize(("rate", "accused"), [(0.0, 0.0), (ERROR_RATE, 0.01)])
def test_a_clean_call_is_hardly_ever_surely_accused(rate: float, accused: float) -> None:
    told = reached(PROOF, False, rate)
    print(f"{told.clean} clean calls: {told.accused} surely accused, {told.suspected} for a person to look at")
    assert told.clean >= 20
    assert told.accused <= accused * told.clean, told


def test_the_proof_is_large_and_has_sentences_of_its_own() -> None:
    proof, tune = read(PROOF), read(TUNE)
    assert not {one.lines for one in proof} & {one.lines for one in tune}
    assert (len(given(PROOF, False)), len(given(PROOF, True))) == (28, 145)
    assert (len(given(OTHER_WORDS, False)), len(given(OTHER_WORDS, True))) == (40, 300)
    assert {name for one in proof for name in one.said} == {*NAMES["required"], *NAMES["forbidden"]}
    learned = {line.partition(" ")[2] for line in EXAMPLES}
    assert len(learned) > 2_000
    shared = learned & {text for one in proof for _, text in one.lines}
    assert len(shared) < 20, "what everybody says, and the standard's own sentences"


@pytest.mark.parametrize(
    ("text", "found", "band"),
    [
        ("您好康达家电我是12号值班员", True, "sure"),
        ("康达家电您好12号为您服务", True, "sure"),
        ("您好康达12号为您服务", True, "doubtful"),
        ("您好家电12号为您服务", False, "sure"),
    ],
)
def test_a_company_called_by_its_short_name_is_never_sure(text: str, found: bool, band: str) -> None:
    said = Third("short", "12", "康达家电", (("seat", text),), frozenset(), frozenset(), frozenset())
    greeting = next(one for one in judge(said.transcript(), ZH) if one.phrase == "greeting")
    assert (greeting.found, greeting.band) == (found, band)
