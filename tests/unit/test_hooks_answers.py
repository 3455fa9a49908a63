"""What hooks answer: greeting and route by company, queue, language, hour and holiday; facts as events."""

from datetime import date, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.ami import journal
from callcenter.days import PUBLISHED, Days, Own
from callcenter.errors import BadInput
from callcenter.hooks.answers import Answer, Known, answer, events
from callcenter.hooks.choices import DAYS, Condition, Greeting, Route, Subject
from callcenter.hooks.requests import TAKES, Asked, Hook, read
from callcenter.hooks.text import END, form, harmless, lines, one_line
from callcenter.prompts.names import greeting_name
from callcenter.settings import Hooks, Queue, Settings, Site

SHANGHAI = ZoneInfo("Asia/Shanghai")
CHINESE = Days(chinese=True)
FROM, TO = datetime.fromisoformat("2020-01-01"), datetime.fromisoformat("2026-12-30")
CALL = {"linkedid": "pbx-1795320000.7"}
DAY = Greeting(from_time="08:30", to_time="18:00", variant="day")
NIGHT = Greeting(from_time="22:00", to_time="06:00", days=("fri",), variant="friday-night")


def at(text: str, zone: ZoneInfo = SHANGHAI) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def settings_of(*greetings: Greeting, routes: tuple[Route, ...] = (), **site: str) -> Settings:
    queues = {"support": Queue(company="甲公司", language="zh", priority=5), "english": Queue(language="en")}
    return Settings(site=Site(**site), greetings=greetings, routes=routes, queues=MappingProxyType(queues))


def ask(hook: Hook, settings: Settings, now: str = "2026-11-23T12:00", **fields: str) -> Answer:
    known = Known(at(now), settings.queue, {"1001": "15", "1002": ""}.get)
    return answer(read(hook, CALL | fields), settings, known)


def greeting(settings: Settings, now: str = "2026-11-23T12:00", **fields: str) -> str:
    return ask(Hook.GREETING, settings, now, **{"seat": "1001", **fields}).values[0][1]


# --- greetings (A2) --------------------------------------------------------------------------------------------------


def test_without_a_choice_the_standard_greeting_of_the_seat_is_played() -> None:
    assert greeting(settings_of()) == "greeting-zh-1001"
    assert greeting(settings_of(), seat="1002") == "greeting-zh-1002"
    assert greeting(settings_of(language="en")) == "greeting-en-1001"


def test_a_seat_that_nobody_knows_gets_no_name_and_the_dialplan_goes_its_own_way() -> None:
    assert greeting(settings_of(DAY), seat="9999") == ""


def test_the_first_greeting_that_matches_wins() -> None:
    chosen = settings_of(
        Greeting(queue="other", variant="a"), Greeting(queue="support", variant="b"), Greeting(variant="c")
    )
    assert greeting(chosen, queue="support") == "greeting-zh-1001-b"
    assert greeting(chosen, queue="english") == "greeting-en-1001-c"


def test_company_and_language_come_from_the_call_then_the_queue_then_the_site() -> None:
    by_company = settings_of(Greeting(company="甲公司", variant="jia"), Greeting(company="示例服务", variant="own"))
    assert greeting(by_company, queue="support") == "greeting-zh-1001-jia"
    assert greeting(by_company, queue="english") == "greeting-en-1001-own"
    assert greeting(by_company, queue="support", company="别家", language="en") == "greeting-en-1001"


def test_a_company_that_is_a_key_stands_in_the_name_of_its_prompts() -> None:
    assert greeting(settings_of(DAY), company="acme") == "greeting-zh-1001-acme-day"
    assert greeting(settings_of(company="acme"), company="acme") == "greeting-zh-1001"


@pytest.mark.parametrize("company", ["", "acme"])
@pytest.mark.parametrize("variant", ["standard", "evening"])
def test_the_name_is_the_one_that_prompts_are_built_under(company: str, variant: str) -> None:
    built = greeting_name("zh", "1001", company, variant)
    assert greeting(settings_of(Greeting(variant=variant)), company=company) == built


def test_a_company_matches_as_the_dialplan_sends_it_back() -> None:
    chosen = settings_of(Greeting(company='甲 "公司", 乙', variant="jia"))
    assert greeting(chosen, company=harmless('甲 "公司", 乙')) == "greeting-zh-1001-jia"


