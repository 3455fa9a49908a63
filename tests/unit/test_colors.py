"""The colours of states and limits told apart by eyes that see no red or no green, worked out from ``tokens.css``.

Signs and words tell every state without colour (``tests/browser/test_wallboard.py``); this is the second line.
Simulated by Machado, Oliveira and Fernandes 2009 (severity 1.0, linear RGB), compared by the colour difference of
CIE 1976 in L*a*b*.
"""

import re
from itertools import combinations, product
from math import dist

import pytest

from callcenter.web.wallboard import STATIC

TEXT, FILL = 4.6, 10.0
"""Twice what is just noticed (2.3) for text, which has a sign beside it; more for filled ground, the last step."""
SEEN_AS = {
    "everybody": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
}
XYZ = ((0.4124564, 0.3575761, 0.1804375), (0.2126729, 0.7151522, 0.0721750), (0.0193339, 0.1191920, 0.9503041))
WHITE = (0.95047, 1.0, 1.08883)
RAMPS = [
    ("free", "due", "over"),
    ("free-fill", "due-fill", "over-fill"),
    ("accent", "due", "over"),
    ("due-wash", "over-fill"),
]
"""Each step of a ramp stands beside the others on one screen."""
Vector = tuple[float, float, float]


def times(matrix: tuple[Vector, ...], one: Vector) -> Vector:
    x, y, z = (sum(a * b for a, b in zip(row, one, strict=True)) for row in matrix)
    return x, y, z


def lab(color: str, eye: str) -> Vector:
    channels = [int(color[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    seen = times(SEEN_AS[eye], (r, g, b))
    x, y, z = (
        t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116
        for t in (max(0.0, a) / w for a, w in zip(times(XYZ, seen), WHITE, strict=True))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def tokens() -> dict[str, dict[str, str]]:
    """By theme: names and values."""
    text = (STATIC / "tokens.css").read_text()
    blocks = [dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", one)) for one in re.findall(r"\{([^{}]*)\}", text)]
    themes = [one for one in blocks if "over-fill" in one]
    by_ground = sorted(themes, key=lambda one: one["canvas"])
    assert by_ground[0]["canvas"] < "#2" < "#d" < by_ground[-1]["canvas"]
    return {"dark": by_ground[0], "light": by_ground[-1]}


def test_the_arithmetic_is_that_of_the_standard() -> None:
    assert dist(lab("#ffffff", "everybody"), (100, 0, 0)) < 0.1
    assert dist(lab("#ff0000", "everybody"), (53.24, 80.09, 67.20)) < 0.1
    plain = dist(lab("#e60000", "everybody"), lab("#008000", "everybody"))
    assert dist(lab("#c04000", "deuteranopia"), lab("#6a6a00", "deuteranopia")) < plain / 3, "these two are confused"


@pytest.mark.parametrize(("theme", "eye"), list(product(("dark", "light"), SEEN_AS)))
def test_steps_of_a_ramp_are_told_apart_by_every_eye(theme: str, eye: str) -> None:
    values = tokens()[theme]
    near = [
        (one, other, round(found, 1))
        for ramp in RAMPS
        for one, other in combinations(ramp, 2)
        if (found := dist(lab(values[one], eye), lab(values[other], eye))) < (FILL if "-" in one else TEXT)
    ]
    assert near == []
