"""Every query of every dashboard, alert and rule asked of a real Prometheus that scraped a daemon with the calls of all
captures: none is an error, none says nonsense. ``tests/asterisk/test_dashboards.py`` sees that none is empty.

Grafana itself does not run here: what it would ask is asked in its stead.
"""

import asyncio
import json
import re
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from callcenter.ami.status import LinkStatus
from callcenter.app import Daemon
from callcenter.clock import Clock
from callcenter.metrics.endpoint import metrics_app
from callcenter.metrics.figures import Figures
from callcenter.metrics.known import LIMITS
from callcenter.metrics.service_levels import Variant
from callcenter.replay import _events
from callcenter.settings import Roster, Settings
from callcenter.store import migrate
from callcenter.store.store import Store
from callcenter.store.ticket_queries import Page, TicketFilter
from callcenter.tickets.model import Status
from callcenter.web.doors import serve
from tests.fakes.boards import BOARDS, MARKS, PERCENT, VARIABLES, Key, answers, chosen, filled, nonsense, share_queries
from tests.fakes.prometheus import Prometheus
from tests.fakes.roster import AROUND_THE_CLOCK
from tests.unit.test_metrics import ENDED, manual

ROOT = Path(__file__).parents[2]
CAPTURES = sorted((ROOT / "tests" / "captures").glob("*.least.ami"))
RECORDED = datetime(2026, 11, 26, 2, tzinfo=UTC)
"""Soon after the last of the captures: what is told of "the last 24 hours" is told of some of them."""


class Then(Clock):
    """It was that time when the test began."""

    _shift = RECORDED.timestamp() - time.time()

    def wall(self) -> float:
        return super().wall() + self._shift


async def wave(daemon: Daemon, stories: list[Path]) -> None:
    """Real calls through the real pipeline; a seat closes the newest ticket."""
    for story in stories:
        daemon.pipeline.events(list(_events([story])))
        while daemon.pipeline.backlog:
            await daemon.pipeline.step()
    await daemon.clocks.refresh()
    page = await daemon.store.tickets.find(TicketFilter(status=Status.OPEN), Page(1))
    await daemon.tickets.close(page.tickets[0].id, "seat1001")
    await daemon._count_tickets()
    await daemon.callbacks._refresh()


async def scraped(folder: Path) -> tuple[dict[Key, list[Any]], list[Any], dict[str, list[Any]], list[dict[str, str]]]:
    """What Prometheus answers to each query, its rules, what its exemplars are, and all series."""
    url = f"sqlite:///{folder}/callcenter.db"
    await migrate(url)
    store = await Store.open(url)
    plan = folder / "plan.toml"
    today = RECORDED.date()
    plan.write_text(AROUND_THE_CLOCK.format(first=today - timedelta(days=2), last=today + timedelta(days=2)), "utf-8")
    daemon = Daemon(Settings(roster=Roster(files=(plan,))), store, Then())
    daemon.link.status = LinkStatus("up")  # the captures are what it would hear
    assert daemon.duty is not None
    await daemon.duty.step(daemon.link.now())
    runner = await serve(metrics_app(daemon.figures, daemon.settings.web, "127.0.0.1"), "127.0.0.1", 0)
    try:
        port = runner.listener.sockets[0].getsockname()[1]
        with Prometheus(folder / "prometheus", f"127.0.0.1:{port}") as prometheus:
            for stories in ([], CAPTURES[::2], CAPTURES[1::2]):
                if stories:
                    await wave(daemon, stories)
                await asyncio.to_thread(prometheus.wait_scrapes, 4)
            at = await asyncio.to_thread(prometheus.moment)
            found = await asyncio.to_thread(answers, prometheus, at)
            for expr in MARKS.values():  # an outage or an alert may be missing, an error may not
                await asyncio.to_thread(prometheus.query, filled(expr), at)
            for query in VARIABLES:
                assert await asyncio.to_thread(chosen, prometheus, query), query
            labelled = await asyncio.to_thread(prometheus.get, "series", **{"match[]": '{__name__=~"callcenter_.+"}'})
            rules = await asyncio.to_thread(prometheus.get, "rules")
            end = rules["groups"][0]["lastEvaluation"]
            every = {"query": "callcenter_wait_seconds_bucket", "start": "2000-01-01T00:00:00Z", "end": end}
            exemplars = await asyncio.to_thread(lambda: prometheus.get("query_exemplars", **every))
        return found, [rule for group in rules["groups"] for rule in group["rules"]], exemplars, labelled
    finally:
        await runner.cleanup()
        await store.close()


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return asyncio.run(scraped(tmp_path_factory.mktemp("dashboards")))


