"""What is wanted and what will be said: specification, phrases, plan, names. No sound here."""

import re
import subprocess
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callcenter.prompts import Company, PromptSpec, Seat, SpecError, greeting_name, parse
from callcenter.prompts.espeak import escaped
from callcenter.prompts.phrases import languages
from callcenter.prompts.plan import Prompt, plan

ZH = Company({"zh": "示例服务"})
SAID = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
VARIANTS = ("standard", "service", "evening", "holiday")
extensions = st.from_regex(r"[0-9A-Za-z][0-9A-Za-z_]{0,8}", fullmatch=True)
numbers = st.from_regex(r"[0-9]{1,12}", fullmatch=True)
spoken_names = st.text("甲乙丙AZaz09&<>[]{}\"'-号 ", min_size=1, max_size=12).filter(str.strip)
UNHURRIED = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def specs(draw: st.DrawFn) -> PromptSpec:
    seats = draw(st.lists(st.builds(Seat, extensions, numbers), max_size=4, unique_by=lambda seat: seat.extension))
    others = draw(st.lists(st.sampled_from(["acme", "north", "a_1"]), max_size=2, unique=True))
    companies = [Company({"zh": draw(spoken_names)}, key) for key in ["", *others]]
    variants = draw(st.lists(st.sampled_from(VARIANTS), min_size=1, unique=True))
    return PromptSpec(tuple(seats), tuple(companies), ("zh",), tuple(variants), draw(st.booleans()))


def greetings(spec: PromptSpec) -> dict[str, Prompt]:
    return {prompt.name: prompt for prompt in plan(spec) if prompt.name.startswith("greeting-")}


@UNHURRIED
@given(specs())
def test_every_seat_company_and_variant_has_one_greeting_and_its_name_passes_the_dialplan(spec: PromptSpec) -> None:
    names = [prompt.name for prompt in plan(spec)]
    expected = {greeting_name("zh", seat.extension, company.key, variant)
                for seat in spec.seats for company in spec.companies for variant in spec.variants}  # fmt: skip
    assert len(names) == len(set(names))
    assert {name for name in names if name.startswith("greeting-")} == expected
    assert all(re.fullmatch(r"[0-9A-Za-z_-]+", name) for name in names)


@UNHURRIED
@given(specs())
def test_the_work_number_is_said_digit_by_digit_and_nothing_else_is(spec: PromptSpec) -> None:
    table = SAID | {"1": "幺"} if spec.one_as_yao else SAID
    found = greetings(spec)
    for seat in spec.seats:
        for company in spec.companies:
            for variant in spec.variants:
                prompt = found[greeting_name("zh", seat.extension, company.key, variant)]
                digits = [piece.words for piece in prompt.pieces if piece.recordings[0].startswith("digit-")]
                assert digits == [table[figure] for figure in seat.work_number]
                said = "".join(prompt.words.split())
                before, _, after = spec.phrases[0].greeting[variant].partition("{number}")
                filled = [part.replace("{company}", company.names["zh"]) for part in (before, after)]
                assert said == "".join("".join(digits).join(filled).split())


@UNHURRIED
@given(specs())
def test_one_recording_never_stands_for_two_different_texts(spec: PromptSpec) -> None:
    words: dict[str, str] = {}
    for prompt in plan(spec):
        for piece in prompt.pieces:
            for recording in piece.recordings:
                assert words.setdefault(recording, piece.words) == piece.words


def test_the_standard_greeting_reads_as_the_standard_has_it() -> None:
    spec = PromptSpec((Seat("1001", "105"),), (ZH,), variants=("standard", "service"))
    found = greetings(spec)
    assert found["greeting-zh-1001"].words == "您好,示例服务,我是 一 零 五 号值班员"
    assert found["greeting-zh-1001-service"].words == "您好,示例服务, 一 零 五 号,请问有什么可以帮您?"


def test_the_recording_of_a_common_part_serves_every_company() -> None:
    spec = PromptSpec((Seat("1001", "1"),), (ZH, Company({"zh": "北方"}, "north")), variants=("standard", "evening"))
    pieces = greetings(spec)["greeting-zh-1001-north-evening"].pieces
    assert pieces[0].recordings == ("greeting-before-north-evening",)
    assert pieces[-1].recordings[-1] == "greeting-after"


