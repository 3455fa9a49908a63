"""The arrows between the parts of the house point one way, and its pure core stays pure.

Read from the source text with ``ast``, so that an import inside a function counts, too. Imports for type checkers only
do not: they are gone when the program runs.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import callcenter

HOUSE = Path(callcenter.__file__).parent

PURE = (
    "days.py",
    "gaps.py",
    "ami/actions.py",
    "ami/codec.py",
    "ami/events.py",
    "ami/fields.py",
    "ami/glance.py",
    "ami/journal.py",
    "ami/parse.py",
    "ami/queries.py",
    "ami/rights.py",
    "ami/values.py",
    "ami/version.py",
    "calls/*.py",
    "hooks/agi.py",
    "hooks/answers.py",
    "hooks/choices.py",
    "hooks/requests.py",
    "hooks/text.py",
    "jsontext.py",
    "riff.py",
    "passwords.py",
    "speech/digits.py",
    "speech/reasons.py",
    "speech/transcript.py",
    "speech/wav.py",
    "quality/align.py",
    "quality/audio.py",
    "quality/card_text.py",
    "quality/finding.py",
    "quality/heard.py",
    "quality/likely.py",
    "quality/likeness.py",
    "quality/matching.py",
    "quality/meaning.py",
    "quality/owing.py",
    "quality/patterns.py",
    "quality/places.py",
    "quality/slots.py",
    "quality/sounds.py",
    "quality/rates.py",
    "quality/said.py",
    "quality/review.py",
    "quality/scorecard.py",
    "quality/search.py",
    "quality/verdicts.py",
    "prompts/plan.py",
    "prompts/names.py",
    "prompts/samples.py",
    "prompts/spec.py",
    "metrics/service_levels.py",
    "metrics/survey.py",
    "metrics/today.py",
    "reports/columns.py",
    "reports/erlang.py",
    "reports/figures.py",
    "reports/forecast.py",
    "reports/heat.py",
    "reports/periods.py",
    "reports/report.py",
    "roster/arguments.py",
    "roster/duty.py",
    "roster/plan.py",
    "roster/sheet.py",
    "rules/*.py",
    "settings/environment.py",
    "settings/levels.py",
    "settings/reader.py",
    "settings/sections.py",
    "settings/together.py",
    "tickets/callbacks.py",
    "tickets/business_time.py",
    "tickets/clocks.py",
    "tickets/dispatch.py",
    "tickets/model.py",
    "traces/spans.py",
    "web/course.py",
    "web/landing.py",
    "web/menu.py",
    "web/report_view.py",
    "web/review_view.py",
    "web/roster_view.py",
    "web/text.py",
    "web/clock_words.py",
    "web/wallboard_calls.py",
    "web/wallboard_clocks.py",
    "web/wallboard_seats.py",
    "web/wallboard_view.py",
    "web/window.py",
)
IMPURE = {
    *("asyncio", "sqlalchemy", "aiosqlite", "asyncpg", "alembic", "aiohttp", "panoramisk"),
    *("time", "random", "secrets", "os", "socket", "subprocess", "threading", "logging"),
}

# What each part may know of the others. A module that stands alone in callcenter/ is a part of its own.
MAY_IMPORT = {
    "ami": {"ami", "errors", "clock", "jsontext", "settings"},
    "calls": {"calls", "ami.events", "ami.values", "rules.cadence"},
    "rules": {"rules", "calls", "settings", "tickets.model", "tickets.callbacks"},
    "tickets": {"tickets", "calls", "errors"},
    "hooks": {"hooks", "ami.events", "rules.cadence", "days", "settings", "clock", "errors"},
    "store": {
        *("store", "calls", "rules", "tickets", "quality", "speech.transcript", "metrics.service_levels"),
        *("metrics.survey", "metrics.today", "reports.figures", "roster.duty", "jsontext", "errors"),
    },
    "effects": {"effects", "ami", "calls", "rules", "store", "pipeline", "settings", "errors", "__version__"},
    "metrics": {"metrics", "calls", "settings", "tickets.callbacks", "tickets.clocks", "web"},
    "web": {
        *("web", "calls", "rules.cadence", "rules.three_rings", "tickets.clocks", "tickets.model", "hooks"),
        "tickets.dispatch",
        *("tickets.callbacks", "settings", "errors", "passwords", "riff"),
        *(
            "metrics.service_levels",
            "metrics.today",
            "quality.cards",
            "quality.finding",
            "quality.rates",
            "quality.review",
            "quality.scorecard",
            "quality.search",
            "speech.transcript",
            "days",
            "reports",
            "roster.duty",
            "metrics.service_levels",
        ),
    },
    "roster": {
        "roster",
        "reports.periods",
        "hooks.choices",
        "quality.tables",
        "day_files",
        "days",
        "settings",
        "errors",
    },
    "prompts": {"prompts", "settings", "errors", "riff"},
    "speech": {"riff", "speech", "quality", "store", "opening", "calls", "settings", "clock", "day_options", "errors"},
    "traces": {"traces", "calls", "settings", "clock", "errors", "__version__"},
    "quality": {"quality", "speech.digits", "speech.transcript", "settings", "errors"},
    "checks": {"checks", "ami", "calls.records", "days", "traces.exporter", "settings", "errors"},
    "demo": {"demo", "prompts", "people", "settings", "speech.models", "errors"},
    "reports": {
        *(
            "reports",
            "calls.model",
            "metrics.service_levels",
            "metrics.survey",
            "metrics.today",
            "day_files",
            "days",
            "settings",
            "opening",
        ),
        *("clock", "errors"),
    },
    "pipeline": {"ami", "calls", "rules", "tickets", "store", "metrics", "clock", "gaps", "settings", "errors"},
    "opening": {"settings", "store.store"},
    "days": set(),
    "day_files": {"days", "quality.tables", "settings", "errors"},
    "gaps": {"ami.events", "store.batch"},
    "settings": {
        "settings",
        "rules.cadence",
        "tickets.business_time",
        "errors",
        "hooks.choices",
        "metrics.service_levels",
    },
    "replay": {"ami", "calls", "rules.cadence", "settings", "errors"},
    "logs": {"settings", "errors"},
    "clock": set(),
    "jsontext": set(),
    "errors": set(),
    "riff": {"errors"},
    "day_options": {"errors"},
    "passwords": set(),
}


def parts(path: Path) -> str:
    """``ami.codec`` for ``ami/codec.py``."""
    return ".".join(path.relative_to(HOUSE).with_suffix("").parts)


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, with what it takes from it: ``callcenter.ami.codec.Message``."""
    yield from _imports(ast.parse(path.read_text(encoding="utf-8")))


