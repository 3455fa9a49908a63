"""Shares of known calls on the big screen in a real Chromium, by every formula of the service level; seats in every
state."""

from callcenter.metrics.service_levels import Variant
from tests.browser.conftest import Daemon, Desk, until_true
from tests.browser.test_wallboard import OVERFLOWS

SHOWN = {
    Variant.ABANDONS_IGNORED: ("83.3", "共 6 通", "达标 5，未达 1", "放弃不计入"),
    Variant.ABANDONS_GOOD: ("75.0", "共 8 通", "达标 6，未达 2", "时限内放弃算达标"),
    Variant.ABANDONS_BAD: ("62.5", "共 8 通", "达标 5，未达 3", "放弃算未达标"),
    Variant.LATE_ABANDONS_BAD: ("71.4", "共 7 通", "达标 5，未达 2", "时限内放弃不计"),
    Variant.SHORT_ABANDONS_FORGIVEN: ("71.4", "共 7 通", "达标 5，未达 2", "短放弃不计"),
    Variant.FLOW_OUTS_BAD: ("55.6", "共 9 通", "达标 5，未达 4", "放弃与转出算未达标"),
}
"""By hand, of ``wallboard_scene.KNOWN``: 6 answered, 5 of them in time; 2 given up, after 3 and 40 s; 1 overflowed."""


def test_each_formula_of_the_service_level_with_its_calls_and_its_words(desk: Desk, daemon: Daemon) -> None:
    assert set(SHOWN) == set(Variant)
    for variant, (share, of, parts, formula) in SHOWN.items():
        daemon.tell("scene", name="known", variant=variant.value)
        page = desk.tab("/wallboard")
        until_true(page, "document.querySelector('#cut').hidden")
        shown = " ".join(page.locator('[data-part="service"]').inner_text().split())
        for words in (f"{share} %", of, parts, formula):
            assert words in shown, (variant, shown)
        row = " ".join(page.locator('[data-part="queues"] tbody tr').first.inner_text().split())
        assert share in row, (variant, row)
        assert of.removeprefix("共 ") in row, (variant, row)
        page.close()


def test_seats_in_every_state_fit(desk: Desk, daemon: Daemon) -> None:
    """Counted in four lines, with the fewer names below."""
    daemon.tell("scene", name="busy")
    daemon.tell("seat", extension="1005", phone="unknown")
    page = desk.tab("/wallboard")
    until_true(page, "document.querySelector('#cut').hidden")
    assert page.locator(".wsum > span").count() == 7
    assert page.locator(".ws li").count() == 6
    assert page.evaluate(OVERFLOWS) == []
