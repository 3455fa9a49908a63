"""Whatever stands in a configuration file: a valid tree, or sentences; never another exception."""

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.settings import SettingsError, load

SECTIONS = st.sampled_from(["site", "asterisk", "web", "hooks", "store", "intake", "rings", "queue_defaults", "queues"])
KEYS = st.sampled_from(
    [
        "name",
        "host",
        "port",
        "tls",
        "trunks",
        "url",
        "rings",
        "ladder",
        "timezone",
        "on_seconds",
        "it",
        "variable_names",
    ]
)
VALUES = st.one_of(
    st.sampled_from(["1", "-1", "1e400", "nan", "true", "''", "'x'", "[]", "['x']", "[1]", "[[]]", "{}", "{a = 1}"]),
    st.sampled_from(["[{}]", "[{ring = 2}]", "[{ring = 'x'}]", "[{ring = {}}]", "2026-11-22", "[07:00:00]"]),
    st.integers().map(str),
)
LINES = st.lists(st.tuples(SECTIONS, KEYS, VALUES), max_size=8, unique_by=lambda line: line[:2])
NAMES = st.sampled_from(["WEB__PORT", "SITE__X", "A__B__C", "__", "QUEUES__IT", "ASTERISK__TRUNKS"])
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@settings(max_examples=300, deadline=None)
@given(LINES, st.dictionaries(NAMES, TEXTS, max_size=3))
def test_total(tmp_path_factory: Any, lines: list[tuple[str, str, str]], environment: dict[str, str]) -> None:
    file: Path = tmp_path_factory.getbasetemp() / "any.toml"
    file.write_text("\n".join(f"{section}.{key} = {value}" for section, key, value in lines), encoding="utf-8")
    problems: list[str] = []
    try:
        found = load(file, {f"CALLCENTER_{name}": value for name, value in environment.items()})
    except SettingsError as refused:
        problems = refused.problems
        found = None
    assert (found is None) == bool(problems)
    assert all(isinstance(problem, str) and problem.strip() for problem in problems)
    assert found is None or found.rings.cadence.period_seconds > 0
