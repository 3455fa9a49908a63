"""How the daemon itself is: the parts of /readyz, and what the status page tells beside them.

Promises: a part that is not ready says why and what to do; nothing here waits: ``lookout`` looks things up.
Never: personal data or a secret.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from callcenter import __version__, days
from callcenter.effects.recovery import MISSING, UNREADABLE
from callcenter.roster.duty import State
from callcenter.store.schema import REVISIONS
from callcenter.web.health_ports import Fact, Part, Unobserved

if TYPE_CHECKING:
    from callcenter.app import Daemon

LATE_COMMIT_SECONDS = 10.0
CERTIFICATE_SECONDS = 30 * 86_400.0
"""So long before its end a certificate is told of."""
PLANNED_SECONDS = 12 * 3600.0
"""A5: a duty plan is there half a day ahead."""
_RECORDS = {
    MISSING: "Asterisk makes it with the first call; if it stays away, see 'callcenter check'.",
    UNREADABLE: "Let the daemon's account read asterisk.cdr_file and enter its folders; 'callcenter check' names them.",
}


class Parts:
    """``web.ports.Health`` over the running daemon."""

    def __init__(self, daemon: "Daemon") -> None:
        self._daemon = daemon

    def parts(self) -> Sequence[Part]:
        return [
            *(self._link(), self._store(), *self._records(), *self._books()),
            *(*self._transcription(), *self._live(), *self._storing()),
        ]

    def transcribing(self) -> Mapping[str, bool]:
        """Whether what is to be heard is heard: of recordings and of running calls, where it is switched on."""
        of = {"recordings": self._transcription(), "live": self._live()}
        return {name: part.ready for name, parts in of.items() for part in parts}

    def status(self) -> Sequence[Part]:
        link, store, *rest = self.parts()
        return [
            self._link_in_full(link),
            self._calls(),
            self._observation(),
            self._store_in_full(store),
            *rest,
            self._commands(),
            self._recordings(),
            self._secrets(),
            *self._certificates(),
            *self._pushes(),
            *self._webhooks(),
            *self._traces(),
            *self._roster(),
            *self._calendar(),
            self._level(),
            self._program(),
        ]

    def unobserved(self) -> Sequence[Unobserved]:
        today = self._daemon.lookout.today(self._daemon.clock.wall())
        gaps = self._daemon.lookout.seen.gaps
        return [Unobserved(max(gap.started_at, today), gap.ended_at, gap.reason) for gap in gaps]

    # --- what the job needs: /readyz ---------------------------------------------------------------------------------

    def _link(self) -> Part:
        status = self._daemon.link.status
        facts: dict[str, Fact] = {
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
        most = self._daemon.settings.intake.max_waiting_events
        facts = {"waiting_events": pipeline.backlog}
        if late >= LATE_COMMIT_SECONDS:
            remedy = "Look at the disk and at the log: batches are tried again until the store takes them."
            reason = f"nothing was stored for {late:.0f} s. {pipeline.refusal}".rstrip()
            return Part("store", False, "late", reason, remedy, facts)
        reason = f"{pipeline.backlog} events wait to be stored, of {most} at most."
        remedy = "Events come faster than the store takes them: see what slows the disk or the database down."
        if pipeline.shedding:
            return Part("store", False, "shedding", f"Events are thrown away. {reason}", remedy, facts)
        if pipeline.backlog > most // 2:
            return Part("store", False, "behind", reason, remedy, facts)
        return Part("store", True, "writing", facts=facts)

    def _records(self) -> list[Part]:
        recovery = self._daemon.recovery
        if recovery is None:
            remedy = "Set asterisk.cdr_file: without it, calls made while the daemon is down get no ticket (C1)."
            return [Part("call records", True, "not followed", "", remedy)]
        state, _, reason = recovery.state.partition(": ")
        remedy = _RECORDS.get(state, "")
        facts = {"unreadable_lines": recovery.bad_lines}
        return [Part("call records", state != UNREADABLE, state, reason, remedy, facts)]

    def _books(self) -> list[Part]:
        """Ready in any case: no call depends on it, and an alert tells where nothing is compared."""
        reconciler = self._daemon.reconciler
        if reconciler is None:
            return []
        state, _, reason = reconciler.state.partition(": ")
        remedy = "Let the daemon's account read asterisk.cdr_file and asterisk.queue_log_file." if reason else ""
        facts: dict[str, str | float | int | bool | None] = {
            "compared_calls": reconciler.compared,
            "unreadable_lines": reconciler.bad_lines,
        }
        return [Part("books", True, state, reason, remedy, facts)]

    def _live(self) -> list[Part]:
        """No call depends on it."""
        live = self._daemon.live
        if live.worker is None:
            return []
        facts = {"calls": live.running, "starts": live.worker.starts}
        if live.worker.port is not None:
            return [Part("live transcription", True, "listening", "", "", facts, needed=False)]
        remedy = "Calls go on without it. It is started again by itself; 'live.model' names its model."
        return [Part("live transcription", False, "down", live.worker.reason, remedy, facts, needed=False)]

    # --- what a person wants to know as well: /status ----------------------------------------------------------------

    def _link_in_full(self, link: Part) -> Part:
        status, counts = self._daemon.link.status, self._daemon.link.counts
        facts = {
            "asterisk_version": status.asterisk_version or None,
            "since_at": status.since,
            "asterisk_started": status.started or None,
            "answered_at": status.last_pong_at,
            "clock_offset_seconds": round(status.clock_offset_seconds, 3),
            "losses": counts["losses"],
        }
        return Part(link.name, link.ready, link.state, link.reason, link.remedy, facts)

    def _calls(self) -> Part:
        daemon = self._daemon
        last = daemon.figures.last_batch
        told_at = daemon.clock.wall() - (daemon.clock.monotonic() - last[0]) if last is not None else None
        facts = {
            "running_calls": sum(call.running for call in daemon.pipeline.calls.values()),
            "last_event_at": told_at,
            "last_call_at": daemon.last_call_at,
            "lag_seconds": round(last[1] - last[0], 3) if last is not None else None,
            "screens": daemon.hub.listening,
        }
        return Part("calls", True, "running" if facts["running_calls"] else "quiet", "", "", facts)

    def _observation(self) -> Part:
        gaps, now = self.unobserved(), self._daemon.clock.wall()
        facts = {"unobserved_seconds": sum((gap.ended_at or now) - gap.started_at for gap in gaps), "gaps": len(gaps)}
        if any(gap.ended_at is None for gap in gaps):
            remedy = "Bring the link to Asterisk back: see its line. Calls of this time come from the call records."
            return Part("observation", True, "interrupted", gaps[-1].reason, remedy, facts)
        if gaps:
            return Part("observation", True, "gaps", gaps[-1].reason, "", facts)
        return Part("observation", True, "whole", "", "", facts)

    def _store_in_full(self, store: Part) -> Part:
        daemon, seen = self._daemon, self._daemon.lookout.seen
        space = seen.database_space
        facts = {
            "kind": "SQLite" if daemon.store.folder is not None else "PostgreSQL",
            "size_bytes": seen.database_bytes,
            "free_bytes": space.free if space is not None else None,
            "stored_seconds": round(daemon.clock.monotonic() - daemon.pipeline.committed_at, 1),
            "waiting_events": daemon.pipeline.backlog,
            "schema": REVISIONS[-1],
        }
        if space is None and daemon.store.folder is None:
            del facts["free_bytes"]  # the server's disk is not ours to look at
        if store.ready and space is not None and space.little:
            return Part("store", True, "little room", "", "Free some space, or move it to a larger disk.", facts)
        return Part("store", store.ready, store.state, store.reason, store.remedy, facts)

    def _commands(self) -> Part:
        counts = self._daemon.lookout.seen.commands
        facts = {f"{state}_commands": counts.get(state, 0) for state in ("done", "failed", "unknown")}
        waiting = counts.get("claimed", 0) + counts.get("pending", 0)
        return Part("commands", True, "under way" if waiting else "none waiting", "", "", {"waiting": waiting, **facts})

    def _transcription(self) -> list[Part]:
        """No call depends on it."""
        daemon = self._daemon
        if not daemon.settings.speech.enabled:
            return []
        states = daemon.recordings.states
        facts = {
            "waiting": states.get("waiting", 0),
            "working": states.get("claimed", 0),
            "backlog_seconds": daemon.recordings.backlog_seconds,
            "failed": states.get("failed", 0),
            "set_aside": states.get("quarantined", 0),
        }
        refused = next((hearing.state for hearing in daemon.hearings if hearing.state not in ("idle", "hearing")), "")
        if refused:
            remedy = "'callcenter models' checks the model that speech.model names. Recordings wait until then."
            return [Part("transcription", False, "stands still", refused, remedy, facts, needed=False)]
        if facts["set_aside"]:
            reason, remedy = (
                "Recordings were set aside.",
                "'callcenter transcribe' hears one by hand and says what is wrong.",
            )
            return [Part("transcription", True, "set aside", reason, remedy, facts, needed=False)]
        state = "at work" if facts["waiting"] or facts["working"] else "done"
        return [Part("transcription", True, state, facts=facts, needed=False)]

    def _recordings(self) -> Part:
        seen = self._daemon.lookout.seen
        if self._daemon.settings.asterisk.recordings_dir is None:
            remedy = "Set asterisk.recordings_dir: without it recordings cannot be played or transcribed."
            return Part("recordings", True, "no folder", "", remedy)
        if seen.recordings_problem:
            remedy = "Let the daemon's account read asterisk.recordings_dir; 'callcenter check' names the folder."
            return Part("recordings", True, "unreadable", seen.recordings_problem, remedy)
        space = seen.recordings_space
        facts = {"free_bytes": space.free, "disk_bytes": space.whole} if space is not None else {}
        if space is not None and space.little:
            remedy = "Free some space, or set keep_recordings_days: when it is full, Asterisk records nothing more."
            return Part("recordings", True, "little room", "", remedy, facts)
        return Part("recordings", True, "readable", facts=facts)

    def _secrets(self) -> Part:
        problems = self._daemon.lookout.seen.secret_problems
        remedy = (
            "Correct the file; it is read anew each time. A service of systemd has a copy of its start: restart it."
            if problems
            else ""
        )
        return Part("secrets", True, "unreadable" if problems else "readable", " ".join(problems), remedy)

    def _certificates(self) -> list[Part]:
        daemon = self._daemon
        if not daemon.settings.asterisk.tls:
            return []
        facts = {
            "server_until_at": daemon.link.certificate_until,
            "authority_until_at": daemon.lookout.seen.authority_until,
        }
        ends = min((end for end in facts.values() if end is not None), default=None)
        if ends is None or ends - daemon.clock.wall() > CERTIFICATE_SECONDS:
            return [Part("certificates", True, "valid" if ends is not None else "unknown", facts=facts)]
        remedy = "Renew Asterisk's certificate, or the file that asterisk.ca_file names, before that day."
        return [Part("certificates", True, "ends soon", "", remedy, facts)]

    def _pushes(self) -> list[Part]:
        pusher = self._daemon.pusher
        if pusher is None:
            return []
        if pusher.failing:
            remedy = "See metrics.push_url and its token; it is tried again by itself."
            return [Part("pushgateway", True, "failing", "", remedy)]
        return [Part("pushgateway", True, "taking")]

    def _webhooks(self) -> list[Part]:
        webhooks = self._daemon.webhooks
        if webhooks is None:
            return []
        facts: dict[str, Fact] = {"waiting": sum(one.count for one in webhooks.pending.values())}
        waits = [one.oldest_at for one in webhooks.pending.values() if one.oldest_at is not None]
        if webhooks.failing:
            names = ", ".join(f"webhooks.{name}" for name in sorted(webhooks.failing))
            facts |= {"oldest_at": min(waits)} if waits else {}
            remedy = f"See {names}; it is tried for a day."
            return [Part("webhooks", True, "failing", f"Not taken by {names}.", remedy, facts)]
        return [Part("webhooks", True, "taking", facts=facts)]

    def _traces(self) -> list[Part]:
        exporter = self._daemon.exporter
        if exporter is None:
            return []
        facts = {"spans": exporter.sent, "lost_spans": exporter.lost}
        if exporter.failing:
            remedy = "See traces.endpoint and traces.headers_file; calls do not wait for it."
            return [Part("traces", True, "failing", "", remedy, facts)]
        return [Part("traces", True, "sending" if exporter.sent else "idle", facts=facts)]

    def _level(self) -> Part:
        level = self._daemon.settings.service_level
        return Part("service level", True, level.variant, facts={"threshold_seconds": level.seconds})

    def _program(self) -> Part:
        return Part("program", True, "up", facts={"version": __version__, "started_at": self._daemon.started_at})

    def _roster(self) -> list[Part]:
        """A broken file, and a plan that ends within half a day (A5)."""
        duty = self._daemon.duty
        if duty is None:
            return []
        muster, problems = duty.muster(), duty.problems()
        until = muster.planned_until if muster is not None else None
        facts: dict[str, Fact] = {
            "planned": len(muster.posts) if muster is not None else None,
            "ready_seats": muster.count(State.READY) if muster is not None else None,
            "planned_until_at": until,
        }
        if problems:
            remedy = "Correct the file, 'callcenter roster check FILE' tells all mistakes; it is then read by itself."
            state = "broken" if muster is not None else "no plan"
            return [Part("roster", True, state, " ".join(problems[:3]), remedy, facts)]
        if until is not None and until - self._daemon.clock.wall() < PLANNED_SECONDS:
            remedy = "Write the plan of the next days (roster.files): half a day ahead at least."
            return [Part("roster", True, "ends soon", "", remedy, facts)]
        return [Part("roster", True, "in force" if muster is not None else "reading", "", "", facts)]

    def _calendar(self) -> list[Part]:
        """How far the site's days are known; nothing where all are."""
        daemon = self._daemon
        end, zone = daemon.days.known_until(), ZoneInfo(daemon.settings.site.timezone)
        if end is None:
            return []
        facts = {"known_until": end.isoformat()}
        today = datetime.fromtimestamp(daemon.clock.wall(), zone).date()
        if daemon.days.warning(today) is None:
            return [Part("calendar", True, "known", "", "", facts)]
        return [Part("calendar", True, "ended" if today > end else "ends soon", "", days.REMEDY, facts)]

    def _storing(self) -> list[Part]:
        """Ready in any case: no call depends on it, and what is not copied yet waits on this disk."""
        storing = self._daemon.storing
        if storing.archive is None:
            return []
        facts: dict[str, str | float | int | bool | None] = {"waiting": storing.waiting}
        remedy = "" if storing.state == "working" else "Nothing is lost: copying goes on by itself once it works again."
        return [Part("recordings store", True, storing.state, storing.reason, remedy, facts)]