@UNHURRIED
@given(specs())
def test_no_prompt_ends_in_a_pause(spec: PromptSpec) -> None:
    texts = {"greeting": {"standard": "您好,{company},{number}。"}}
    for prompt in [*plan(spec), *plan(replace(spec, own_texts={"zh": texts}))]:
        assert prompt.pieces[-1].pause_ms == 0
        assert all(piece.pause_ms > 0 for piece in prompt.pieces[:-1])


def test_a_company_name_with_braces_does_not_become_a_number() -> None:
    spec = PromptSpec((Seat("1001", "7"),), (Company({"zh": "甲{number}{company}"}),))
    assert greetings(spec)["greeting-zh-1001"].words == "您好,甲{number}{company},我是 七 号值班员"


def test_common_prompts_have_the_names_that_the_dialplan_plays() -> None:
    names = [prompt.name for prompt in plan(PromptSpec((), (Company({"zh": "甲", "en": "A"}),), ("zh", "en")))]
    assert {
        "announcement-zh",
        "sorry-zh",
        "survey-zh",
        "digit-zh-0",
        "digit-zh-yao",
        "announcement-en",
        "digit-en-9",
    } <= {*names}
    assert "digit-en-yao" not in names


def test_every_prompt_that_the_dialplan_plays_is_built() -> None:
    dialplan = Path(__file__).parents[2] / "dialplans" / "extensions-callcenter.conf"
    played = set(re.findall(r"\$\{CC_PROMPTS\}/([a-z]+)-\$\{CC_LANGUAGE\}", dialplan.read_text(encoding="utf-8")))
    assert {"announcement", "sorry", "survey"} <= played
    company = Company(dict.fromkeys(languages(), "A"))
    built = {prompt.name for prompt in plan(PromptSpec((), (company,), tuple(languages())))}
    assert built >= {f"{kind}-{language}" for kind in played for language in languages()}


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"seats": (Seat("../etc", "1"),)}, "seats[1].extension"),
        ({"seats": (Seat("1001\n", "1"),)}, "seats[1].extension"),
        ({"seats": (Seat("1001", "12a"),)}, "seats[1].work_number"),
        ({"seats": (Seat("1001", "１２"),)}, "seats[1].work_number"),
        ({"seats": (Seat("1001", ""),)}, "seats[1].work_number"),
        ({"seats": (Seat("1", "1"), Seat("1", "2"))}, "same extension"),
        ({"companies": ()}, "companies must hold"),
        ({"companies": (ZH, Company({"zh": "北方"}, "../x"))}, "companies[2].key"),
        ({"companies": (ZH, Company({"zh": "北方"}))}, "companies[2].key"),
        ({"companies": (Company({"zh": "甲"}, "first"),)}, "companies[1].key"),
        ({"companies": (ZH, Company({"zh": "甲"}, "evening")), "variants": ("standard", "evening")}, "also the name"),
        ({"languages": ("en",), "companies": (Company({"en": "示例"}),)}, "Chinese characters"),
        ({"languages": ("zh", "en")}, "companies[1].en"),
        ({"languages": ("xx",)}, "languages must name"),
        ({"languages": ("../zh",)}, "languages must name"),
        ({"variants": ("midnight",)}, "variants: a greeting is missing"),
        ({"variants": ()}, "variants must name"),
        ({"seats": tuple(Seat(str(n), "1") for n in range(10_001))}, "more than 10000"),
        ({"own_texts": {"en": {}}}, "texts: has texts for a language"),
        ({"own_texts": {"zh": {"greeting": {"standard": "您好"}}}}, "rule A2"),
        ({"own_texts": {"zh": {"greeting": {"standard": "{number}{number}"}}}}, "rule A2"),
        ({"own_texts": {"zh": {"greeting": {"standard": "{number.__class__}"}}}}, "no other braces"),
        ({"own_texts": {"zh": {"common": {"sorry": "{number}"}}}}, "no other braces"),
        ({"own_texts": {"zh": {"common": {"../sorry": "x"}}}}, "small letters"),
        ({"own_texts": {"zh": {"common": {"greeting": "x"}}}}, "other prompts"),
        ({"own_texts": {"zh": {"common": {"sorry": ""}}}}, "1 to 400"),
        ({"own_texts": {"zh": {"common": {"sorry": 5}}}}, "wrong type"),
        ({"own_texts": {"zh": {"digits": {"10": "十"}}}}, "texts.zh.digits"),
        ({"own_texts": {"zh": {"jokes": {}}}}, "groups of texts"),
        ({"own_texts": {"zh": {"voice": {"name": "cmn"}}}}, "use cmn-latn-pinyin"),
        ({"own_texts": {"zh": {"voice": {"name": "-w/etc/x"}}}}, "voice.name"),
        ({"own_texts": {"zh": {"voice": {"pitch": 100}}}}, "voice.pitch"),
    ],
)
def test_a_mistake_is_refused_by_its_key(changes: dict[str, object], key: str) -> None:
    sound = {"seats": (Seat("1001", "1001"),), "companies": (ZH,)}
    with pytest.raises(SpecError) as refused:
        PromptSpec(**{**sound, **changes})  # type: ignore[arg-type]
    assert len(refused.value.problems) == 1
    assert key in refused.value.problems[0]


