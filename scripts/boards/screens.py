"""The six dashboards. What a site does not have has no panel: an empty one would only pretend."""

from boards import callbacks, groups
from boards.outcomes import ANSWERED, BY_CLOCK, CLOCKS, FIRST_LINE, KEPT, SATISFIED
from boards.panels import COUNT, MINUTES, NO_CALLS, NOT_OBSERVED, SECONDS, SHARE, Board, Mark, Panel, Query, Variable
from boards.recorded import BASE
from boards.recorded import COUNT as COUNTS
from boards.recorded import SHARE as LEVEL
from callcenter.metrics.service_levels import Variant, promql, promql_base

QUEUE = Variable("queue", "队列", "label_values(callcenter_service_level_threshold_seconds, queue)")
VARIANT = Variable("variant", "口径", "label_values(callcenter_service_level_info, variant)", hidden=True)
OF_QUEUE = 'queue=~"$queue"'
GREEN_FROM_80 = ((None, "red"), (0.8, "orange"), (0.9, "green"))
RED_FROM_60 = ((None, "green"), (15, "orange"), (60, "red"))
RED_FROM_1 = ((None, "green"), (1, "red"))
MARKS = (
    Mark("连接中断 outages", 'callcenter_link_state{state="up"} == bool 0 or up{job="callcenter"} == bool 0'),
    Mark("守护进程启动 daemon started", 'changes(process_start_time_seconds{job="callcenter"}[1m]) > 0'),
    Mark("公告应答 announcements", 'sum(increase(callcenter_commands_total{kind="Announce"}[1m])) > 0', "orange"),
    Mark("告警 alerts", 'ALERTS{alertstate="firing"}'),
    Mark(
        "班次开始 shift starts",
        "callcenter_shift_started_timestamp_seconds * 1000",
        "blue",
        {"useValueForTime": True, "titleFormat": "{{shift}}"},
    ),
)

VARIANTS = {
    Variant.ABANDONS_IGNORED: "放弃不计",
    Variant.ABANDONS_GOOD: "及时放弃算达标",
    Variant.ABANDONS_BAD: "放弃均算未达标",
    Variant.LATE_ABANDONS_BAD: "只有超时放弃算未达标",
    Variant.SHORT_ABANDONS_FORGIVEN: "短放弃不计",
    Variant.FLOW_OUTS_BAD: "溢出也算未达标",
}


def grown(metric: str, window: str, *conditions: str, by: str = "") -> str:
    """Whole counts over a window: each series is rounded before it is added."""
    where = ",".join(conditions)
    return f"sum{f' by ({by})' if by else ''} (round(increase({metric}{{{where}}}[{window}])))"


def mean(metric: str, window: str, *conditions: str) -> str:
    where = ",".join(conditions)
    total, count = (f"sum(increase({metric}_{end}{{{where}}}[{window}]))" for end in ("sum", "count"))
    return f"{total} / ({count} > 0)"


def contract(window: str) -> tuple[Query, Query]:
    """The contract's own variant, by queue, with its number of calls."""
    chosen = f'{{variant="$variant",{OF_QUEUE}}}'
    return (
        Query(LEVEL.format(window) + chosen, "{{queue}} {{service_class}}"),
        Query(BASE.format(window) + chosen, "{{queue}}: n 通来电", COUNT),
    )


