"""Every alert with what fires it, what does not, and what to do: alerts.yml, its cases for promtool, the runbook.

Limits are the standard's (its ids stand in brackets). Those of shares are the site's own: the daemon tells them from
its settings ([service_level]) as ``callcenter_alert_limit_ratio``; a site changes the others in a copy of alerts.yml.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from boards.outcomes import ANSWERS, SATISFACTION
from boards.recorded import BASE, COUNT, SHARE, contract

ENOUGH_CALLS = 20
"""A share of fewer calls says nothing: no alert."""
SPAN = 130
"""Minutes of the cases' series."""
PAGE = "/status/runbook"
ADDRESS = "{{ $externalLabels.callcenter_url }}"
"""Where the daemon's pages are, as Prometheus is told (docs/metrics.md); an empty text where it is not."""
SITE = "https://callcenter.example"
"""The same in the cases."""


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
    born: Mapping[str, str] = field(default_factory=dict, kw_only=True)
    """Series that fire it, too: those of a daemon that had counted before anybody scraped it, or of a new queue."""
    others: Mapping[str, tuple[Mapping[str, str], Mapping[str, str]]] = field(default_factory=dict, kw_only=True)
    """What else fires it: the series and the alert's labels, by what the case is called."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """Of the alert in the cases that fire."""
    at: str = "90m"
    means_zh: str = field(kw_only=True)
    do_zh: tuple[str, ...] = field(kw_only=True)
    """``means`` and ``do`` in Chinese; as many steps."""

    @property
    def annotations(self) -> dict[str, str]:
        """Chinese first, as everywhere."""
        anchor = self.name.lower()
        return {
            "summary": self.zh,
            "description": f"{self.means_zh} / {self.en}",
            "runbook": f"守护进程的页面 {PAGE}#{anchor}，或 docs/runbook.zh.md#{anchor}",
            "runbook_en": f"the daemon's page {PAGE}#{anchor}, or docs/runbook.md#{anchor}",
            "runbook_url": f"{ADDRESS}{PAGE}#{anchor}",
        }

    def rule(self) -> dict[str, Any]:
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": self.lasts,
            "labels": {"severity": self.severity},
            "annotations": self.annotations,
        }

    def cases(self) -> list[dict[str, Any]]:
        fired = [self._fired(self.labels)]
        born = [self._case("fires for a series that is born with a value", self.born, fired)] if self.born else []
        others = [self._case(f"fires {what}", of, [self._fired(labels)]) for what, (of, labels) in self.others.items()]
        return [self._case("fires", self.fires, fired), *born, *others, self._case("stays quiet", self.quiet, [])]

    def _fired(self, labels: Mapping[str, str]) -> dict[str, Any]:
        return {
            "exp_labels": {**labels, "severity": self.severity},
            "exp_annotations": {
                name: text.replace("{{ $labels.queue }}", labels.get("queue", ""))
                .replace("{{ $labels.part }}", labels.get("part", ""))
                .replace("{{ $labels.variant }}", labels.get("variant", ""))
                .replace("{{ $labels.of }}", labels.get("of", ""))
                .replace("{{ $labels.webhook }}", labels.get("webhook", ""))
                .replace(ADDRESS, SITE)
                for name, text in self.annotations.items()
            },
        }

    def _case(self, what: str, series: Mapping[str, str], expected: list[Any]) -> dict[str, Any]:
        return {
            "name": f"{self.name} {what}",
            "interval": "1m",
            "external_labels": {"callcenter_url": SITE},
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "alert_rule_test": [{"alertname": self.name, "eval_time": self.at, "exp_alerts": expected}],
        }


def limit(of: str) -> str:
    """The site's own limit of a share, whichever daemon tells it."""
    return f'scalar(max(callcenter_alert_limit_ratio{{of="{of}"}}))'


def _limited(of: str, value: float) -> dict[str, str]:
    return {f'callcenter_alert_limit_ratio{{of="{of}"}}': always(value)}


def happened(counter: str, window: str, more_than: float = 0, by: str = "") -> str:
    """Whether a counter grew by more over ``window`` ("10m").

    Its series is there from the daemon's start, at zero. What was counted before the first scrape ``increase`` does not
    see; but of a daemon that was started within the window all that is counted is of the window."""
    seconds = int(window[:-1]) * {"m": 60, "h": 3600}[window[-1]]
    since = f"{counter} and on (job, instance) time() - process_start_time_seconds < {seconds}"
    summed = f"sum by ({by}) " if by else ""
    grown = f"{summed}(increase({counter}[{window}]))" if by else f"increase({counter}[{window}])"
    return f"{grown} > {more_than:g} or {summed}({since}) > {more_than:g}"


def _born(counter: str, by: float = 1) -> dict[str, str]:
    """The daemon was started seven minutes before the alert is looked at, and had counted when it was scraped first."""
    return {counter: f"_x83 {by:g}x46", "process_start_time_seconds": "_x83 4980x46"}


def _old(counter: str, value: float = 9) -> dict[str, str]:
    """What was counted long ago is not new because nobody could scrape for a while."""
    return {counter: f"{value:g}x60 _x20 {value:g}x50", "process_start_time_seconds": "0x60 _x20 0x50"}


def always(value: float) -> str:
    return f"{value:g}x{SPAN}"


def until_the_loss(value: float) -> str:
    """A live figure: it was there until the daemon's link to Asterisk was lost, a moment before the alert is looked at."""
    return f"{value:g}x89 stale"


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


def _answers(satisfied: float, not_satisfied: float) -> dict[str, str]:
    name = 'callcenter_survey_answers_total{{queue="it",answer="{}"}}'
    return {name.format("5"): grows(satisfied), name.format("2"): grows(not_satisfied)}


