"""``callcenter prompts``: the command line around ``build``.

Place on the path of a call: run by hand or at installation; a running Asterisk needs no reload afterwards.
Promises: exit code 0 when every prompt stands there, 1 when some could not be built, 2 when nothing was tried; every
mistake is told in a sentence. Never: shows a stack trace for a bad file.
"""

import argparse
import sys
import tomllib
from pathlib import Path

from callcenter.errors import BadInput, BrokenWorld
from callcenter.prompts.build import build
from callcenter.prompts.espeak import Espeak
from callcenter.prompts.spec import PromptSpec, parse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments on ``parser``."""
    parser.add_argument("spec", type=Path, metavar="PROMPTS.toml", help="seats, companies, languages, texts")
    parser.add_argument("out", type=Path, metavar="FOLDER", help="where Asterisk plays from (CC_PROMPTS)")
    parser.add_argument("--recordings", type=Path, metavar="FOLDER", help="the site's own recordings")
    parser.add_argument("--espeak", default="espeak-ng", metavar="PROGRAM", help="espeak-ng, or its path")


def run(arguments: argparse.Namespace) -> int:
    """Build and print the report; returns the exit code."""
    try:
        report = build(read_spec(arguments.spec), arguments.out, arguments.recordings, Espeak(arguments.espeak))
    except (BadInput, BrokenWorld) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"{report}\n")
    return 0 if report.ok else 1


def read_spec(file: Path) -> PromptSpec:
    """The specification in a TOML file. Raises ``BadInput``."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{file} cannot be read ({error.strerror}): name the prompts file.") from None
    except UnicodeDecodeError:
        raise BadInput(f"{file} is not UTF-8: save it in that encoding.") from None
    try:
        told = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a ValueError is also a number of more digits than Python reads
        what = "too deep" if isinstance(error, RecursionError) else str(error).partition(";")[0]
        raise BadInput(f"{file} is not TOML: {what}; compare it with the example in docs/prompts.md.") from None
    return parse(told)


def main() -> int:
    parser = argparse.ArgumentParser(prog="callcenter prompts", description="Build the spoken prompts of the hotline.")
    add_arguments(parser)
    return run(parser.parse_args())
