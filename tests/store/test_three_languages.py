"""The six variants of any calls: Python's arithmetic, SQL's and Prometheus' own say the same to the last digit."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import text

from callcenter.calls.model import Call
from callcenter.metrics.figures import Figures
from callcenter.metrics.service_levels import (
    COUNTER,
    Variant,
    base,
    promql,
    promql_base,
    service_level,
    sql,
)
from callcenter.store import Store
from callcenter.store.service_levels import Key
from tests.store.build import NOW, commit
from tests.store.test_service_levels import TARGETS, any_calls

SEEDS = range(12)
MOMENT = "60m30s"
"""Between two scrapes: what the counters grew by in the hour before is then extrapolated, and must be whole again."""


def labels(key: Key) -> dict[str, str]:
    return {"queue": key[0] or "none", "service_class": key[1]}


def written(series: dict[str, str]) -> str:
    return "{" + ", ".join(f"{name}={json.dumps(value)}" for name, value in series.items()) + "}"


def input_series(calls: Iterable[Call], random: Random) -> list[dict[str, str]]:
    """The counters of these calls as Prometheus would have scraped them, on top of what an earlier day left."""
    figures = Figures(["support", "vip", "slow", "same"], TARGETS)
    for call in calls:
        if not call.running:
            figures.ended(call)
    samples = [s for family in figures.kept.collect() for s in family.samples if s.name == COUNTER]
    found = []
    for sample in samples:
        begin = random.choice((0, 0, 7, 1_000))
        end = begin + int(sample.value)
        found.append({"series": COUNTER + written(sample.labels), "values": f"{begin}x30 {end}x30"})
    return found


def group(levels: dict[Key, Any], series: list[dict[str, str]]) -> dict[str, Any]:
    """One case for ``promtool test rules``."""
    tests = []
    for variant in Variant:
        shares = {key: service_level(found.tally, variant) for key, found in levels.items()}
        expected = [
            {"labels": written(labels(key)), "value": share} for key, share in shares.items() if share is not None
        ]
        tests.append({"expr": promql(variant, "1h"), "eval_time": MOMENT, "exp_samples": expected})
        many = [{"labels": written(labels(key)), "value": base(f.tally, variant)} for key, f in levels.items()]
        tests.append({"expr": f"{promql_base(variant, '1h')} > 0", "eval_time": MOMENT,
                      "exp_samples": [one for one in many if one["value"]]})  # fmt: skip
    return {"interval": "1m", "input_series": series, "promql_expr_test": tests}


async def test_prometheus_sql_and_python_agree(store: Store, tmp_path: Path) -> None:
    groups = []
    for seed in SEEDS:
        random, server = Random(seed), f"pbx{seed}"
        calls = any_calls(random, server, 80)
        await commit(store, *calls, server=server, tickets=())
        levels = dict(await store.service_levels(server, TARGETS).service_levels(NOW, NOW + 61))
        for found in levels.values():
            await assert_sql(store, found.tally)
        groups.append(group(levels, input_series(calls, random)))
    assert promtool(tmp_path, groups) == ""
    groups[0]["promql_expr_test"][0]["exp_samples"][0]["value"] += 1e-3
    assert "FAILED" in promtool(tmp_path, groups[:1]), "it would not have noticed"


def promtool(folder: Path, groups: list[dict[str, Any]]) -> str:
    """What ``promtool test rules`` complains of."""
    (folder / "none.yml").write_text("groups: []")
    (folder / "test.yml").write_text(json.dumps({"rule_files": ["none.yml"], "tests": groups}))
    program = shutil.which("promtool")
    assert program, "promtool is missing: run scripts/setup --test"
    done = subprocess.run(
        [program, "test", "rules", "test.yml"], cwd=folder, capture_output=True, text=True, timeout=60
    )
    return done.stdout + done.stderr if done.returncode else ""


async def assert_sql(store: Store, tally: Any) -> None:
    """The formula as a database works it out."""
    columns = ", ".join(f"{value} AS {name}" for name, value in asdict(tally).items())
    formulas = ", ".join(f"{sql(variant)} AS {variant}" for variant in Variant)
    (row,) = await store._database.rows(text(f"SELECT {formulas} FROM (SELECT {columns}) AS counted"))
    for variant in Variant:
        expected = service_level(tally, variant)
        assert (float(row[variant]) if row[variant] is not None else None) == expected
