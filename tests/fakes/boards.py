"""The dashboards as Grafana reads them: their queries, marks and variables, with what Grafana would put in."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.fakes.prometheus import Prometheus

SHELF = Path(__file__).parents[2] / "docker" / "grafana" / "dashboards"
BOARDS: Mapping[str, Any] = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(SHELF.glob("*.json"))}
SUBSTITUTES = {
    "$__range": "10m",
    "$__rate_interval": "5m",
    "$queue": ".*",
    "$seat_group": ".*",
    "$variant": "abandons_bad",
}
PERCENT = "percentunit"
Key = tuple[str, str, str]
"""Dashboard, title of the panel, letter of the query."""
FOUND: Mapping[Key, str] = {
    (name, panel["title"], target["refId"]): target["expr"]
    for name, board in BOARDS.items()
    for panel in board["panels"]
    for target in panel.get("targets", ())
}
MARKS = {mark["name"]: mark["expr"] for board in BOARDS.values() for mark in board["annotations"].get("list", ())}
"""The expression of each annotation."""
VARIABLES = {variable["query"] for board in BOARDS.values() for variable in board["templating"].get("list", ())}


def filled(expr: str) -> str:
    for name, value in SUBSTITUTES.items():
        expr = expr.replace(name, value)
    assert "$" not in expr, f"{expr}: a variable of Grafana that this test does not know"
    return expr


def answers(prometheus: Prometheus, at: float) -> dict[Key, list[Any]]:
    """What Prometheus says to every query of every panel; one that it does not understand fails the test."""
    return {key: prometheus.query(filled(expr), at) for key, expr in FOUND.items()}


def chosen(prometheus: Prometheus, query: str) -> list[str]:
    """What a variable's menu shows."""
    asked = re.fullmatch(r"label_values\((\w+), (\w+)\)", query)
    assert asked, query
    values: list[str] = prometheus.get(f"label/{asked[2]}/values", **{"match[]": asked[1]})
    return values


def share_queries() -> Iterator[Key]:
    for name, board in BOARDS.items():
        for panel in board["panels"]:
            if panel.get("fieldConfig", {}).get("defaults", {}).get("unit") == PERCENT:
                others = {override["matcher"]["options"] for override in panel["fieldConfig"]["overrides"]}
                yield from ((name, panel["title"], t["refId"]) for t in panel["targets"] if t["refId"] not in others)


def nonsense(found: Mapping[Key, list[Any]]) -> dict[Key, list[str]]:
    """Answers that no screen should show: no number, or a share beyond 0 to 1."""
    values = {key: [sample["value"][1] for sample in samples] for key, samples in found.items()}
    shares = set(share_queries())
    return {
        key: told
        for key, told in values.items()
        if {"NaN", "+Inf", "-Inf"} & set(told) or (key in shares and not all(0 <= float(value) <= 1 for value in told))
    }