async def first_ones(folder: Path) -> dict[str, float | None]:
    """What Prometheus says before anything happened, and after each thing has happened once for the first time: to a
    queue of the settings, and to one that only Asterisk told of."""
    (share,) = re.findall(
        r"^sum.*callcenter_three_rings_calls_total.* / .*$", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE
    )
    asked = {
        "breaches": 'sum(increase(callcenter_breaches_total{rule="A1"}[5m]))',
        "breaches of it": 'sum(round(increase(callcenter_breaches_total{rule="A1",queue="it"}[5m])))',
        "breaches of new": 'sum(round(increase(callcenter_breaches_total{rule="A1",queue="new"}[5m])))',
        "calls of new": 'sum(round(increase(callcenter_calls_total{direction="inbound",queue="new"}[5m])))',
        "commands": 'sum(round(increase(callcenter_commands_total{kind="Announce",state="failed"}[5m])))',
        "kept A1": share.replace("[1d]", "[5m]"),
        "queue names": 'count(ALERTS{alertname="CallcenterQueueNames",alertstate="firing"})',
        "shed": 'count(ALERTS{alertname="CallcenterEventsShed",alertstate="firing"})',
        "commands failed": 'count(ALERTS{alertname="CallcenterCommandsFailed",alertstate="firing"})',
    }
    figures = Figures(["it"])
    figures.queue("new")  # it has members
    runner = await serve(metrics_app(figures, Settings().web), "127.0.0.1", 0)
    try:
        port = runner.listener.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        with Prometheus(folder, f"127.0.0.1:{port}") as prometheus:
            await asyncio.to_thread(prometheus.wait_scrapes, 3)
            before = {name: await asyncio.to_thread(prometheus.value, expr) for name, expr in asked.items()}
            figures.ended(ENDED)
            figures.ended(replace(ENDED, queue="new"))
            figures.ended(replace(ENDED, queue="new", breaches=()))
            figures.commands.labels("Announce", "failed").inc()
            for limit in LIMITS:
                figures.limit_hit(limit)
            await asyncio.to_thread(prometheus.wait_scrapes, 5)
            await asyncio.sleep(2)  # the rules' turn
            after = {name: await asyncio.to_thread(prometheus.value, expr) for name, expr in asked.items()}
    finally:
        await runner.cleanup()
    return after | {f"no {name}": value for name, value in before.items()}


def test_prometheus_sees_the_first_of_everything(tmp_path: Path) -> None:
    told = asyncio.run(first_ones(tmp_path))
    assert told["no breaches"] == 0, "none is a figure, not an empty answer"
    assert [told[f"no {name}"] for name in ("queue names", "shed", "commands failed")] == [None] * 3
    counted = ("breaches of it", "breaches of new", "calls of new", "commands")
    assert [told[name] for name in counted] == [1, 1, 2, 1]
    assert told["kept A1"] == pytest.approx(1 - 2 / 3, abs=0.05), "Prometheus guesses beyond what it saw"
    assert [told[name] for name in ("queue names", "shed", "commands failed")] == [1, 1, 1]


def test_variables_and_annotations_are_asked_too() -> None:
    assert len(VARIABLES) == 3
    assert len(MARKS) >= 4


def test_no_panel_says_nonsense(prometheus: Any) -> None:
    found, *_ = prometheus
    assert len(found) > 60
    assert nonsense(found) == {}


