"""The command line: ``callcenter run | check | capture | replay | migrate | user | wallboard-link | prompts | ...``.

Promises: every mistake of the person ends in one clear sentence on stderr and exit code 2, what the world does wrong in
exit code 1; no stack trace. Never: holds logic of its own; each command calls the part of the house that does the work.
"""

import argparse
import asyncio
import getpass
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from callcenter import __version__
from callcenter.clock import Clock
from callcenter.errors import BadInput, CallcenterError, shown
from callcenter.prompts.command import add_arguments as prompt_arguments
from callcenter.prompts.command import run as run_prompts
from callcenter.quality.command import add_arguments as phrase_arguments
from callcenter.quality.command import card_arguments
from callcenter.reports.arguments import add_arguments as report_arguments
from callcenter.roster.arguments import add_arguments as roster_arguments
from callcenter.settings import PREFIX, Settings, SettingsError, load
from callcenter.speech.command import (
    erase_arguments,
    manage_models,
    models_arguments,
    nothing_beside_since,
    recordings_arguments,
    transcribe,
    transcribe_arguments,
)

DEFAULT_CONFIG = Path("callcenter.toml")
OK, FAILED, USAGE = 0, 1, 2
_Command: TypeAlias = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=options.log_level or "INFO", format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it greets with seven lines at import
    command: _Command = options.command
    try:
        return command(options)
    except SettingsError as error:
        for problem in error.problems:
            print(shown(problem), file=sys.stderr)
        return USAGE
    except BadInput as error:
        print(shown(str(error)), file=sys.stderr)
        return USAGE
    except CallcenterError as error:
        print(shown(str(error)), file=sys.stderr)
        return FAILED
    except OSError as error:
        print(shown(_sentence(error)), file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        return FAILED


def _sentence(error: OSError) -> str:
    """The system's refusal without its number; most often this account may not touch the file."""
    what = f"{error.filename}: " if error.filename else ""
    remedy = "; run this as root or as the account that owns it" if isinstance(error, PermissionError) else ""
    return f"{what}{error.strerror or error}{remedy}."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="callcenter", description="Telephony and CTI daemon for support hotlines.")
    parser.add_argument("--version", action="version", version=f"callcenter {__version__}")
    parser.add_argument(
        "--log-level", choices=("DEBUG", "INFO", "WARNING", "ERROR"), help="instead of the setting log.level"
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def add(
        name: str, run: Callable[[argparse.Namespace], int], text: str, config: bool = True
    ) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=run)
        if config:
            sub.add_argument(
                "-c", "--config", type=Path, help="the TOML file (default: callcenter.toml of this folder)"
            )
        return sub

    add("run", _run, "Run the daemon until it is told to stop.")
    check = add("check", _check, "Look at Asterisk and say what to change.")
    check.add_argument("--settings-only", action="store_true", help="check the configuration without connecting")
    capture = add("capture", _capture, "Record the raw AMI stream, for replay and bug reports.")
    capture.add_argument("file", type=Path, metavar="FILE", help="appended to, mode 0600: it holds callers' numbers")
    capture.add_argument("--seconds", type=_positive, help="stop after so long (default: until Ctrl-C)")
    capture.add_argument("--max-mb", type=_positive, default=1024.0, help="stop at this size (default: 1024)")
    replay = add("replay", _replay, "Fold captures offline and print one JSON object per call.", config=False)
    replay.add_argument("files", type=Path, nargs="+", metavar="FILE", help="pieces of one stream, in order")
    replay.add_argument("--format", choices=("jsonl",), default="jsonl", help="the only one: a JSON object per line")
    replay.add_argument("-c", "--config", type=Path, help="take lines, cadence and rings from this configuration")
    add("migrate", _migrate, "Bring the database to this version.")
    _add_user(add("user", _user, "Add, change and list the people who log in."))
    links = add("wallboard-link", _wallboard_link, "Add, list and revoke links that open the wallboard on a screen.")
    links.add_argument("action", choices=("add", "list", "revoke"), help="what to do")
    links.add_argument("name", nargs="?", help="what the screen is called, for example hall")
    webhook = add("webhook", _webhook, "Send a signed test message to the systems of [webhooks].")
    webhook.add_argument("action", choices=("test",), help="what to do")
    webhook.add_argument("name", nargs="?", help="of one system, for example crm; without it all are told")
    prompt_arguments(add("prompts", run_prompts, "Build the spoken prompts: greetings, announcements.", config=False))
    transcribe_arguments(add("transcribe", _transcribe, "Write down what is said in recordings."))
    recordings_arguments(add("recordings", _recordings, "Compare recordings with their hashes."))
    models_arguments(add("models", manage_models, "List, check and install speech models.", config=False))
    phrase_arguments(add("phrases", _phrases, "Judge transcripts against a phrase script.", config=False))
    report_arguments(add("report", _report, "Print or export the figures of past days."))
    card_arguments(add("scorecards", _scorecards, "Look through scorecards for reviews.", config=False))
    roster_arguments(add("roster", _roster, "Look through a duty plan, and show who is planned on a day."))
    compared = add("reconcile", _reconcile, "Compare our calls with Asterisk's call records and queue_log.")
    compared.add_argument("--from", dest="since", metavar="DAY", help="first day, as in 2026-11-25; default: yesterday")
    compared.add_argument("--to", dest="until", metavar="DAY", help="the last day; default: the first one")
    compared.add_argument("--format", choices=("table", "json"), default="table", help="json: an object per line")
    erase_arguments(add("erase", _erase, "Erase one person's recordings, transcripts and callbacks."))
    audited = add("audit", _audit, "Print who erased what, and what else was done that leaves a line of audit.")
    audited.add_argument("--from", dest="since", metavar="DAY", help="the first day, as in 2026-11-25; default: all")
    audited.add_argument("--to", dest="until", metavar="DAY", help="the last day; default: today")
    audited.add_argument("--format", choices=("text", "json"), default="text", help="json: an object per line")
    demo = add(
        "demo", _demo, "Start Asterisk, the daemon and spoken demonstration calls on this machine.", config=False
    )
    demo.add_argument("--model", metavar="DIR", help="hear the calls with the speech model of this folder")
    return parser


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e9:
        raise argparse.ArgumentTypeError("give a number above 0, for example 60")
    return number


