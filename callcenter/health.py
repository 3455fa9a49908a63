"""How the daemon itself is: the parts of /readyz, each with its state, the reason and the remedy.

Promises: a part that is not ready says why and what to do. Never: personal data or a secret.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from callcenter.effects.recovery import MISSING, UNREADABLE
from callcenter.web.ports import Part

if TYPE_CHECKING:
    from callcenter.app import Daemon

LATE_COMMIT_SECONDS = 10.0
_RECORDS = {
    MISSING: "Asterisk makes it with the first call; if it stays away, see 'callcenter check'.",
    UNREADABLE: "Let the daemon's account read asterisk.cdr_file and enter its folders; 'callcenter check' names them.",
}


class Parts:
    """``web.ports.Health`` over the running daemon."""

    def __init__(self, daemon: "Daemon") -> None:
        self._daemon = daemon

    def parts(self) -> Sequence[Part]:
        return [self._link(), self._store(), *self._records(), *self._live()]

    def _link(self) -> Part:
        status = self._daemon.link.status
        facts: dict[str, str | float | int | bool | None] = {
            "asterisk": status.asterisk_version,
            "since": status.since,
            "below_floor": status.below_floor,
            "clock_offset_seconds": round(status.clock_offset_seconds, 3),
        }
        reason = status.reason if status.state != "up" else status.warning
        return Part("asterisk", status.state == "up", status.state, reason, status.remedy, facts)

    def _store(self) -> Part:
        pipeline = self._daemon.pipeline
        late = self._daemon.clock.monotonic() - pipeline.committed_at
        ready = late < LATE_COMMIT_SECONDS
        remedy = "" if ready else "Look at the disk and at the log: batches are tried again until the store takes them."
        facts: dict[str, str | float | int | bool | None] = {"waiting_events": pipeline.backlog}
        reason = "" if ready else f"nothing was stored for {late:.0f} s. {pipeline.refusal}".rstrip()
        return Part("store", ready, "writing" if ready else "late", reason, remedy, facts)

    def _records(self) -> list[Part]:
        recovery = self._daemon.recovery
        if recovery is None:
            remedy = "Set asterisk.cdr_file: without it, calls made while the daemon is down get no ticket (C1)."
            return [Part("call records", True, "not followed", "", remedy)]
        state, _, reason = recovery.state.partition(": ")
        remedy = _RECORDS.get(state, "")
        facts: dict[str, str | float | int | bool | None] = {"unreadable_lines": recovery.bad_lines}
        return [Part("call records", state != UNREADABLE, state, reason, remedy, facts)]

    def _live(self) -> list[Part]:
        """Ready in any case: no call depends on it."""
        live = self._daemon.live
        if live.worker is None:
            return []
        facts: dict[str, str | float | int | bool | None] = {"calls": live.running, "starts": live.worker.starts}
        if live.worker.port is not None:
            return [Part("live transcription", True, "listening", "", "", facts)]
        remedy = "Calls go on without it. It is started again by itself; 'live.model' names its model."
        return [Part("live transcription", True, "down", live.worker.reason, remedy, facts)]
