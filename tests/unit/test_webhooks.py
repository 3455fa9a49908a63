"""Webhooks: which calls are told to whom, which settings are refused, how messages are signed, when tried again."""

import json
import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter import __version__
from callcenter.calls.model import Direction
from callcenter.cli import main
from callcenter.effects.webhooks import DELAYS_SECONDS, body_of, delay, signature
from callcenter.rules.commands import SendWebhook
from callcenter.rules.decide import decide
from callcenter.settings import Settings, SettingsError, Webhook, load
from callcenter.settings.webhooks import key_of
from callcenter.tickets.model import format_number
from tests.fakes.system import System
from tests.store.build import FULL_CALL, call, ended

HANDBOOK = Path(__file__).parents[2] / "docs" / "webhooks.md"
SITE = replace(
    Settings(),
    webhooks=MappingProxyType({"crm": Webhook("https://crm.example.com/in"), "vip": Webhook(queues=("vip",))}),
)


def told(before: object, after: object, settings: Settings = SITE) -> list[tuple[str, str]]:
    found = decide(before, after, settings, 0.0)  # type: ignore[arg-type]
    return [(one.webhook, one.call_id) for one in found if isinstance(one, SendWebhook)]


def test_the_end_of_a_call_is_told_once_to_whoever_wants_its_queue() -> None:
    one = call("a")
    assert told(None, one) == []
    assert told(one, ended(one)) == told(None, ended(one)) == [("crm", "a")]
    assert told(ended(one), ended(one, talk_seconds=3.0)) == [], "what becomes known later is told with it"
    assert told(one, ended(one, queue="vip")) == [("crm", "a"), ("vip", "a")]
    assert told(one, ended(one), Settings()) == []


def test_calls_between_seats_and_joined_consultations_are_not_told() -> None:
    one = ended(call("a"))
    assert told(None, replace(one, direction=Direction.INTERNAL)) == []
    assert told(None, replace(one, merged_into="b")) == []
    assert told(None, replace(one, direction=Direction.OUTBOUND)) == [("crm", "a")]


def test_an_event_has_one_id_for_ever_and_no_two_share_one() -> None:
    def ids(call_id: str) -> list[str]:
        settings = replace(SITE, webhooks=MappingProxyType({"a": Webhook(), "b": Webhook()}))
        found = decide(None, ended(call(call_id)), settings, 0.0)
        return [one.message_id for one in found if isinstance(one, SendWebhook)]

    assert ids("1") == ids("1")
    assert len({*ids("1"), *ids("2")}) == 4


def test_it_is_signed_as_standard_webhooks_says() -> None:
    """The example of the specification's own libraries."""
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert (
        signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )
    assert key_of("whsec_no base64!") == b"whsec_no base64!"
    assert key_of("ein Geheimnis") == b"ein Geheimnis"


@given(st.integers(1, 10_000))
def test_it_is_tried_ever_more_seldom_and_never_given_up_by_count(failures: int) -> None:
    assert DELAYS_SECONDS[0] <= delay(failures) <= delay(failures + 1) <= DELAYS_SECONDS[-1]


def test_no_number_or_name_leaves_the_house_unasked() -> None:
    body = body_of("call.ended", FULL_CALL, "HD-1", with_number=False)
    assert FULL_CALL.caller_number is not None
    assert FULL_CALL.caller_number.encode() not in body
    assert "张三".encode() not in body
    data = json.loads(body)["data"]
    assert (data["ticket"], data["queue"], data["seat"], data["wait_seconds"]) == ("HD-1", "support", "1002", 11.375)
    assert data["answered_at"] == "2026-11-22T00:00:11.500+00:00"
    asked = json.loads(body_of("call.ended", FULL_CALL, "HD-1", with_number=True))["data"]
    assert asked == data | {"number": FULL_CALL.caller_number}
    unseen = body_of("call.ended", ended(call("a", arrived_at=None)), "", False)
    assert json.loads(unseen)["data"]["arrived_at"] is None


def test_seconds_are_as_fine_as_instants() -> None:
    times = {"wait_seconds": 0.1 + 0.2, "talk_seconds": 71.39999961853027, "hold_seconds": 5e-5}
    data = json.loads(body_of("call.ended", ended(call("a"), **times), "", False))["data"]
    assert {name: data[name] for name in times} == {"wait_seconds": 0.3, "talk_seconds": 71.4, "hold_seconds": 0.0}


