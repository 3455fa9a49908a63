"""A call on a real Asterisk is told to a system of the site's own, though the daemon was killed twice."""

import json

from callcenter.demo.scenario import Hangup, Talk
from callcenter.effects.webhooks import signature
from callcenter.settings.webhooks import key_of
from tests.asterisk.daemon import Daemon
from tests.asterisk.lab import Lab, wait_until
from tests.fakes.collector import Collector
from tests.fakes.system import System

SECRET = "0123456789abcdef"


def test_a_call_is_told_across_a_kill_and_is_in_its_trace() -> None:
    system = System()
    with Lab() as lab, Collector() as collector:
        (lab.folder / "crm").write_text(SECRET)
        daemon = Daemon(
            lab,
            f'[traces]\nendpoint = "{collector.endpoint}"\n'
            f'[webhooks.crm]\nurl = "{system.url}"\nsecret_file = "{lab.folder}/crm"\n',
        )
        daemon.seat("1001", "018")

        def seen() -> set[tuple[str, str]]:
            return {(span["name"], span["attributes"].get("callcenter.result", "")) for span in collector.spans}

        daemon.start()
        try:
            lab.phones.seat("1001", 1.0)
            lab.phones.customer("13800000001", "4000", Talk(3), Hangup())
            call = daemon.wait_call("13800000001", lambda call: call["phase"] == "ended", 40)
            daemon.kill()
            assert not system.got, "killed before the first attempt"
            daemon.start()
            wait_until(lambda: system.got, 20, "the first attempt")
            wait_until(
                lambda: daemon.metric("callcenter_webhook_deliveries_total", webhook="crm", outcome="failed") == 1,
                10,
                "its failure",
            )
            wait_until(lambda: ("webhook", "failed") in seen(), 20, "the attempt in the trace")
            daemon.kill()
            system.status = 204
            daemon.start()
            done = {"webhook": "crm", "outcome": "done"}
            wait_until(lambda: daemon.metric("callcenter_webhook_deliveries_total", **done) == 1, 30, "the message")
            wait_until(lambda: daemon.metric("callcenter_webhook_pending", webhook="crm") == 0, 10, "nothing to wait")
            wait_until(lambda: ("webhook", "done") in seen(), 20, "the message in the trace")
        finally:
            daemon.stop()
            system.close()
        (ticket,) = daemon.tickets()
    assert len({headers["webhook-id"] for headers, _ in system.got}) == 1
    headers, body = system.got[-1]
    wanted = signature(key_of(SECRET), headers["webhook-id"], int(headers["webhook-timestamp"]), body)
    assert headers["webhook-signature"] == wanted
    data = json.loads(body)["data"]
    assert (data["call_id"], data["ticket"], data["outcome"]) == (call["call_id"], ticket["number"], "answered")
    assert (data["queue"], data["seat"], data["complete"]) == ("support", "1001", True)
    assert b"13800000001" not in body
    assert len({span["trace"] for span in collector.spans}) == 1
