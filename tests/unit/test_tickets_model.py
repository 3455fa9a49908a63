"""The ticket as plain data: texts, numbers, search terms, and what a machine may fill in."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.calls.model import Call, Direction, Phase
from callcenter.replay import calls
from callcenter.store.schema import tickets
from callcenter.tickets.model import (
    FIELDS,
    FieldError,
    SearchTerms,
    TicketPatch,
    check_promise_key,
    fill_in,
    fold,
    format_number,
    local_day,
    normalise,
    normalise_promise,
    number_key,
    number_writings,
    patch_of,
    search_terms,
    search_text,
    storable,
)

CAPTURES = Path(__file__).parents[1] / "captures"


def test_every_field_of_the_form_has_a_column() -> None:
    assert set(FIELDS) <= set(tickets.c.keys())


@pytest.mark.parametrize(
    ("name", "typed", "stored"),
    [
        ("problem", "第一行\r\n第二行\r第三行\u2028四", "第一行\n第二行\n第三行\n四"),
        ("problem", " leading and trailing \n", " leading and trailing \n"),
        ("problem", "tab\there", "tab\there"),
        ("caller_name", " 张\n三\t ", "张 三"),
        ("caller_name", "a\x00b\x07\x1b[31m\ud83d", "ab[31m"),
        ("caller_name", "\uf900 豈", "\uf900 豈"),  # a compatibility form is somebody's name, not a mistake
        ("organisation", "", ""),
    ],
)
def test_texts_are_stored_as_typed(name: str, typed: str, stored: str) -> None:
    assert normalise(name, typed) == stored


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_has_its_limit(name: str) -> None:
    longest = "张" * FIELDS[name].max_chars
    assert normalise(name, longest) == longest
    with pytest.raises(FieldError) as caught:
        normalise(name, longest + "三")
    assert caught.value.field == name
    assert "张" not in str(caught.value)
    assert fill_in({}, (), {name: longest + "三"}) == {name: longest}


@given(st.text())
def test_a_stored_text_can_be_stored(text: str) -> None:
    clean = storable(text, multiline=True)
    assert clean.encode("utf-8").decode("utf-8") == clean
    assert "\x00" not in clean
    assert storable(clean, multiline=True) == clean
    assert "\n" not in storable(text)


def test_a_machine_fills_only_what_is_free_and_known() -> None:
    stored = {"caller_name": "张三", "phone": "1", "category": ""}
    known = {"caller_name": "ZHANG", "phone": "", "category": "x", "no such field": "y"}
    assert fill_in(stored, {"caller_name"}, known) == {"category": "x"}
    assert fill_in(stored, (), {"caller_name": "张三"}) == {}


def test_what_a_call_tells_its_ticket() -> None:
    call = Call("pbx", "c1", Direction.INBOUND, Phase.RINGING, caller_number="100", caller_name="100", arrived_at=5.0)
    assert patch_of(call) == TicketPatch("c1", 5.0, "100", None, {"caller_name": "", "phone": "100"})
    assert {f.name for f in fields(TicketPatch)} >= {"seat", "recovered"}
    talking = Call("pbx", "c1", Direction.INBOUND, Phase.TALKING, talking_to=("1002",), answered_by="1001")
    assert patch_of(talking).seat == "1002"
    over = Call("pbx", "c1", Direction.INBOUND, Phase.ENDED, answered_by="1001", recovered=True)
    assert (patch_of(over).seat, patch_of(over).recovered) == ("1001", True)


@pytest.mark.parametrize(
    ("talking_to", "channel", "seat"),
    [
        ((), "PJSIP/1001-00000000", "1001"),
        ((), "PJSIP/trunk-00000000", None),
        (("13800138000",), "PJSIP/1001-00000000", "1001"),
        (("013800138000",), "PJSIP/1001-00000000", "1001"),
        (("13800138000", "1002"), None, "1002"),
        (("13800138000",), None, None),
        ((), None, None),
    ],
    ids=["it rings", "a customer is rung first", "it talks", "with a prefix", "handed on", "on its way", "over"],
)
def test_the_ticket_of_a_call_that_goes_out_is_our_seats(
    talking_to: tuple[str, ...], channel: str | None, seat: str | None
) -> None:
    call = Call("pbx", "c1", Direction.OUTBOUND, Phase.TALKING, dialled="13800138000", caller_number="1001")
    assert patch_of(replace(call, talking_to=talking_to, caller_channel=channel)).seat == seat


def test_the_ticket_of_a_click_that_nobody_lifted_is_the_seats_that_clicked() -> None:
    """Be it their own phone or the customer's; what a call that was answered and handed on came to is not theirs."""
    (call,) = calls([CAPTURES / "click-to-call-seat-absent.least.ami"])
    assert (call.answered_at, patch_of(call).seat) == (None, "1001")
    assert patch_of(replace(call, answered_at=5.0)).seat is None


