"""The arguments of ``callcenter report``, apart from what it does, so that other commands load no SQL.

Never: runs anything.
"""

import argparse
from datetime import date
from pathlib import Path

FORMATS = ("table", "json", "csv", "xlsx", "parquet")
GRAINS = ("half_hour", "day", "week", "month")
VIEWS = ("figures", "heat", "ahead")
GROUPED = ("none", "queue", "seat_group", "level", "seat")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments on ``parser``."""
    parser.add_argument("--from", dest="first", type=_day, metavar="DAY", help="first day, e.g. 2026-11-01")
    parser.add_argument("--to", dest="last", type=_day, metavar="DAY", help="last day, itself included")
    parser.add_argument(
        "--view", choices=VIEWS, default="figures", help="heat: calls by hour and weekday; ahead: the next two weeks"
    )
    parser.add_argument("--grain", choices=GRAINS, default="day", help="default: day")
    parser.add_argument("--by", choices=GROUPED, default="none", help="default: the whole hotline")
    parser.add_argument("--queue", help="only this queue's calls")
    parser.add_argument("--seat-group", help="only calls that this group of seats answered")
    parser.add_argument("--level", choices=("standard", "advanced", "vip"), help="only this class of service (D1)")
    parser.add_argument("--format", choices=FORMATS, default="table", help="default: table")
    parser.add_argument("--output", type=Path, metavar="FILE", help="default: standard output")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:20]!r} is no day; write it as in 2026-11-01") from None
