"""The summary of scripts/test: nothing fails, hangs, hides or is skipped without the run failing and saying so."""

from pathlib import Path

import pytest

from tests.tiers import TIERS, Result, Tier, homeless, read_report, run_tier, summary

REPORT = """<testsuites><testsuite>
<testcase classname="a" name="one"/>
<testcase classname="a" name="two"><failure message="no"/></testcase>
<testcase classname="a" name="three"><error message="no fixture"/></testcase>
<testcase classname="a" name="four"><skipped type="pytest.skip" message="no printer"/></testcase>
</testsuite></testsuites>"""


def well(*results: Result, homeless_files: tuple[str, ...] = (), allow_skips: bool = False) -> bool:
    return summary(results, homeless_files, allow_skips)[1]


def test_a_report_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "report.xml"
    file.write_text(REPORT)
    result = Result(TIERS[0])
    read_report(result, file)
    assert (result.passed, result.failed, result.skipped) == (1, 2, [("a::four", "no printer")])
    text, _ = summary([result], (), allow_skips=True)
    assert "skipped: a::four: no printer" in text
    assert text.splitlines()[-1] == "1 passed, 2 failed, 1 skipped"


def test_what_fails_a_run() -> None:
    good = Result(TIERS[0], passed=3)
    assert well(good)
    assert not well(good, Result(TIERS[1], passed=1, failed=1))
    assert not well(good, Result(TIERS[1], passed=1, problem="was not done after 900 s and was ended"))
    assert not well(good, homeless_files=("odd/test_one.py",))
    skipping = Result(TIERS[1], passed=1, skipped=[("a::four", "no printer")])
    assert not well(good, skipping)
    assert well(good, skipping, allow_skips=True)


def test_a_test_outside_of_the_tiers_is_found(tmp_path: Path) -> None:
    (tmp_path / "unit").mkdir()
    (tmp_path / "odd").mkdir()
    for name in ("unit/test_one.py", "odd/test_two.py", "test_three.py"):
        (tmp_path / name).touch()
    assert homeless(tmp_path) == ["odd/test_two.py", "test_three.py"]
    assert homeless() == []


@pytest.mark.parametrize(
    ("body", "limit", "problem"),
    [
        ("def test_one(): pass", 60, ""),
        ("x = 1", 60, "no test was found"),
        ("import time\ndef test_one(): time.sleep(60)", 3, "was not done after 3 s and was ended"),
    ],
)
def test_a_tier_that_finds_nothing_or_hangs(tmp_path: Path, body: str, limit: int, problem: str) -> None:
    (tmp_path / "test_one.py").write_text(body)
    tier = Tier("tried", "a tier of this test", (str(tmp_path),), 0, limit_seconds=limit)
    assert run_tier(tier, tmp_path).problem == problem
