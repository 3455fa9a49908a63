"""A call on a real Asterisk is told to a system of the site's own, though the daemon was killed twice."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from callcenter.demo.scenario import Hangup, Talk
from callcenter.effects.webhooks import key_of, signature
from tests.asterisk.daemon import Daemon
from tests.asterisk.lab import Lab, wait_until
from tests.fakes.collector import Collector

SECRET = "0123456789abcdef"


class System:
    """Listens on loopback. ``status``: what it answers; ``got``: (headers, body) of each message."""

    def __init__(self) -> None:
        self.status = 500
        self.got: list[tuple[dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(outer.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/calls"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


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
