"""The panels of callbacks (B5, D11): what is owed now, how it ended, and the share in time."""

from boards.panels import COUNT, SHARE, Panel, Query

_ENDED = "sum by (rule, result) (round(increase(callcenter_callbacks_ended_total[$__range])))"
_IN_TIME = "sum by (rule) (round(increase(callcenter_callbacks_in_time_total[$__range])))"
_SPOKEN = 'sum by (rule) (round(increase(callcenter_callbacks_ended_total{result!="closed"}[$__range])))'

PANELS = (
    Panel(
        "回拨：待办 · 超时",
        "Callers to be called back, and those of them that are late: D11 not spoken to, B5 cut off.",
        (Query("sum by (rule, state) (callcenter_callbacks)", "{{rule}} {{state}}"),),
        width=8,
    ),
    Panel(
        "回拨结果",
        "How callbacks ended: the customer was reached, called again first, or a person closed it with a reason.",
        (Query(_ENDED, "{{rule}} {{result}}"),),
        width=8,
    ),
    Panel(
        "按时回拨率",
        "Of the callers who were spoken to, those by the due time (B5: 2 min; D11: VIP 15 min, others 1 h); none where "
        "nobody was.",
        (Query(f"{_IN_TIME} / ({_SPOKEN} > 0)", "{{rule}}"), Query(_SPOKEN, "{{rule}} n 个", COUNT)),
        unit=SHARE,
        width=8,
        none="无回拨 · no callbacks",
    ),
)
