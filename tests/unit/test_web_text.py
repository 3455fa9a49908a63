"""Text on its way to and from people: harmless, grouped, dated."""

import unicodedata
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.web import text

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 22, 14, 30, tzinfo=SHANGHAI).timestamp()


@given(st.text())
def test_harmless_text_has_no_controls_and_no_direction_marks(written: str) -> None:
    kept = text.harmless(written)
    assert not any(unicodedata.category(c) == "Cc" and c not in "\t\n" for c in kept)
    assert not any(
        unicodedata.bidirectional(c) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"} for c in kept
    )
    assert text.harmless(kept) == kept


@given(st.text(), st.integers(0, 50))
def test_clean_text_is_one_line_cut_and_stable(written: str, longest: int) -> None:
    kept = text.clean(written, longest=longest)
    assert len(kept) <= longest
    assert "\n" not in kept
    assert text.clean(kept) == kept.strip()


def test_ordinary_chinese_and_emoji_stay() -> None:
    assert text.harmless("张三（收费处）👩‍💻 it's <b>") == "张三（收费处）👩‍💻 it's <b>"


def test_lines_stay_in_a_text_of_several_lines() -> None:
    assert text.clean("a\r\nb\u202e\x00 c ", multiline=True) == "a\nb c"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("13800138000", "138 0013 8000"),
        ("01055500142", "010-5550 0142"),
        ("075555001420", "0755-5500 1420"),
        ("4008001234", "400-800 1234"),
        ("+8613800138000", "+86 138 0013 8000"),
        ("1001", "1001"),
        ("anonymous", "anonymous"),
        ("", "—"),
        (None, "—"),
    ],
)
def test_numbers_are_grouped_as_read(number: str | None, shown: str) -> None:
    assert text.phone(number) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(None, "—"), (0, "0:00"), (59.9, "0:59"), (3605, "1:00:05"), (-3, "0:00")]
)
def test_durations(seconds: float | None, shown: str) -> None:
    assert text.duration(seconds) == shown


def test_days_are_named_only_when_they_are_not_today() -> None:
    assert text.day_of(NOW - 60, NOW, SHANGHAI) == ""
    assert text.day_of(NOW - 86400, NOW, SHANGHAI) == "11-21"
    assert text.day_of(NOW - 365 * 86400, NOW, SHANGHAI) == "2025-11-22"


@pytest.mark.parametrize(
    ("written", "due"),
    [
        ("15:00", datetime(2026, 11, 22, 15, 0, tzinfo=SHANGHAI)),
        ("9：05", datetime(2026, 11, 23, 9, 5, tzinfo=SHANGHAI)),
        ("11-25 09:30", datetime(2026, 11, 25, 9, 30, tzinfo=SHANGHAI)),
        ("2027-01-02 08:00", datetime(2027, 1, 2, 8, 0, tzinfo=SHANGHAI)),
    ],
)
def test_due_times_as_a_seat_writes_them(written: str, due: datetime) -> None:
    assert text.due_instant(written, NOW, SHANGHAI) == due.timestamp()


@pytest.mark.parametrize("written", ["25:00", "tomorrow", "15", "13-45 10:00", "15:00x"])
def test_other_due_times_are_refused(written: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        text.due_instant(written, NOW, SHANGHAI)


@pytest.mark.parametrize(
    ("now", "written", "due"),
    [
        ("2026-12-30 16:00", "01-02 09:30", "2027-01-02 09:30"),
        ("2027-01-02 08:00", "12-30 16:00", "2026-12-30 16:00"),
        ("2026-11-22 14:30", "11-21 09:30", "2026-11-21 09:30"),
        ("2027-11-22 14:30", "02-29 09:30", "2028-02-29 09:30"),
        ("2026-11-22 23:59", "00:05", "2026-11-23 00:05"),
        ("2026-10-31 20:00", "08:00", "2026-11-01 08:00"),  # the night in which New York's clocks go back
    ],
)
def test_a_date_without_a_year_is_the_nearest_and_a_time_without_a_date_the_next(
    now: str, written: str, due: str
) -> None:
    zone = ZoneInfo("America/New_York")
    at, expected = (datetime.fromisoformat(one).replace(tzinfo=zone).timestamp() for one in (now, due))
    assert text.due_instant(written, at, zone) == expected


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/Havana", date(2026, 11, 1)),  # midnight comes twice
        ("America/Havana", date(2026, 3, 8)),  # it is left out
        ("Asia/Beirut", date(2026, 3, 29)),
        ("Asia/Beirut", date(2026, 10, 24)),  # 23 o'clock comes twice
        ("Europe/Berlin", date(2026, 10, 25)),
        ("Asia/Kathmandu", date(2026, 1, 1)),
    ],
)
def test_a_day_has_one_midnight_and_it_is_its_first_instant(zone: str, day: date) -> None:
    where = ZoneInfo(zone)
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=where).timestamp()
    of_the_day = [at for at in range(int(noon) - 16 * 3600, int(noon) + 16 * 3600, 600) if day_at(at, where) == day]
    assert len(of_the_day) >= 23 * 6
    assert {text.midnight(at, where) for at in of_the_day} == {of_the_day[0]}


def day_at(at: float, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(at, zone).date()


def test_another_days_clock_time_has_its_date() -> None:
    day = 86400.0
    assert text.when(NOW, NOW, SHANGHAI) == "14:30"
    assert text.when(NOW, NOW, SHANGHAI, seconds=True) == "14:30:00"
    assert text.when(NOW - day, NOW, SHANGHAI, seconds=True) == "11-21 14:30"
    assert text.when(NOW - 400 * day, NOW, SHANGHAI) == "2025-10-18 14:30"


@pytest.mark.parametrize(("number", "known"), [("13800138000", True), ("anonymous", False), ("", False), (None, False)])
def test_a_withheld_number_is_none(number: str | None, known: bool) -> None:
    assert text.dialable(number) is known


def test_no_due_time_is_none() -> None:
    assert text.due_instant("  ", NOW, SHANGHAI) is None


def test_midnight_is_the_sites() -> None:
    assert text.midnight(NOW, SHANGHAI) == datetime(2026, 11, 22, tzinfo=SHANGHAI).timestamp()