@pytest.mark.parametrize(
    ("now", "variant"),
    [
        ("2026-11-23T08:29", ""),
        ("2026-11-23T08:30", "-day"),
        ("2026-11-23T17:59", "-day"),
        ("2026-11-23T18:00", ""),
        ("2026-11-20T21:59", ""),  # a Friday
        ("2026-11-20T22:00", "-friday-night"),
        ("2026-11-21T05:59", "-friday-night"),  # Saturday morning belongs to Friday's night
        ("2026-11-21T06:00", ""),
        ("2026-11-20T05:00", ""),  # Friday morning to Thursday's
        ("2026-11-21T23:00", ""),
    ],
)
def test_hours_are_the_sites_own_and_a_night_belongs_to_the_day_it_begins_on(now: str, variant: str) -> None:
    assert greeting(settings_of(DAY, NIGHT), now) == "greeting-zh-1001" + variant


def test_hours_follow_the_zone_of_the_site_and_its_summer_time() -> None:
    berlin = settings_of(DAY, timezone="Europe/Berlin")
    known = Known(at("2026-07-01T08:45", ZoneInfo("Europe/Berlin")), berlin.queue, lambda seat: "15")
    assert answer(read(Hook.GREETING, CALL | {"seat": "1001"}), berlin, known).values == (("", "greeting-zh-1001-day"),)
    assert greeting(berlin, "2026-07-01T08:45") == "greeting-zh-1001"


@pytest.mark.parametrize(
    ("now", "variant"),
    [
        ("2026-10-01T10:00", "holiday"),  # National Day
        ("2026-10-10T10:00", "work"),  # a Saturday swapped for a working day
        ("2026-11-21T10:00", "weekend"),  # a plain Saturday is no holiday
        ("2026-11-23T10:00", "work"),
    ],
)
def test_holidays_and_swapped_saturdays_are_those_of_the_public_calendar(now: str, variant: str) -> None:
    chosen = (
        Greeting(holiday=True, variant="holiday"),
        Greeting(workday=True, variant="work"),
        Greeting(variant="weekend"),
    )
    assert greeting(settings_of(*chosen), now) == f"greeting-zh-1001-{variant}"


def test_a_day_beyond_the_published_calendar_is_neither_and_it_is_said() -> None:
    beyond = date(max(PUBLISHED) + 1, 10, 1).isoformat() + "T10:00"
    chosen = settings_of(
        Greeting(holiday=True, variant="a"), Greeting(holiday=False, variant="b"), Greeting(variant="c")
    )
    found = ask(Hook.GREETING, chosen, beyond, seat="1001")
    assert found.values == (("", "greeting-zh-1001-c"),)
    assert found.calendar_unknown
    assert not ask(Hook.GREETING, settings_of(Greeting(variant="c")), beyond, seat="1001").calendar_unknown


def test_a_day_of_the_sites_own_is_asked_for() -> None:
    own = Own(holidays=frozenset({date(2026, 11, 23)}), years=frozenset({2099}))
    chosen = settings_of(Greeting(holiday=True, variant="off"), Greeting(workday=True, variant="work"))
    for now, variant in (("2026-11-23T10:00", "off"), ("2026-11-24T10:00", "work"), ("2099-01-02T10:00", "work")):
        known = Known(at(now), chosen.queue, {"1001": "15"}.get, Days(chinese=True, own=own).kind)
        found = answer(read(Hook.GREETING, CALL | {"seat": "1001"}), chosen, known)
        assert (found.values[0][1], found.calendar_unknown) == (f"greeting-zh-1001-{variant}", False)


@given(
    st.datetimes(min_value=FROM, max_value=TO),
    st.integers(0, 1439),
    st.integers(1, 1440),
)
def test_a_window_and_its_complement_cover_each_minute_once(local: datetime, start: int, end: int) -> None:
    if start == end or (start, end) == (0, 1440) or end == 1440:
        return
    first, second = f"{start // 60:02}:{start % 60:02}", f"{end // 60:02}:{end % 60:02}"
    inside = Condition(from_time=first, to_time=second)
    outside = Condition(from_time=second, to_time=first)
    assert not inside.problems("k")
    assert inside.holds(Subject(), local, CHINESE.kind) != outside.holds(Subject(), local, CHINESE.kind)