def _imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute here"
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        for below in node.orelse:
            yield from _imports(below)
    else:
        for below in ast.iter_child_nodes(node):
            yield from _imports(below)


def within(name: str, allowed: set[str]) -> bool:
    return any(name == one or name.startswith(one + ".") for one in allowed)


PURE_FILES = sorted({file for pattern in PURE for file in HOUSE.glob(pattern)})


def test_every_pure_module_is_there() -> None:
    assert [pattern for pattern in PURE if not list(HOUSE.glob(pattern))] == []


@pytest.mark.parametrize("path", PURE_FILES, ids=parts)
def test_pure_modules_import_nothing_that_acts(path: Path) -> None:
    assert [name for name in imports(path) if name.split(".")[0] in IMPURE] == []


@pytest.mark.parametrize("part", sorted(MAY_IMPORT))
def test_the_arrows_point_one_way(part: str) -> None:
    files = sorted((HOUSE / part).rglob("*.py")) if (HOUSE / part).is_dir() else [HOUSE / f"{part}.py"]
    assert files
    allowed = {f"callcenter.{name}" for name in MAY_IMPORT[part]}
    wrong = [
        f"{parts(file)} imports {name}"
        for file in files
        for name in imports(file)
        if name.split(".")[0] == "callcenter" and not within(name, allowed)
    ]
    assert wrong == []


def test_every_part_is_in_the_table() -> None:
    """All but the composition root and what belongs to it."""
    roots = {
        "__init__",
        "__main__",
        "app",
        "audit",
        "board",
        "check",
        "cli",
        "desk",
        "duty",
        "health",
        "lookout",
        "options",
        "serve",
        "ticket_clocks",
        "people",
        "reconcile",
        "wallboard_links",
        "telephone",
        "webhooks",
        "callbacks",
        "web_ports",
    }
    found = {path.stem for path in HOUSE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert found - roots == MAY_IMPORT.keys()


def test_an_import_inside_a_function_is_seen(tmp_path: Path) -> None:
    file = tmp_path / "one.py"
    file.write_text(
        "import json\n"
        "if TYPE_CHECKING:\n    import aiohttp\n"
        "def late():\n    from os import path\n    import callcenter.store.store\n"
    )
    assert list(imports(file)) == ["json", "os.path", "callcenter.store.store"]


def test_the_benchmarks_find_what_they_measure() -> None:
    """Nothing else imports them, and a name that moved would be noticed only when somebody measures."""
    done = subprocess.run([sys.executable, "scripts/bench", "--help"], cwd=HOUSE.parent, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
