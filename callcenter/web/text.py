"""Text for people: made harmless, grouped and dated. The last step before a template prints something.

Promises: pure functions; whatever a caller, a hook or a colleague wrote comes out without control characters and
without marks that turn the reading direction of the page around. Never: escapes HTML (the templates do, always).
"""

import re
import unicodedata
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo

# Bidirectional embeddings, overrides, isolates and marks; interlinear and tag characters; line separators; BOM.
_HIDDEN = re.compile("[\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def harmless(text: str) -> str:
    """``text`` without control characters (tab and line feed stay) and without direction marks."""
    return _CONTROL.sub("", _HIDDEN.sub("", text.replace("\r\n", "\n")))


def clean(text: str, *, multiline: bool = False, longest: int | None = None) -> str:
    """What is stored of a typed text: harmless, normalised (NFC), one line unless ``multiline``, cut at ``longest``."""
    kept = unicodedata.normalize("NFC", harmless(text))
    if not multiline:
        kept = " ".join(kept.split())
    return kept.strip()[:longest]


_GROUPS = (
    (re.compile(r"(1[3-9]\d)(\d{4})(\d{4})"), r"\1 \2 \3"),
    (re.compile(r"(0(?:10|2\d))(\d{4})(\d{4})"), r"\1-\2 \3"),
    (re.compile(r"(0[3-9]\d{2})(\d{3,4})(\d{4})"), r"\1-\2 \3"),
    (re.compile(r"([48]00)(\d{3})(\d{4})"), r"\1-\2 \3"),
    (re.compile(r"\+86(1[3-9]\d)(\d{4})(\d{4})"), r"+86 \1 \2 \3"),
)


def phone(number: str | None) -> str:
    """A telephone number in groups as it is read aloud in China; others unchanged, an unknown one as a dash."""
    if not number:
        return "—"
    for pattern, grouped in _GROUPS:
        if match := pattern.fullmatch(number):
            return match.expand(grouped)
    return number


def dialable(number: str | None) -> bool:
    """False for a withheld number, however the network writes that ("", "anonymous", "unavailable")."""
    return any(c.isdecimal() for c in number or "")


def duration(seconds: float | None) -> str:
    """``3:42``, ``1:05:00``; a dash for none."""
    if seconds is None:
        return "—"
    whole = max(0, int(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def time_of_day(at: float | None, zone: tzinfo, *, seconds: bool = False) -> str:
    """24-hour clock time in the site's zone."""
    if at is None:
        return "—"
    return datetime.fromtimestamp(at, zone).strftime("%H:%M:%S" if seconds else "%H:%M")


def day_of(at: float, now: float, zone: tzinfo) -> str:
    """``11-18``; with the year where it is not this one; empty for today."""
    then, today = datetime.fromtimestamp(at, zone), datetime.fromtimestamp(now, zone)
    if then.date() == today.date():
        return ""
    return then.strftime("%m-%d" if then.year == today.year else "%Y-%m-%d")


def when(at: float, now: float, zone: tzinfo, *, seconds: bool = False) -> str:
    """``14:33`` today, ``11-18 14:33`` on another day; ``seconds`` only for today, where they say something."""
    day = day_of(at, now, zone)
    return f"{day} {time_of_day(at, zone)}" if day else time_of_day(at, zone, seconds=seconds)


def midnight(now: float, zone: tzinfo) -> float:
    """The instant at which the site's day of ``now`` began: the first midnight, where a night has two."""
    return datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0).timestamp()


YEARS = range(2000, 3000)
"""Of a promise. Beyond what a calendar holds in every zone, no page could show it again."""
_CLOCK = re.compile(r"(\d{1,2})[:：](\d{2})")
_DAY_CLOCK = re.compile(r"(?:(\d{4})-)?(\d{1,2})-(\d{1,2})[ T]+(\d{1,2})[:：](\d{2})")


def due_instant(written: str, now: float, zone: tzinfo) -> float | None:
    """The instant that a seat wrote as ``15:00`` (the next such time), ``11-20 09:30`` (the nearest such date) or
    ``2026-11-20 09:30``, in the site's zone.

    ``None`` for an empty text; ``ValueError`` for anything else.
    """
    text = written.strip()
    if not text:
        return None
    today = datetime.fromtimestamp(now, zone).replace(second=0, microsecond=0)
    if match := _CLOCK.fullmatch(text):
        due = today.replace(hour=int(match[1]), minute=int(match[2]), fold=0)
        # The same time on the next date, not 24 hours on: a night may be an hour longer or shorter.
        return due.timestamp() if due.timestamp() > now else (due + timedelta(days=1)).timestamp()
    if match := _DAY_CLOCK.fullmatch(text):
        year, *rest = (int(part) if part else None for part in match.groups())
        if year is not None:
            if year not in YEARS:
                raise ValueError("no year of a promise")
            return _instant(zone, year, *rest)
        return min(_near(zone, today.year, *rest), key=lambda due: abs(due - now))
    raise ValueError("no time of day")


def _near(zone: tzinfo, year: int, *rest: int | None) -> list[float]:
    """The date in this year and its neighbours: "01-02" written in December is the next January's."""
    found = []
    for near in (year - 1, year, year + 1):
        with suppress(ValueError):  # 02-29
            found.append(_instant(zone, near, *rest))
    if not found:
        raise ValueError("no such date")
    return found


def _instant(zone: tzinfo, *parts: int | None) -> float:
    return datetime(*parts, tzinfo=zone).timestamp()  # type: ignore[arg-type, misc]
