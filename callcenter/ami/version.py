"""Which Asterisk this is, and whether it is new enough. Pure.

Floor 22.10.1: releases before it have published holes that an AMI account can reach (GHSA-3rhj-hhw7-m6fw in the log-in
itself, among others). Older ones back to 16 work; the daemon says so and goes on.
"""

import re

FLOOR = (22, 10, 1)
_KEEPS_LATE_SOUND_OUT = "dfsg"
"""Part of the version of Debian's package and of what is built from it."""
_MENDED = "+callcenter"
"""Part of the version of what docker/build-asterisk.sh builds from the same package."""
_SINCE = (20, 0, 0)
_NUMBERS = re.compile(r"(?:^|/)(\d+)\.(\d+)(?:\.(\d+))?")


def parse(text: str) -> tuple[int, int, int] | None:
    """``22.10.1+dfsg`` or ``certified/20.7-cert5`` to three numbers; ``None`` for a build without (``GIT-master``)."""
    found = _NUMBERS.search(text)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def warning(text: str) -> str:
    """One sentence with the remedy if this version is below the floor or cannot be told; empty if it is fine."""
    floor = ".".join(map(str, FLOOR))
    numbers = parse(text)
    if numbers is None:
        return f"The version of Asterisk ({text[:40]!r}) cannot be read; make sure that it has the fixes of {floor}."
    if numbers < FLOOR:
        shown = ".".join(map(str, numbers))
        return f"Asterisk {shown} has known security holes that are fixed in {floor}; upgrade it."
    return ""


def loses_sound(text: str) -> bool:
    """Whether this build leaves sound out of recordings: what a phone says with lower RTP numbers than came before it.

    Debian's package has patched the translator so since 2024 (debian/patches/2016_opus_plc.patch, Debian bug 1060275).
    Of two streams on one track the second counts as late while its number is up to 32768 behind: 11 minutes of packets
    of 20 ms. A phone begins at any number, a greeting counts as 0. In the call both are heard, unless codecs differ.
    """
    numbers = parse(text)
    patched = _KEEPS_LATE_SOUND_OUT in text and _MENDED not in text
    return numbers is not None and numbers >= _SINCE and patched
