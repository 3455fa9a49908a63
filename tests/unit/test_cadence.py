"""Rings and seconds (A1): when a ring begins, and how many have begun."""

import pytest

from callcenter.rules.cadence import BY_COUNTRY, Cadence

CHINA = BY_COUNTRY["cn"]


@pytest.mark.parametrize(
    ("seconds", "rings"),
    [(-0.01, 0), (0.0, 1), (4.99, 1), (5.0, 2), (10.0, 3), (14.999, 3), (15.0, 4), (3_600.0, 721)],
)
def test_rings_begun_in_china(seconds: float, rings: int) -> None:
    """1 s on, 4 s off: three rings are over when the fourth begins, at 15 s."""
    assert CHINA.rings_begun(seconds) == rings


@pytest.mark.parametrize("cadence", BY_COUNTRY.values(), ids=BY_COUNTRY.keys())
def test_a_ring_has_begun_when_it_starts_and_not_before(cadence: Cadence) -> None:
    for ring in range(1, 30):
        starts = cadence.starts_after(ring)
        assert cadence.rings_begun(starts + 1e-6) == ring
        assert cadence.rings_begun(starts - 1e-6) == ring - 1


def test_the_country_table_is_plausible() -> None:
    """A ring that lasts longer than its pause, or a period out of ITU-T E.180's range, is a slip of the pen."""
    assert Cadence(1.0, 4.0) == CHINA
    assert all(0.3 <= c.on_seconds < c.off_seconds for c in BY_COUNTRY.values())
    assert all(3.0 <= c.period_seconds <= 6.0 for c in BY_COUNTRY.values())