def test_mistakes_in_choices_name_the_key_and_the_remedy() -> None:
    assert [p.split(":")[0] for p in Greeting(from_time="8:30", variant="A b").problems("greetings[1]")] == [
        "greetings[1].from_time",
        "greetings[1].variant",
    ]
    assert Route(days=("monday",), from_time="24:00", to="").problems("routes[2]")[0].startswith("routes[2].from_time")
    assert len(Route(days=("monday",), from_time="24:00", to="").problems("routes[2]")) == 3
    assert Condition(from_time="08:00", to_time="08:00").problems("k") != []
    assert Route(days=DAYS, from_time="08:00", to_time="24:00", to="夜班").problems("k") == []


# --- routes, arrival, facts ------------------------------------------------------------------------------------------


def test_a_route_sends_the_call_elsewhere_and_without_one_it_goes_where_it_was_going() -> None:
    routes = (
        Route(dialled="4001", to="english"),
        Route(queue="support", from_time="18:00", to_time="08:30", to="night"),
    )
    settings = settings_of(routes=routes)
    assert ask(Hook.ROUTE, settings, queue="support", dialled="4000").values == (("", "support"),)
    assert ask(Hook.ROUTE, settings, queue="support", dialled="4001").values == (("", "english"),)
    assert ask(Hook.ROUTE, settings, "2026-11-23T20:00", queue="support").values == (("", "night"),)
    assert ask(Hook.ROUTE, settings, queue="").values == (("", ""),)


def test_arrival_tells_what_the_queue_is_and_puts_it_on_the_call() -> None:
    found = ask(Hook.ARRIVAL, settings_of(), queue="support", caller="13800138000")
    assert found.values == (("language", "zh"), ("company", "甲公司"), ("priority", "5"))
    assert dict(found.facts) == dict(found.values)
    plain = ask(Hook.ARRIVAL, settings_of(), queue="english")
    assert plain.values == (("language", "en"), ("company", "示例服务"), ("priority", "0"))
    assert dict(plain.facts) == {"language": "en", "company": "示例服务"}


def test_arrival_leaves_the_ladder_to_a_daemon_that_can_keep_it() -> None:
    settings = settings_of()
    known = Known(0, settings.queue, lambda seat: None, keeps_ladder=True)
    found = answer(read(Hook.ARRIVAL, CALL | {"queue": "support"}), settings, known)
    assert dict(found.values) | {"ring_seconds": "16", "backup_after": "6.0"} == dict(found.values)
    assert not {"ring_seconds", "backup_after"} & dict(found.facts).keys()


def test_facts_are_the_events_that_a_dialplan_would_send_and_survive_the_log() -> None:
    asked = read(Hook.SURVEY, CALL | {"answer": "4", "uniqueid": "pbx-1795320000.9"})
    told = events(asked, answer(asked, settings_of(), Known(0, Settings().queue, lambda seat: None)).facts, 12.5)
    assert [(*e[:4], dict(e.fields)) for e in told] == [
        (12.5, "pbx-1795320000.9", "pbx-1795320000.7", "CallcenterVariable", {"Name": "survey", "Value": "4"})
    ]
    assert journal.loads(journal.dumps(told)) == told


@pytest.mark.parametrize("name", ["survey", "Survey", "company", "language", "priority", "other"])
def test_a_variable_must_be_on_the_list_and_none_of_ours(name: str) -> None:
    settings = Settings(hooks=Hooks(variable_names=("contract", "site_*", "survey", "company", "language", "priority")))
    with pytest.raises(BadInput, match="variable_names"):
        ask(Hook.VARIABLE, settings, name=name, value="x")
    assert ask(Hook.VARIABLE, settings, name="site_a", value="x").facts == (("site_a", "x"),)


def test_a_variables_value_is_cut_and_made_one_line() -> None:
    settings = Settings(hooks=Hooks(max_value_chars=10))
    found = ask(Hook.VARIABLE, settings, name="note", value=" 张\r\nEvent: 三\x00四五六七八九")
    assert found.facts == (("note", "张  Event:"),)