UNOBSERVED = Panel(
    "未观察到的分钟 · 补录的来电（$__range）",
    "Minutes in which nobody listened to Asterisk, and calls known only from its call records: read the figures beside this "
    "with them in mind.",
    (
        Query("sum(increase(callcenter_unobserved_seconds_total[$__range])) / 60", "未观察 unobserved", MINUTES),
        Query(grown("callcenter_recovered_calls_total", "$__range"), "补录 recovered", COUNT),
    ),
    limits=RED_FROM_1,
)
WAITING = Panel(
    "等待中 · 最长等待",
    "Callers who wait for a seat now, and the longest of these waits (A1: three rings are 15 s); nothing is known while the "
    "link to Asterisk is down.",
    (
        Query(f"sum(callcenter_queue_waiting_calls{{{OF_QUEUE}}})", "等待 waiting", COUNT),
        Query(f"max(callcenter_queue_longest_wait_seconds{{{OF_QUEUE}}})", "最长 longest", SECONDS),
    ),
    limits=RED_FROM_60,
    width=6,
    none=NOT_OBSERVED,
)
LEVEL_NOW = Panel(
    "服务水平（$variant，最近 1 小时）",
    "Share of calls answered within the queue's threshold, in the contract's variant $variant, with the calls it is of.",
    contract("1h"),
    unit=SHARE,
    width=12,
    limits=GREEN_FROM_80,
    none=NO_CALLS,
)
OUTCOMES = Panel(
    "来电结果（$__range）",
    "Ended hotline calls by outcome; short abandons (nobody could have lifted) apart.",
    (
        *(
            Query(
                grown("callcenter_service_level_calls_total", "$__range", f'outcome="{outcome}"', OF_QUEUE), zh, COUNT
            )
            for outcome, zh in (
                ("answered", "已接 answered"),
                ("abandoned", "放弃 abandoned"),
                ("overflowed", "溢出 overflowed"),
            )
        ),
        Query(
            grown("callcenter_service_level_calls_total", "$__range", 'outcome="abandoned",waited="short"', OF_QUEUE),
            "其中短放弃 short",
            COUNT,
        ),
    ),
    width=12,
    none=NO_CALLS,
)
THREE_RINGS = Panel(
    "三声内接听（$__range，占已接来电）",
    "Share of answered calls that were answered within three rings (A1), with the answered calls it is of.",
    (
        Query(
            grown("callcenter_three_rings_calls_total", "$__range", 'outcome="answered",kept="yes"', OF_QUEUE)
            + " / ("
            + grown("callcenter_three_rings_calls_total", "$__range", 'outcome="answered"', OF_QUEUE)
            + " > 0)",
            "三声内 within three rings",
        ),
        Query(
            grown("callcenter_three_rings_calls_total", "$__range", 'outcome="answered"', OF_QUEUE), "n 通已接", COUNT
        ),
    ),
    unit=SHARE,
    limits=GREEN_FROM_80,
    none=NO_CALLS,
)
ASA = Panel(
    "平均应答速度（$__range）",
    "Average speed of answer: mean wait of answered calls, from arrival to the lifting of the phone, with their number.",
    (
        Query(mean("callcenter_wait_seconds", "$__range", 'outcome="answered"', OF_QUEUE), "平均 mean"),
        Query(grown("callcenter_wait_seconds_count", "$__range", 'outcome="answered"', OF_QUEUE), "n 通已接", COUNT),
    ),
    unit=SECONDS,
    limits=RED_FROM_60,
    none=NO_CALLS,
)
SEATS = Panel(
    "坐席状态",
    "Seats by state (A4, A5); wrapup: the call is over and its ticket is not finished.",
    (Query("sum by (state) (callcenter_seats) > 0", "{{state}}"),),
    width=12,
    none=NOT_OBSERVED,
)
ROSTER = Panel(
    "值班：计划与到岗",
    "Seats of all groups planned in the running shifts, by state (A5): ready, break, late, missing, left, unknown; and how far the duty plan "
    "reaches. Nothing where there is no roster.",
    (
        Query("sum by (state) (callcenter_roster_seats) > 0", "{{state}}"),
        Query("max(callcenter_roster_ahead_seconds)", "已排 planned ahead", SECONDS),
    ),
    width=12,
)
ROSTER_LATE = Panel(
    "迟到 · 缺岗（$__range）",
    "Seats that were not there when their shift began, and those that were late for too long, by shift (A5).",
    (
        Query(grown("callcenter_roster_late_seats_total", "$__range", by="shift"), "{{shift}} 迟到 late"),
        Query(grown("callcenter_roster_missing_seats_total", "$__range", by="shift"), "{{shift}} 缺岗 missing"),
    ),
    width=12,
    limits=RED_FROM_1,
)
LONG_HOLDS = Panel(
    "保持超过一分钟（$__range）",
    "Holds of more than a minute (B2), all holds, and the longest one that goes on now.",
    (
        Query(
            grown("callcenter_hold_seconds_count", "$__range", OF_QUEUE)
            + " - "
            + grown("callcenter_hold_seconds_bucket", "$__range", 'le="60.0"', OF_QUEUE),
            "超过 60 s",
        ),
        Query(grown("callcenter_hold_seconds_count", "$__range", OF_QUEUE), "n 次保持", COUNT),
        Query(f"max(callcenter_queue_longest_hold_seconds{{{OF_QUEUE}}})", "正在保持 now", SECONDS),
    ),
    limits=RED_FROM_1,
)
ALERTS = Panel(
    "告警", "Alerts of docker/prometheus/alerts.yml; docs/runbook.md says what to do.", (), "alerts", width=12
)


