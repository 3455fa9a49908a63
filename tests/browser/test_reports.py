"""The page of reports in a real Chromium: asking, comparing, downloading, sizes, themes, languages."""

import csv
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ROOT
from tests.browser.test_pages import CONTRAST
from tests.browser.test_review import SMALL, Reviews
from tests.fakes.ports import free_port
from tests.fakes.report_site import HOSTILE

VIEWS = ("figures", "heat", "ahead")


class Reports(Reviews):
    def supervisor(self, path: str = "/reports") -> Page:
        return self.person("wu", path, "body[data-ready]")


@pytest.fixture
def reports(chromium: Browser, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Reports]:
    port = free_port()
    command = [sys.executable, "-m", "tests.fakes.report_server", str(port), str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    values = {"viewport": {"width": 1280, "height": 800}, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"}
    marked = request.node.get_closest_marker("window")
    known = set(chromium.contexts)
    yield Reports(f"http://127.0.0.1:{port}", chromium, values | (marked.kwargs if marked else {}))
    for context in set(chromium.contexts) - known:
        context.close()
    process.terminate()
    process.wait(20)


def test_a_supervisor_asks_compares_and_downloads(reports: Reports) -> None:
    page = reports.supervisor()
    expect(page.locator(".nav a[aria-current=page]")).to_have_text("报表")
    page.fill("input[name=from]", "2026-11-01")
    page.fill("input[name=to]", "2026-11-21")
    page.select_option("select[name=by]", "queue")
    page.click(".ask button[type=submit]")
    page.wait_for_selector("body[data-ready]")
    expect(page.locator(".tile").first).to_contain_text("1,")
    expect(page.locator("main")).to_contain_text("上期")
    expect(page.locator("main")).to_contain_text("放弃计为未达标")
    expect(page.locator(".rep-tbl").last).to_contain_text(HOSTILE)
    shown = page.locator(".rep-tbl").last.locator("tbody tr").first.locator("td").nth(1).inner_text()
    with page.expect_download() as waiting:
        page.click("a[download]:has-text('CSV')")
    text = Path(waiting.value.path()).read_bytes().decode("utf-8-sig")
    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    assert sum(int(line["来电"]) for line in lines) == int(shown), "no total among the lines"
    assert waiting.value.suggested_filename == "callcenter-2026-11-01-2026-11-21.csv"
    reports.calm()


def test_the_forecast_says_its_error_first(reports: Reports) -> None:
    page = reports.supervisor("/reports?view=ahead")
    expect(page.locator(".panel h2").first).to_have_text("同一方法此前的误差")
    assert page.locator(".tiles--4:not(#a6) .tile").count() == 4
    seats = page.locator(".heat--seats tbody td").all_inner_texts()
    assert {"1", "2"} <= {text.strip() for text in seats}
    needed = page.locator(".heat--seats tbody tr:not(.rep-all) td").all_inner_texts()
    most = max(int(text) for text in needed if text.strip().isdecimal())
    rule, load = page.locator("#a6 .tile").all_inner_texts()
    assert rule.split() == ["6", "服务用户", "2600", "人，按", "2‰"]
    assert load.split() == [str(most), "比定员少", str(6 - most)], "A6 beside Erlang C"
    one_queue = reports.supervisor("/reports?view=ahead&queue=vip")
    assert one_queue.locator("#a6").count() == 0, "the rule is the hotline's, and no queue's"
    reports.calm()


@pytest.mark.parametrize("window", [pytest.param("small", marks=SMALL), "large"])
def test_every_view_fits_the_window(reports: Reports, window: str) -> None:
    for view in VIEWS:
        page = reports.supervisor(f"/reports?view={view}&by=level")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{view} scrolls sideways"
        page.context.close()
    reports.calm()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_themes(reports: Reports, scheme: str) -> None:
    reports.options["color_scheme"] = scheme
    for view in VIEWS:
        page = reports.supervisor(f"/reports?view={view}&by=queue&from=2026-10-01&to=2026-11-20")
        assert page.evaluate(CONTRAST) == [], view
        page.context.close()