QUEUE = {"queue": "it", "service_class": "standard"}
OF_A_QUEUE = '{queue!="none"}'
"""Of calls that came to a queue."""
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
            "If it runs: /metrics answers 401 without the token of `web.metrics_token_file`, 403 from another machine where none is set, and says so; the log names the cause.",
        ),
        {'up{job="callcenter",instance="pbx:8080"}': always(0)},
        {'up{job="callcenter",instance="pbx:8080"}': always(1)},
        {"job": "callcenter", "instance": "pbx:8080"},
        means_zh="Prometheus 读不到 /metrics：守护进程没有运行，或者地址、端口、令牌不对。通话不受影响：没有它 Asterisk 照常振铃和录音，工单之后由话单补记。",
        do_zh=(
            "执行 `systemctl status callcenter`（或 `docker compose ps callcenter`），再看日志：最后一行说明退出原因。",
            "`callcenter check -c FILE` 会指出配置、Asterisk 文件和权限中的错误。",
            "如果它在运行：没有 `web.metrics_token_file` 的令牌时 /metrics 返回 401，未设置令牌而从别的机器读取时返回 403，并写明原因；日志里也有。",
        ),
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
        means_zh="某个部件出错后按设计结束了守护进程，而每次启动后又再次出错。",
        do_zh=(
            "看每次启动之前的日志：里面写明出错的部件。",
            "检查磁盘是否已满，以及内核是否因内存不足杀死了进程。",
        ),
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
            "The status page (/status), or /readyz asked on the machine itself, names the state, the reason and the remedy.",
            "`asterisk -rx 'manager show connected'` and the account of manager-callcenter.conf.",
            "The unobserved minutes are stored as a gap and shown beside every figure; the calls in it come from the call records.",
        ),
        {'callcenter_link_state{state="up"}': always(0)},
        {'callcenter_link_state{state="up"}': always(1)},
        {"state": "up"},
        means_zh="到 Asterisk 管理接口（AMI）的连接正在建立、被拒绝或已断开：看不到来电，窗口不弹屏。没有守护进程，通话照常进行。",
        do_zh=(
            "系统状态页（/status）或在本机上访问 /readyz，会写明状态、原因和处理办法。",
            "执行 `asterisk -rx 'manager show connected'`，并核对 manager-callcenter.conf 中的账号。",
            "没有观察到的时间作为缺口保存，并显示在每个数字旁边；其间的来电由话单补记。",
        ),
    ),
    Alert(
        "CallcenterUnobserved",
        happened("callcenter_unobserved_seconds_total", "1h", 60),
        "0m",
        "warning",
        "最近一小时有超过一分钟没有观察到",
        "More than a minute of the last hour was not observed: the figures of that time rest on call records.",
        "The link to Asterisk, or the daemon, was away. Figures of that hour carry recovered calls; waits and rings in it may be unknown.",
        ("See why the link was lost: the table of gaps (`reason`) and the daemon's log.",),
        {"callcenter_unobserved_seconds_total": "0x60 100x60"},
        {"callcenter_unobserved_seconds_total": "0x60 30x60", "process_start_time_seconds": always(0)},
        born=_born("callcenter_unobserved_seconds_total", 100),
        means_zh="与 Asterisk 的连接或守护进程曾经中断。那一小时的数字里有补记的来电，其等待和振铃可能不明。",
        do_zh=("查连接为何中断：看缺口表（`reason`）和守护进程的日志。",),
    ),
    Alert(
        "CallcenterNotReady",
        'callcenter_ready{part!~"(live_)?transcription"} == 0',
        "2m",
        "critical",
        "{{ $labels.part }} 未就绪",
        "A part of the daemon ({{ $labels.part }}) is not ready.",
        "As /readyz says of this part: the link, the store, or the call records.",
        (
            "The status page (/status), or /readyz asked on the machine itself, gives the reason and the remedy in a sentence.",
        ),
        {'callcenter_ready{part="call_records"}': always(0)},
        {'callcenter_ready{part="call_records"}': always(1), 'callcenter_ready{part="live_transcription"}': always(0)},
        {"part": "call_records"},
        means_zh="/readyz 说这个部分没有就绪：连接、数据库或话单。",
        do_zh=("系统状态页（/status）或在本机上访问 /readyz，会用一句话写明原因和处理办法。",),
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
        means_zh="数据库不接收数据：来电留在内存里，窗口得不到通知。每一批都会重试到写入为止；在达到 `intake.max_waiting_events` 之前不会丢失。",
        do_zh=("腾出磁盘空间，或恢复 PostgreSQL；日志每分钟写明一次数据库的回答。",),
    ),
    Alert(
        "CallcenterEventsShed",
        happened('callcenter_limit_hits_total{limit="intake"}', "10m"),
        "0m",
        "critical",
        "事件太多，已被丢弃",
        "More events came than could be stored, and some were shed: there is a gap.",
        "Events come faster than the store takes them, for minutes.",
        (
            "See CallcenterStoreLate; then compare `rate(callcenter_events_total[5m])` with what scripts/bench measures here.",
        ),
        {'callcenter_limit_hits_total{limit="intake"}': "0x85 50x45"},
        _old('callcenter_limit_hits_total{limit="intake"}', 50),
        {"limit": "intake"},
        born=_born('callcenter_limit_hits_total{limit="intake"}', 50),
        means_zh="连续几分钟事件来得比数据库写得快，部分事件已被丢弃，形成缺口。",
        do_zh=(
            "先看 CallcenterStoreLate；再把 `rate(callcenter_events_total[5m])` 与 scripts/bench 在本机测得的值比较。",
        ),
    ),
    Alert(
        "CallcenterQueueNames",
        happened('callcenter_limit_hits_total{limit="queue_labels"}', "1h"),
        "0m",
        "warning",
        "队列名称过多",
        'More queue names than get series of their own: further ones are counted as "other".',
        "Queues that have no [queues.NAME] in the settings get series only up to a limit (50), and none beyond 64 characters, so that nothing from outside makes series.",
        (
            "Configure the queues that matter; look where the names come from: a dialplan that makes queue names of callers' input?",
        ),
        {'callcenter_limit_hits_total{limit="queue_labels"}': "0x85 19900x45"},
        _old('callcenter_limit_hits_total{limit="queue_labels"}'),
        {"limit": "queue_labels"},
        born=_born('callcenter_limit_hits_total{limit="queue_labels"}', 19900),
        means_zh='没有 [queues.NAME] 配置的队列最多 50 个有自己的序列，名称超过 64 个字符的没有，其余计入 "other"，以免外部输入无限制造序列。',
        do_zh=("把重要的队列写进配置；查队列名从哪里来：是否有拨号方案用主叫输入拼出队列名？",),
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
        means_zh="守护进程每一百个定时器就有一个晚了四分之一秒，而三声（A1）正是靠这样的定时器守住的。机器太忙，或有代码占住了事件循环。",
        do_zh=("看机器负载、转写（`speech.workers`、`live.calls`）以及 scripts/bench 的数字。",),
    ),
    Alert(
        "CallcenterCommandsFailed",
        happened('callcenter_commands_total{state=~"failed|unknown"}', "15m", by="kind"),
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
            **_old('callcenter_commands_total{kind="OpenGate",state="failed"}'),
            'callcenter_commands_total{kind="OpenGate",state="done"}': grows(1),
        },
        {"kind": "OpenGate"},
        born=_born('callcenter_commands_total{kind="OpenGate",state="failed"}'),
        means_zh="Asterisk 拒绝了一个动作，或者动作发出途中连接断了。它绝不重发，阶梯（A1）的这一步可能已由拨号方案自己完成。",
        do_zh=(
            "`SELECT kind, state, error FROM outbox` 可以列出它们。",
            "`callcenter check` 会把账号权限与所需权限作比较。",
        ),
    ),
    Alert(
        "CallcenterBooksDiffer",
        happened('callcenter_books_differences_total{explained="no"}', "1h", by="kind, book"),
        "0m",
        "warning",
        "与 Asterisk 的记录不一致",
        "Asterisk's call records or queue_log say something else of a call than we do, and no known cause explains it (C1).",
        "Every call is compared some minutes after its end, and once more in the night, with both of Asterisk's own books. "
        "What a gap, a recovery, a transfer or a quirk of Asterisk explains is not counted here.",
        (
            "The page “Asterisk's books” (/books) names call, fact and both values, with a link to the ticket; `callcenter reconcile --from DAY` does it anew.",
            "`missing_ours`: events were lost without a gap; look for CallcenterEventsShed and keep a capture. `missing_cdr`: is `cdr_custom` loaded, and `unanswered = yes` in cdr.conf? `missing_queue_log`: is `queue_log` off in logger.conf, or were files moved by hand?",
            "`wait`, `talk`, `arrival`, `end` on many calls at once: the clock was set, or the machine stood still. `queue`, `seat`: was a dialplan changed so that userfield or member names mean something else?",
        ),
        {'callcenter_books_differences_total{kind="wait",book="queue_log",explained="no"}': "0x80 1x50"},
        {
            **_old('callcenter_books_differences_total{kind="wait",book="queue_log",explained="no"}'),
            'callcenter_books_differences_total{kind="talk",book="cdr",explained="yes"}': grows(1),
        },
        {"kind": "wait", "book": "queue_log"},
        born=_born('callcenter_books_differences_total{kind="wait",book="queue_log",explained="no"}'),
        means_zh="每通来电在结束几分钟后与 Asterisk 自己的两本账（话单和 queue_log）核对，夜里再核对一次。能由缺口、补记、转接或 Asterisk 的特性解释的差异不算在内（C1）。",
        do_zh=(
            "“对账”页（/books）列出来电、事实和两边的值，并链接到工单；`callcenter reconcile --from DAY` 可重新核对。",
            "`missing_ours`：事件丢失却没有缺口，看有没有 CallcenterEventsShed，并留一份抓包。`missing_cdr`：`cdr_custom` 是否已加载，cdr.conf 中是否有 `unanswered = yes`？`missing_queue_log`：logger.conf 是否关了 `queue_log`，文件是否被人移动过？",
            "很多来电同时有 `wait`、`talk`、`arrival`、`end` 差异：时钟被调过，或机器停顿过。`queue`、`seat`：是否改过拨号方案，使 userfield 或成员名有了别的含义？",
        ),
    ),
    Alert(
        "CallcenterBooksNotCompared",
        'time() - callcenter_books_last_run_timestamp_seconds{run="continuous"} > 1800',
        "5m",
        "warning",
        "半小时没有与 Asterisk 的记录核对",
        "Our calls have not been compared with Asterisk's books for half an hour: a difference would not be seen.",
        "A file cannot be read, or the store does not answer. Calls are not affected.",
        (
            "The status page (/status), part “books”, gives the reason; the daemon's account must be able to read `asterisk.cdr_file` and `asterisk.queue_log_file` after a rotation, too (logrotate's `create`).",
        ),
        {'callcenter_books_last_run_timestamp_seconds{run="continuous"}': always(60)},
        {'callcenter_books_last_run_timestamp_seconds{run="continuous"}': grows(60)},
        {"run": "continuous"},
        means_zh="有文件读不了，或数据库没有应答，差异不会被发现。通话不受影响。",
        do_zh=(
            "系统状态页（/status）的 “books” 部分写明原因；日志轮换之后，守护进程的账号也必须能读 `asterisk.cdr_file` 和 `asterisk.queue_log_file`（logrotate 的 `create`）。",
        ),
    ),
    Alert(
        "CallcenterPushFailing",
        'increase(callcenter_pushes_total{result="failed"}[10m]) > 3 unless increase(callcenter_pushes_total{result="done"}[10m]) > 0',
        "0m",
        "warning",
        "Pushgateway 不接收数据",
        "The Pushgateway has taken no figures for ten minutes.",
        "Only a Prometheus that also reaches /metrics can show this one; beyond a firewall it is CallcenterPushStale.",
        ("See `metrics.push_url` and its token; the log names the kind of the failure once.",),
        {'callcenter_pushes_total{result="failed"}': grows(4), 'callcenter_pushes_total{result="done"}': always(7)},
        {'callcenter_pushes_total{result="failed"}': always(4), 'callcenter_pushes_total{result="done"}': grows(4)},
        {"result": "failed"},
        means_zh="Pushgateway 十分钟没有接收数字。只有同时能读 /metrics 的 Prometheus 才看得到这条告警；在防火墙另一侧看 CallcenterPushStale。",
        do_zh=("检查 `metrics.push_url` 及其令牌；日志写明一次失败的种类。",),
    ),
    Alert(
        "CallcenterWebhookFailing",
        "callcenter_webhook_oldest_pending_seconds > 900",
        "5m",
        "warning",
        "{{ $labels.webhook }}：不接收通话通知",
        "A system of the site's own ({{ $labels.webhook }}) has not taken a message of an ended call for a quarter of an hour.",
        "It is down, answers with an error, or refuses the signature. Messages wait in the store and are tried again for a day; "
        "calls and tickets are not touched.",
        (
            "The log names the kind of failure once: `journalctl -u callcenter | grep webhooks`.",
            "Look at `url` and `secret_file` of that system under `[webhooks]`, and at its own log.",
            "If it is gone for good, take its table out of the configuration and restart: what waits for it is told to nobody.",
        ),
        {'callcenter_webhook_oldest_pending_seconds{webhook="crm"}': grows(15)},
        {
            'callcenter_webhook_oldest_pending_seconds{webhook="crm"}': always(0),
            'callcenter_webhook_oldest_pending_seconds{webhook="erp"}': always(600),
        },
        {"webhook": "crm"},
        means_zh="对方系统停止、报错或拒绝签名。通知保存在本地，一天之内继续重试；来电和工单不受影响。",
        do_zh=(
            "日志写明一次失败的种类：`journalctl -u callcenter | grep webhooks`。",
            "检查 `[webhooks]` 中该系统的 `url` 和 `secret_file`，以及对方系统的日志。",
            "如果该系统不再使用，请从配置中删除它的表并重启：等待中的通知不再发送。",
        ),
    ),
    Alert(
        "CallcenterPushStale",
        "time() - push_time_seconds > on (job, instance, exported_job, exported_instance) 3 * callcenter_push_every_seconds + 60",
        "1m",
        "critical",
        "callcenter 不再推送数字",
        "The daemon has pushed nothing to the Pushgateway for more than three times its interval and a minute.",
        "The Pushgateway keeps the last figures for ever: link, readiness and calls stand as they were, and CallcenterDown "
        "does not exist there. The daemon is dead, cannot reach the Pushgateway, or is refused by it.",
        (
            "`systemctl status callcenter` at the site, then its log: the last line says why it ended, or why the Pushgateway takes nothing (`metrics.push_url`, its token).",
            "Figures of this instance are old until it pushes again: do not judge by them.",
            "If the site is gone for good, delete its group at the Pushgateway (`DELETE /metrics/job/callcenter/instance/NAME`).",
        ),
        {
            'push_time_seconds{job="callcenter",instance="pbx"}': grows(15).replace(f"x{SPAN}", "x60")
            + f" {15 * 60}x70",
            'callcenter_push_every_seconds{job="callcenter",instance="pbx"}': always(15),
        },
        {
            'push_time_seconds{job="callcenter",instance="pbx"}': grows(60),
            'callcenter_push_every_seconds{job="callcenter",instance="pbx"}': always(15),
            'push_time_seconds{job="backup",instance="pbx"}': always(0),
        },
        labels={"job": "callcenter", "instance": "pbx"},
        means_zh="Pushgateway 会一直保留最后一次的数字：连接、就绪和来电都停在当时，而且那里没有 CallcenterDown。守护进程已停止、连不上 Pushgateway，或被它拒绝。",
        do_zh=(
            "在现场执行 `systemctl status callcenter`，再看日志：最后一行说明退出原因，或 Pushgateway 为何不接收（`metrics.push_url` 及其令牌）。",
            "恢复推送之前，这个实例的数字都是旧的，不要据此判断。",
            "如果这个现场已经撤销，请在 Pushgateway 上删除它的分组（`DELETE /metrics/job/callcenter/instance/NAME`）。",
        ),
    ),
    Alert(
        "CallcenterLongWait",
        f"callcenter_queue_longest_wait_seconds{OF_A_QUEUE} > 60"
        ' or callcenter_queue_longest_ringing_seconds{queue="none"} > 60',
        "15s",
        "critical",
        "{{ $labels.queue }}：有来电等待超过一分钟",
        "A caller of {{ $labels.queue }} waits for more than a minute (A1).",
        "No seat has lifted; ladder and announcement have passed.",
        (
            "Bring seats to the queue: the board shows who is paused, in wrap-up or not reachable.",
            "Ring the duty manager.",
            "`none` is no queue: the dialplan rings a seat directly (`Dial`), and it does not lift. Whoever only hears what the dialplan plays does not fire it.",
        ),
        {'callcenter_queue_longest_wait_seconds{queue="it"}': always(75)},
        {
            'callcenter_queue_longest_wait_seconds{queue="it"}': always(20),
            'callcenter_queue_longest_wait_seconds{queue="none"}': always(75),
            'callcenter_queue_longest_ringing_seconds{queue="none"}': always(20),
            'callcenter_queue_longest_ringing_seconds{queue="it"}': always(20),
            'callcenter_queue_longest_wait_seconds{queue="vip"}': until_the_loss(75),
        },
        {"queue": "it"},
        others={
            "for a caller for whom the dialplan rings a seat directly": (
                {'callcenter_queue_longest_ringing_seconds{queue="none"}': always(75)},
                {"queue": "none"},
            ),
        },
        means_zh="没有座席接起；阶梯和公告都已经过去（A1）。",
        do_zh=(
            "调座席到这个队列：大屏上看得到谁在小休、话后整理或离线。",
            "给值班经理打电话。",
            "`none` 表示不属于任何队列：拨号方案直接呼叫座席（`Dial`），座席没有接起。只是在听拨号方案播放内容的来电不触发。",
        ),
    ),
    Alert(
        "CallcenterNoSeat",
        f'callcenter_queue_waiting_calls{OF_A_QUEUE} > 0 unless on (queue) sum by (queue) (callcenter_queue_seats{{state!~"paused|unreachable|unknown"}}) > 0',
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
            'callcenter_queue_waiting_calls{queue="none"}': always(1),
            'callcenter_queue_waiting_calls{queue="vip"}': until_the_loss(1),
            'callcenter_queue_seats{queue="vip",state="paused"}': until_the_loss(3),
        },
        {"queue": "it"},
        means_zh="有来电在等待，而这个队列的座席全部小休或离线（A4、A5），没有人能接。",
        do_zh=("结束小休；用 `pjsip show contacts` 查话机是否已注册。",),
    ),
    Alert(
        "CallcenterSeatsMissing",
        'sum by (state) (callcenter_roster_seats{state=~"missing|left"}) > 0',
        "2m",
        "warning",
        "有座席缺岗或离岗",
        "Seats that the duty plan has in the running shift are missing, or have left (A5).",
        "A seat has not been there since its shift began, for longer than `roster.missing_after_minutes`; or it was there and "
        "went: its phone is not registered, it is logged in to no queue, or its pause has no reason or lasts too long.",
        (
            "The supervisor's desk (/supervise) names them, since when, and who of the next shift is not there yet.",
            "Ring the seat; if it does not come, write the exception into the plan (`absent`, `extra`, `swap`): it is read by itself.",
            "Many at once: are the phones registered (`pjsip show contacts`), and are the members in the queue (`queue show`)?",
        ),
        {'callcenter_roster_seats{state="missing"}': always(1), 'callcenter_roster_seats{state="ready"}': always(5)},
        {
            'callcenter_roster_seats{state="missing"}': always(0),
            'callcenter_roster_seats{state="left"}': always(0),
            'callcenter_roster_seats{state="late"}': always(1),
        },
        {"state": "missing"},
        means_zh="值班表中的座席从班次开始起一直没有就位，已超过 `roster.missing_after_minutes`；或者来过又离开：话机没有注册、没有登录任何队列、小休没有原因或时间过长（A5）。",
        do_zh=(
            "督导台（/supervise）列出是谁、从何时起，以及下一班谁还没到。",
            "给座席打电话；来不了就在值班表里写例外（`absent`、`extra`、`swap`），会自动读取。",
            "同时有很多个：话机是否已注册（`pjsip show contacts`），成员是否在队列里（`queue show`）？",
        ),
    ),
    Alert(
        "CallcenterRosterEnds",
        "callcenter_roster_ahead_seconds < 43200",
        "10m",
        "warning",
        "值班表不足半天",
        "The duty plan reaches less than twelve hours ahead (A5).",
        "A plan is there half a day ahead. It ends with the last day of its files, or where the calendar of public holidays is "
        "not published yet.",
        (
            "Write the file of the next days, look it through with `callcenter roster check FILE`, and name it in `roster.files`.",
            "`callcenter roster show --day DAY` tells who is planned, and until when the plan reaches.",
        ),
        {"callcenter_roster_ahead_seconds": always(40_000)},
        {"callcenter_roster_ahead_seconds": always(43_200)},
        means_zh="值班表应至少提前半天排好（A5）。它到文件的最后一天为止；节假日历尚未公布的日子也不算。",
        do_zh=(
            "编写之后几天的文件，用 `callcenter roster check FILE` 检查，再写进 `roster.files`。",
            "`callcenter roster show --day DAY` 显示某天谁值班、值班表排到何时。",
        ),
    ),
    Alert(
        "CallcenterRosterBroken",
        "callcenter_roster_plan_ok == 0",
        "5m",
        "warning",
        "值班表文件有错误",
        "A file of the duty plan is broken; the plan before it stays in force, if there was one (A5).",
        "A file was changed and cannot be used as it stands, or cannot be read.",
        (
            "`callcenter roster check FILE` tells all mistakes at once, each with its key and the remedy; the status page has the first ones.",
            "Once the file is right it is read by itself within seconds.",
        ),
        {"callcenter_roster_plan_ok": always(0)},
        {"callcenter_roster_plan_ok": always(1)},
        means_zh="有文件改过之后不能使用，或者读不了；如果之前有值班表，仍按之前的执行（A5）。",
        do_zh=(
            "`callcenter roster check FILE` 一次列出全部错误，各有键名和改法；系统状态页显示最先几条。",
            "文件改好后几秒内自动读取。",
        ),
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
        {
            'callcenter_queue_longest_hold_seconds{queue="it"}': always(60),
            'callcenter_queue_longest_hold_seconds{queue="vip"}': until_the_loss(61),
        },
        {"queue": "it"},
        means_zh="规范允许保持一分钟（B2）；超过时应记下号码并尽快回电。",
        do_zh=("座席回到线上，记下号码，稍后回电。",),
    ),
    Alert(
        "CallcenterServiceLevelLow",
        f"({contract(SHARE, '1h')}) < {limit('service_level')} and ({contract(BASE, '1h')}) >= {ENOUGH_CALLS}",
        "5m",
        "warning",
        "{{ $labels.queue }}：服务水平低于目标",
        "The service level of {{ $labels.queue }} ({{ $labels.variant }}) was below its target over the last hour.",
        f"The share of calls answered in time, in the contract's own variant, of at least {ENOUGH_CALLS} calls in the last hour.",
        (
            "The target is `service_level.target_percent` (default 80 %).",
            "See on the queue's dashboard whether calls came in a burst, or seats were away (CallcenterNoSeat).",
            "Look at the unobserved minutes beside the figure before you trust it.",
        ),
        _levels({("answered", "in_time"): 1, ("answered", "late"): 1, ("abandoned", "late"): 0.5})
        | _limited("service_level", 0.8),
        _levels({("answered", "in_time"): 1, ("answered", "late"): 1, ("abandoned", "late"): 0.5})
        | _limited("service_level", 0.3),
        {**QUEUE, "variant": "abandons_bad"},
        means_zh="最近一小时至少 20 通来电中，按合同口径及时接听的比例低于目标。",
        do_zh=(
            "目标是 `service_level.target_percent`（默认 80 %）。",
            "在队列仪表板上看是来电集中，还是座席不在（CallcenterNoSeat）。",
            "采信数字之前，先看旁边没有观察到的分钟数。",
        ),
    ),
    Alert(
        "CallcenterAbandonedHigh",
        f"({_ABANDONED.format('abandoned')} - ignoring (count) {_ABANDONED.format('abandoned_short')}) / ignoring (count) "
        f"(({_ABANDONED.format('calls')} - ignoring (count) {_ABANDONED.format('abandoned_short')}) >= {ENOUGH_CALLS}) "
        f"> {limit('abandoned')}",
        "5m",
        "warning",
        "{{ $labels.queue }}：放弃的来电过多",
        "Too many calls of {{ $labels.queue }} gave up in the last hour, short ones not counted.",
        "Callers hang up before a seat lifts; who gave up within the short-abandon limit is left out (nobody could have lifted).",
        (
            "The limit is `service_level.abandoned_limit_percent` (default 10 %).",
            "As for CallcenterServiceLevelLow. Abandoned calls are called back (D11): the page /callbacks lists them with their due times.",
        ),
        _levels({("answered", "in_time"): 1, ("abandoned", "late"): 0.5}) | _limited("abandoned", 0.1),
        _levels({("answered", "in_time"): 1, ("abandoned", "short"): 0.5}) | _limited("abandoned", 0.1),
        QUEUE,
        means_zh="来电者在座席接起之前挂断；在短放弃时限内挂断的不算，因为那时谁也来不及接。",
        do_zh=(
            "上限是 `service_level.abandoned_limit_percent`（默认 10 %）。",
            "处理同 CallcenterServiceLevelLow。放弃的来电要回拨（D11）：见“回拨”页（/callbacks）及其时限。",
        ),
    ),
    Alert(
        "CallcenterThreeRingsBroken",
        f"{_KEPT} / ({_THREE_RINGS.format('')} >= {ENOUGH_CALLS}) < {limit('three_rings')}",
        "5m",
        "warning",
        "{{ $labels.queue }}：三声内接听低于目标",
        "Fewer of the answered calls of {{ $labels.queue }} than the target were answered within three rings (A1) in the last hour.",
        "Seats lift too late, or too few ring.",
        (
            "The target is `service_level.three_rings_target_percent` (default 90 %).",
            'Calls that were not answered are not in this share. All that broke three rings, those that the announcement caught among them, by reason: `callcenter_breaches_total{rule="A1"}`.',
            "See whether the backup group rings at ring 2 (CallcenterCommandsFailed).",
        ),
        _rings(1, 1) | _limited("three_rings", 0.9),
        _rings(1, 0.05) | _limited("three_rings", 0.9),
        QUEUE,
        born=dict(zip(_rings(0, 0), ("_x80 0x1 18x50", "_x80 0x1 3x50"), strict=True)) | _limited("three_rings", 0.9),
        means_zh="已接来电在三声内接起（A1）的比例低于目标：座席接得太晚，或同时振铃的座席太少。",
        do_zh=(
            "目标是 `service_level.three_rings_target_percent`（默认 90 %）。",
            '未接的来电不在这个比例之内。全部未守三声的来电（含由公告接起的）及其原因：`callcenter_breaches_total{rule="A1"}`。',
            "看后备组是否在第二声开始振铃（CallcenterCommandsFailed）。",
        ),
    ),
    Alert(
        "CallcenterCallbacksOverdue",
        'sum by (rule) (callcenter_callbacks{state="overdue"}) > 0',
        "2m",
        "warning",
        "有回拨已超时",
        "A caller was not called back in time: B5 within 2 minutes of being cut off, D11 within 15 minutes (VIP) or an hour.",
        "Somebody gave up waiting, was not answered or was cut off, and nobody has spoken to them by the due time. The "
        "callback stays open until the customer lifts, calls again and is answered, or a person closes it with a reason.",
        (
            "/callbacks shows them, worst first: call back, or close what nobody needs with the reason.",
            "Tried and not reached stays open: try again later, and close it when the last attempt was made.",
            "Many at once: were there enough seats (A6)? Many of B5: look at the trunk and the network; `cut_off` on the "
            "calls says whether no sound came (`rtp_timeout` in pjsip.conf) or the network told why.",
        ),
        {
            'callcenter_callbacks{rule="D11",state="overdue"}': always(2),
            'callcenter_callbacks{rule="D11",state="open"}': always(3),
            'callcenter_callbacks{rule="B5",state="overdue"}': always(0),
        },
        {
            'callcenter_callbacks{rule="D11",state="overdue"}': always(0),
            'callcenter_callbacks{rule="D11",state="open"}': always(7),
        },
        {"rule": "D11"},
        means_zh="有来电者放弃等待、无人接听或通话中断，到期时仍没有人与其通上话。客户接听、再次来电并被接听，或有人写明原因结束之前，回拨一直有效。",
        do_zh=(
            "/callbacks 按紧急程度列出：请回拨；不需要回拨的，写明原因后结束。",
            "试过而未接通的仍然有效：稍后再试；最后一次试过后请结束。",
            "一次很多：座席够不够（A6）？B5 很多：查中继和网络；通话上的 `cut_off` 说明是没有声音（pjsip.conf 的 `rtp_timeout`），"
            "还是网络给出了原因。",
        ),
    ),
    Alert(
        "CallcenterSatisfactionLow",
        f"{SATISFACTION.format('1d')} < {limit('satisfaction')} and {ANSWERS.format('1d')} >= {ENOUGH_CALLS}",
        "5m",
        "warning",
        "{{ $labels.queue }}：满意率低于目标",
        "Fewer callers of {{ $labels.queue }} than the target were satisfied in the last day (D8).",
        f"The share who pressed very good or good after the call, of at least {ENOUGH_CALLS} answers in the last day.",
        (
            "The target is `survey.target_percent` (default 85 %).",
            "/reports by seat group and level says where; the answer stands on each call's ticket, and reviewers hear the call.",
            "Few answers of many calls: callers hang up before the question, or seats do not leave them on the line.",
        ),
        _answers(1, 0.5) | _limited("satisfaction", 0.85),
        _answers(1, 0.1) | _limited("satisfaction", 0.85),
        {"queue": "it"},
        means_zh=f"通话后按“非常满意”或“满意”的来电者所占的比例；最近一天至少有 {ENOUGH_CALLS} 次评价。",
        do_zh=(
            "目标是 `survey.target_percent`（默认 85 %）。",
            "/reports 按座席组和服务级别看是哪里；评价记在每通电话的工单上，质检员可以听录音。",
            "来电很多而评价很少：来电者没等到提问就挂机，或座席没有把他们留在线上。",
        ),
    ),
    Alert(
        "CallcenterClocksBreached",
        'sum by (level, clock) (callcenter_ticket_clocks_running{state="breached"}) > 0',
        "5m",
        "warning",
        "有工单超过时限",
        "A ticket is open beyond a time of the standard: of its level or severity (D1, D2), or of its dispatch (D3, D4).",
        "Nobody took it, it was not resolved in time, or a step of its dispatch is late. `clock` says which. It stays until "
        "that is done or the ticket is closed: a pause does not mend a breach.",
        (
            "The supervisor's desk (/supervise) lists the tickets, the worst first.",
            "Take the ticket, or tell the customer the delay (D4). If the customer is waited for, pause the clocks with the reason before they run out.",
            "`dispatch`: nobody was sent; `visit_booked`, `visit_arranged`, `visit`: the engineer has no time yet, or did not come; `manager_callback`: the duty manager calls back now; `delay_told`: call the customer; `abnormal`: tell the manager. Then note the step on the ticket; one that was made in error is taken back there.",
            "The times are `levels`, `severities` and `dispatch` in the settings; the level is the queue's `service_class` unless a seat changed it.",
        ),
        {
            'callcenter_ticket_clocks_running{level="vip",clock="dispatch",state="breached"}': always(1),
            'callcenter_ticket_clocks_running{level="vip",clock="response",state="breached"}': always(0),
            'callcenter_ticket_clocks_running{level="vip",clock="visit",state="at_risk"}': always(2),
        },
        {
            'callcenter_ticket_clocks_running{level="vip",clock="resolution",state="breached"}': always(0),
            'callcenter_ticket_clocks_running{level="vip",clock="resolution",state="at_risk"}': always(3),
            'callcenter_ticket_clocks_running{level="vip",clock="delay_told",state="running"}': always(1),
        },
        {"level": "vip", "clock": "dispatch"},
        means_zh="没有人受理，没有按时解决，或派工的某一步迟了，`clock` 说明是哪一项。做完这一步或关闭工单之前告警一直存在：超时之后再暂停计时不能补救。",
        do_zh=(
            "督导台（/supervise）列出这些工单，最紧急的在前。",
            "请受理，或把延误告知客户（D4）。如果是在等客户，请在超时之前写明原因并暂停计时。",
            "`dispatch`：还没有派人；`visit_booked`、`visit_arranged`、`visit`：工程师还没有约时间，或没有上门；`manager_callback`：请值班经理立即回电；`delay_told`：请致电客户；`abnormal`：请上报经理。做完后在工单上记下这一步；误记的在那里撤回。",
            "时限在设置的 `levels`、`severities` 和 `dispatch` 里；级别取自队列的 `service_class`，座席可以在工单上更改。",
        ),
    ),
    Alert(
        "CallcenterCalendarEnds",
        "callcenter_calendar_end_timestamp_seconds - time() < 2592000",
        "1h",
        "warning",
        "节假日日历即将到期",
        "The calendar of public holidays ends within thirty days, or has ended (D1).",
        "Beyond its end greetings and routes for holidays, shifts on workdays and clocks of the calendar 5x8 do not know the day. "
        "Each year's holidays are published in the November before.",
        (
            "Update the package `chinesecalendar` and restart the daemon; `callcenter check` says until when days are known.",
            "Or write the next year into a file of `calendar.files` as soon as the notice is out (docs/calendar.md).",
        ),
        {"callcenter_calendar_end_timestamp_seconds": always(2_500_000)},
        {"callcenter_calendar_end_timestamp_seconds": always(2_700_000)},
        means_zh="到期之后，按节假日播放的问候和路由、工作日的班次和 5x8 的时限都不知道当天是什么日子。次年的节假日在上一年 11 月公布。",
        do_zh=(
            "更新软件包 `chinesecalendar` 并重启守护进程；`callcenter check` 会说明日历已知到哪一天。",
            "或者在通知发布后把次年写进 `calendar.files` 的文件（docs/calendar.md）。",
        ),
    ),
    Alert(
        "CallcenterClocksUnknown",
        'sum by (level) (callcenter_ticket_clocks_running{state="unknown"}) > 0',
        "1h",
        "warning",
        "有工单的时限无法计算：日历未公布",
        "A ticket's due time rests on a year whose public holidays are not known here (D1).",
        "The calendar of holidays and swapped workdays is published in November for the next year. Nothing is guessed.",
        (
            "Update the package `chinesecalendar` and restart the daemon; `callcenter check` says until when days are known.",
            "Or write that year into a file of `calendar.files` (docs/calendar.md).",
        ),
        {'callcenter_ticket_clocks_running{level="standard",clock="resolution",state="unknown"}': always(2)},
        {'callcenter_ticket_clocks_running{level="standard",clock="resolution",state="unknown"}': always(0)},
        {"level": "standard"},
        means_zh="次年的节假日和调休在上一年 11 月公布，尚未公布的年份不作猜测。",
        do_zh=(
            "更新软件包 `chinesecalendar` 并重启守护进程；`callcenter check` 会说明日历已知到哪一天。",
            "或者把那一年写进 `calendar.files` 的文件（docs/calendar.md）。",
        ),
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
        means_zh="工单上有一项对客户的承诺已过期（C2），而没有人标记为已兑现。",
        do_zh=("工单列表里看得到；兑现承诺，或把延误告诉客户（D4）。",),
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
        means_zh="超过四小时的录音在等待转写：转写进程听得比人说得慢，或没有运行。",
        do_zh=("检查 `speech.workers`，以及质量仪表板上的实时率。",),
    ),
    Alert(
        "CallcenterTranscriptionDown",
        # One that ends and starts again and again is up for moments.
        "min_over_time(callcenter_transcription_up[2m]) == 0",
        "10m",
        "warning",
        "转写已停十分钟 ({{ $labels.of }})",
        "Transcription ({{ $labels.of }}) has stood still for ten minutes.",
        "`recordings`: the model of `speech.model` is refused, and recordings wait. `live`: the process that listens to running calls does not run, or ends again and again. Calls go on in both cases, and /readyz stays ready.",
        (
            "The status page (/status) gives the reason: transcription, or live transcription.",
            "`callcenter models` checks the model that `speech.model` or `live.model` names. Both go on by themselves.",
        ),
        {'callcenter_transcription_up{of="recordings"}': "1x70 0 0 1 0 0 1 0 0 1 0 0 1 0x40"},
        {'callcenter_transcription_up{of="recordings"}': "1x75 0x6 1x5 0x6 1x40"},
        {"of": "recordings"},
        means_zh="`recordings`：`speech.model` 的模型无法使用，录音在等待。`live`：监听进行中通话的进程没有运行，或反复退出。两种情况下通话都照常进行，/readyz 仍为就绪。",
        do_zh=(
            "系统状态页（/status）的“转写”或“实时转写”写明原因。",
            "`callcenter models` 检查 `speech.model` 或 `live.model` 指定的模型。两者都会自行恢复。",
        ),
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
        means_zh="有录音三次使转写中断，已被搁置：文件损坏，或内存太小（`speech.memory_mb`）。",
        do_zh=("`callcenter transcribe` 可以手工转写两个文件，并写明错在哪里。",),
    ),
    Alert(
        "CallcenterRecordingsStoreDown",
        "callcenter_recordings_store_up == 0",
        "30m",
        "warning",
        "录音存储半小时无法使用",
        "Recordings could not be copied to their store for half an hour.",
        "The store does not answer or refuses. Nothing is lost while the local disk has room: recordings wait there.",
        (
            "The status page (/status) names the cause (`recordings store`): address, keys, network.",
            "`callcenter_recordings_to_store` counts what waits; copying goes on by itself.",
        ),
        {"callcenter_recordings_store_up": always(0)},
        {"callcenter_recordings_store_up": always(1)},
        means_zh="录音半小时没能复制到存储：它没有应答或拒绝。只要本地磁盘有空间就不会丢失：录音在那里等待。",
        do_zh=(
            "系统状态页（`recordings store`）写明原因：地址、密钥、网络。",
            "`callcenter_recordings_to_store` 是等待的数量；恢复后会自动继续复制。",
        ),
    ),
)


