"""Judges a model through the real ``vosk``, with voices, speeds and noise that neither trained nor tuned it.

    scripts/speech-model evaluate cmn FOLDER [--utterances 300] [--seed 5000]

It prints the share of wrong words, and nothing is left out. All of it is speech of one synthesiser: these figures say
nothing about people.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.speech_model.build import sentences
from scripts.speech_model.voices import LANGUAGES, RATE, TESTING, TRAINING, TUNING, Conditions, Sentences, utterance


def distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Words to replace, remove or add."""
    row = list(range(len(other) + 1))
    for i, x in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]


def heard(model: Any, pcm: np.ndarray) -> tuple[list[str], list[float]]:
    import vosk

    recogniser = vosk.KaldiRecognizer(model, RATE)
    recogniser.SetWords(True)
    data, words = pcm.tobytes(), []
    for at in range(0, len(data), 4000):
        if recogniser.AcceptWaveform(data[at : at + 4000]):
            words += json.loads(recogniser.Result()).get("result", [])
    words += json.loads(recogniser.FinalResult()).get("result", [])
    return [word["word"] for word in words], [word["start"] for word in words]


def sentences_known(language: str, folder: Path) -> Sentences:
    """The sentences of which the model has all words; it says how many it has not."""
    known = sentences(language)
    words = {line.split()[0] for line in (folder / "graph" / "words.txt").read_text("utf-8").splitlines()}
    for name, entries in known.classes.items():
        known.classes[name] = [entry for entry in entries if set(entry.split()) <= words]
        words |= {f"[{name}]"} if known.classes[name] else set()
    usable = [line for line in known.lines if set(line) <= words]
    print(f"{len(known.lines) - len(usable)} of {len(known.lines)} sentences have words that the model does not know")
    known.lines = usable
    return known


def judge(
    model: Any,
    known: Sentences,
    language: str,
    name: str,
    where: Conditions,
    count: int,
    rng: Any,
    random: bool = False,
) -> None:
    wrong = words = spoiled = 0
    seconds, offsets = 0.0, []
    listening = 0.0
    for _ in range(count):
        said = [str(w) for w in rng.choice(known.vocabulary(), 4)] if random else known.sentence(rng)
        pcm, aligned = utterance([said], language, where, rng)
        begun = time.perf_counter()
        got, starts = heard(model, pcm)
        listening += time.perf_counter() - begun
        errors = distance(said, got)
        wrong, words, spoiled, seconds = (
            wrong + errors,
            words + len(said),
            spoiled + (errors > 0),
            seconds + len(pcm) / RATE,
        )
        if not errors:
            first: dict[int, float] = {}
            for _, start, word in aligned:
                first.setdefault(word, start)
            # "do not", "for the": espeak speaks some words of English as one, the second then has no time of its own
            offsets += [start - first[number] for number, start in enumerate(starts) if number in first]
    print(
        f"{name:44} WER {100 * wrong / words:5.2f} %  sentences with an error {100 * spoiled / count:5.1f} %  "
        f"{words} words, {seconds:.0f} s, {seconds / listening:.0f} x real time, "
        f"word start {1000 * np.mean(offsets):+.0f} ms (sd {1000 * np.std(offsets):.0f})"
    )


def main(arguments: list[str]) -> int:
    import vosk

    parser = argparse.ArgumentParser(prog="scripts/speech-model evaluate")
    parser.add_argument("language", choices=sorted(LANGUAGES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--utterances", type=int, default=300)
    parser.add_argument("--seed", type=int, default=5000)
    options = parser.parse_args(arguments)
    vosk.SetLogLevel(-1)
    model = vosk.Model(str(options.folder))
    known = sentences_known(options.language, options.folder)
    for name, where, random in (
        ("sentences, test voices, speeds and noise", TESTING, False),
        ("random words (no grammar helps), the same", TESTING, True),
        ("sentences, the voices that chose settings", TUNING, False),
        ("sentences, the voices of the training", TRAINING, False),
    ):
        judge(
            model, known, options.language, name, where, options.utterances, np.random.default_rng(options.seed), random
        )
    return 0