def _settings(options: argparse.Namespace) -> Settings:
    path = options.config or (DEFAULT_CONFIG if os.path.lexists(DEFAULT_CONFIG) else None)
    if path is None and not any(name.startswith(PREFIX) and "__" in name for name in os.environ):
        raise SettingsError(["There is no callcenter.toml in this folder; name the configuration after -c."])
    return load(path)


def _run(options: argparse.Namespace) -> int:
    from callcenter import logs
    from callcenter.serve import run
    from callcenter.traces.tracer import trace_of

    settings = _settings(options)
    log = replace(settings.log, level=options.log_level or settings.log.level)
    traces = settings.traces
    share = traces.sample_share if traces.endpoint else 0.0
    logs.set_up(log, trace_of(settings.asterisk.name, share))
    return asyncio.run(run(settings))


def _check(options: argparse.Namespace) -> int:
    from callcenter.check import check_alone, report, run_checks
    from callcenter.day_files import days_in
    from callcenter.days import Days
    from callcenter.quality.cards import scorecards_of
    from callcenter.roster.files import plan_in
    from callcenter.speech.judging import judged

    problems: list[str] = []
    try:
        settings = _settings(options)
    except SettingsError as error:
        if error.settings is None:
            raise
        settings, problems = error.settings, error.problems
    files: list[Callable[[Settings], object]] = [days_in, judged, scorecards_of]
    if settings.roster.files:
        files.append(lambda settings: plan_in(settings, days=Days()))  # no mistake of a plan rests on what a day is
    _all_mistakes(settings, files, problems)
    if options.settings_only:
        findings = check_alone(settings)
    else:
        findings = asyncio.run(run_checks(settings))
    failed = any(finding.level == "bad" for finding in findings)
    if findings:
        print(report(findings))
    if options.settings_only and not failed:
        print("The configuration is valid.")
    return FAILED if failed else OK


def _all_mistakes(
    settings: Settings, readers: Iterable[Callable[[Settings], object]], found: Iterable[str] = ()
) -> None:
    """Reads what the settings name; ``BadInput`` with the mistakes of all of it, each once, after those ``found``."""
    problems = dict.fromkeys(found)
    for read in readers:
        try:
            read(settings)
        except BadInput as error:
            problems |= dict.fromkeys(str(error).splitlines())
    if problems:
        raise BadInput("\n".join(problems))


def _capture(options: argparse.Namespace) -> int:
    from callcenter.ami.capture import record
    from callcenter.settings import read_secret

    asterisk = _settings(options).asterisk
    read_secret(asterisk.secret_file, "asterisk.secret_file")

    async def until_stopped() -> str:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        if options.seconds is not None:
            loop.call_later(options.seconds, stop.set)
        captured = await record(
            asterisk,
            lambda: read_secret(asterisk.secret_file, "asterisk.secret_file"),
            options.file,
            stop,
            max_bytes=int(options.max_mb * 1024 * 1024),
            tell=lambda line: print(line, file=sys.stderr),
        )
        return f"{captured.bytes_written} bytes from {captured.connections} connection(s); {captured.ended_by}"

    print(asyncio.run(until_stopped()), file=sys.stderr)
    return OK