def groups() -> list[dict[str, Any]]:
    return [{"name": "callcenter alerts", "rules": [alert.rule() for alert in ALERTS]}]


def cases(recorded: bool) -> list[dict[str, Any]]:
    """Those of the alerts that rest on recording rules, or those of the others: the rules of a day take their time."""
    chosen = (alert for alert in ALERTS if ("queue:" in alert.expr) == recorded)
    return [case for alert in chosen for case in alert.cases()]


SEVERITIES = {"critical": "严重", "warning": "警告"}


def runbook() -> str:
    lines = [
        "# Runbook",
        "",
        "What each alert of `docker/prometheus/alerts.yml` means and what to do; in Chinese: [runbook.zh.md](runbook.zh.md).",
        "Made by `scripts/dashboards`; change `scripts/boards`. Figures and their definitions: [metrics.md](metrics.md).",
    ]
    for alert in ALERTS:
        lines += [
            "",
            f"## {alert.name}",
            "",
            f"{_plain(alert.zh, zh=True)}. {_plain(alert.en, zh=False)}",
            "",
            alert.means,
            "",
        ]
        lines += [f"- {step}" for step in alert.do]
        lines += ["", f"Severity: {alert.severity}. Fires after: {alert.lasts}."]
    return "\n".join(lines) + "\n"


