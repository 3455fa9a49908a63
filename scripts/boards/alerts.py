"""Every alert with what fires it, what does not, and what to do: alerts.yml, its cases for promtool, the runbook.

Limits are the standard's (its ids stand in brackets); a site changes them in a copy of alerts.yml.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from boards.recorded import BASE, COUNT, SHARE, contract

ENOUGH_CALLS = 20
"""A share of fewer calls says nothing: no alert."""
SPAN = 130
"""Minutes of the cases' series."""


@dataclass(frozen=True)
class Alert:
    name: str
    expr: str
    lasts: str
    severity: str
    zh: str
    en: str
    means: str
    do: tuple[str, ...]
    fires: Mapping[str, str]
    """Series in promtool's notation."""
    quiet: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    """Of the alert in the case that fires."""
    at: str = "90m"

    @property
    def annotations(self) -> dict[str, str]:
        return {"summary": self.zh, "description": self.en, "runbook": f"docs/runbook.md#{self.name.lower()}"}

    def rule(self) -> dict[str, Any]:
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": self.lasts,
            "labels": {"severity": self.severity},
            "annotations": self.annotations,
        }

    def cases(self) -> list[dict[str, Any]]:
        fired = {
            "exp_labels": {**self.labels, "severity": self.severity},
            "exp_annotations": {
                name: text.replace("{{ $labels.queue }}", self.labels.get("queue", ""))
                .replace("{{ $labels.part }}", self.labels.get("part", ""))
                .replace("{{ $labels.variant }}", self.labels.get("variant", ""))
                for name, text in self.annotations.items()
            },
        }
        return [self._case("fires", self.fires, [fired]), self._case("stays quiet", self.quiet, [])]

    def _case(self, what: str, series: Mapping[str, str], expected: list[Any]) -> dict[str, Any]:
        return {
            "name": f"{self.name} {what}",
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "alert_rule_test": [{"alertname": self.name, "eval_time": self.at, "exp_alerts": expected}],
        }


def always(value: float) -> str:
    return f"{value:g}x{SPAN}"


def grows(by: float, start: float = 0) -> str:
    return f"{start:g}+{by:g}x{SPAN}"


def _levels(per_minute: Mapping[tuple[str, str], float]) -> dict[str, str]:
    """Counters of one queue by outcome and wait, growing by so many a minute; with the contract's variant."""
    series = {
        f'callcenter_service_level_calls_total{{queue="it",service_class="standard",outcome="{outcome}",'
        f'waited="{waited}"}}': grows(by)
        for (outcome, waited), by in per_minute.items()
    }
    return {**series, 'callcenter_service_level_info{variant="abandons_bad"}': always(1)}


def _rings(yes: float, no: float) -> dict[str, str]:
    name = 'callcenter_three_rings_calls_total{{queue="it",service_class="standard",outcome="answered",kept="{}"}}'
    return {name.format("yes"): grows(yes), name.format("no"): grows(no)}


QUEUE = {"queue": "it", "service_class": "standard"}
_THREE_RINGS = (
    'sum by (queue, service_class) (round(increase(callcenter_three_rings_calls_total{{outcome="answered"{}}}[1h])))'
)
_KEPT = _THREE_RINGS.format(',kept="yes"')
_ABANDONED = COUNT.format("1h") + '{{count="{}"}}'

