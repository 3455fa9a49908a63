"""The site's calendar: what a file says of a day holds, what nobody published is unknown; files tell their mistakes."""

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.day_files import days_in, own_days
from callcenter.days import CHINA, PUBLISHED, DayKind, Days, Own
from callcenter.errors import BadInput
from callcenter.settings import Calendar, Settings, Site
from callcenter.tickets.business_time import Calendar as Hours
from callcenter.tickets.business_time import due

NEXT = max(PUBLISHED) + 1
SHANGHAI = ZoneInfo("Asia/Shanghai")
days = st.dates(date(2019, 1, 1), date(NEXT + 3, 12, 31))
some = st.frozensets(days, max_size=40)


@given(some, some, st.frozensets(st.integers(2019, NEXT + 3)), days, st.booleans())
def test_what_the_site_says_of_a_day_holds_and_the_rest_is_as_it_was(
    holidays: frozenset[date], workdays: frozenset[date], years: frozenset[int], day: date, chinese: bool
) -> None:
    own = Days(chinese, Own(holidays, workdays - holidays, years))
    kind, weekend = own.kind(day), day.weekday() >= 5
    if day in holidays:
        assert kind is DayKind.HOLIDAY
    elif day in workdays:
        assert kind is (DayKind.SWAPPED if weekend else DayKind.WORKDAY)
    elif day.year in years or not chinese:
        assert kind is (DayKind.WEEKEND if weekend else DayKind.WORKDAY)
    else:
        assert kind is Days(chinese=True).kind(day)
    assert own.works(day) is {DayKind.UNKNOWN: None, DayKind.WORKDAY: True, DayKind.SWAPPED: True}.get(kind, False)
    end = own.known_until()
    assert (end is None) is not chinese
    assert end is None or all(own.kind(end - timedelta(days=n)) is not DayKind.UNKNOWN for n in range(400))


@given(st.dates(date(NEXT, 1, 1), date(2199, 12, 31)))
def test_a_year_that_nobody_published_is_unknown(day: date) -> None:
    assert Days(chinese=True).kind(day) is DayKind.UNKNOWN
    assert Days(chinese=True).works(day) is None


def test_it_is_said_before_the_calendar_ends() -> None:
    chinese = Days(chinese=True)
    end = date(NEXT - 1, 12, 31)
    assert chinese.known_until() == end
    assert chinese.warning(end - timedelta(days=45)) is None
    assert "ends" in (chinese.warning(end - timedelta(days=44)) or "")
    assert "ended" in (chinese.warning(end + timedelta(days=1)) or "")
    assert Days(chinese=True, own=Own(years=frozenset({NEXT, NEXT + 1, NEXT + 3}))).known_until() == date(
        NEXT + 1, 12, 31
    )
    assert Days().warning(date(2199, 1, 1)) is None


@pytest.mark.parametrize(("zone", "told", "chinese"), [
    *((zone, "", True) for zone in sorted(CHINA)), ("Europe/Berlin", "", False), ("Asia/Hong_Kong", "", False),
    ("Europe/Berlin", "cn", True), ("Asia/Shanghai", "none", False),
])  # fmt: skip
def test_which_calendar_a_site_has(zone: str, told: str, chinese: bool) -> None:
    settings = Settings(site=Site(timezone=zone), calendar=Calendar(holidays=told))
    assert days_in(settings).chinese is chinese


def test_a_clock_that_reaches_the_next_year_is_known_with_a_file(tmp_path: Path) -> None:
    file = tmp_path / "next.toml"
    file.write_text(
        f'years = [{NEXT}]\n[[holidays]]\nname = "元旦"\nfirst = {NEXT}-01-01\nlast = {NEXT}-01-03\n', "utf-8"
    )
    found = days_in(Settings(calendar=Calendar(files=(file,))))
    hours = Hours(SHANGHAI, ((9 * 60, 17 * 60),), found.works)
    eve = datetime(NEXT - 1, 12, 31, 16, tzinfo=SHANGHAI)
    assert found.works(eve.date()), "else the example is none"
    at = due(hours, eve.timestamp(), 2 * 3600.0)
    assert at is not None
    told = datetime.fromtimestamp(at, SHANGHAI)
    first = next(day for n in range(4, 9) if (day := date(NEXT, 1, n)).weekday() < 5)
    assert (told.date(), told.hour) == (first, 10)


