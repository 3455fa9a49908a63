"""The configuration: all mistakes at once, each with its key and what would be right; limits, environment, secrets."""

import os
import re
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import get_type_hints

import pytest

from callcenter import settings as module
from callcenter.metrics.service_levels import Target
from callcenter.rules.cadence import BY_COUNTRY, Cadence
from callcenter.settings import Settings, SettingsError, Step, load, read_secret


def loaded(folder: Path, text: str, **environment: str) -> Settings:
    file = folder / "callcenter.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, environment)


def problems(folder: Path, text: str, **environment: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        loaded(folder, text, **environment)
    return refused.value.problems


def test_without_a_file_the_defaults_hold() -> None:
    assert load(None, {}) == Settings()


def test_every_mistake_is_listed_at_once(tmp_path: Path) -> None:
    found = problems(
        tmp_path,
        """
        colour = "red"
        web = 5
        [site]
        language = "fr"
        timezone = "Mars/Olympus"
        [asterisk]
        name = "head/quarters"
        port = 70000
        tls = "perhaps"
        ping_every_seconds = "often"
        reconnect_min_seconds = 9
        reconnect_max_seconds = 3
        trunks = 7
        [store]
        url = "mysql://x"
        [rings]
        on_seconds = 1
        [[greetings]]
        from_time = "25:00"
        [[routes]]
        days = ["monday"]
        [queues.it]
        rings = 0
        ladder = [{ ring = 3 }, { ring = 2 }, { ring = "two" }]
        """,
    )
    keys = {problem.split(":")[0] for problem in found}
    assert keys == {
        *("colour", "web", "site.language", "site.timezone", "asterisk.name", "asterisk.port", "asterisk.tls"),
        *("asterisk.ping_every_seconds", "asterisk.reconnect_min_seconds", "asterisk.trunks", "store.url", "rings"),
        *("greetings[1].from_time", "routes[1].days", "routes[1].to", "queues.it.rings", "queues.it.ladder[3].ring"),
        "queues.it.ladder",
    }
    assert all(problem.endswith(".") and "\n" not in problem for problem in found)
    remedy = re.compile(r"; \w+|: must be(gin)? |: use only |: name ")
    assert [problem for problem in found if not remedy.search(problem)] == []


def test_the_list_is_in_the_same_order_every_time(tmp_path: Path) -> None:
    text = "\n".join(f"{letter} = 1" for letter in "qwertyuiopasdfgh")
    assert [problem[0] for problem in problems(tmp_path, text)] == sorted("qwertyuiopasdfgh")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("web.port = 65536", "web.port: 65536 is outside 0 to 65535; choose a number within"),
        ("web.port = 1.5", "web.port: 1.5 is not a whole number; write it as "),
        ("web.port = true", "web.port: True is not a whole number; write it as "),
        ("web.port = []", "web.port: [] is not a whole number; write it as "),
        ("asterisk.ping_every_seconds = nan", "asterisk.ping_every_seconds: nan is not a number; write it as "),
        ("asterisk.ping_every_seconds = inf", "asterisk.ping_every_seconds: inf is not a number; write it as "),
        ("asterisk.host = 5", "asterisk.host: 5 is not a text in quotes, on one line"),
        ('asterisk.cdr_file = ""', "asterisk.cdr_file: '' is not a path in quotes; write it as "),
        ("queues = 5", "queues: must be a table of tables; write [queues.NAME]."),
        ("queues.it = 5", "queues.it: must be a table; write [queues.it] above its settings."),
        ('queue_defaults.ladder = [{ do = "shout" }]', "queue_defaults.ladder[1].do: 'shout' is not one of"),
        ("site.timezone = '../../etc/passwd'", "site.timezone: '../../etc/passwd' is no time zone"),
        ("site.timezone = ''", "site.timezone: '' is no time zone"),
        ("web.host = ''", "web.host: '' is no host; name an address"),
        ("asterisk.host = 'a..b'", "asterisk.host: 'a..b' is no host"),
        ("hooks.agi_host = 'a b'", "hooks.agi_host: 'a b' is no host"),
        (f"asterisk.host = '{'x' * 70}'", "asterisk.host: 'xxxx"),
        ('asterisk.cdr_file = "a\\u0000b"', r"asterisk.cdr_file: 'a\x00b' is not a path"),
        (
            'asterisk.user = "a\\nAction: Command"',
            r"asterisk.user: 'a\nAction: Command' is not a text in quotes, on one line",
        ),
        ("web.proxies = ['nginx']", "web.proxies: 'nginx' is no IP address"),
        ("metrics.port = 8080", "metrics.port: 8080 is the port of web.port, too"),
        ("web.port = 4573\nhooks.token_file = 't'", "hooks.agi_port: 4573 is the port of web.port, too"),
        ("metrics.port = 8080\nweb.host = '0.0.0.0'", "metrics.port: 8080 is the port of web.port, too"),
        (
            "metrics.port = 9\nmetrics.host = '0.0.0.0'",
            "metrics.host: 0.0.0.0 lets other machines ask",
        ),
        ("metrics.port = 9\nmetrics.host = 'pbx.example.org'", "metrics.host: pbx.example.org lets other machines ask"),
        (
            "[metrics]\npush_url = 'http://x'\npush_every_seconds = 5\npush_timeout_seconds = 60",
            "metrics.push_timeout_seconds: is above push_every_seconds; make it smaller",
        ),
        (
            "seat_groups.a.seats = ['1', '2', '1']",
            "seat_groups.a: seat 1 is named twice and would",
        ),
        ("seat_groups.a.seats = ['1']\nseat_groups.b.seats = ['1']", "seat_groups.b: seat 1 is in a, too"),
        ("site.categories = [5, '打印机']", "site.categories[1]: 5 is not a text in quotes"),
        ("asterisk.tls = 5", "asterisk.tls: 5 is not true or false; write it as false."),
        ("asterisk.cdr_file = 5", "asterisk.cdr_file: 5 is not a path in quotes; write it as 'folder/file'."),
        ("web.public_url = 'desk.example.com'", "web.public_url: must be https://HOST"),
        ("web.public_url = 'https://desk.example.com/hotline'", "web.public_url: must be https://HOST"),
    ],
)
def test_one_mistake_one_sentence(text: str, sentence: str, tmp_path: Path) -> None:
    (found,) = problems(tmp_path, text)
    assert found.startswith(sentence)