def test_series_have_the_labels_of_the_manual(prometheus: Any) -> None:
    """docs/metrics.md, also of what is read at the scrape."""
    *_, found = prometheus
    told = manual()
    strange = {}
    for series in found:
        name = re.sub("_(total|bucket|count|sum)$", "", series["__name__"])
        if series.keys() - {"__name__", "job", "instance", "le"} != told[name]:
            strange[name] = series
    assert strange == {}
    assert len({series["__name__"] for series in found}) > 80


def test_every_rule_can_be_evaluated(prometheus: Any) -> None:
    _, rules, *_ = prometheus
    assert len(rules) > 50
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}


def test_prometheus_keeps_exemplars_with_call_ids(prometheus: Any) -> None:
    _, _, found, _ = prometheus
    ids = {exemplar["labels"]["call_id"] for series in found for exemplar in series["exemplars"]}
    assert ids
    assert [call_id for call_id in ids if not re.fullmatch(r"[\w.-]{1,64}", call_id)] == []


def test_each_share_has_its_number_of_calls_and_says_when_there_are_none() -> None:
    for name, title, _ in share_queries():
        (panel,) = (p for p in BOARDS[name]["panels"] if p["title"] == title)
        legends = [target["legendFormat"] for target in panel["targets"]]
        assert any(re.search(r"\bn [通份个]", legend) for legend in legends), f"{name}: {title}"
        assert panel["fieldConfig"]["defaults"]["noValue"]


def test_each_service_level_names_its_variant() -> None:
    panels = [
        panel
        for board in BOARDS.values()
        for panel in board["panels"]
        if "service_level" in json.dumps(panel.get("targets", ()))
        and panel["fieldConfig"]["defaults"].get("unit") == PERCENT
    ]
    assert len(panels) >= 8 + 1
    for panel in panels:
        assert re.search(rf"\$variant|{'|'.join(Variant)}", panel["title"]), panel["title"]
        assert re.search(rf"\$variant|{'|'.join(Variant)}", panel["description"])


def test_dashboards_are_fixed_read_only_and_tell_what_was_not_observed() -> None:
    names = ("wallboard", "queue", "seats", "levels", "quality", "health")
    assert BOARDS.keys() == {f"callcenter-{name}" for name in names}
    for name, board in BOARDS.items():
        assert (board["uid"], board["editable"]) == (name, False)
        assert any("unobserved" in json.dumps(panel.get("targets", ())) for panel in board["panels"]), name
        for panel in board["panels"]:
            assert panel["title"]
            assert panel["description"].endswith(".")
            assert panel["datasource"]["uid"] == "callcenter-prometheus"
        if name in ("callcenter-wallboard", "callcenter-health"):
            (alerts,) = (panel for panel in board["panels"] if panel["type"] == "alertlist")
            assert alerts["options"]["alertInstanceLabelFilter"] == "", "all alerts, whatever their labels"
            assert alerts["options"]["maxItems"] > 0
        spots = [(p["gridPos"]["x"], p["gridPos"]["y"]) for p in board["panels"]]
        assert len(set(spots)) == len(spots), "two panels in one place"
        assert all(p["gridPos"]["x"] + p["gridPos"]["w"] <= 24 for p in board["panels"])


def test_hearing_has_its_panels() -> None:
    """The standing backlog, the real-time factor, failures by reason, and how often a queue's calls have a phrase."""
    asked = [target["expr"] for panel in BOARDS["callcenter-quality"]["panels"] for target in panel.get("targets", ())]
    for metric in (
        *("transcription_backlog_seconds", "transcription_jobs", "transcription_cpu_seconds_total"),
        *("transcribed_audio_seconds_total", "transcription_failures_total", "phrases_total"),
    ):
        assert any(f"callcenter_{metric}" in expr for expr in asked), metric
    assert any(re.match(r"sum by \(queue, phrase\) .*callcenter_phrases_total.* / ", expr) for expr in asked)
    assert any(re.search(r"cpu_seconds_total.* / \(increase\(callcenter_transcribed_audio", expr) for expr in asked)


