"""Builds the files that the dialplan plays to callers.

On the path of a call: long before it; cc-greeting and cc-announce in dialplans/ play what was built here.
Promises: all mistakes of the input at once, before anything is written; whole files only; the same bytes each time.
Never: deletes or overwrites a file that it would not have built itself.

Names, below the folder that CC_PROMPTS of the dialplan names (``SUB/`` is there for companies that have a ``folder``):
``SUB/greeting-LANGUAGE-SEAT.wav`` (variant "standard"), ``SUB/greeting-LANGUAGE-SEAT-VARIANT.wav``,
``SUB/announcement-LANGUAGE.wav``, ``sorry``, ``survey`` and ``thanks`` likewise.

Recorded pieces instead of the synthetic voice, per language, any format that sox reads:
``LANGUAGE/greeting-before.wav``, ``LANGUAGE/digit-0.wav`` to ``digit-9.wav``, ``LANGUAGE/greeting-after.wav``,
``LANGUAGE/announcement.wav`` ...; a variant's own ``greeting-VARIANT-before.wav`` and ``-after.wav`` where it has them.
"""

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from callcenter.errors import BadInput
from callcenter.prompts import sound
from callcenter.prompts.phrases import PROMPTS, Phrases, load

LONG_GREETING_SECONDS = 8.0
MAX_SEATS = 5000
STANDARD = "standard"


class PromptError(BadInput):
    """Everything that is wrong with the input; ``problems`` has one sentence each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Spec:
    """What to build. ``seats``: extension -> work number, both digits. ``variants``: of the greeting, see phrases/.

    ``company`` is spoken; ``folder`` tells several companies apart. ``pieces``: a folder of recorded sounds.
    ``phrases``: by language, the site's own TOML file.
    """

    company: str
    seats: Mapping[str, str]
    languages: tuple[str, ...] = ("zh",)
    variants: tuple[str, ...] = (STANDARD,)
    folder: str = ""
    pieces: Path | None = None
    phrases: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Prompt:
    """One file: its path below the output folder, its words (none for recorded pieces) and its length."""

    name: str
    words: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """What was built, and what somebody should listen to."""

    prompts: tuple[Prompt, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Job:
    """One file to be built: from words, or from recorded pieces."""

    name: str
    phrases: Phrases
    words: str = ""
    pieces: tuple[Path, ...] = ()


def build(spec: Spec, out_dir: Path) -> Report:
    """Build everything that *spec* asks for into *out_dir*. PromptError lists all that is wrong with it."""
    problems = _mistakes(spec, out_dir)
    jobs = [job for language in spec.languages for job in _jobs(spec, language, problems)]
    if problems:
        raise PromptError(problems)
    with tempfile.TemporaryDirectory(prefix="callcenter-prompts-") as work:
        prompts = tuple(_make(job, out_dir, Path(work)) for job in jobs)
    return Report(prompts, tuple(_warnings(prompts)))


def _mistakes(spec: Spec, out_dir: Path) -> list[str]:
    problems = []
    if not spec.company.strip() or len(spec.company) > 60 or not _speakable(spec.company):
        problems.append("company: a name of 1 to 60 letters and digits is spoken in the greeting; leave out brackets and control characters")
    if spec.folder and not (spec.folder.isascii() and spec.folder.replace("-", "").isalnum()):
        problems.append("folder: it is part of a file name, so only a-z, 0-9 and - please")
    if len(spec.seats) > MAX_SEATS:
        problems.append(f"seats: more than {MAX_SEATS} are not built at once")
    for seat, number in spec.seats.items():
        if not (_digits(seat, 16) and _digits(number, 8)):
            problems.append(f'seat "{seat[:20]}": extension (up to 16) and work number (up to 8) have to be digits')
    if not spec.languages:
        problems.append("languages: name at least one")
    if out_dir.exists() and not out_dir.is_dir():
        problems.append(f"{out_dir} is a file; name a folder for the prompts")
    return problems


def _digits(text: str, longest: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= longest


def _speakable(text: str) -> bool:
    return text.isprintable() and not set(text) & set("[]<>{}\\|")


def _jobs(spec: Spec, language: str, problems: list[str]) -> Iterator[_Job]:
    found: list[str] = []
    phrases = load(language, spec.phrases.get(language), found)
    problems += found
    if phrases is None:
        return
    missing = [variant for variant in spec.variants if variant not in phrases.greetings]
    problems += [f'greeting variant "{name[:40]}": the phrases of {language} have {", ".join(phrases.greetings)}' for name in missing]
    if missing or problems:
        return
    sub = f"{spec.folder}/" if spec.folder else ""
    for variant in spec.variants:
        tail = "" if variant == STANDARD else f"-{variant}"
        for seat, number in spec.seats.items():
            yield _greeting(spec, phrases, variant, number, f"{sub}greeting-{language}-{seat}{tail}.wav", problems)
    for name in PROMPTS:
        yield _prompt(spec, phrases, name, f"{sub}{name}-{language}.wav", problems)


def _greeting(spec: Spec, phrases: Phrases, variant: str, number: str, name: str, problems: list[str]) -> _Job:
    if spec.pieces is None:
        words = phrases.greetings[variant].format(company=spec.company, number=phrases.number(number))
        return _Job(name, phrases, words)
    folder = spec.pieces / phrases.language
    ends = [_own_or_standard(folder, variant, end) for end in ("before", "after")]
    pieces = (ends[0], *(folder / f"digit-{digit}.wav" for digit in number), ends[1])
    _need(pieces, problems)
    return _Job(name, phrases, pieces=pieces)


def _own_or_standard(folder: Path, variant: str, end: str) -> Path:
    own = folder / f"greeting-{variant}-{end}.wav"
    return own if own.exists() else folder / f"greeting-{end}.wav"


def _prompt(spec: Spec, phrases: Phrases, name: str, target: str, problems: list[str]) -> _Job:
    if spec.pieces is None:
        return _Job(target, phrases, phrases.prompts[name].format(company=spec.company, number=""))
    piece = spec.pieces / phrases.language / f"{name}.wav"
    _need((piece,), problems)
    return _Job(target, phrases, pieces=(piece,))


def _need(pieces: tuple[Path, ...], problems: list[str]) -> None:
    for piece in pieces:
        sentence = f"recorded piece {piece} is missing; record it, or leave the folder of pieces out"
        if not piece.is_file() and sentence not in problems:
            problems.append(sentence)


def _make(job: _Job, out_dir: Path, work: Path) -> Prompt:
    target = out_dir / job.name
    target.parent.mkdir(parents=True, exist_ok=True)
    raw = work / "raw.wav"
    if job.pieces:
        sound.join(job.pieces, raw)
    else:
        sound.speak(job.words, job.phrases.voice, job.phrases.words_per_minute, job.phrases.pitch, raw)
    return Prompt(job.name, job.words, sound.finish(raw, target))


def _warnings(prompts: tuple[Prompt, ...]) -> Iterator[str]:
    for prompt in prompts:
        if "greeting" in prompt.name and prompt.seconds > LONG_GREETING_SECONDS:
            yield f"{prompt.name} takes {prompt.seconds:.1f} s: callers wait that long before they can speak"