def runbook_zh() -> str:
    lines = [
        "# 告警处理手册",
        "",
        "`docker/prometheus/alerts.yml` 中每条告警的含义和处理办法；英文版：[runbook.md](runbook.md)。由 `scripts/dashboards`",
        "生成，请在 `scripts/boards` 中修改。各项数字及其定义：[metrics.md](metrics.md)。",
    ]
    for alert in ALERTS:
        lines += ["", f"## {alert.name}", "", f"{_plain(alert.zh, zh=True)}。", "", alert.means_zh, ""]
        lines += [f"- {step}" for step in alert.do_zh]
        lines += ["", f"级别：{SEVERITIES[alert.severity]}。持续 {alert.lasts} 后告警。"]
    return "\n".join(lines) + "\n"


_ANY = (
    ("{{ $labels.queue }}", "队列", "a queue"),
    ("{{ $labels.part }}", "部分", "part"),
    ("{{ $labels.webhook }}", "对方系统", "a system"),
)


def _plain(text: str, zh: bool) -> str:
    """Where an alert stands for every queue."""
    for slot, chinese, english in (
        (" ({{ $labels.variant }})", "", ""),
        (" ({{ $labels.part }})", "", ""),
        (" ({{ $labels.webhook }})", "", ""),
        (" ({{ $labels.of }})", "", ""),
        *_ANY,
    ):
        text = text.replace(slot, chinese if zh else english)
    return text


def runbook_for_pages() -> list[dict[str, Any]]:
    """The same for the daemon's own page, in each language."""
    return [
        {
            "name": alert.name,
            "severity": alert.severity,
            "zh": {"title": _plain(alert.zh, zh=True), "says": "", "means": alert.means_zh, "do": alert.do_zh},
            "en": {"title": alert.name, "says": _plain(alert.en, zh=False), "means": alert.means, "do": alert.do},
        }
        for alert in ALERTS
    ]
