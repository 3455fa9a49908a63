"""[[greetings]], [[routes]] and [hooks] in the configuration file."""

from pathlib import Path

import pytest

from callcenter.hooks.choices import Greeting, Route
from callcenter.settings import SettingsError, load

GOOD = """
[hooks]
variable_names = ["contract", "site_*"]
[queues.support]
priority = 3
[[greetings]]
holiday = true
variant = "holiday"
[[greetings]]
queue = "support"
from_time = "18:00"
to_time = "08:30"
days = ["mon", "fri"]
variant = "evening"
[[routes]]
workday = false
to = "standby"
"""


def test_choices_are_read_in_their_order(tmp_path: Path) -> None:
    file = tmp_path / "callcenter.toml"
    file.write_text(GOOD, "utf-8")
    settings = load(file, {})
    evening = Greeting(queue="support", from_time="18:00", to_time="08:30", days=("mon", "fri"), variant="evening")
    assert settings.greetings == (Greeting(holiday=True, variant="holiday"), evening)
    assert settings.routes == (Route(workday=False, to="standby"),)
    assert settings.hooks.variable_names == ("contract", "site_*")
    assert settings.queue("support").priority == 3


def test_all_mistakes_are_listed_with_their_number(tmp_path: Path) -> None:
    file = tmp_path / "callcenter.toml"
    file.write_text(
        '[[greetings]]\nvariant = "A"\nhours = 3\n[[routes]]\nto = "a b"\nholiday = "maybe"\n[[routes]]\n', "utf-8"
    )
    with pytest.raises(SettingsError) as refused:
        load(file, {})
    keys = {problem.split(":")[0] for problem in refused.value.problems}
    assert keys == {"greetings[1].variant", "greetings[1].hours", "routes[1].to", "routes[1].holiday", "routes[2].to"}