def _handled(*metrics: str) -> str:
    return " + ".join(f"sum(increase({metric}_sum{{{OF_QUEUE}}}[$__range]))" for metric in metrics)


TALK_COUNT = f"sum(increase(callcenter_talk_seconds_count{{{OF_QUEUE}}}[$__range]))"
HANDLE = Panel(
    "通话 · 保持 · 整理 · 处理时长（$__range，每通）",
    "Per answered call: talk without holds, hold, wrap-up (from the end of the call until its ticket is closed or left open), "
    "and their sum, the handle time; with the calls they are of.",
    (
        *(
            Query(f"({_handled(metric)}) / ({TALK_COUNT} > 0)", zh)
            for metric, zh in (
                ("callcenter_talk_seconds", "通话 talk"),
                ("callcenter_hold_seconds", "保持 hold"),
                ("callcenter_wrapup_seconds", "整理 wrap-up"),
            )
        ),
        Query(
            f"({_handled('callcenter_talk_seconds', 'callcenter_hold_seconds', 'callcenter_wrapup_seconds')}) "
            f"/ ({TALK_COUNT} > 0)",
            "处理 handle",
        ),
        Query(grown("callcenter_talk_seconds_count", "$__range", OF_QUEUE), "n 通已接", COUNT),
    ),
    unit=SECONDS,
    width=12,
    none=NO_CALLS,
)


TRANSFERS = Panel(
    "转接（$__range）",
    "Transfers by kind (B4), in all queues.",
    (Query(grown("callcenter_transfers_total", "$__range", by="kind"), "{{kind}}"),),
)


def quantile(metric: str, share: float, window: str, where: str = "") -> str:
    """Nothing where nothing was measured, which is not a number otherwise."""
    return f"histogram_quantile({share}, sum by (le) (rate({metric}_bucket{{{where}}}[{window}]))) >= 0"


