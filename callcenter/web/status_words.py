"""The words of the status page: what each part, state and fact is called, and what to do where something is not well.

Promises: data only; keys are those of ``health``. A state without words of its own is shown as the program names it.
"""

from collections.abc import Mapping

from callcenter.web.words import N_

Key = tuple[str, str]
"""Part and state."""

PARTS: Mapping[str, str] = {
    "asterisk": N_("Link to Asterisk"),
    "calls": N_("Calls and events"),
    "observation": N_("Observed today"),
    "store": N_("Database"),
    "call records": N_("Asterisk's call records"),
    "books": N_("Comparison with Asterisk's books"),
    "recordings store": N_("Store of recordings"),
    "live transcription": N_("Live transcription"),
    "commands": N_("Commands to Asterisk"),
    "transcription": N_("Transcription"),
    "recordings": N_("Recordings"),
    "secrets": N_("Secret files"),
    "certificates": N_("Certificates"),
    "pushgateway": N_("Figures to the Pushgateway"),
    "webhooks": N_("Messages of ended calls"),
    "traces": N_("Traces to the collector"),
    "roster": N_("Duty roster"),
    "calendar": N_("Holidays and workdays"),
    "service level": N_("Service level"),
    "program": N_("callcenter"),
}
STATES: Mapping[Key, str] = {
    ("asterisk", "up"): N_("Link up"),
    ("asterisk", "connecting"): N_("connecting"),
    ("asterisk", "refused"): N_("refused"),
    ("asterisk", "lost"): N_("lost"),
    ("calls", "running"): N_("calls are running"),
    ("calls", "quiet"): N_("no call now"),
    ("observation", "whole"): N_("without a gap"),
    ("observation", "gaps"): N_("with gaps"),
    ("observation", "interrupted"): N_("interrupted now"),
    ("store", "writing"): N_("writing"),
    ("store", "late"): N_("takes nothing"),
    ("store", "behind"): N_("falls behind"),
    ("store", "shedding"): N_("throws events away"),
    ("store", "little room"): N_("little room"),
    ("call records", "not followed"): N_("not followed"),
    ("call records", "reading"): N_("reading"),
    ("call records", "not there yet"): N_("not there yet"),
    ("call records", "cannot be read"): N_("cannot be read"),
    ("books", "starting"): N_("starting"),
    ("books", "comparing"): N_("comparing"),
    ("books", "waits for the store"): N_("waits for the database"),
    ("books", "cannot be read"): N_("cannot be read"),
    ("recordings store", "working"): N_("copying works"),
    ("recordings store", "away"): N_("does not answer"),
    ("recordings store", "refused"): N_("refuses us"),
    ("live transcription", "listening"): N_("listening"),
    ("live transcription", "down"): N_("down"),
    ("commands", "none waiting"): N_("none waiting"),
    ("commands", "under way"): N_("under way"),
    ("transcription", "done"): N_("nothing waits"),
    ("transcription", "at work"): N_("at work"),
    ("transcription", "stands still"): N_("stands still"),
    ("transcription", "set aside"): N_("recordings set aside"),
    ("recordings", "readable"): N_("readable"),
    ("recordings", "unreadable"): N_("cannot be read"),
    ("recordings", "little room"): N_("little room"),
    ("recordings", "no folder"): N_("no folder is set"),
    ("secrets", "readable"): N_("readable"),
    ("secrets", "unreadable"): N_("cannot be read"),
    ("certificates", "valid"): N_("valid"),
    ("certificates", "ends soon"): N_("ends soon"),
    ("certificates", "unknown"): N_("not known"),
    ("pushgateway", "taking"): N_("taken"),
    ("pushgateway", "failing"): N_("not taken"),
    ("webhooks", "taking"): N_("taken"),
    ("webhooks", "failing"): N_("not taken"),
    ("traces", "sending"): N_("taken"),
    ("traces", "idle"): N_("none sent yet"),
    ("traces", "failing"): N_("not taken"),
    ("roster", "in force"): N_("in force"),
    ("roster", "reading"): N_("reading"),
    ("roster", "ends soon"): N_("ends soon"),
    ("roster", "broken"): N_("broken, the plan before it is in force"),
    ("roster", "no plan"): N_("broken, there is no plan"),
    ("calendar", "known"): N_("known"),
    ("calendar", "ends soon"): N_("ends soon"),
    ("calendar", "ended"): N_("ended"),
    ("service level", "abandons_ignored"): N_("abandoned calls are ignored"),
    ("service level", "abandons_good"): N_("abandoned in time counts as served"),
    ("service level", "abandons_bad"): N_("abandoned calls count as not served"),
    ("service level", "late_abandons_bad"): N_("only late abandoned calls count as not served"),
    ("service level", "short_abandons_forgiven"): N_("short abandoned calls are left out"),
    ("service level", "flow_outs_bad"): N_("abandoned and diverted calls count as not served"),
    ("program", "up"): N_("running"),
}
REMEDIES: Mapping[Key, str] = {
    ("asterisk", "connecting"): N_("Wait some seconds; then check that Asterisk runs and that AMI listens."),
    ("asterisk", "refused"): N_("Compare the account in manager.conf with asterisk.user and its secret file."),
    ("asterisk", "lost"): N_("Check that Asterisk runs and that AMI listens (manager.conf, firewall). Calls go on."),
    ("observation", "interrupted"): N_("Bring the link back. Calls of this time come from Asterisk's call records."),
    ("observation", "gaps"): N_(
        "Calls of this time come from Asterisk's call records, but for those before the first start; figures say what "
        "is missing."
    ),
    ("store", "late"): N_("Free the disk, or bring the database back. What comes is kept in memory until then."),
    ("store", "behind"): N_("Events come faster than they are stored: see what slows the disk or the database down."),
    ("store", "shedding"): N_("Events come faster than they are stored: see what slows the disk or the database down."),
    ("store", "little room"): N_("Free some space, or move the database to a larger disk."),
    ("call records", "not followed"): N_(
        "Set asterisk.cdr_file, or calls made while callcenter is down get no ticket."
    ),
    ("call records", "not there yet"): N_(
        "Asterisk makes the file with the first call; otherwise see callcenter check."
    ),
    ("call records", "cannot be read"): N_(
        "Let callcenter's account read asterisk.cdr_file; callcenter check names it."
    ),
    ("live transcription", "down"): N_("It is started again by itself; calls go on without it. See live.model."),
    ("transcription", "stands still"): N_("Check the model: callcenter models. Recordings wait until then."),
    ("transcription", "set aside"): N_("callcenter transcribe hears one by hand and says what is wrong."),
    ("recordings", "unreadable"): N_(
        "Let callcenter's account read asterisk.recordings_dir; callcenter check names it."
    ),
    ("recordings", "little room"): N_("Free some space, or set keep_recordings_days: a full disk records nothing."),
    ("recordings", "no folder"): N_("Set asterisk.recordings_dir, or recordings cannot be played."),
    ("books", "cannot be read"): N_("Let callcenter's account read asterisk.cdr_file and asterisk.queue_log_file."),
    ("recordings store", "away"): N_("Nothing is lost: copying goes on by itself once it answers again."),
    ("recordings store", "refused"): N_(
        "Correct the key files or the rights of the bucket; copying then goes on by itself."
    ),
    ("secrets", "unreadable"): N_(
        "Correct the file; it is read anew each time. A service of systemd has a copy of its start: restart it."
    ),
    ("certificates", "ends soon"): N_(
        "Renew Asterisk's certificate, or the file of asterisk.ca_file, before that day."
    ),
    ("pushgateway", "failing"): N_("See metrics.push_url and its token; it is tried again by itself."),
    ("webhooks", "failing"): N_("See the address and the secret under [webhooks]; it is tried again for a day."),
    ("traces", "failing"): N_("See traces.endpoint and its headers; calls do not wait for it."),
    ("roster", "broken"): N_(
        "Correct the file: callcenter roster check tells all mistakes. It is then read by itself."
    ),
    ("roster", "no plan"): N_(
        "Correct the file: callcenter roster check tells all mistakes. It is then read by itself."
    ),
    ("roster", "ends soon"): N_("Write the plan of the next days: half a day ahead at least (A5)."),
    ("calendar", "ends soon"): N_("Update the package chinesecalendar, or write the next year into calendar.files."),
    ("calendar", "ended"): N_("Update the package chinesecalendar, or write the next year into calendar.files."),
}
RUNBOOK: Mapping[Key, str] = {
    ("asterisk", "connecting"): "CallcenterLinkDown",
    ("asterisk", "refused"): "CallcenterLinkDown",
    ("asterisk", "lost"): "CallcenterLinkDown",
    ("observation", "interrupted"): "CallcenterUnobserved",
    ("store", "late"): "CallcenterStoreLate",
    ("store", "behind"): "CallcenterStoreLate",
    ("store", "shedding"): "CallcenterEventsShed",
    ("call records", "cannot be read"): "CallcenterNotReady",
    ("transcription", "stands still"): "CallcenterTranscriptionDown",
    ("live transcription", "down"): "CallcenterTranscriptionDown",
    ("transcription", "set aside"): "CallcenterTranscriptionQuarantine",
    ("pushgateway", "failing"): "CallcenterPushFailing",
    ("webhooks", "failing"): "CallcenterWebhookFailing",
    ("roster", "broken"): "CallcenterRosterBroken",
    ("roster", "no plan"): "CallcenterRosterBroken",
    ("roster", "ends soon"): "CallcenterRosterEnds",
}
FACTS: Mapping[str, str] = {
    "asterisk_version": N_("version"),
    "since_at": N_("since"),
    "asterisk_started": N_("Asterisk's start, by its own clock"),
    "answered_at": N_("last answer"),
    "clock_offset_seconds": N_("clock differs by"),
    "losses": N_("losses since the start"),
    "running_calls": N_("running"),
    "last_event_at": N_("last event"),
    "last_call_at": N_("last call"),
    "lag_seconds": N_("event to window"),
    "screens": N_("open windows"),
    "unobserved_seconds": N_("not observed"),
    "gaps": N_("gaps"),
    "kind": N_("kind"),
    "size_bytes": N_("size"),
    "free_bytes": N_("free"),
    "disk_bytes": N_("disk"),
    "stored_seconds": N_("last stored before"),
    "waiting_events": N_("events waiting"),
    "schema": N_("schema"),
    "compared_calls": N_("calls compared"),
    "unreadable_lines": N_("unreadable lines"),
    "calls": N_("calls"),
    "starts": N_("starts"),
    "waiting": N_("waiting"),
    "oldest_at": N_("the oldest since"),
    "working": N_("in work"),
    "done_commands": N_("done"),
    "failed_commands": N_("failed"),
    "unknown_commands": N_("end not known"),
    "backlog_seconds": N_("sound that waits"),
    "failed": N_("failed"),
    "set_aside": N_("set aside"),
    "server_until_at": N_("Asterisk's until"),
    "authority_until_at": N_("ca_file until"),
    "spans": N_("spans sent"),
    "lost_spans": N_("spans lost"),
    "planned": N_("planned now"),
    "ready_seats": N_("ready"),
    "planned_until_at": N_("planned until"),
    "known_until": N_("known until"),
    "threshold_seconds": N_("threshold"),
    "version": N_("version"),
    "started_at": N_("since"),
}
