"""``callcenter phrases check | test`` and ``callcenter scorecards check``: the command line around ``matching``.
``phrases verdicts``, which reads the store, is ``speech/verdicts``.

Place on the path of a call: run by hand, or by a site's own programs, on transcripts that are there already.
Promises: one JSON object per phrase and transcript; a bad line costs one sentence on stderr with its number, the others
are judged; exit code 0 when every line was judged, 2 when a line or a script was wrong, or nothing was there to judge.
Never: shows a stack trace, or what a bad line said.
"""

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

from callcenter.errors import BadInput
from callcenter.quality.finding import Finding, to_dict
from callcenter.speech.transcript import Transcript, from_dict

if TYPE_CHECKING:
    from callcenter.quality.scripts import Script

OK, USAGE = 0, 2
MAX_LINE_BYTES = 16 * 1024 * 1024
"""More than the transcript of a whole day."""
_SCRIPT_SUFFIXES = (".toml", ".yaml", ".yml")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments on ``parser``."""
    metavar = "check | test | verdicts"
    actions = parser.add_subparsers(title="actions", required=True, metavar=metavar, dest="action")
    check = actions.add_parser("check", help="judge transcripts: one JSON object per phrase and transcript")
    check.add_argument("--format", choices=("jsonl",), default="jsonl", help="the only one: a JSON object per line")
    test = actions.add_parser("test", help="try a script on transcripts with reviewers' verdicts; print its precision")
    verdicts = actions.add_parser("verdicts", help="print calls with what their signed reviews say: lines for test")
    verdicts.add_argument("-c", "--config", type=Path, help="the TOML file (default: callcenter.toml of this folder)")
    verdicts.add_argument("--from", dest="since", metavar="DAY", help="calls from this day on, e.g. 2026-11-01")
    verdicts.add_argument("--to", dest="until", metavar="DAY", help="the last day, itself included")
    verdicts.add_argument("--queue", help="only this queue's calls, such as those that a script of its own judges")
    verdicts.add_argument("--language", choices=("zh", "en"), default="zh", help="of the calls' words; default: zh")
    for one in (check, test):
        one.add_argument(
            "--script", type=Path, metavar="FILE", help="a phrase script (default: the shipped Chinese one)"
        )
        one.add_argument("--language", choices=("zh", "en"), default="zh", help="of the shipped script; default: zh")
        one.add_argument(
            "files",
            nargs="*",
            default=["-"],
            metavar="FILE",
            help="transcripts, one JSON object a line; - or nothing: standard input",
        )


def card_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of ``callcenter scorecards`` on ``parser``."""
    actions = parser.add_subparsers(title="actions", required=True, metavar="check", dest="action")
    check = actions.add_parser("check", help="tell every mistake of a scorecard; a line for each card that is right")
    check.add_argument("--script", type=Path, metavar="SCRIPT", help="the phrase script of the same queue")
    check.add_argument("--language", choices=("zh", "en"), default="zh", help="of the shipped script; default: zh")
    check.add_argument("files", type=Path, nargs="+", metavar="FILE", help="scorecards, TOML; see docs/scorecards.md")


def check_cards(options: argparse.Namespace) -> int:
    """Look through scorecards; returns the exit code. Raises ``BadInput`` for a phrase script that is wrong."""
    from callcenter.quality.cards import read_card
    from callcenter.quality.scripts import rules_of, script_for

    phrases = rules_of(script_for(options.script, options.language))
    wrong = False
    for file in options.files:
        try:
            card = read_card(file, phrases)
        except BadInput as error:
            sys.stderr.write(f"{error}\n")
            wrong = True
        else:
            points = sum(question.weight for question in card.questions)
            counts = f"{len(card.questions)} questions in {len(card.sections)} sections, weights {points}"
            sys.stdout.write(f"{file}: {card.name}, {counts}, pass {card.passing:g}, version {card.version[:8]}\n")
    return USAGE if wrong else OK


def run(options: argparse.Namespace) -> int:
    """Check or test; returns the exit code. Raises ``BadInput`` for a script that is wrong."""
    # Half a second of pinyin tables that no other command needs.
    from callcenter.quality.scripts import default_script, read_script

    scripts = [
        Path(file) for file in options.files if options.action == "test" and file.lower().endswith(_SCRIPT_SUFFIXES)
    ]
    path = options.script or (scripts[0] if scripts else None)
    script = read_script(path) if path else default_script(options.language)
    files = [file for file in options.files if Path(file) not in scripts] or ["-"]
    reader = Lines(files)
    try:
        return _check(reader, script) if options.action == "check" else _test(reader, script)
    except BrokenPipeError:
        sys.stderr.close()
        return OK


def _check(reader: "Lines", script: "Script") -> int:
    from callcenter.quality.matching import judge

    for _, transcript in reader:
        for finding in judge(transcript, script):
            sys.stdout.write(orjson.dumps(to_dict(finding, transcript.id, bool(transcript.seats))).decode() + "\n")
    return reader.exit_code()


