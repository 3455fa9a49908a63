"""Recording rules: the service level in its six variants and how many calls it is of, over an hour and over a day.

Names are level:metric:operations. Numerator and denominator are added up before they are divided; nothing averages a
share. Every other file here reads these names from ``SHARE``, ``BASE`` and ``COUNT``.
"""

from collections.abc import Iterator
from typing import Any

from boards import outcomes
from callcenter.metrics.service_levels import Variant, promql, promql_base, promql_term

WINDOWS = ("1h", "1d")
SHARE = "queue:callcenter_service_level:ratio_increase{}"
BASE = "queue:callcenter_service_level_calls:base_increase{}"
COUNT = "queue:callcenter_service_level_calls:increase{}"
"""Of a ``Tally``: the label ``count`` names which."""
COUNTS = ("calls", "answered", "answered_in_time", "abandoned", "abandoned_in_time", "abandoned_short", "overflowed")


def groups() -> list[dict[str, Any]]:
    levels = [{"name": f"callcenter service levels {window}", "rules": list(_rules(window))} for window in WINDOWS]
    return [*levels, {"name": "callcenter outcomes 1d", "rules": outcomes.rules("1d")}]


def _rules(window: str) -> Iterator[dict[str, Any]]:
    for name in (*COUNTS, "other"):
        yield {"record": COUNT.format(window), "expr": promql_term(name, window), "labels": {"count": name}}
    for variant in Variant:
        labels = {"variant": variant.value}
        yield {"record": SHARE.format(window), "expr": promql(variant, window), "labels": labels}
        yield {"record": BASE.format(window), "expr": promql_base(variant, window), "labels": labels}


def contract(name: str, window: str) -> str:
    """A recorded share or base in the variant of the site's contract."""
    return f"{name.format(window)} and on (variant) callcenter_service_level_info == 1"
