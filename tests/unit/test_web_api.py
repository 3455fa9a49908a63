"""What a page may change, and what it is told when it may not."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.fakes.web_client import Person, Site, site

FIELDS = "/api/tickets/187/fields"
PROMISES = "/api/tickets/187/promises"


@pytest.fixture
async def here() -> AsyncIterator[Site]:
    async with site() as one:
        one.control.put("ringing", "a")
        one.control.put("talking", "a")
        yield one


@pytest.fixture
async def li(here: Site) -> Person:
    return await here.signed_in("li")


async def test_a_save_answers_with_the_ticket_as_it_is(li: Person, here: Site) -> None:
    answer = await li.post(
        FIELDS, {"base_version": 1, "fields": {"problem": "第一行\r\n第二行", "caller_name": " 周\u202e 敏 "}}
    )
    body = await answer.json()
    assert body["version"] == 2
    assert body["fields"]["problem"] == "第一行\n第二行"
    assert body["fields"]["caller_name"] == "周 敏"
    assert body["conflicts"] == []
    assert "problem" not in body["automatic"]
    assert here.memory.tickets[187].fields["problem"] == "第一行\n第二行"


async def test_a_stale_save_wins_and_is_told_the_other_text(li: Person, here: Site) -> None:
    await here.memory.save_fields(187, {"problem": "theirs"}, "ma", 1, "their-page")
    body = await (await li.post(FIELDS, {"base_version": 1, "fields": {"problem": "mine", "wants": "x"}})).json()
    assert body["fields"]["problem"] == "mine"
    assert [(one["field"], one["theirs"], one["by"]) for one in body["conflicts"]] == [("problem", "theirs", "ma")]


async def test_a_pages_own_earlier_save_is_no_conflict(li: Person) -> None:
    for text in ("one", "two"):
        body = {"base_version": 1, "origin": "page-0001", "fields": {"problem": text}}
        answer = await (await li.post(FIELDS, body)).json()
    assert answer["conflicts"] == []


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "text",
        {},
        {"fields": {"problem": "x"}},
        {"base_version": "1", "fields": {"problem": "x"}},
        {"base_version": True, "fields": {"problem": "x"}},
        {"base_version": 1, "fields": {}},
        {"base_version": 1, "fields": ["problem"]},
        {"base_version": 1, "fields": {"seat": "1002"}},
        {"base_version": 1, "fields": {"status": "closed"}},
        {"base_version": 1, "fields": {"problem": None}},
        {"base_version": 1, "fields": {"problem": {"a": 1}}},
    ],
)
async def test_a_malformed_save_is_refused_with_a_sentence(li: Person, here: Site, body: Any) -> None:
    answer = await li.post(FIELDS, body)
    assert answer.status == 400
    assert len((await answer.json())["error"]) > 5
    assert here.memory.tickets[187].version == 1


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff\xfe", b"[" * 5000, b'{"base_version": 1e999, "fields": {"problem": "x"}}']
)
async def test_a_body_that_is_no_json_is_refused(li: Person, raw: bytes) -> None:
    headers = {"X-CSRF-Token": li.csrf, "Content-Type": "application/json"}
    answer = await li.client.post(FIELDS, data=raw, headers=headers)
    assert answer.status == 400


async def test_a_field_that_is_too_long_is_refused_not_cut(li: Person, here: Site) -> None:
    answer = await li.post(FIELDS, {"base_version": 1, "fields": {"phone": "1" * 41}})
    assert answer.status == 413
    assert here.memory.tickets[187].version == 1


async def test_a_promise_sent_twice_is_one_promise(li: Person, here: Site) -> None:
    for _ in range(2):
        body = {"key": "p-00000001", "text": "三点前回电", "due": "23:59"}
        answer = await (await li.post(PROMISES, body)).json()
    assert [one["text"] for one in answer["promises"]] == ["三点前回电"]
    assert answer["promises"][0]["due_at"] > here.memory.now()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"key": "short", "text": "x", "due": ""},
        {"key": "p-00000001", "text": " ", "due": ""},
        {"key": "p-00000001", "text": "x", "due": "25:00"},
        {"key": "p-00000001", "text": "x", "due": 15},
        {"key": "p/../0001", "text": "x", "due": ""},
    ],
)
async def test_a_malformed_promise_is_refused(li: Person, here: Site, body: Any) -> None:
    assert (await li.post(PROMISES, body)).status == 400
    assert here.memory.tickets[187].promises == ()


async def test_a_promise_is_kept_and_unkept(li: Person) -> None:
    await li.post(PROMISES, {"key": "p-00000001", "text": "x", "due": ""})
    kept = await (await li.post(f"{PROMISES}/p-00000001", {"done": True})).json()
    assert kept["promises"][0]["done"]
    again = await (await li.post(f"{PROMISES}/p-00000001", {"done": False})).json()
    assert not again["promises"][0]["done"]
    assert (await li.post(f"{PROMISES}/p-00000001", {"done": "yes"})).status == 400
    assert (await li.post(f"{PROMISES}/p-00000009", {"done": True})).status == 404


async def test_a_running_call_cannot_be_finished(li: Person, here: Site) -> None:
    assert (await li.post("/api/tickets/187/close")).status == 409
    assert (await li.post("/api/tickets/187/leave")).status == 409
    here.control.put("ended", "a")
    assert (await (await li.post("/api/tickets/187/close")).json())["status"] == "closed"
    assert (await (await li.post("/api/tickets/187/reopen")).json())["status"] == "open"


async def test_left_open_ends_the_wrap_up(li: Person, here: Site) -> None:
    here.control.put("ended", "a")
    assert 'data-state="wrapup"' in await (await li.get("/desk")).text()
    await li.post("/api/tickets/187/leave")
    assert 'data-state="free"' in await (await li.get("/desk")).text()


async def test_a_save_is_told_to_the_other_pages(li: Person, here: Site) -> None:
    stream = here.hub.open("other", "1001")
    assert stream is not None
    await li.post(FIELDS, {"base_version": 1, "fields": {"problem": "x"}})
    assert [notice.value for notice in stream.take()] == ["187"]


class TestTelephone:
    async def test_a_break_is_asked_of_the_telephone_system(self, li: Person, here: Site) -> None:
        here.telephone.actions = frozenset({"pause"})
        assert (await li.post("/api/seat/pause", {"paused": True, "reason": "break"})).status == 200
        assert here.telephone.asked == [("pause", "1001", True, "break")]

    @pytest.mark.parametrize("body", [{}, {"paused": 1}, {"paused": True, "reason": "x\r\nAction: Originate"}])
    async def test_a_malformed_break_is_refused(self, li: Person, here: Site, body: Any) -> None:
        here.telephone.actions = frozenset({"pause"})
        assert (await li.post("/api/seat/pause", body)).status == 400
        assert here.telephone.asked == []

    async def test_what_asterisk_refuses_is_told(self, li: Person, here: Site) -> None:
        here.telephone.actions, here.telephone.refuse = frozenset({"pause"}), "The seat is in no queue."
        answer = await li.post("/api/seat/pause", {"paused": True})
        assert answer.status == 409
        assert (await answer.json())["error"] == "The seat is in no queue."

    async def test_dialling_takes_the_number_from_the_ticket(self, li: Person, here: Site) -> None:
        here.telephone.actions = frozenset({"dial"})
        await li.post(FIELDS, {"base_version": 1, "fields": {"phone": "138 0013-8000"}})
        assert (await li.post("/api/seat/dial", {"ticket": 187})).status == 200
        assert here.telephone.asked == [("dial", "1001", "13800138000", 187)]

    @pytest.mark.parametrize("number", ["call me", "1;rm", "010-5550\n0142&1001", "9" * 33])
    async def test_only_a_number_is_dialled(self, li: Person, here: Site, number: str) -> None:
        here.telephone.actions = frozenset({"dial"})
        await li.post(FIELDS, {"base_version": 1, "fields": {"phone": number}})
        assert (await li.post("/api/seat/dial", {"ticket": 187})).status == 400
        assert here.telephone.asked == []

    @pytest.mark.parametrize("body", [{}, {"ticket": "187"}, {"ticket": 999}, {"number": "13800138000"}])
    async def test_no_outgoing_call_without_a_ticket(self, li: Person, here: Site, body: Any) -> None:
        here.telephone.actions = frozenset({"dial"})
        assert (await li.post("/api/seat/dial", body)).status == 400
        assert here.telephone.asked == []