ALERTS = (
    Alert(
        "CallcenterDown",
        'up{job="callcenter"} == 0',
        "1m",
        "critical",
        "callcenter 没有应答",
        "The daemon does not answer Prometheus: no pops, no tickets while calls ring, no figures.",
        "Prometheus reaches no /metrics: the daemon is not running, or the address, the port or the token is wrong. "
        "Calls go on: Asterisk rings and records without it, and their tickets come from the call records afterwards.",
        (
            "`systemctl status callcenter` (or `docker compose ps callcenter`), then its log: the last line says why it ended.",
            "`callcenter check -c FILE` names mistakes in settings, in Asterisk's files and in rights.",
            "If it runs: /metrics answers 403 without the token of `web.metrics_token_file`.",
        ),
        {'up{job="callcenter",instance="pbx:8080"}': always(0)},
        {'up{job="callcenter",instance="pbx:8080"}': always(1)},
        {"job": "callcenter", "instance": "pbx:8080"},
    ),
    Alert(
        "CallcenterRestarting",
        'changes(process_start_time_seconds{job="callcenter"}[30m]) > 2',
        "0m",
        "critical",
        "callcenter 反复重启",
        "The daemon was started more than twice in half an hour.",
        "A part broke and ended the daemon, as it should, and it broke again after each start.",
        (
            "Read the log before each start: the part that raised is named.",
            "Look for a full disk and for the kernel's OOM killer.",
        ),
        {'process_start_time_seconds{job="callcenter"}': "1x70 2x5 3x5 4x50"},
        {'process_start_time_seconds{job="callcenter"}': "1x70 2x60"},
        {"job": "callcenter"},
    ),
    Alert(
        "CallcenterLinkDown",
        'callcenter_link_state{state="up"} == 0',
        "1m",
        "critical",
        "与 Asterisk 的连接中断",
        "Nobody listens to Asterisk (AMI): calls are not seen, windows do not pop.",
        "The link to Asterisk's manager interface is connecting, refused or lost. Calls go on without the daemon.",
        (
            "/readyz names the state, the reason and the remedy.",
            "`asterisk -rx 'manager show connected'` and the account of manager-callcenter.conf.",
            "The unobserved minutes are stored as a gap and shown beside every figure; the calls in it come from the call records.",
        ),
        {'callcenter_link_state{state="up"}': always(0)},
        {'callcenter_link_state{state="up"}': always(1)},
        {"state": "up"},
    ),
    Alert(
        "CallcenterUnobserved",
        "increase(callcenter_unobserved_seconds_total[1h]) > 60",
        "0m",
        "warning",
        "最近一小时有超过一分钟没有观察到",
        "More than a minute of the last hour was not observed: the figures of that time rest on call records.",
        "The link to Asterisk, or the daemon, was away. Figures of that hour carry recovered calls; waits and rings in it may be unknown.",
        ("See why the link was lost: the table of gaps (`reason`) and the daemon's log.",),
        {"callcenter_unobserved_seconds_total": "0x60 100x60"},
        {"callcenter_unobserved_seconds_total": "0x60 30x60"},
    ),
    Alert(
        "CallcenterNotReady",
        "callcenter_ready == 0",
        "2m",
        "critical",
        "{{ $labels.part }} 未就绪",
        "A part of the daemon ({{ $labels.part }}) is not ready.",
        "As /readyz says of this part: the link, the store, the call records, or live transcription.",
        ("/readyz gives the reason and the remedy in a sentence.",),
        {'callcenter_ready{part="call_records"}': always(0)},
        {'callcenter_ready{part="call_records"}': always(1)},
        {"part": "call_records"},
    ),
    Alert(
        "CallcenterStoreLate",
        "callcenter_store_silence_seconds > 30",
        "0m",
        "critical",
        "数据库没有写入",
        "The store takes nothing: calls wait in memory, windows are told nothing.",
        "Every batch is tried again until the store takes it; nothing is lost before `intake.max_waiting_events`.",
        ("Free the disk, or bring PostgreSQL back; the log says once a minute what the store answers.",),
        {"callcenter_store_silence_seconds": always(45)},
        {"callcenter_store_silence_seconds": always(2)},
    ),
    Alert(
        "CallcenterEventsShed",
        'increase(callcenter_limit_hits_total{limit="intake"}[10m]) > 0',
        "0m",
        "critical",
        "事件太多，已被丢弃",
        "More events came than could be stored, and some were shed: there is a gap.",
        "Events come faster than the store takes them, for minutes.",
        (
            "See CallcenterStoreLate; then compare `rate(callcenter_events_total[5m])` with what scripts/bench measures here.",
        ),
        {'callcenter_limit_hits_total{limit="intake"}': "0x85 50x45"},
        {'callcenter_limit_hits_total{limit="intake"}': always(50)},
        {"limit": "intake"},
    ),
    Alert(
        "CallcenterQueueNames",
        'increase(callcenter_limit_hits_total{limit="queue_labels"}[1h]) > 0',
        "0m",
        "warning",
        "队列名称过多",
        'More queue names than get series of their own: further ones are counted as "other".',
        "Queues that have no [queues.NAME] in the settings get series only up to a limit, so that nothing from outside makes series.",
        (
            "Configure the queues that matter; look where the names come from: a dialplan that makes queue names of callers' input?",
        ),
        {'callcenter_limit_hits_total{limit="queue_labels"}': grows(1)},
        {'callcenter_limit_hits_total{limit="queue_labels"}': always(9)},
        {"limit": "queue_labels"},
    ),
    Alert(
        "CallcenterEventLoopSlow",
        "histogram_quantile(0.99, sum by (le) (rate(callcenter_loop_lag_seconds_bucket[5m]))) > 0.25",
        "5m",
        "warning",
        "守护进程反应迟缓",
        "One in a hundred timers of the daemon runs a quarter of a second late: three rings (A1) are kept by such a timer.",
        "The machine is too busy, or something holds the event loop.",
        (
            "Look at the machine's load, at transcription (`speech.workers`, `live.calls`), and at scripts/bench's figures.",
        ),
        {
            'callcenter_loop_lag_seconds_bucket{le="0.25"}': grows(50),
            'callcenter_loop_lag_seconds_bucket{le="0.5"}': grows(100),
            'callcenter_loop_lag_seconds_bucket{le="+Inf"}': grows(100),
        },
        {
            'callcenter_loop_lag_seconds_bucket{le="0.25"}': grows(100),
            'callcenter_loop_lag_seconds_bucket{le="0.5"}': grows(100),
            'callcenter_loop_lag_seconds_bucket{le="+Inf"}': grows(100),
        },
    ),
    Alert(
        "CallcenterCommandsFailed",
        'sum by (kind) (increase(callcenter_commands_total{state=~"failed|unknown"}[15m])) > 0',
        "0m",
        "warning",
        "给 Asterisk 的命令没有成功",
        "A command to Asterisk failed, or its end is not known: a step of the ladder (A1) may have been left to the dialplan.",
        "Asterisk refused an action, or the link was lost while it was on its way. It is never repeated.",
        (
            "`SELECT kind, state, error FROM outbox` names them.",
            "`callcenter check` compares the account's rights with what is needed.",
        ),
        {'callcenter_commands_total{kind="OpenGate",state="failed"}': "0x80 1x50"},
        {
            'callcenter_commands_total{kind="OpenGate",state="failed"}': always(1),
            'callcenter_commands_total{kind="OpenGate",state="done"}': grows(1),
        },
        {"kind": "OpenGate"},
    ),
    Alert(
        "CallcenterPushFailing",
        'increase(callcenter_pushes_total{result="failed"}[10m]) > 3 unless increase(callcenter_pushes_total{result="done"}[10m]) > 0',
        "0m",
        "warning",
        "Pushgateway 不接收数据",
        "The Pushgateway has taken no figures for ten minutes.",
        "Only a Prometheus that also reaches /metrics can show this one; beyond a firewall, alert on `push_time_seconds` as well.",
        ("See `metrics.push_url` and its token; the log names the kind of the failure once.",),
        {'callcenter_pushes_total{result="failed"}': grows(4), 'callcenter_pushes_total{result="done"}': always(7)},
        {'callcenter_pushes_total{result="failed"}': always(4), 'callcenter_pushes_total{result="done"}': grows(4)},
        {"result": "failed"},
    ),
    Alert(
        "CallcenterLongWait",
        "callcenter_queue_longest_wait_seconds > 60",
        "15s",
        "critical",
        "{{ $labels.queue }}：有来电等待超过一分钟",
        "A caller of {{ $labels.queue }} waits for more than a minute (A1).",
        "No seat has lifted; ladder and announcement have passed.",
        (
            "Bring seats to the queue: the board shows who is paused, in wrap-up or not reachable.",
            "Ring the duty manager.",
        ),
        {'callcenter_queue_longest_wait_seconds{queue="it"}': always(75)},
        {'callcenter_queue_longest_wait_seconds{queue="it"}': always(20)},
        {"queue": "it"},
    ),
    Alert(
        "CallcenterNoSeat",
        'callcenter_queue_waiting_calls > 0 unless on (queue) sum by (queue) (callcenter_queue_seats{state!~"paused|unreachable|unknown"}) > 0',
        "30s",
        "critical",
        "{{ $labels.queue }}：有来电而无坐席",
        "Callers wait in {{ $labels.queue }} and every seat of it is paused or not reachable (A4, A5).",
        "Nobody can take these calls.",
        ("End the pauses; see whether the phones are registered (`pjsip show contacts`).",),
        {
            'callcenter_queue_waiting_calls{queue="it"}': always(1),
            'callcenter_queue_seats{queue="it",state="paused"}': always(3),
        },
        {
            'callcenter_queue_waiting_calls{queue="it"}': always(1),
            'callcenter_queue_seats{queue="it",state="in_use"}': always(3),
        },
        {"queue": "it"},
    ),
    Alert(
        "CallcenterHoldTooLong",
        "callcenter_queue_longest_hold_seconds > 60",
        "0m",
        "warning",
        "{{ $labels.queue }}：来电保持超过一分钟",
        "A caller of {{ $labels.queue }} is on hold for more than a minute (B2).",
        "The standard allows a minute; beyond it a number is taken and the customer is called back promptly.",
        ("The seat goes back to the line, takes the number and calls back.",),
        {'callcenter_queue_longest_hold_seconds{queue="it"}': always(61)},
        {'callcenter_queue_longest_hold_seconds{queue="it"}': always(60)},
        {"queue": "it"},
    ),
    Alert(
        "CallcenterServiceLevelLow",
        f"({contract(SHARE, '1h')}) < 0.8 and ({contract(BASE, '1h')}) >= {ENOUGH_CALLS}",
        "5m",
        "warning",
        "{{ $labels.queue }}：服务水平低于 80 %",
        "The service level of {{ $labels.queue }} ({{ $labels.variant }}) was below 80 % over the last hour.",
        f"The share of calls answered in time, in the contract's own variant, of at least {ENOUGH_CALLS} calls in the last hour.",
        (
            "See on the queue's dashboard whether calls came in a burst, or seats were away (CallcenterNoSeat).",
            "Look at the unobserved minutes beside the figure before you trust it.",
        ),
        _levels({("answered", "in_time"): 1, ("answered", "late"): 1, ("abandoned", "late"): 0.5}),
        _levels({("answered", "in_time"): 4, ("answered", "late"): 0.5, ("abandoned", "late"): 0.25}),
        {**QUEUE, "variant": "abandons_bad"},
    ),
    Alert(
        "CallcenterAbandonedHigh",
        f"({_ABANDONED.format('abandoned')} - ignoring (count) {_ABANDONED.format('abandoned_short')}) / ignoring (count) "
        f"({_ABANDONED.format('calls')} >= {ENOUGH_CALLS}) > 0.1",
        "5m",
        "warning",
        "{{ $labels.queue }}：超过十分之一的来电放弃",
        "More than a tenth of the calls of {{ $labels.queue }} gave up in the last hour, short ones not counted.",
        "Callers hang up before a seat lifts; who gave up within the short-abandon limit is left out (nobody could have lifted).",
        (
            "As for CallcenterServiceLevelLow. Abandoned calls are called back (D11): the list of tickets, filter “missed”.",
        ),
        _levels({("answered", "in_time"): 1, ("abandoned", "late"): 0.5}),
        _levels({("answered", "in_time"): 1, ("abandoned", "short"): 0.5}),
        QUEUE,
    ),
    Alert(
        "CallcenterThreeRingsBroken",
        f"{_KEPT} / ({_THREE_RINGS.format('')} >= {ENOUGH_CALLS}) < 0.9",
        "5m",
        "warning",
        "{{ $labels.queue }}：三声内接听低于 90 %",
        "Less than 90 % of the answered calls of {{ $labels.queue }} were answered within three rings (A1) in the last hour.",
        "Seats lift too late, or too few ring.",
        (
            'Missed rings by reason: `callcenter_breaches_total{rule="A1"}`.',
            "See whether the backup group rings at ring 2 (CallcenterCommandsFailed).",
        ),
        _rings(1, 1),
        _rings(1, 0.05),
        QUEUE,
    ),
    Alert(
        "CallcenterPromisesOverdue",
        'callcenter_tickets{state="overdue"} > 0',
        "10m",
        "warning",
        "有承诺已过期",
        "A promise to a customer is overdue (C2).",
        "A promise on a ticket has passed its time and nobody marked it kept.",
        ("The list of tickets shows them; keep the promise, or tell the customer the delay (D4).",),
        {'callcenter_tickets{state="overdue"}': always(2)},
        {'callcenter_tickets{state="overdue"}': always(0), 'callcenter_tickets{state="open"}': always(5)},
        {"state": "overdue"},
    ),
    Alert(
        "CallcenterTranscriptionBehind",
        "callcenter_transcription_backlog_seconds > 14400",
        "30m",
        "warning",
        "转写积压超过四小时",
        "More than four hours of recordings wait to be transcribed.",
        "The workers hear slower than people talk, or do not run.",
        ("`speech.workers`, and the real-time factor on the quality dashboard.",),
        {"callcenter_transcription_backlog_seconds": always(20_000)},
        {"callcenter_transcription_backlog_seconds": always(600)},
    ),
    Alert(
        "CallcenterTranscriptionQuarantine",
        'callcenter_transcription_jobs{state="quarantined"} > 0',
        "0m",
        "warning",
        "有录音无法转写",
        "Recordings broke the transcription three times and were set aside.",
        "A damaged file, or too little memory (`speech.memory_mb`).",
        ("`callcenter transcribe` hears two files by hand and says what is wrong.",),
        {'callcenter_transcription_jobs{state="quarantined"}': always(1)},
        {'callcenter_transcription_jobs{state="done"}': always(9)},
        {"state": "quarantined"},
    ),
)


def groups() -> list[dict[str, Any]]:
    return [{"name": "callcenter alerts", "rules": [alert.rule() for alert in ALERTS]}]


def cases(recorded: bool) -> list[dict[str, Any]]:
    """Those of the alerts that rest on recording rules, or those of the others: the rules of a day take their time."""
    chosen = (alert for alert in ALERTS if ("queue:" in alert.expr) == recorded)
    return [case for alert in chosen for case in alert.cases()]


def runbook() -> str:
    lines = [
        "# Runbook",
        "",
        "What each alert of `docker/prometheus/alerts.yml` means and what to do. Made by `scripts/dashboards`; change",
        "`scripts/boards/alerts.py`. Figures and their definitions: [metrics.md](metrics.md).",
    ]
    for alert in ALERTS:
        lines += ["", f"## {alert.name}", "", f"{alert.zh}. {alert.en}", "", alert.means, ""]
        lines += [f"- {step}" for step in alert.do]
        lines += ["", f"Severity: {alert.severity}. Fires after: {alert.lasts}."]
    return "\n".join(lines) + "\n"