def _test(reader: "Lines", script: "Script") -> int:
    from callcenter.quality.matching import judge

    trial = Trial(script)
    for told, transcript in reader:
        try:
            trial.add(told.get("verdicts"), judge(transcript, script))
        except BadInput as error:
            reader.refuse_read(str(error))
    if reader.any_good:
        sys.stdout.write(trial.table() + "\n")
    return reader.exit_code()


class Lines:
    """The transcripts of several files, line by line; what cannot be read is told on stderr and counted."""

    def __init__(self, files: Sequence[str]) -> None:
        self._files = files
        self._place = ""
        self._bad = self._good = 0

    def __iter__(self) -> Iterator[tuple[dict[str, Any], Transcript]]:
        for name in self._files:
            try:
                if name == "-":
                    yield from self._lines(sys.stdin.buffer, "line")
                else:
                    with open(name, "rb") as file:
                        yield from self._lines(file, f"{name}: line")
            except OSError as error:
                if isinstance(error, BrokenPipeError):
                    raise
                self._place = name
                self.refuse(f"cannot be read ({error.strerror}); name a file of transcripts, or - for standard input")

    @property
    def any_good(self) -> bool:
        """Whether a line was not refused."""
        return self._good > 0

    def refuse_read(self, why: str) -> None:
        """The line that was given out last is wrong after all."""
        self._good -= 1
        self.refuse(why)

    def refuse(self, why: str) -> None:
        self._bad += 1
        sys.stderr.write(f"{self._place}: {why}.\n")

    def exit_code(self) -> int:
        if not self._good:
            what = "No line could be judged: see above" if self._bad else "There was no transcript to judge"
            sys.stderr.write(f"{what}; give one JSON object a line.\n")
        return OK if self._good and not self._bad else USAGE

    def _lines(self, file: BinaryIO, place: str) -> Iterator[tuple[dict[str, Any], Transcript]]:
        number = 0
        while line := file.readline(MAX_LINE_BYTES + 1):
            number += 1
            self._place = f"{place} {number}"
            if len(line) > MAX_LINE_BYTES:
                self._rest_of_line(file, line)
                self.refuse("is longer than 16 MB; give one transcript per line")
            elif text := line.removeprefix(b"\xef\xbb\xbf").strip():
                yield from self._one(text)

    def _rest_of_line(self, file: BinaryIO, line: bytes) -> None:
        while line and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE_BYTES)

    def _one(self, text: bytes) -> Iterator[tuple[dict[str, Any], Transcript]]:
        try:
            told = orjson.loads(text)
            transcript = from_dict(told)
        except orjson.JSONDecodeError as error:
            if "UTF-8" in error.msg:
                self.refuse("is not UTF-8; save the file as UTF-8")
            else:
                self.refuse(f"is not JSON ({error.msg}, column {error.colno}); give one transcript per line")
        except BadInput as error:
            self.refuse(str(error))
        else:
            self._good += 1
            yield told, transcript


class Trial:
    """Findings beside reviewers' verdicts: how often each phrase of a script was right."""

    def __init__(self, script: "Script") -> None:
        self._names = [phrase.name for phrase in script.phrases]
        self._counts: Counter[tuple[str, str]] = Counter()

    def add(self, verdicts: Any, findings: Sequence[Finding]) -> None:
        """``verdicts``: phrase → whether it was said. Raises ``BadInput``."""
        if not isinstance(verdicts, dict) or not all(isinstance(said, bool) for said in verdicts.values()):
            raise BadInput('verdicts: must be an object of phrase and true or false, such as {"refusal": true}')
        if unknown := sorted(verdicts.keys() - set(self._names)):
            raise BadInput(f"verdicts: {unknown[0][:64]} is no phrase of the script; it has {', '.join(self._names)}")
        for finding in findings:
            if finding.phrase in verdicts:
                self._count(finding, verdicts[finding.phrase])

    def _count(self, finding: Finding, said: bool) -> None:
        self._counts[finding.phrase, "judged"] += 1
        if finding.band == "doubtful":
            self._counts[finding.phrase, "doubtful"] += 1
        elif finding.found:
            self._counts[finding.phrase, "right" if said else "wrong"] += 1
        elif said:
            self._counts[finding.phrase, "missed"] += 1

    def table(self) -> str:
        """Sure findings only are right or wrong; the doubtful ones went to a person."""
        heads = ("judged", "right", "wrong", "missed", "doubtful")
        lines = [f"{'phrase':<20}" + "".join(f"{head:>10}" for head in (*heads, "precision", "recall"))]
        for name in self._names:
            judged, right, wrong, missed, doubtful = (self._counts[name, head] for head in heads)
            shares = (_share(right, right + wrong), _share(right, right + missed))
            lines.append(
                f"{name:<20}" + "".join(f"{one:>10}" for one in (judged, right, wrong, missed, doubtful, *shares))
            )
        return "\n".join(lines)


def _share(part: int, whole: int) -> str:
    """A result that was not obtained is not shown."""
    return f"{part / whole:.3f}" if whole else "-"