@pytest.mark.parametrize("digits", [400, 5_000])
@pytest.mark.parametrize("key", ["asterisk.ping_every_seconds", "web.port"])
def test_a_number_beyond_every_measure_is_a_mistake_like_another(key: str, digits: int, tmp_path: Path) -> None:
    assert len(problems(tmp_path, f"{key} = {'9' * digits}")) == 1


def test_every_limit_is_kept_at_both_ends(tmp_path: Path) -> None:
    """Whatever has bounds refuses what is just beyond them and takes what is on them."""
    tried = 0
    for section in fields(Settings):
        kind = get_type_hints(Settings)[section.name]
        if not is_dataclass(kind):
            continue
        for spec in fields(kind):
            if "low" not in spec.metadata:
                continue
            key = f"{section.name}.{spec.name}"
            for bound, beyond in ((spec.metadata["low"], -1), (spec.metadata["high"], 1)):
                assert key in {p.split(":")[0] for p in problems(tmp_path, f"{key} = {bound + beyond}")}, key
                assert key not in _mistaken(tmp_path, f"{key} = {bound}"), key
                tried += 1
    assert tried > 50


def _mistaken(folder: Path, text: str) -> set[str]:
    try:
        loaded(folder, text)
    except SettingsError as refused:
        return {problem.split(":")[0] for problem in refused.problems if "outside" in problem}
    return set()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"[", "is not valid TOML"),
        (b"a = 1\n\nb = '\xe9'", "line 3 is not UTF-8; save the file in that encoding."),
        (b"a = 1\na = 2", "for the second time, leave one"),
        (b"[site]\n[site]\n", "for the second time, leave one"),
    ],
)
def test_a_file_that_is_no_toml(content: bytes, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        load(file, {})
    (problem,) = refused.value.problems
    assert reason in problem


def test_a_file_that_cannot_be_read_is_named_with_the_reason(tmp_path: Path) -> None:
    for file in (tmp_path / "missing.toml", tmp_path):
        with pytest.raises(SettingsError, match="cannot be read"):
            load(file, {})


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path) -> None:
    found = loaded(tmp_path, 'asterisk.secret_file = "ami.secret"\nasterisk.cdr_file = "/var/log/a.csv"')
    assert found.asterisk.secret_file == tmp_path / "ami.secret"
    assert found.asterisk.cdr_file == Path("/var/log/a.csv")


