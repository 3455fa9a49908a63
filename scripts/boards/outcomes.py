"""What became of the callers' matters: clocks of tickets (D1 to D4) and satisfaction (D8), as recording rules and panels."""

from typing import Any

from boards.panels import COUNT, SHARE, Panel, Query
from callcenter.metrics import survey

SATISFACTION = "queue:callcenter_satisfaction:ratio_increase{}"
ANSWERS = "queue:callcenter_survey_answers:increase{}"
NO_ANSWERS = "无评价 · no answers"
OF_QUEUE = 'queue=~"$queue"'


def rules(window: str) -> list[dict[str, Any]]:
    return [
        {"record": SATISFACTION.format(window), "expr": survey.promql(window)},
        {"record": ANSWERS.format(window), "expr": survey.promql_answers(window)},
    ]


SATISFIED = Panel(
    "满意率（$__range）",
    "Share of callers who pressed very good or good after their call, of those who answered (D8), with the answers it is of.",
    (
        Query(survey.promql("$__range", by="", where=OF_QUEUE), "满意 satisfied"),
        Query(survey.promql_answers("$__range", by="", where=OF_QUEUE), "n 份评价", COUNT),
    ),
    unit=SHARE,
    width=6,
    limits=((None, "red"), (0.8, "orange"), (0.85, "green")),
    none=NO_ANSWERS,
)
ANSWERED = Panel(
    "评价分布（$__range）",
    "Answers by key: 5 very good, 4 good, 3 fair, 2 poor, 1 very poor; other is a key beyond the scale (D8).",
    (Query(f"sum by (answer) (round(increase({survey.COUNTER}{{{OF_QUEUE}}}[$__range])))", "{{answer}}"),),
    width=12,
    none=NO_ANSWERS,
)

CLOCKS = Panel(
    "工单时限：将超时 · 已超时",
    "Clocks of open tickets that are at risk (most of their time is used) and breached, by level (D1 to D4).",
    (
        Query(
            'sum by (level, state) (callcenter_ticket_clocks_running{state=~"at_risk|breached"})',
            "{{level}} {{state}}",
        ),
    ),
    width=8,
    height=7,
    limits=((None, "green"), (1, "orange")),
)
BY_CLOCK = Panel(
    "将超时 · 已超时：按时限",
    "The same clocks, each by itself: response and resolution (D1, D2), plan (D2), dispatch and what follows it (D3, D4).",
    (
        Query(
            'sum by (clock, state) (callcenter_ticket_clocks_running{state=~"at_risk|breached"})',
            "{{clock}} {{state}}",
        ),
    ),
    width=16,
    height=7,
    limits=((None, "green"), (1, "orange")),
)
KEPT = Panel(
    "工单时限：按时的比例（$__range）",
    "Share of clocks that stopped in time, by level and clock (D1 response 100 %, D2 to D4), with the clocks it is of.",
    (
        Query(
            'sum by (level, clock) (round(increase(callcenter_ticket_clocks_total{kept="yes"}[$__range]))) / '
            "(sum by (level, clock) (round(increase(callcenter_ticket_clocks_total[$__range]))) > 0)",
            "{{level}} {{clock}}",
        ),
        Query(
            "sum by (level, clock) (round(increase(callcenter_ticket_clocks_total[$__range]))) > 0",
            "{{level}} {{clock}}: n 个时限",
            COUNT,
        ),
    ),
    unit=SHARE,
    width=24,
    height=7,
    limits=((None, "red"), (0.95, "orange"), (1, "green")),
    none="无 · no clock stopped",
)
FIRST_LINE = Panel(
    "首次解决率（最近 24 小时）",
    "Share of answered calls that were solved at the first contact so far (E3: 30 to 50 % are expected), with the calls it is of.",
    (
        Query(
            f'sum(callcenter_first_line_calls{{solved="yes",{OF_QUEUE}}}) / '
            f"(sum(callcenter_first_line_calls{{{OF_QUEUE}}}) > 0)",
            "首次解决 solved",
        ),
        Query(f"sum(callcenter_first_line_calls{{{OF_QUEUE}}})", "n 通已接", COUNT),
    ),
    unit=SHARE,
    width=6,
    limits=((None, "red"), (0.3, "green")),
    none="无来电 · no calls",
)
