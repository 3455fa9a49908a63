"""``callcenter transcribe`` and ``models``; the arguments of ``callcenter recordings`` and ``erase``.

Never: needs a daemon or a database to hear two files.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from callcenter.errors import BadInput, shown
from callcenter.speech import models
from callcenter.speech.digits import masked, normalised
from callcenter.speech.models import look
from callcenter.speech.transcript import Speaker, Transcript, to_dict
from callcenter.speech.workers import Limits, Worker

OK, FAILED = 0, 1


def transcribe_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seat", type=Path, metavar="WAV", help="the seat's track")
    parser.add_argument("--caller", type=Path, metavar="WAV", help="the caller's track")
    parser.add_argument("--model", type=Path, metavar="DIR", help="the folder of the model")
    parser.add_argument("--since", metavar="DAY", help="hear all recordings of calls since this day (2026-11-01)")
    parser.add_argument(
        "--again", action="store_true", help="with --since: also those that failed or were set aside before"
    )
    parser.add_argument("--format", choices=("json", "text"), default="json", help="default: json")
    parser.add_argument("--id", default="", help="what the transcript is called (default: the first file's name)")
    parser.add_argument("--seat-number", default="", help="the seat's work number (工号), for slots in phrases")
    parser.add_argument("--company", default="", help="the company's name, for slots in phrases")
    parser.add_argument(
        "--mask-from", type=int, default=0, metavar="DIGITS", help="hide numbers of so many (default: 0, none)"
    )
    parser.add_argument("--memory-mb", type=int, default=Limits().memory_mb, help="limit of the worker's memory")


def nothing_beside_since(options: argparse.Namespace) -> None:
    """Raises ``BadInput`` for an option that would do nothing there."""
    named = [f"--{name}" for name in ("seat", "caller", "model") if getattr(options, name) is not None]
    if named:
        raise BadInput(f"transcribe: --since takes recordings and model of the configuration; leave {named[0]} out.")


def transcribe(options: argparse.Namespace) -> int:
    """Hear the named tracks; the transcript goes to standard output."""
    named: dict[Speaker, Path | None] = {"seat": options.seat, "caller": options.caller}
    tracks: dict[Speaker, Path] = {speaker: path for speaker, path in named.items() if path is not None}
    if not tracks:
        raise BadInput("transcribe: name the tracks by --seat and --caller, or a first day by --since.")
    if options.model is None:
        raise BadInput("transcribe: name the folder of a model by --model.")
    if len(tracks) == 2 and options.seat.exists() and options.caller.exists() and options.seat.samefile(options.caller):
        raise BadInput("transcribe: --seat and --caller are one file; name the two tracks of the call.")
    transcript = asyncio.run(_heard(options, tracks))
    try:
        for line in _lines(transcript, options.format):
            print(line)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has enough
        sys.stderr.close()
    return OK


def _lines(transcript: Transcript, form: str) -> Iterator[str]:
    if form == "json":
        yield json.dumps(to_dict(transcript), ensure_ascii=False)
        return
    for segment in transcript.segments:
        yield f"{segment.words[0].start:8.2f}  {segment.speaker:6}  {segment.text}"


async def _heard(options: argparse.Namespace, tracks: dict[Speaker, Path]) -> Transcript:
    limits = Limits(options.memory_mb, priority="low")  # somebody waits for it
    async with Worker(look(options.model), limits) as worker:
        heard = await worker.hear(tracks)
    name = options.id or next(iter(tracks.values())).stem
    said = Transcript(name, options.seat_number, options.company, tuple(heard.segments))
    return masked(normalised(said), options.mask_from)


def recordings_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("verify",), help="what to do")
    parser.add_argument("--since", metavar="DAY", help="only calls since this day (2026-11-01); default: all")


def erase_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--number", help="of the person, in any writing, e.g. '138 0013 8000' or +8613800138000")
    parser.add_argument(
        "--ticket",
        action="append",
        default=[],
        metavar="TICKET",
        help="of a call, as in 26-1122-0001, e.g. where the number was withheld; may be given several times",
    )
    parser.add_argument("--by", metavar="NAME", help="who asked for it, for the audit beside this system account")
    parser.add_argument("--yes", action="store_true", help="erase; without it only what would go is counted")


def models_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "check", "install"), help="what to do")
    parser.add_argument(
        "source", nargs="?", help="check: a model's folder; install: a folder, an archive or an address"
    )
    parser.add_argument("--dir", type=Path, default=Path("models"), help="where models lie (default: models)")
    parser.add_argument("--name", default="", help="install: the folder's name (default: as in the archive)")
    parser.add_argument("--sha256", default="", help="install: what the archive's checksum must be")
    parser.add_argument("--language", default="", help="install: the language, where its name does not tell it")


def manage_models(options: argparse.Namespace) -> int:
    if options.action == "list":
        return _list(options.dir)
    if not options.source:
        raise BadInput(f"models {options.action}: name the model.")
    if options.action == "check":
        model = models.check(Path(options.source))
        asyncio.run(_try(model))
        print(f"{_line(model)}\nIt is whole, loads, and hears.")
        return OK
    model = models.install(options.source, options.dir, options.name, options.sha256, options.language)
    print(_line(model))
    return OK


def _list(folder: Path) -> int:
    if not folder.is_dir():
        raise BadInput(f"{folder} is no folder: name the one with the models by --dir.")
    bad = False
    for found in models.listed(folder):
        bad |= isinstance(found, BadInput)
        print(f"bad  {shown(str(found))}" if isinstance(found, BadInput) else _line(found))
    return FAILED if bad else OK


def _line(model: models.Model) -> str:
    """Of a model that was just checked or installed: what the installation noted is its checksum."""
    noted = str(models.record(model.folder).get("checksum") or models.checksum(model.folder))
    size = f"{model.size / 1e6:.1f} MB"
    return shown("  ".join((model.name, model.engine, model.language or "?", f"{model.rate} Hz", size, noted[:16])))


async def _try(model: models.Model) -> None:
    async with Worker(model, Limits(priority="low")) as worker:
        await worker.start()