# --- secrets ---------------------------------------------------------------------------------------------------------


def test_a_secret_is_read_anew_each_time(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("  first\n")
    assert read_secret(file, "asterisk.secret_file") == "first"
    file.write_text("second")
    assert read_secret(file, "asterisk.secret_file") == "second"


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"], ids=["missing", "empty", "blank", "no UTF-8"])
def test_a_secret_that_cannot_be_had_names_the_key_and_never_the_content(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        read_secret(file, "store.password_file")
    (problem,) = refused.value.problems
    assert re.fullmatch(r"store\.password_file: the secret file [^;]+; [^;]+\.", problem), problem


def test_no_secret_file_at_all() -> None:
    with pytest.raises(SettingsError, match=r"asterisk\.secret_file: is not set"):
        read_secret(None, "asterisk.secret_file")


def test_the_tree_holds_no_secret(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hunter2")
    assert "hunter2" not in repr(loaded(tmp_path, 'asterisk.secret_file = "secret"'))


# --- rings and queues ------------------------------------------------------------------------------------------------


def test_the_cadence_is_the_countrys_or_ones_own(tmp_path: Path) -> None:
    assert loaded(tmp_path, 'rings.country = "us"').rings.cadence == BY_COUNTRY["us"]
    own = loaded(tmp_path, 'rings.country = "us"\nrings.on_seconds = 2\nrings.off_seconds = 3')
    assert own.rings.cadence == Cadence(2.0, 3.0)


def test_the_end_of_a_ring_is_where_the_next_would_begin() -> None:
    china = BY_COUNTRY["cn"]
    assert [Step(2, "start").after_seconds(china), Step(3, "end").after_seconds(china)] == [5.0, 15.0]


def test_a_queue_without_rules_of_its_own_has_the_defaults(tmp_path: Path) -> None:
    found = loaded(tmp_path, "queue_defaults.wrapup_seconds = 7\n[queues.it]\nwrapup_seconds = 9")
    assert [found.queue(name).wrapup_seconds for name in ("it", "other", None)] == [9, 7, 7]


def test_every_setting_is_read_by_somebody() -> None:
    """A setting that nothing reads is a promise that nothing keeps."""
    package = Path(module.__file__).parent.parent
    code = "\n".join(file.read_text() for file in package.rglob("*.py") if file.parent.name != "settings")
    own = "\n".join(file.read_text() for file in Path(module.__file__).parent.glob("*.py"))
    unread = [
        f"{section.name}.{spec.name}"
        for section in fields(Settings)
        if is_dataclass(kind := get_type_hints(Settings)[section.name])
        for spec in fields(kind)
        if f".{spec.name}" not in code and f".{spec.name}" not in own
    ]
    assert unread == []


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CALLCENTER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CALLCENTER_WEB__PORT", "1234")
    assert load(None).web.port == 1234


def test_a_queue_that_is_to_be_listened_to_needs_a_model(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, "[queues.support]\nlive = true\n")
    assert problem.startswith("live.model: a queue has live = true")
    settings = loaded(tmp_path, '[queues.support]\nlive = true\n[live]\nmodel = "zh"\n')
    assert settings.live.model == tmp_path / "zh"
    assert not settings.queue("another").live


def test_each_queue_has_its_target(tmp_path: Path) -> None:
    targets = loaded(
        tmp_path,
        """
        [service_level]
        seconds = 20
        [queue_defaults]
        service_class = "advanced"
        [queues.vip]
        service_level_seconds = 10
        service_class = "vip"
        [queues.it]
        """,
    ).targets
    assert targets.of("vip") == Target(10, 5, "vip")
    assert targets.of("it") == Target(20, 5, "standard")
    assert targets.of("unknown") == targets.of(None) == Target(20, 5, "advanced")


@pytest.mark.parametrize("name", ["bad name", "", "x" * 27, "a/b", "a,b"])
def test_a_queue_that_hooks_would_refuse_is_no_queue_of_the_settings(tmp_path: Path, name: str) -> None:
    (problem,) = problems(tmp_path, f'[queues."{name}"]\n[queues.it]\n')
    assert problem.startswith(f"queues.{name!r}: is no name that hooks take; rename the queue")


def test_a_short_abandon_is_shorter_than_the_threshold(tmp_path: Path) -> None:
    (problem,) = problems(
        tmp_path, "[service_level]\nshort_abandon_seconds = 6\n[queues.it]\nservice_level_seconds = 5\n"
    )
    assert problem.startswith("service_level.short_abandon_seconds: is above")


def test_thresholds_are_few_enough_for_a_histogram(tmp_path: Path) -> None:
    queues = "".join(f"[queues.q{n}]\nservice_level_seconds = {20 + n}\n" for n in range(20))
    (problem,) = problems(tmp_path, queues)
    assert "different service_level_seconds" in problem


@pytest.mark.parametrize(
    "url", ["push.example.org:9091", "http://user:secret@push.example.org", "ftp://x", "http://a b"]
)
def test_a_gateway_is_a_plain_address(url: str, tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, f'[metrics]\npush_url = "{url}"\n')
    assert problem.startswith("metrics.push_url: must be http://")
    assert "secret" not in problem


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('company = "' + "长" * 100_000 + '"', "site.company: has 100000 characters; shorten it to 1000 at most."),
        ('categories = ["打印机", ""]', "site.categories: one is empty"),
        ('categories = ["打印机", "网络", "打印机 "]', "site.categories: a category is named twice"),
        ("company = [" + '"x",' * 500 + "]", "site.company: ["),
    ],
)
def test_texts_are_short_and_categories_told_apart(text: str, sentence: str, tmp_path: Path) -> None:
    (tmp_path / "callcenter.toml").write_text("[site]\n" + text, "utf-8")
    with pytest.raises(SettingsError) as told:
        load(tmp_path / "callcenter.toml", {})
    assert sentence in str(told.value)
    assert len(str(told.value)) < 400


def test_the_token_is_not_asked_for_where_only_this_machine_may_ask(tmp_path: Path) -> None:
    for text in (
        "metrics.port = 9\nmetrics.host = '::1'",
        "metrics.port = 9\nmetrics.host = 'localhost'",
        "metrics.port = 9\nmetrics.host = '0.0.0.0'\nweb.metrics_token_file = 't'",
        "metrics.host = '0.0.0.0'",
        "metrics.push_every_seconds = 1",
    ):
        loaded(tmp_path, text)


def test_what_was_right_goes_with_the_mistakes(tmp_path: Path) -> None:
    """For whoever looks for further mistakes in the files that it names."""
    with pytest.raises(SettingsError) as told:
        loaded(tmp_path, "site.timezone = 'Mars'\ncalendar.holidays = 'de'\ncalendar.files = ['days.toml']")
    assert told.value.settings is not None
    assert told.value.settings.calendar.files == (tmp_path / "days.toml",)
    assert told.value.settings.site.timezone == Settings().site.timezone, "a zone that there is"