def test_the_example_of_the_manual_is_right(tmp_path: Path) -> None:
    manual = (Path(__file__).parents[2] / "docs" / "calendar.md").read_text("utf-8")
    example = next(part for part in manual.split("```toml\n") if part.startswith("# calendar-2027")).partition("```")[0]
    own = _read(example, tmp_path / "example.toml")
    assert own.years == {2027}
    assert date(2027, 2, 12) in own.holidays
    assert date(2027, 2, 20) in own.workdays


def _read(text: str, file: Path) -> Own:
    file.write_text(text, "utf-8")
    return own_days([file])


@pytest.mark.parametrize(("text", "sentence"), [
    ("years = 2027", "years: must be a list"),
    ("years = [1999]", "years: 1999 is outside 2000 to 2199"),
    ('years = ["next"]', r"years\[1\]: 'next' is not a whole number"),
    ("workdays = [\"2027-02-30\"]", r"workdays\[1\]: '2027-02-30' is no day"),
    ("workdays = [2072-01-01T10:00:00]", r"workdays\[1\]"),
    ("[[holidays]]\nname = \"x\"", r"holidays\[1\]\.first: '' is no day"),
    ("[[holidays]]\nfirst = 2027-02-05\nlast = 2027-02-01", r"holidays\[1\]\.last: must lie 0 to 59 days after first"),
    ("[[holidays]]\nfirst = 2027-02-05\nlast = 2028-02-01", r"holidays\[1\]\.last: must lie 0 to 59 days after first"),
    ("[[holidays]]\nfirst = 2027-02-05\nuntil = 2027-02-06", "until: is not known"),
    ("[[holiday]]\nfirst = 2027-02-05", "holiday: is not known; perhaps holidays is meant"),
    ("workdays = [2027-02-05]\n[[holidays]]\nfirst = 2027-02-05", r"2027-02-05 stands in .*holidays\[1\], too"),
    ("workdays = [2027-02-05, 2027-02-05]", r"2027-02-05 stands in .*workdays\[1\], too"),
    ("[[holidays]]\nfirst = 0001-01-01", "0001-01-01 is outside"),
    ("years = [", "is not TOML"),
    ("x = " + "[" * 5_000, "is not TOML"),
    ("years = [2027]\n#" + "x" * 1_000_001, "is larger than 1 MB"),
])  # fmt: skip
def test_a_file_tells_its_mistakes(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(BadInput, match=sentence) as told:
        _read(text, tmp_path / "calendar.toml")
    assert all("calendar.toml" in line for line in str(told.value).splitlines())


def test_all_mistakes_of_all_files_at_once(tmp_path: Path) -> None:
    one, two = tmp_path / "one.toml", tmp_path / "two.toml"
    one.write_text("years = [1]\nworkdays = [2027-01-02]")
    two.write_text("workdays = [2027-01-02]")
    with pytest.raises(BadInput) as told:
        own_days([one, two, tmp_path / "gone.toml"])
    lines = str(told.value).splitlines()
    assert [line.partition(":")[0].rpartition("/")[2] for line in lines[:2]] == ["one.toml", "two.toml"]
    assert "gone.toml cannot be read" in lines[2]
    assert len(lines) == 3


def test_a_mistake_of_one_kind_hides_none_of_another(tmp_path: Path) -> None:
    text = """
        foo = 1
        years = [1999]
        workdays = [5, "2027-02-30", 2027-02-06]
        [[holidays]]
        name = 1
        first = 2027-02-05
        last = 2027-02-01
        [[holidays]]
        first = 7
        last = "soon"
        [[holidays]]
        until = 2027-02-06
        first = 2027-02-06
    """
    with pytest.raises(BadInput) as told:
        _read(text, tmp_path / "calendar.toml")
    said = [line.removeprefix(f"{tmp_path}/calendar.toml: ") for line in str(told.value).splitlines()]
    assert sorted(line.partition(":")[0] for line in said) == [
        *("foo", "holidays[1].last", "holidays[1].name", "holidays[2].first", "holidays[2].last"),
        *("holidays[3].until", "workdays[1]", "workdays[2]", "workdays[3]", "years"),
    ]  # fmt: skip
    assert "2027-02-30" in next(line for line in said if line.startswith("workdays[2]"))