def test_the_example_of_the_handbook_is_what_is_sent() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", HANDBOOK.read_text("utf-8"), re.DOTALL)
    shown, sent = (
        json.loads(example),
        json.loads(body_of("call.ended", FULL_CALL, format_number("2026-11-28", 7), False)),
    )
    assert (list(shown), list(shown["data"])) == (list(sent), list(sent["data"]))
    for name, value in sent["data"].items():
        assert type(shown["data"][name]) is type(value), name
    assert re.sub(r"\d", "0", shown["data"]["ticket"]) == re.sub(r"\d", "0", sent["data"]["ticket"])
    assert shown["data"]["call_id"].startswith(f"{shown['data']['server']}-"), "as systemname of asterisk.conf makes it"


RIGHT = 'url = "https://crm.example.com/in"\nsecret_file = "s"\n'


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("crm", 'secret_file = "s"\n', "webhooks.crm.url: must be https://HOST/PATH"),
        ("crm", 'url = "https://me:pass@crm.example.com/"\nsecret_file = "s"\n', "without a password"),
        ("crm", 'url = "http://crm.example.com/"\nsecret_file = "s"\n', "use https, or an address that is private"),
        ("crm", 'url = "http://8.8.8.8/"\nsecret_file = "s"\n', "use https, or an address that is private"),
        ("crm", 'url = "ftp://127.0.0.1/"\nsecret_file = "s"\n', "must be https://HOST/PATH"),
        ("crm", 'url = "http://[bad/x"\nsecret_file = "s"\n', "must be https://HOST/PATH"),
        ("crm", 'url = "https:///x"\nsecret_file = "s"\n', "must be https://HOST/PATH"),
        ("crm", 'url = "https://crm.example.com:99999/x"\nsecret_file = "s"\n', "must be https://HOST/PATH"),
        ("crm", 'url = "https://crm.example.com/"\n', "webhooks.crm.secret_file: is not set"),
        ("crm", RIGHT + 'events = ["call.began"]\n', "'call.began' is none; there is call.ended."),
        ("crm", RIGHT + "events = []\n", "names none, so nothing would be told"),
        ("CRM 1", RIGHT, "is no name of a system"),
        ("my-crm", RIGHT, "no environment variable, such as that of its secret_file, could name a '-'"),
        ("crm", RIGHT + "timeout_seconds = 0\n", "webhooks.crm.timeout_seconds: 0.0 is outside 0.5 to 60"),
    ],
)
def test_what_cannot_work_is_said(tmp_path: Path, name: str, text: str, sentence: str) -> None:
    file = tmp_path / "callcenter.toml"
    file.write_text(f'[webhooks."{name}"]\n{text}')
    with pytest.raises(SettingsError) as refused:
        load(file, {})
    (problem,) = refused.value.problems
    assert sentence in problem


@pytest.mark.parametrize(
    "url", ["https://crm.example.com/a?b=c", "http://127.0.0.1:9/x", "http://192.168.1.5/x", "http://[::1]/x"]
)
def test_what_works_is_taken(tmp_path: Path, url: str) -> None:
    file = tmp_path / "callcenter.toml"
    file.write_text(f'[webhooks.crm]\nurl = "{url}"\nsecret_file = "s"\n')
    assert load(file, {}).webhooks["crm"].url == url


def test_a_test_message_is_signed_and_says_who_took_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "secret").write_text("0123456789abcdef")
    config = tmp_path / "callcenter.toml"

    def run(*words: str) -> tuple[int, str]:
        code = main(["webhook", "-c", str(config), *words])
        out, err = capsys.readouterr()
        return code, out + err

    with closing(System(204)) as crm, closing(System(503)) as erp:
        config.write_text(
            f'[webhooks.crm]\nurl = "{crm.url}"\nsecret_file = "{tmp_path}/secret"\n'
            f'[webhooks.erp]\nurl = "{erp.url}"\nsecret_file = "{tmp_path}/secret"\n'
            f'[webhooks.lost]\nurl = "{crm.url}"\nsecret_file = "{tmp_path}/none"\n'
        )
        assert run("test", "crm") == (0, "webhooks.crm: took the test message.\n")
        (headers, body), *more = crm.got
        assert not more
        sent = int(headers["webhook-timestamp"])
        assert headers["webhook-signature"] == signature(b"0123456789abcdef", headers["webhook-id"], sent, body)
        assert json.loads(body)["type"] == "webhook.test"
        assert headers["user-agent"] == f"callcenter/{__version__}"
        code, said = run("test")
        assert code == 1
        taken, refused, without = said.splitlines()
        assert taken.endswith("took the test message.")
        assert refused.startswith("webhooks.erp: it answered 503; ")
        assert without.startswith("webhooks.lost.secret_file: ")
        code, said = run("test", "sap")
        assert (code, said) == (2, "There is no [webhooks.sap] in the configuration; there is crm, erp, lost.\n")
    code, said = run("test", "crm")
    assert (code, said.partition(";")[0]) == (1, "webhooks.crm: no connection (ClientConnectorError)")
    config.write_text("[asterisk]\n")
    assert run("test")[0] == 2
