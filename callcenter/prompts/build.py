"""Build the prompts of a site into a folder that Asterisk plays from.

Place on the path of a call: long before it; the dialplan finds ``greeting-zh-1001.wav`` ready when the seat lifts (A2).
Promises: 8 kHz, mono, 16 bit, one level, at most 100 ms of silence around the words; only what changed is built; a
prompt that cannot be built keeps its old file and is listed with its reason, the others are built.
Never: touches a file that it did not make.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from callcenter.errors import BadInput, BrokenWorld
from callcenter.prompts.espeak import Espeak
from callcenter.prompts.manifest import PromptFolder, opened
from callcenter.prompts.plan import Prompt, plan
from callcenter.prompts.recordings import Recordings
from callcenter.prompts.sound import TARGET_DBFS
from callcenter.prompts.spec import PromptSpec
from callcenter.prompts.workshop import Workshop

SOFT_DB = 1.5
"""So much softer than the others is worth a note."""


@dataclass(frozen=True, slots=True)
class Built:
    """A prompt that stands in the folder; levels in dB of full scale."""

    name: str
    made_from: str
    seconds: float
    speech_dbfs: float
    peak_dbfs: float


@dataclass(frozen=True, slots=True)
class Report:
    """What a build did. ``failed``: reason -> names, whose old files are still there. ``notes``: worth a look."""

    built: tuple[Built, ...]
    kept: tuple[Built, ...]
    removed: tuple[str, ...]
    failed: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.failed

    def __str__(self) -> str:
        lines = [_line("built", each) for each in self.built] + [_line("kept", each) for each in self.kept]
        lines += [f"removed {name}" for name in self.removed]
        lines += [f"note    {note}" for note in self.notes]
        lines += [f"FAILED  {_names(names)}: {reason}" for reason, names in self.failed.items()]
        counts = {
            "built": self.built,
            "unchanged": self.kept,
            "removed": self.removed,
            "failed": sum(self.failed.values(), ()),
        }
        return "\n".join([*lines, ", ".join(f"{len(names)} {word}" for word, names in counts.items())])


def build(spec: PromptSpec, out_dir: Path, source_dir: Path | None = None, espeak: Espeak | None = None) -> Report:
    """Bring ``out_dir`` up to date with ``spec`` and the recordings in ``source_dir``.

    Raises ``BadInput`` or ``BrokenWorld`` when nothing at all can be done (no folder, not writable, another build)."""
    prompts = plan(spec)
    if source_dir and source_dir.resolve() == out_dir.resolve():
        raise BadInput("The recordings and the prompts are in the same folder: give the prompts a folder of their own.")
    recordings = Recordings(source_dir, spec.languages)
    workshop = Workshop(recordings, espeak or Espeak())
    built: list[Built] = []
    kept: list[Built] = []
    failed: dict[str, tuple[str, ...]] = {}
    with opened(out_dir) as folder:
        for prompt in prompts:
            try:
                _bring_up_to_date(prompt, folder, workshop, built, kept)
            except (BadInput, BrokenWorld) as error:
                failed[str(error)] = (*failed.get(str(error), ()), prompt.name)
        removed = folder.publish({prompt.name for prompt in prompts})
    unused = [f"{name} was not used: no prompt asks for that name." for name in recordings.unused()]
    return Report(tuple(built), tuple(kept), tuple(removed), failed, (*workshop.notes, *unused, *_soft(built)))


def _bring_up_to_date(
    prompt: Prompt, folder: PromptFolder, workshop: Workshop, built: list[Built], kept: list[Built]
) -> None:
    work = workshop.prepare(prompt)
    if entry := folder.current(prompt.name, work.recipe):
        kept.append(Built(prompt.name, **entry.facts))
        return
    wave, facts = workshop.make(work)
    folder.stage(prompt.name, work.recipe, wave, facts)
    built.append(Built(prompt.name, **facts))


def _soft(built: list[Built]) -> list[str]:
    return [
        f"{each.name} is {TARGET_DBFS - each.speech_dbfs:.1f} dB softer than the others, because of a loud peak."
        for each in built
        if each.speech_dbfs < TARGET_DBFS - SOFT_DB
    ]


def _line(word: str, each: Built) -> str:
    level = f"{each.speech_dbfs:.1f} dBFS (peak {each.peak_dbfs:.1f})"
    return f"{word:7} {each.name}  {each.seconds:.2f} s  {level}  from {each.made_from}"


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