@pytest.mark.parametrize(
    ("moment", "zone", "day"),
    [
        (datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC), "Asia/Shanghai", "2026-11-22"),
        (datetime(2026, 11, 22, 16, 0, 0, tzinfo=UTC), "Asia/Shanghai", "2026-11-23"),
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), "Europe/Berlin", "2026-03-29"),
        (datetime(2026, 12, 31, 23, 30, tzinfo=UTC), "Europe/Berlin", "2027-01-01"),
    ],
)
def test_a_day_is_the_day_of_the_site(moment: datetime, zone: str, day: str) -> None:
    assert local_day(moment.timestamp(), ZoneInfo(zone)) == day


def test_numbers_of_tickets() -> None:
    assert format_number("2026-11-22", 7) == "26-1122-0007"
    assert format_number("2026-01-02", 12_345) == "26-0102-12345"


@pytest.mark.parametrize(
    ("writings", "key"),
    [
        (("02112345678", "021-1234 5678", "+86 21 1234 5678", "0086-21-12345678", "+862112345678"), "2112345678"),
        (("13800138000", "+8613800138000", "8613800138000", "013800138000", "１３８００１３８０００"), "13800138000"),
        (("1001",), "1001"),
        (("110", "0110"), None),
        (("+1 (202) 555-0100", "0012025550100"), "12025550100"),
        (("", "anonymous", "<unknown>", "限制号码"), ""),
    ],
)
def test_writings_of_one_telephone_number_agree(writings: tuple[str, ...], key: str | None) -> None:
    keys = {number_key(writing) for writing in writings}
    assert keys == ({key} if key is not None else {"110", "0110"})


def test_a_number_is_looked_for_in_all_its_writings_and_no_other_number_is() -> None:
    for writing in ("138 0013 8000", "138-0013-8000", "+86 138 0013 8000", "13800138000", "013800138000"):
        found = number_writings(writing)
        assert {"13800138000", "+8613800138000", "008613800138000", "013800138000"} <= found
        assert {number_key(one) for one in found} == {"13800138000"}
    assert "02155500188" in number_writings("021-5550 0188")
    assert number_writings("+1 (380) 013-8000") >= {"+13800138000", "0013800138000"}
    assert "+13800138000" not in number_writings("13800138000"), "that one is in America"
    assert number_writings(" alice ") == {"alice"}


def test_search_folds_width_and_case() -> None:
    text = search_text("26-1122-0007", "+86 21 12345678", {"organisation": "ＡＣＭＥ 公司", "phone": "138 0013 8000"})
    for word in ("acme", "公司", "26-1122-0007", "2112345678", "13800138000"):
        assert word in text
    assert fold("Straße ＡＢ") == "strasse ab"


@pytest.mark.parametrize(
    ("query", "terms"),
    [
        ("ACME  公司", SearchTerms(("acme", "公司"))),
        ("138 0013 8000", SearchTerms(("138", "0013", "8000"), "13800138000")),
        ("+86 21 12345678", SearchTerms(("+86", "21", "12345678"), "2112345678")),
        ("1122-7", SearchTerms(("1122-7",))),
        ("a b c d e f g h i j", SearchTerms(("a", "b", "c", "d", "e", "f", "g", "h"))),
        ("   ", SearchTerms(())),
    ],
)
def test_search_terms(query: str, terms: SearchTerms) -> None:
    assert search_terms(query) == terms


def test_promises() -> None:
    assert normalise_promise("今天\r\n回电") == "今天\n回电"
    assert check_promise_key("a-B_9") == "a-B_9"
    for bad in ("", " \n", "x" * 1_001):
        with pytest.raises(FieldError):
            normalise_promise(bad)
    for bad in ("", "a b", "x" * 41, "键"):
        with pytest.raises(FieldError):
            check_promise_key(bad)
