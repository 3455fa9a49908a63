"""How long a ring lasts, by country: the unit of rule A1 (three rings).

A ring is one tone and the silence after it; ring n begins at (n - 1) x period. Source: ringing tones of ITU-T E.180,
as Asterisk ships them in indications.conf. For a country with a double ring the first tone's start counts.
Never: knows a call.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cadence:
    """A ringing tone: ``on_seconds`` of sound, then ``off_seconds`` of silence."""

    on_seconds: float
    off_seconds: float

    @property
    def period_seconds(self) -> float:
        return self.on_seconds + self.off_seconds

    def rings_begun(self, seconds: float) -> int:
        """Rings begun within ``seconds`` of ringing; the first begins at once."""
        return math.floor(seconds / self.period_seconds) + 1 if seconds >= 0 else 0

    def starts_after(self, ring: int) -> float:
        """Seconds from the first ringing to the beginning of ring ``ring`` (1, 2, 3 ...)."""
        return (ring - 1) * self.period_seconds


BY_COUNTRY: dict[str, Cadence] = {
    "cn": Cadence(1.0, 4.0),
    "hk": Cadence(1.4, 3.0),  # 0.4 on, 0.2 off, 0.4 on, 3 off
    "mo": Cadence(1.0, 4.0),
    "tw": Cadence(1.0, 2.0),
    "sg": Cadence(1.0, 2.0),
    "jp": Cadence(1.0, 2.0),
    "kr": Cadence(1.0, 2.0),
    "us": Cadence(2.0, 4.0),
    "gb": Cadence(1.0, 2.0),  # 0.4 on, 0.2 off, 0.4 on, 2 off
    "au": Cadence(1.0, 2.0),
    "de": Cadence(1.0, 4.0),
    "fr": Cadence(1.5, 3.5),
    "it": Cadence(1.0, 4.0),
    "es": Cadence(1.5, 3.0),
    "ru": Cadence(0.8, 3.2),
}