def test_a_mark_is_above_zero_while_it_is_meant() -> None:
    """Grafana draws none where the value is 0: what is compared with 0 says so by ``bool``."""
    assert [expr for expr in MARKS if re.search(r"== 0", expr)] == []
    marks = [mark for board in BOARDS.values() for mark in board["annotations"].get("list", ())]
    dated = [mark for mark in marks if mark.get("useValueForTime")]
    assert len(dated) == 4
    assert {mark["expr"] for mark in dated} == {"callcenter_shift_started_timestamp_seconds * 1000"}


def test_each_alert_has_its_heading_in_both_runbooks() -> None:
    folder = ROOT / "docker" / "prometheus"
    headings, chinese = (
        re.findall(r"^## (\w+)$", (ROOT / "docs" / name).read_text("utf-8"), re.MULTILINE)
        for name in ("runbook.md", "runbook.zh.md")
    )
    assert chinese == headings
    alerts = re.findall(r"alert: (\w+)", (folder / "alerts.yml").read_text("utf-8"))
    cases = [
        (one["alertname"], bool(one["exp_alerts"]))
        for path in folder.glob("tests*.yml")
        for case in yaml.safe_load(path.read_text("utf-8"))["tests"]
        for one in case["alert_rule_test"]
    ]
    assert len(alerts) > 15
    assert headings == alerts
    assert {(name, fires) for name in alerts for fires in (True, False)} == set(cases), (
        "one that fires, one that does not"
    )


def test_an_alert_that_compares_with_nothing_sees_the_first_time() -> None:
    """A counter may have counted before the first scrape: each of these has a case that begins so."""
    folder = ROOT / "docker" / "prometheus"
    rules = (folder / "alerts.yml").read_text("utf-8").split("- alert: ")[1:]
    first = {
        rule.partition("\n")[0] for rule in rules if re.search(r"increase\(.*\[\d+[mh]\]\)\)? > (0|60)\b(?! for)", rule)
    }
    cases = "".join(path.read_text("utf-8") for path in folder.glob("tests*.yml"))
    born = set(re.findall(r"name: (\w+) fires for a series that is born with a value", cases))
    assert len(first) >= 5
    assert first - {"CallcenterPushFailing"} <= born, "PushFailing looks for several failures"


def test_each_alert_leads_to_the_daemons_own_page() -> None:
    page = {alert["name"] for alert in json.loads((ROOT / "callcenter/web/templates/runbook.json").read_text("utf-8"))}
    for rule in (ROOT / "docker" / "prometheus" / "alerts.yml").read_text("utf-8").split("- alert: ")[1:]:
        name = rule.partition("\n")[0]
        assert name in page
        anchor = f"/status/runbook#{name.lower()}"
        assert f"runbook_url: '{{{{ $externalLabels.callcenter_url }}}}{anchor}'" in rule
        assert rule.count(anchor) == 3, "in both texts and in the link"


def test_each_alert_is_told_in_chinese_and_in_english() -> None:
    told = json.loads((ROOT / "callcenter" / "web" / "templates" / "runbook.json").read_text("utf-8"))
    assert len(told) > 15
    han = re.compile(r"[\u4e00-\u9fff]")
    for alert in told:
        zh, en = alert["zh"], alert["en"]
        assert len(zh["do"]) == len(en["do"]) > 0, alert["name"]
        for text in (zh["title"], zh["means"], *zh["do"]):
            assert han.search(text), f"{alert['name']}: {text!r} is not Chinese"
        for text in (en["title"], en["says"], en["means"], *en["do"]):
            assert text, alert["name"]
            assert not han.search(re.sub("“[^”]*”", "", text)), f"{alert['name']}: {text!r} is not English"
        code = [sorted(set(re.findall("`[^`]*`", " ".join(one["do"])))) for one in (zh, en)]
        assert code[0] == code[1], f"{alert['name']}: the same commands in both"
    for rule in (ROOT / "docker" / "prometheus" / "alerts.yml").read_text("utf-8").split("- alert: ")[1:]:
        name = rule.partition("\n")[0]
        assert han.search(rule.partition("summary:")[2].partition("\n")[0]), name
        assert re.search(r"description: .*[\u4e00-\u9fff].* / [A-Z]", rule), name
