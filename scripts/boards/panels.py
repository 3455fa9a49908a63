"""Panels and dashboards as this project draws them, over grafana-foundation-sdk: the only file that knows its types.

Each panel has a Chinese title and an English description; a share never stands without its number of calls; where
there is no call the panel says so. Grafana 11.6's schema is written; newer ones read it.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from grafana_foundation_sdk.builders import common as common_builder
from grafana_foundation_sdk.builders import dashboard, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

SOURCE = model.DataSourceRef(type_val="prometheus", uid="callcenter-prometheus")
COLUMNS = 24
NO_CALLS = "无来电 · no calls"
NOTHING = "无 · none"
NOT_OBSERVED = "无数据 · not observed"
"""Of what is true at this moment: the daemon tells nothing of it while its link to Asterisk is down."""
SHARE, SECONDS, COUNT, MINUTES = "percentunit", "s", "short", "m"


@dataclass(frozen=True)
class Query:
    expr: str
    legend: str = ""
    unit: str = ""
    """If it is not the panel's."""
    instant: bool = False


@dataclass(frozen=True)
class Panel:
    """``kind``: stat, lines, table or alerts. ``width`` is of 24 columns. ``limits``: (from, colour), ascending."""

    zh: str
    en: str
    queries: tuple[Query, ...]
    kind: str = "stat"
    unit: str = COUNT
    width: int = 6
    height: int = 5
    limits: tuple[tuple[float | None, str], ...] = ((None, "text"),)
    none: str = NOTHING

    def made(self) -> Any:
        if self.kind == "alerts":
            panel: Any = dashboard.Panel().type("alertlist").options({"alertInstanceLabelFilter": "", "maxItems": 20})
        else:
            kinds: dict[str, Any] = {"stat": stat.Panel, "lines": timeseries.Panel, "table": table.Panel}
            panel = kinds[self.kind]()
            panel = panel.unit(self.unit).no_value(self.none).thresholds(self._thresholds())
        panel = panel.title(self.zh).description(self.en).datasource(SOURCE).span(self.width).height(self.height)
        for number, query in enumerate(self.queries):
            panel = panel.with_target(self._target(query, chr(ord("A") + number)))
            if query.unit and query.unit != self.unit:
                properties = [model.DynamicConfigValue(id_val="unit", value=query.unit)]
                if self.kind == "stat" and query.unit == COUNT:  # a number of calls is neither good nor bad
                    properties.append(
                        model.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": "text"})
                    )
                if self.kind == "lines":
                    properties.append(model.DynamicConfigValue(id_val="custom.axisPlacement", value="right"))
                panel = panel.override_by_query(chr(ord("A") + number), properties)
        if self.kind == "stat":
            reduce = common_builder.ReduceDataOptions().calcs(["lastNotNull"]).values(False)
            panel = panel.reduce_options(reduce).color_mode(common.BigValueColorMode.VALUE)
            panel = panel.graph_mode(common.BigValueGraphMode.NONE).text_mode(common.BigValueTextMode.AUTO)
        return panel

    def _thresholds(self) -> Any:
        steps = [model.Threshold(value=value, color=colour) for value, colour in self.limits]
        return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(steps)

    def _target(self, query: Query, ref: str) -> Any:
        target = prometheus.Dataquery().expr(query.expr).legend_format(query.legend or "__auto").ref_id(ref)
        target = target.datasource(SOURCE)
        if self.kind == "lines" and not query.instant:
            return target.range().exemplar(True)
        target = target.instant()
        if self.kind == "table":
            target = target.format(PromQueryFormat.TABLE)
        return target


@dataclass(frozen=True)
class Variable:
    name: str
    zh: str
    query: str
    hidden: bool = False

    def made(self) -> Any:
        variable = dashboard.QueryVariable(self.name).label(self.zh).datasource(SOURCE).query(self.query)
        variable = variable.refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        if self.hidden:
            return variable.hide(model.VariableHide.HIDE_VARIABLE)
        return variable.multi(True).include_all(True).all_value(".*")


@dataclass(frozen=True)
class Mark:
    """An annotation: there while ``expr`` is above 0. ``more``: fields of Grafana's that the SDK does not know."""

    name: str
    expr: str
    colour: str = "red"
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Board:
    uid: str
    zh: str
    en: str
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...] = ()
    since: str = "now-1h"
    refresh: str = "10s"
    marks: tuple[Mark, ...] = ()
    """Annotations."""

    def made(self) -> Any:
        board = dashboard.Dashboard(self.zh).uid(self.uid).description(self.en).tags(["callcenter"]).readonly()
        board = board.time(self.since, "now").refresh(self.refresh).timezone("browser")
        link = dashboard.DashboardLink("callcenter").type(model.DashboardLinkType.DASHBOARDS)
        board = board.link(link.tags(["callcenter"]).as_dropdown(True).keep_time(True).include_vars(True))
        for variable in self.variables:
            board = board.with_variable(variable.made())
        for mark in self.marks:
            query = dashboard.AnnotationQuery().name(mark.name).datasource(SOURCE).enable(True).hide(False)
            board = board.annotation(query.icon_color(mark.colour).expr(mark.expr))
        for panel in self.panels:
            board = board.with_panel(panel.made())
        made = json.loads(json.dumps(board.build(), cls=JSONEncoder))
        for mark, told in zip(self.marks, made.get("annotations", {}).get("list", ()), strict=True):
            told |= mark.more
        x = y = lowest = 0
        for number, panel in enumerate(made["panels"], 1):
            if x + panel["gridPos"]["w"] > COLUMNS:
                x, y = 0, lowest
            panel["id"] = number
            panel["gridPos"] |= {"x": x, "y": y}
            x += panel["gridPos"]["w"]
            lowest = max(lowest, y + panel["gridPos"]["h"])
        return made