WALLBOARD = Board(
    "callcenter-wallboard",
    "热线大屏",
    "The big screen of the hotline: the last hour, live. 口径 variant: $variant.",
    (WAITING, LEVEL_NOW, UNOBSERVED, OUTCOMES, THREE_RINGS, ASA, SEATS, LONG_HOLDS, SATISFIED, FIRST_LINE, ALERTS),
    (QUEUE, VARIANT),
)
QUEUES = Board(
    "callcenter-queue",
    "队列",
    "One queue or several over time.",
    (
        LEVEL_NOW,
        WAITING,
        UNOBSERVED,
        Panel(
            "服务水平（$variant，滑动 1 小时）",
            "The contract's variant $variant over a sliding hour, and the calls it is of.",
            contract("1h"),
            "lines",
            SHARE,
            24,
            9,
            none=NO_CALLS,
        ),
        Panel(
            "等待（$__rate_interval）",
            "Waits of answered calls: half of them, nine of ten.",
            tuple(
                Query(
                    quantile("callcenter_wait_seconds", share, "$__range", f'outcome="answered",{OF_QUEUE}'),
                    f"{share:.0%}",
                )
                for share in (0.5, 0.9)
            ),
            "lines",
            SECONDS,
            12,
            8,
            none=NO_CALLS,
        ),
        Panel(
            "振铃（每次尝试）",
            "How long a seat's phone rang in one attempt, by how that ended (A1); means.",
            (
                Query(
                    f"sum by (result) (increase(callcenter_seat_ring_seconds_sum{{{OF_QUEUE}}}[$__range])) / "
                    f"(sum by (result) (increase(callcenter_seat_ring_seconds_count{{{OF_QUEUE}}}[$__range])) > 0)",
                    "{{result}}",
                ),
            ),
            "lines",
            SECONDS,
            12,
            8,
            none=NO_CALLS,
        ),
        OUTCOMES,
        THREE_RINGS,
        ASA,
        Panel(
            "未守三声的原因（$__range）",
            "Calls that broke three rings (A1), answered or not, by reason; those that the announcement caught are among them.",
            (Query(grown("callcenter_breaches_total", "$__range", 'rule="A1"', OF_QUEUE, by="reason"), "{{reason}}"),),
            width=12,
        ),
        Panel(
            "队列坐席状态（时间线）",
            "Seats that serve the chosen queues, by state over time; nothing while the link to Asterisk is down; one that serves several of them counts in each.",
            (Query(f"sum by (state) (callcenter_queue_seats{{{OF_QUEUE}}})", "{{state}}"),),
            "lines",
            COUNT,
            12,
            8,
            none=NOT_OBSERVED,
        ),
        HANDLE,
        LONG_HOLDS,
        TRANSFERS,
        Panel(
            "谁先挂机（$__range）",
            "Answered calls by the side that hung up first (B6: the customer does).",
            (Query(grown("callcenter_calls_ended_by_total", "$__range", OF_QUEUE, by="side"), "{{side}}"),),
            width=12,
            none=NO_CALLS,
        ),
    ),
    (QUEUE, VARIANT),
    marks=MARKS,
)
GROUPS = Board(
    "callcenter-seats",
    "坐席组",
    "Seat groups of the settings ([seat_groups]): without names or numbers of seats, which are personal.",
    (*groups.PANELS, UNOBSERVED, *groups.OF_CALLS, ROSTER, ROSTER_LATE),
    (groups.GROUP,),
    marks=MARKS,
)
LEVELS = Board(
    "callcenter-levels",
    "服务水平与工单",
    "The contract's variant and the five others from the same calls, and tickets. 口径 variant: $variant.",
    (
        LEVEL_NOW,
        Panel(
            "服务水平（$variant，最近 24 小时）",
            "The contract's variant $variant over 24 hours. Contracts are judged by the reports, from SQL: Prometheus may miss "
            "calls of a restart.",
            contract("1d"),
            unit=SHARE,
            width=12,
            limits=GREEN_FROM_80,
            none=NO_CALLS,
        ),
        *(
            Panel(
                f"{VARIANTS[variant]}（{variant}，$__range）",
                f"Variant {variant}: see docs/metrics.md for its formula; with the calls it is of.",
                (
                    Query(promql(variant, "$__range", where=OF_QUEUE), "{{queue}} {{service_class}}"),
                    Query(promql_base(variant, "$__range", where=OF_QUEUE), "{{queue}}: n 通来电", COUNT),
                ),
                unit=SHARE,
                width=8,
                limits=GREEN_FROM_80,
                none=NO_CALLS,
            )
            for variant in Variant
        ),
        Panel(
            "达标时限",
            "The threshold of each queue's service level.",
            (Query(f"callcenter_service_level_threshold_seconds{{{OF_QUEUE}}}", "{{queue}} {{service_class}}"),),
            unit=SECONDS,
            width=12,
        ),
        UNOBSERVED,
        Panel(
            "计数（最近 1 小时）",
            "The counts that every variant is made of.",
            (Query(COUNTS.format("1h") + f"{{{OF_QUEUE}}}"),),
            "table",
            COUNT,
            16,
            9,
            none=NO_CALLS,
        ),
        Panel(
            "工单：未结 · 承诺过期",
            "Open tickets, and those with a promise that is overdue (C2), by level (D1: the queue's, or what a seat chose).",
            (Query("sum by (level, state) (callcenter_tickets)", "{{level}} {{state}}"),),
            width=8,
        ),
        *callbacks.PANELS,
        SATISFIED,
        FIRST_LINE,
        ANSWERED,
        CLOCKS,
        BY_CLOCK,
        KEPT,
    ),
    (QUEUE, VARIANT),
    marks=MARKS,
)
QUALITY = Board(
    "callcenter-quality",
    "质量",
    "What transcripts were found to say (A2, B1, B7, B8), and the hearing itself.",
    (
        Panel(
            "话术：说到的比例（按队列，$__range）",
            "Share of transcripts of a queue in which a phrase was found, of those judged without doubt; for forbidden phrases "
            "(B8) less is better. With the transcripts it is of.",
            (
                Query(
                    grown("callcenter_phrases_total", "$__range", 'result="said"', OF_QUEUE, by="queue, phrase")
                    + " / ("
                    + grown(
                        "callcenter_phrases_total", "$__range", 'result=~"said|not_said"', OF_QUEUE, by="queue, phrase"
                    )
                    + " > 0)",
                    "{{queue}} {{phrase}}",
                ),
                Query(
                    grown(
                        "callcenter_phrases_total", "$__range", 'result=~"said|not_said"', OF_QUEUE, by="queue, phrase"
                    ),
                    "{{queue}} {{phrase}}: n 份转写",
                    COUNT,
                ),
            ),
            unit=SHARE,
            width=24,
            height=8,
            none="无转写 · no transcripts",
        ),
        Panel(
            "待人工判断（$__range）",
            "Findings that are left to a person.",
            (Query(grown("callcenter_phrases_total", "$__range", 'result="doubtful"', OF_QUEUE), "存疑 doubtful"),),
        ),
        Panel(
            "转写任务",
            "Recordings by state of their transcription.",
            (Query("sum by (state) (callcenter_transcription_jobs)", "{{state}}"),),
        ),
        Panel(
            "转写积压",
            "Sound that waits to be transcribed.",
            (Query("callcenter_transcription_backlog_seconds", "积压 backlog"),),
            unit=SECONDS,
        ),
        Panel(
            "转写速度（$__range）",
            "Real-time factor: processor seconds for a second of sound; with the sound it is of.",
            (
                Query(
                    "increase(callcenter_transcription_cpu_seconds_total[$__range]) / "
                    "(increase(callcenter_transcribed_audio_seconds_total[$__range]) > 0)",
                    "实时率 RTF",
                ),
                Query("increase(callcenter_transcribed_audio_seconds_total[$__range])", "音频 sound", SECONDS),
            ),
            none="无转写 · no transcripts",
        ),
        Panel(
            "转写失败（$__range）",
            "Attempts that gave no transcript, by reason.",
            (Query(grown("callcenter_transcription_failures_total", "$__range", by="reason"), "{{reason}}"),),
        ),
        Panel(
            "实时收听",
            "Calls that are listened to now, and sound that could not be followed.",
            (
                Query("callcenter_live_calls", "正在听 now"),
                Query("increase(callcenter_live_missed_seconds_total[$__range])", "漏听 missed", SECONDS),
            ),
        ),
        UNOBSERVED,
    ),
    (QUEUE,),
)
HEALTH = Board(
    "callcenter-health",
    "连接与守护进程",
    "The link to Asterisk, the store, the daemon itself.",
    (
        Panel(
            "告警",
            "Alerts of docker/prometheus/alerts.yml; docs/runbook.md says what to do.",
            (),
            "alerts",
            width=8,
            height=8,
        ),
        Panel(
            "就绪",
            "Parts of the daemon: 1 is ready. /readyz tells reasons and remedies.",
            (Query("callcenter_ready", "{{part}}"),),
            width=8,
            height=8,
            limits=((None, "red"), (1, "green")),
        ),
        Panel(
            "与 Asterisk 的连接",
            "The state the link is in.",
            (Query("callcenter_link_state == 1", "{{state}}"),),
            width=8,
            height=8,
        ),
        UNOBSERVED,
        Panel(
            "事件（每秒）· 积压",
            "Events folded each second, and those that wait.",
            (
                Query("rate(callcenter_events_total[$__rate_interval])", "事件/s events"),
                Query("callcenter_intake_events", "积压 waiting", COUNT),
            ),
            "lines",
            width=18,
            height=8,
        ),
        Panel(
            "与 Asterisk 记录的差异（24 小时）",
            "Facts of calls of which call records or queue_log say something else, new in 24 hours; explained ones apart.",
            (
                Query(
                    'sum(increase(callcenter_books_differences_total{explained="no"}[24h]))',
                    "未解释 not explained",
                    COUNT,
                ),
                Query(
                    'sum(increase(callcenter_books_differences_total{explained="yes"}[24h]))', "已解释 explained", COUNT
                ),
                Query("sum(increase(callcenter_books_calls_total[24h]))", "已核对通话 calls compared", COUNT),
            ),
            width=6,
            height=8,
        ),
        Panel(
            "从事件到弹屏、到大屏",
            "From an event's receipt to its push to the windows; from its commit to the last wallboard: half, 99 of 100.",
            tuple(
                Query(quantile(f"callcenter_{name}_seconds", q, "$__rate_interval"), f"{to} {q:.0%}")
                for name, to in (("event_to_push", "弹屏 windows"), ("wallboard_lag", "大屏 wallboards"))
                for q in (0.5, 0.99)
            ),
            "lines",
            SECONDS,
            12,
            8,
        ),
        Panel(
            "事件循环迟滞",
            "How late timers run: half of them, 99 of 100.",
            tuple(
                Query(quantile("callcenter_loop_lag_seconds", q, "$__rate_interval"), f"{q:.0%}") for q in (0.5, 0.99)
            ),
            "lines",
            SECONDS,
            12,
            8,
        ),
        Panel(
            "数据库：距上次写入",
            "Since the store last took something, and batches it did not take at once.",
            (
                Query("callcenter_store_silence_seconds", "距上次 since", SECONDS),
                Query(grown("callcenter_commit_failures_total", "$__range"), "未接收 refused", COUNT),
            ),
            limits=((None, "green"), (10, "orange"), (30, "red")),
        ),
        Panel(
            "触及上限（$__range）",
            "Times a limit was reached, by limit.",
            (Query(grown("callcenter_limit_hits_total", "$__range", by="limit"), "{{limit}}"),),
        ),
        Panel(
            "命令（$__range）",
            "Commands sent to Asterisk, by kind and end.",
            (Query(grown("callcenter_commands_total", "$__range", by="kind, state"), "{{kind}} {{state}}"),),
        ),
        Panel(
            "钩子（$__range）",
            "Calls of the dialplan's hooks by result.",
            (Query(grown("callcenter_hook_calls_total", "$__range", by="hook, result"), "{{hook}} {{result}}"),),
        ),
        Panel(
            "窗口 · 大屏",
            "Windows and wallboards that are connected.",
            (
                Query("callcenter_open_screens", "窗口 screens"),
                Query("callcenter_open_wallboards", "大屏 wallboards"),
            ),
        ),
        Panel(
            "内存 · CPU",
            "The daemon's memory, and processor seconds a second.",
            (
                Query('process_resident_memory_bytes{job="callcenter"}', "内存 memory", "bytes"),
                Query('rate(process_cpu_seconds_total{job="callcenter"}[$__rate_interval])', "CPU"),
            ),
        ),
        Panel(
            "运行时间 · 版本",
            "Since the daemon's start, and the running version.",
            (
                Query('time() - process_start_time_seconds{job="callcenter"}', "运行 up", SECONDS),
                Query("callcenter_build_info", "{{version}}", COUNT),
            ),
        ),
        Panel(
            "通话通知（$__range）",
            "Webhooks: messages of ended calls by system and end, and those that wait to be taken.",
            (
                Query(
                    grown("callcenter_webhook_deliveries_total", "$__range", by="webhook, outcome"),
                    "{{webhook}} {{outcome}}",
                ),
                Query("callcenter_webhook_pending", "{{webhook}}: 等待 waiting"),
            ),
            none="未设 · none set",
        ),
    ),
    marks=MARKS,
)

BOARDS = (WALLBOARD, QUEUES, GROUPS, LEVELS, QUALITY, HEALTH)
