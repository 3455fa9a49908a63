"""The panels of seat groups: how their seats stand, how busy they are, and the calls that they answered together."""

from boards.panels import COUNT, NO_CALLS, NOT_OBSERVED, SECONDS, SHARE, Panel, Query, Variable

GROUP = Variable("seat_group", "坐席组", "label_values(callcenter_seat_group_answered_calls_total, seat_group)")
OF_GROUP = 'seat_group=~"$seat_group"'
SEATS = "callcenter_seat_group_seats"
_BUSY = 'state=~"in_use|hold|ringing|wrapup"'
_THERE = 'state=~"idle|in_use|hold|ringing|wrapup"'


def grown(metric: str, *conditions: str, by: str = "seat_group") -> str:
    """Whole counts by seat group over the dashboard's time."""
    where = ",".join((OF_GROUP, *conditions))
    return f"sum by ({by}) (round(increase({metric}{{{where}}}[$__range])))"


def _handled(parts: str) -> str:
    seconds = f'callcenter_seat_group_handle_seconds_total{{{OF_GROUP},part=~"{parts}"}}'
    return f"sum by (seat_group) (increase({seconds}[$__range])) / ({_ANSWERED} > 0)"


_ANSWERED = grown("callcenter_seat_group_answered_calls_total")
_KEPT = grown("callcenter_seat_group_answered_calls_total", 'kept="yes"')
_THERE_NOW = f"sum by (seat_group) (avg_over_time({SEATS}{{{OF_GROUP},{_THERE}}}[$__range]))"

PANELS = (
    Panel(
        "组内坐席状态",
        "Seats of each chosen group by state now; none: seats of no group.",
        (Query(f"sum by (seat_group, state) ({SEATS}{{{OF_GROUP}}}) > 0", "{{seat_group}} {{state}}"),),
        width=12,
        none=NOT_OBSERVED,
    ),
    Panel(
        "占用率（$__range）",
        "Occupancy: time in calls, ringing or wrapping up, of the time that seats were there and not paused.",
        (
            Query(
                f"sum by (seat_group) (avg_over_time({SEATS}{{{OF_GROUP},{_BUSY}}}[$__range])) / ({_THERE_NOW} > 0)",
                "{{seat_group}} 占用率",
            ),
            Query(f"sum by (seat_group) ({SEATS}{{{OF_GROUP}}})", "{{seat_group}}: n 个坐席", COUNT),
        ),
        unit=SHARE,
    ),
)
OF_CALLS = (
    Panel(
        "通话 · 保持 · 整理 · 处理时长（$__range，每通）",
        "Per call that the group answered: talk without holds, hold, wrap-up, and their sum, the handle time; with the calls "
        "they are of.",
        (
            *(
                Query(_handled(parts), f"{{{{seat_group}}}} {zh}")
                for parts, zh in (
                    ("talk", "通话 talk"),
                    ("hold", "保持 hold"),
                    ("wrapup", "整理 wrap-up"),
                    (".*", "处理 handle"),
                )
            ),
            Query(_ANSWERED, "{{seat_group}}: n 通已接", COUNT),
        ),
        unit=SECONDS,
        width=24,
        none=NO_CALLS,
    ),
    Panel(
        "三声内接听（$__range，占已接来电）",
        "Share of the calls that the group answered that were answered within three rings (A1), with these calls.",
        (
            Query(f"{_KEPT} / ({_ANSWERED} > 0)", "{{seat_group}} 三声内"),
            Query(_ANSWERED, "{{seat_group}}: n 通已接", COUNT),
        ),
        unit=SHARE,
        width=12,
        limits=((None, "red"), (0.8, "orange"), (0.9, "green")),
        none=NO_CALLS,
    ),
    Panel(
        "保持超过一分钟（$__range）",
        "Holds of more than a minute (B2) in calls that the group answered, and all holds in them.",
        (
            Query(grown("callcenter_seat_group_holds_total", 'long="yes"'), "{{seat_group}} 超过 60 s"),
            Query(grown("callcenter_seat_group_holds_total"), "{{seat_group}}: n 次保持", COUNT),
        ),
        width=12,
        limits=((None, "green"), (1, "red")),
    ),
    Panel(
        "每次振铃的结果（$__range）",
        "Attempts to reach a seat of the group by result; missed: it rang and nobody lifted.",
        (
            Query(
                grown("callcenter_seat_group_rings_total", by="seat_group, result"),
                "{{seat_group}} {{result}}",
            ),
        ),
        width=24,
        none=NO_CALLS,
    ),
    Panel(
        "组内坐席状态（时间线）",
        "Seats of the chosen groups by state over time.",
        (Query(f"sum by (seat_group, state) ({SEATS}{{{OF_GROUP}}})", "{{seat_group}} {{state}}"),),
        "lines",
        COUNT,
        24,
        9,
        none=NOT_OBSERVED,
    ),
)