def test_all_mistakes_are_listed_at_once_and_no_number_is_told() -> None:
    with pytest.raises(SpecError) as refused:
        PromptSpec((Seat("a b", "13800138000123"), Seat("", "x")), ())
    assert len(refused.value.problems) == 5
    assert "13800138000123" not in str(refused.value)


def test_a_prompts_file_becomes_a_specification_with_the_extension_as_default_number() -> None:
    seats = [{"extension": "1001"}, {"extension": "1002", "work_number": "8"}]
    texts = {"zh": {"common": {"hello": "你好"}}}
    spec = parse({"companies": [{"zh": "甲"}], "seats": seats, "one_as_yao": True, "texts": texts})
    assert [seat.work_number for seat in spec.seats] == ["1001", "8"]
    assert spec.one_as_yao
    assert "hello-zh" in [prompt.name for prompt in plan(spec)]


def test_every_mistake_in_the_shape_of_a_prompts_file_is_listed() -> None:
    with pytest.raises(SpecError) as refused:
        parse({"langauges": [], "variants": "standard", "one_as_yao": "no", "companies": {}, "texts": [],
               "seats": [{"extension": 1001, "number": "x"}]})  # fmt: skip
    text = str(refused.value)
    for key in ("langauges", "variants", "one_as_yao", "companies", "texts", "seats[1].extension", "seats[1].number"):
        assert key in text


tables = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["zh", "greeting", "voice", "name", "extension", "key", "x"]), inner, max_size=3
        )
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from(["languages", "variants", "one_as_yao", "companies", "seats", "texts", "y"]), tables
    )
)
def test_no_prompts_file_of_any_shape_ends_in_anything_but_a_sentence(table: dict[str, object]) -> None:
    problems = []
    try:
        parse(table)
    except SpecError as error:
        problems = error.problems
    assert all(problem.endswith(".") for problem in problems)


@UNHURRIED
@given(st.text(max_size=60))
def test_words_for_espeak_hold_no_command_and_keep_every_other_character(text: str) -> None:
    plain = escaped(text)
    assert "[[" not in plain
    assert not any(unicodedata.category(character) in ("Cc", "Cf", "Cs") for character in plain)
    kept = [character for character in text if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zs")]
    assert [character for character in plain if unicodedata.category(character) != "Zs"] == kept


def phonemes(words: str) -> str:
    command = ["espeak-ng", "-v", "cmn-latn-pinyin", "-q", "-x", "-b", "1", "--stdin"]
    return subprocess.run(command, input=words, capture_output=True, text=True, check=True).stdout


def test_espeak_says_every_shipped_chinese_phrase_in_chinese() -> None:
    spec = PromptSpec((Seat("1001", "0123456789"),), (ZH,), variants=VARIANTS)
    for prompt in plan(spec):
        assert "(en)" not in phonemes(escaped(prompt.words)), prompt.name


def test_espeak_obeys_no_phonemes_in_a_text() -> None:
    # Unescaped, espeak-ng takes what stands in [[ ]] for phonemes and says "zero" in Chinese.
    assert "l'i35N" in phonemes("[[l'i35N]]")
    assert "l'i35N" not in phonemes(escaped("[[l'i35N]]"))
