"""Makes a model folder that the unmodified ``vosk`` loads, from synthetic speech only; the same bytes each time.

scripts/speech-model build cmn FOLDER [--utterances 6000] [--epochs 8] [--seed 1]
"""

import argparse
import collections
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from scripts.speech_model import kaldi
from scripts.speech_model.features import CONF, mfcc
from scripts.speech_model.network import train
from scripts.speech_model.voices import LANGUAGES, TRAINING, Sentences, no_speech, utterance

HERE = Path(__file__).parent
PARTS = 8
"""Fixed, so that the result does not depend on the number of cores."""
MODEL_CONF = """--min-active=200
--max-active=3000
--beam=12.0
--lattice-beam=5.0
--acoustic-scale=0.4
--frame-subsampling-factor=3
--endpoint.silence-phones=1
--endpoint.rule2.min-trailing-silence=0.5
--endpoint.rule3.min-trailing-silence=0.75
--endpoint.rule4.min-trailing-silence=1.0
"""


def sentences(language: str) -> Sentences:
    return Sentences(HERE / f"{language}.txt")


def make_part(job: tuple[str, int, int, int]) -> tuple[list[Any], collections.Counter[Any]]:
    language, seed, part, count = job
    known = sentences(language)
    vocabulary = known.vocabulary()
    rng = np.random.default_rng([seed, part])
    made: list[Any] = []
    lexicon: collections.Counter[Any] = collections.Counter()
    for _ in range(count):
        if rng.random() < 0.07:
            pcm, aligned = no_speech(rng)
        else:
            groups = [known.sentence(rng) for _ in range(1 + (rng.random() < 0.35))]
            if rng.random() < 0.25:  # any word after any other, lest the network learn the sentences
                groups = [[str(word) for word in rng.choice(vocabulary, rng.integers(1, 6))]]
            clean = rng.random() < 0.12  # as a test's recording is: nothing at all between the words
            pcm, aligned = utterance(groups, language, TRAINING, rng, rng.uniform(0.86, 1.17), clean)
            lexicon.update(_spoken([word for group in groups for word in group], aligned))
        made.append((mfcc(pcm), [(phone, start) for phone, start, _ in aligned]))
    return made, lexicon


def _spoken(words: list[str], aligned: list[Any]) -> list[tuple[str, tuple[str, ...]]]:
    """How each word was spoken. espeak fuses some neighbours: then nothing is taken."""
    phones = collections.defaultdict(list)
    for phone, _, word in aligned:
        if phone != "SIL":
            phones[word].append(phone)
    if set(phones) != set(range(len(words))):
        return []
    return [(words[number], tuple(some)) for number, some in phones.items()]


def make_data(language: str, seed: int, count: int) -> tuple[list[Any], kaldi.Lexicon]:
    jobs = [(language, seed, part, count // PARTS) for part in range(PARTS)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(PARTS, os.cpu_count() or 1), context, max_tasks_per_child=1) as pool:
        parts = list(pool.map(make_part, jobs))  # a crash of espeak is an error here
    heard: collections.Counter[Any] = sum((lexicon for _, lexicon in parts), collections.Counter())
    lexicon: dict[str, dict[tuple[str, ...], int]] = collections.defaultdict(dict)
    for (word, phones), times in heard.items():
        lexicon[word][phones] = times
    for word, spoken in lexicon.items():  # slips that are rarer than one in twenty are left out
        lexicon[word] = {phones: n for phones, n in spoken.items() if n >= 0.05 * max(spoken.values())}
    missing = set(sentences(language).vocabulary()) - set(lexicon)
    if missing:
        raise SystemExit(f"never spoken alone in this data: {sorted(missing)}; make more utterances")
    return [one for made, _ in parts for one in made], lexicon


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/speech-model build")
    parser.add_argument("language", choices=sorted(LANGUAGES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--utterances", type=int, default=6000)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    begun = time.time()

    def tell(text: str) -> None:
        print(f"[{time.time() - begun:6.1f} s] {text}", flush=True)

    data, lexicon = make_data(options.language, options.seed, options.utterances)
    base = ["SIL", *sorted({phone for _, aligned in data for phone, _ in aligned} - {"SIL"})]
    hours = sum(len(features) for features, _ in data) / 360_000
    tell(f"{len(data)} utterances, {hours:.1f} h, {len(lexicon)} words, {len(base)} phones")
    number = {phone: n for n, phone in enumerate(base)}
    phones = ["SIL", *(phone + place for phone in base[1:] for place in ("_B", "_E", "_I", "_S"))]
    layers, priors = train(data, number, options.epochs, options.seed, tell)
    for part in ("am", "conf", "graph"):
        (options.folder / part).mkdir(parents=True, exist_ok=True)
    base_of = [number[phone if phone == "SIL" else phone[:-2]] for phone in phones]
    kaldi.write_model(options.folder / "am" / "final.mdl", base_of, layers, priors)
    (options.folder / "conf" / "mfcc.conf").write_text(CONF)
    (options.folder / "conf" / "model.conf").write_text(MODEL_CONF)
    kaldi.write_graph(options.folder / "graph", sentences(options.language), lexicon, phones, options.seed)
    size = sum(file.stat().st_size for file in options.folder.rglob("*") if file.is_file())
    tell(f"{options.folder}: {size} bytes")
    return 0
