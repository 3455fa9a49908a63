"""Settings in the environment: they go before the file, and a name that is nearly a setting is told."""

import re
from pathlib import Path

import pytest

from callcenter.settings import Settings, SettingsError, load
from tests.unit.test_settings import loaded, problems


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    found = loaded(
        tmp_path,
        "asterisk.port = 5039",
        CALLCENTER_ASTERISK__PORT="5040",
        CALLCENTER_ASTERISK__TLS="yes",
        CALLCENTER_ASTERISK__TRUNKS="sip-a, sip-b,",
        CALLCENTER_QUEUES__IT__RINGS="2",
        CALLCENTER_SITE__COMPANY="示例",
        HOME="/root",
        CALLCENTER="ignored",
    )
    assert (found.asterisk.port, found.asterisk.tls, found.asterisk.trunks) == (5040, True, ("sip-a", "sip-b"))
    assert (found.queue("it").rings, found.site.company) == (2, "示例")


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("CALLCENTER_ASTERISK__PORT", "many", "asterisk.port: 'many' is not a whole number; write it as "),
        ("CALLCENTER_ASTERISK__PROT", "1", "asterisk.prot: is not known; perhaps port is meant."),
        ("CALLCENTER_STORE__URI", "1", "store.uri: is not known; perhaps url is meant."),
        ("CALLCENTER_STORE__X", "1", "store.x: is not known; known here are log_keep_hours, "),
        ("CALLCENTER_STORE__URL", "sqlite:/var/x.db", "store.url: must begin with sqlite:/// (four slashes"),
        ("CALLCENTER_WEB__PORT__X", "1", "CALLCENTER_WEB__PORT__X: port is no table"),
    ],
)
def test_mistakes_in_the_environment(name: str, value: str, sentence: str, tmp_path: Path) -> None:
    (found,) = problems(tmp_path, "web.port = 80", **{name: value})
    assert found.startswith(sentence)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CALLCENTER_METRICS_PORT", "CALLCENTER_METRICS__PORT"),
        ("CALLCENTER_METRICS_PROT", "CALLCENTER_METRICS__PORT"),
        ("CALLCENTER_ASTERISK_SECRET_FILE", "CALLCENTER_ASTERISK__SECRET_FILE"),
        ("CALLCENTER_LEVELS_VIP_RESPONSE_MINUTES", "CALLCENTER_LEVELS__VIP__RESPONSE_MINUTES"),
    ],
)
def test_a_variable_that_is_nearly_a_setting_is_told(name: str, meant: str) -> None:
    with pytest.raises(SettingsError) as told:
        load(None, {name: "9"})
    assert told.value.problems == [
        f"{name}: is no setting and would be ignored; perhaps {meant} is meant, else rename it."
    ]


def test_variables_that_only_share_the_prefix_are_none_of_ours() -> None:
    """Those of the scripts and tests, and what Kubernetes gives every container beside a service of ours."""
    root = Path(__file__).parents[2]
    told = "\n".join(
        file.read_text("utf-8")
        for folder in ("scripts", "tests", ".ci", "callcenter/demo")
        for file in (root / folder).rglob("*")
        if file.is_file() and file.suffix in ("", ".py", ".sh", ".md") and file != Path(__file__)
    )
    names = {name for name in re.findall(r"CALLCENTER_[A-Z_]+", told) if "__" not in name}
    assert len(names) > 8
    assert load(None, dict.fromkeys(names, "x")) == Settings()
    assert load(None, {"CALLCENTER_METRICS_PORT": "tcp://10.0.0.7:9100"}) == Settings()