def _replay(options: argparse.Namespace) -> int:
    from callcenter.replay import CaptureError, calls, terms_of, to_json

    try:
        terms = terms_of(load(options.config) if options.config else None)
        found = calls(options.files, terms)
        for call in found:
            sys.stdout.write(to_json(call) + "\n")
        if not found:
            print("There is no call in this capture.", file=sys.stderr)
    except CaptureError as error:
        print(error, file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        sys.stderr.close()
    return OK


def _migrate(options: argparse.Namespace) -> int:
    from callcenter.settings import read_secret
    from callcenter.store.migrate import migrate

    store = _settings(options).store
    file = store.password_file
    password = (lambda: read_secret(file, "store.password_file")) if file else None
    done = asyncio.run(migrate(store.url, password))
    print("The tables are made." if done.before is None else f"Schema {done.before} is now {done.after}.")
    return OK


def _add_user(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("add", "set", "list", "disable", "enable"), help="what to do")
    parser.add_argument("name", nargs="?", help="the log-in name")
    parser.add_argument("--role", choices=("seat", "supervisor", "qa", "admin"), help="default: seat")
    parser.add_argument("--extension", help="the seat's telephone, e.g. 1001; every seat needs one; '' takes it away")
    parser.add_argument("--work-number", help="the seat's work number (工号), e.g. 018; '' takes it away")
    parser.add_argument("--display-name", help="the person's name")
    parser.add_argument("--language", choices=("zh", "en"), help="of the pages; default: zh")
    parser.add_argument("--password", action="store_true", help="set: ask for another password (add always asks)")
    parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")


def _user(options: argparse.Namespace) -> int:
    from callcenter.people import look_at, manage

    look_at(options)
    password = None
    if options.action == "add" or options.password or options.password_stdin:
        password = _password(options.password_stdin)
    print(asyncio.run(manage(_settings(options), options, password)))
    return OK


def _wallboard_link(options: argparse.Namespace) -> int:
    from callcenter.wallboard_links import manage

    print(asyncio.run(manage(_settings(options), options.action, options.name)))
    return OK


def _webhook(options: argparse.Namespace) -> int:
    from callcenter.webhooks import try_out

    well, lines = asyncio.run(try_out(_settings(options), options.name, Clock().wall()))
    print("\n".join(lines))
    return OK if well else FAILED


def _password(from_stdin: bool) -> str:
    try:
        if from_stdin:
            return sys.stdin.readline().rstrip("\n")
        if not sys.stdin.isatty():
            raise BadInput("password: there is no terminal to ask on; give it by --password-stdin.")
        password = getpass.getpass("Password: ")
        if getpass.getpass("The same again: ") != password:
            raise BadInput("password: the two differ, nothing was stored; run the command again.")
        return password
    except EOFError:
        raise BadInput("password: none was given; it needs at least 8 characters.") from None
    except UnicodeDecodeError:
        raise BadInput("password: is not UTF-8; write it in that encoding.") from None


def _transcribe(options: argparse.Namespace) -> int:
    if options.since is None:
        return transcribe(options)
    nothing_beside_since(options)
    from callcenter.speech.backfill import back_fill

    return asyncio.run(back_fill(_settings(options), options.since, options.again))


def _recordings(options: argparse.Namespace) -> int:
    from callcenter.speech.verifying import verify

    return asyncio.run(verify(_settings(options), options.since, print))


def _reconcile(options: argparse.Namespace) -> int:
    from callcenter.reconcile import reconcile

    code, lines = asyncio.run(reconcile(_settings(options), options.since, options.until, options.format))
    print("\n".join(lines))
    return code


def _erase(options: argparse.Namespace) -> int:
    from callcenter.speech.keeping import erase_person

    print(asyncio.run(erase_person(_settings(options), options.number, options.yes, options.by, options.ticket)))
    return OK


def _audit(options: argparse.Namespace) -> int:
    from callcenter.audit import audit

    try:
        asyncio.run(audit(_settings(options), options.since, options.until, options.format, print))
    except BrokenPipeError:
        sys.stderr.close()
    return OK


def _report(options: argparse.Namespace) -> int:
    from callcenter.reports.command import report

    try:
        return asyncio.run(report(_settings(options), options))
    except BrokenPipeError:
        sys.stderr.close()
        return OK


def _phrases(options: argparse.Namespace) -> int:
    if options.action == "verdicts":
        from callcenter.speech.verdicts import print_verdicts

        return asyncio.run(print_verdicts(_settings(options), options))
    from callcenter.quality.command import run

    return run(options)


def _scorecards(options: argparse.Namespace) -> int:
    from callcenter.quality.command import check_cards

    return check_cards(options)


def _roster(options: argparse.Namespace) -> int:
    from callcenter.roster.command import roster

    alone = options.config is None and not os.path.lexists(DEFAULT_CONFIG) and bool(options.files)
    print("\n".join(roster(Settings() if alone else _settings(options), options, Clock().wall())))
    return OK


def _demo(options: argparse.Namespace) -> int:
    from callcenter.demo.demo import run

    return run(Path(options.model) if options.model else None)