# --- bad input -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hook", "fields", "word"),
    [
        (Hook.ROUTE, {}, "linkedid"),
        (Hook.ROUTE, {"linkedid": "a b"}, "linkedid"),
        (Hook.ROUTE, {"linkedid": "x" * 101}, "linkedid"),
        (Hook.ROUTE, CALL | {"uniqueid": "a\nb"}, "uniqueid"),
        (Hook.ROUTE, CALL | {"queue": "a b"}, "queue"),
        (Hook.ROUTE, CALL | {"queue": "support\n"}, "queue"),
        (Hook.ROUTE, CALL | {"language": "zh_CN"}, "language"),
        (Hook.GREETING, CALL, "seat"),
        (Hook.GREETING, CALL | {"seat": "../../etc"}, "seat"),
        (Hook.GREETING, CALL | {"seat": "１００１"}, "seat"),
        (Hook.SURVEY, CALL, "answer"),
        (Hook.SURVEY, CALL | {"answer": "0"}, "answer"),
        (Hook.SURVEY, CALL | {"answer": "６"}, "answer"),
        (Hook.SURVEY, CALL | {"answer": "11"}, "answer"),
        (Hook.VARIABLE, CALL | {"name": "a-b"}, "name"),
        (Hook.VARIABLE, CALL | {"name": "a" * 33}, "name"),
        (Hook.ARRIVAL, CALL | {"quue": "support"}, "quue"),
    ],
)
def test_a_wrong_field_is_named_and_its_value_is_not(hook: Hook, fields: dict[str, str], word: str) -> None:
    with pytest.raises(BadInput) as refused:
        read(hook, fields)
    sentence = str(refused.value)
    assert (word in sentence) != (word == "quue")
    assert all(value not in sentence for name, value in fields.items() if name == word and len(value) > 1)
    assert "\n" not in sentence
    assert "=" not in sentence


def one_sentence(refused: BadInput) -> None:
    assert "\n" not in str(refused)


TEXT = st.text(alphabet="\r\n\0 ,;\"'$`{}[]()\\|=&%a1Z-_./+张，\u2028\ufeff\ud800\U0001f600", max_size=90)
GOOD = {
    "seat": "1001",
    "answer": "3",
    "name": "site",
    "queue": "support",
    "value": "x",
    "language": "zh",
    "dialled": "1",
}


@st.composite
def asked_somehow(draw: st.DrawFn) -> tuple[Hook, dict[str, str]]:
    """A request that would be right, with hostile text in some of its fields, and some left out."""
    hook = draw(st.sampled_from(Hook))
    fields = CALL | {name: GOOD.get(name, "x") for name in TAKES[hook]}
    for name in draw(st.sets(st.sampled_from(sorted(fields)), max_size=3)):
        fields[name] = draw(TEXT)
    for name in draw(st.sets(st.sampled_from(sorted(fields)), max_size=1)):
        del fields[name]
    return hook, fields


@given(asked_somehow())
def test_any_fields_are_either_refused_in_one_sentence_or_answered_harmlessly(
    request: tuple[Hook, dict[str, str]],
) -> None:
    hook, fields = request
    settings = settings_of(Greeting(variant="v"), routes=(Route(dialled="1", to="夜班"),))
    try:
        asked = read(hook, fields)
        found = answer(asked, settings, Known(0, settings.queue, lambda seat: "15"))
    except BadInput as refused:
        one_sentence(refused)
        return
    body = lines(found.values)
    assert body.endswith(f"{END}\n")
    assert body.count("\n") == len(found.values) + 1
    assert not set(body) & set("\r\0,;\"'$`{}[]()\\|&%")
    for event in events(asked, found.facts, 1.0):
        assert event.uniqueid
        assert all(value.isprintable() or not value for _, value in event.fields)


@given(TEXT)
def test_harmless_is_harmless_and_settled(text: str) -> None:
    once = harmless(text)
    assert harmless(once) == once
    assert len(once) <= 80
    assert not set(once) & set("\r\n\0,;\"'$`{}[]()\\|=&%")
    assert len(one_line(text, 10)) <= 10


@given(st.binary(max_size=300))
def test_a_form_is_read_or_refused(body: bytes) -> None:
    try:
        fields = form(body)
    except BadInput as refused:
        one_sentence(refused)
        return
    assert len(fields) <= 20


def test_a_form_with_a_field_twice_is_refused() -> None:
    assert form(b"a=1&b=%E5%BC%A0%20x") == {"a": "1", "b": "张 x"}
    for body in (b"a=1&a=2", b"a", b"a=1&&b=2", b"&".join(b"f%d=1" % n for n in range(30)), "a=张".encode()):
        with pytest.raises(BadInput):
            form(body)


def test_asked_is_complete_without_a_uniqueid() -> None:
    assert read(Hook.ROUTE, CALL) == Asked(Hook.ROUTE, CALL["linkedid"], CALL["linkedid"])
