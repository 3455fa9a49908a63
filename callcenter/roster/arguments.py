"""What ``callcenter roster`` is asked; apart, so that the command line loads no calendar for other commands.

Never: reads a plan.
"""

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("check", "show"), help="check a file, or show a day")
    parser.add_argument("files", type=Path, nargs="*", metavar="FILE", help="default: roster.files of the settings")
    parser.add_argument("--day", metavar="DAY", help="to show, as in 2026-11-30; default: today")
