"""The files of a Kaldi nnet3 model as libvosk reads them: ``final.mdl`` and the graph (HCLr.fst, Gr.fst).

Source of the formats: Kaldi's own (TransitionModel, Nnet3) and OpenFst's text format; the graph is compiled by
OpenFst's programs. It is not determinised: with some 150 words nothing is gained.
"""

import collections
import math
import os
import struct
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from scripts.speech_model.features import BINS
from scripts.speech_model.network import CONTEXT, OFFSETS, Layer
from scripts.speech_model.voices import Sentences

PER_WORD = 2.0
"""What each word costs beside its chance, in nats: against words where nobody speaks. Chosen with the TUNE voices."""
Lexicon = Mapping[str, Mapping[tuple[str, ...], int]]


class Binary:
    """Kaldi's binary writing: tokens end with a space, numbers begin with their size."""

    def __init__(self) -> None:
        self.data = bytearray(b"\0B")

    def tokens(self, *names: str) -> None:
        self.data += b"".join(name.encode() + b" " for name in names)

    def ints(self, *values: int) -> None:
        self.data += b"".join(b"\4" + struct.pack("<i", value) for value in values)

    def float32(self, value: float) -> None:
        self.data += b"\4" + struct.pack("<f", value)

    def int_vector(self, values: Iterable[int]) -> None:
        array = np.asarray(list(values), "<i4")
        self.data += b"\4" + struct.pack("<i", len(array)) + array.tobytes()

    def vector(self, values: Any) -> None:
        self.tokens("FV")
        self.ints(len(values))
        self.data += np.asarray(values, "<f4").tobytes()

    def matrix(self, values: np.ndarray) -> None:
        self.tokens("FM")
        self.ints(*values.shape)
        self.data += np.ascontiguousarray(values, "<f4").tobytes()


def write_model(path: Path, base_of: Sequence[int], layers: Sequence[Layer], priors: np.ndarray) -> None:
    """``base_of[p-1]``: the class pair that Kaldi's phone p (a phoneme at a place in a word) shares."""
    out = Binary()
    _transitions(out, base_of)
    out.tokens("<Nnet3>")
    out.data += ("\n" + "\n".join(_wiring()) + "\n\n").encode()
    out.tokens("<NumComponents>")
    out.ints(2 * len(OFFSETS) + 2)
    for number, (weight, bias) in enumerate(layers):
        out.tokens("<ComponentName>", f"a{number}", "<FixedAffineComponent>", "<LinearParams>")
        out.matrix(weight)
        out.tokens("<BiasParams>")
        out.vector(bias)
        out.tokens("</FixedAffineComponent>")
        if number < len(OFFSETS):
            _plain(out, f"r{number}", "RectifiedLinearComponent", weight.shape[0])
    _plain(out, "logp", "LogSoftmaxComponent", layers[-1][0].shape[0])
    out.tokens("</Nnet3>", "<LeftContext>")
    out.ints(CONTEXT)
    out.tokens("<RightContext>")
    out.ints(CONTEXT)
    out.tokens("<Priors>")
    out.vector(priors)
    path.write_bytes(bytes(out.data))


def _transitions(out: Binary, base_of: Sequence[int]) -> None:
    count = len(base_of)
    out.tokens("<TransitionModel>", "<Topology>")
    out.int_vector(range(1, count + 1))
    out.int_vector([-1] + [0] * count)
    out.ints(-1, 1, 2)  # self-loops have classes of their own; one entry of two states
    out.ints(0, 1, 2, 0)  # the first: classes 0 (onward) and 1 (loop), two transitions: to itself ...
    out.float32(0.5)
    out.ints(1)  # ... and to the last
    out.float32(0.5)
    out.ints(-1, -1, 0)
    out.tokens("</Topology>", "<Tuples>")
    out.ints(count)
    for phone, base in enumerate(base_of, 1):
        out.ints(phone, 0, 2 * base, 2 * base + 1)
    out.tokens("</Tuples>", "<LogProbs>")
    out.vector([0.0] + [math.log(0.5)] * (2 * count))
    out.tokens("</LogProbs>", "</TransitionModel>")


def _wiring() -> list[str]:
    lines, source = [f"input-node name=input dim={BINS}"], "input"
    for number, offsets in enumerate(OFFSETS):
        parts = ", ".join(source if offset == 0 else f"Offset({source}, {offset})" for offset in offsets)
        lines.append(f"component-node name=a{number} component=a{number} input=Append({parts})")
        lines.append(f"component-node name=r{number} component=r{number} input=a{number}")
        source = f"r{number}"
    last = len(OFFSETS)
    return [
        *lines,
        f"component-node name=a{last} component=a{last} input={source}",
        f"component-node name=logp component=logp input=a{last}",
        "output-node name=output input=logp objective=linear",
    ]


def _plain(out: Binary, name: str, kind: str, width: int) -> None:
    out.tokens("<ComponentName>", name, f"<{kind}>", "<Dim>")
    out.ints(width)
    out.tokens("<ValueAvg>")
    out.vector([])
    out.tokens("<DerivAvg>")
    out.vector([])
    out.tokens("<Count>")
    out.data += b"\10" + struct.pack("<d", 0.0)
    out.tokens(f"</{kind}>")


def placed(phones: Sequence[str]) -> list[str]:
    """The phones of a word with their places: _B begin, _I inside, _E end, _S alone."""
    if len(phones) == 1:
        return [phones[0] + "_S"]
    return [phones[0] + "_B", *(phone + "_I" for phone in phones[1:-1]), phones[-1] + "_E"]


def lexicon_text(lexicon: Lexicon, words: Mapping[str, int], number_of: Mapping[str, int]) -> str:
    """Sounds to words: state 1 is between words, 2 is silence. A phone's loop is transition 2p-1, its end 2p."""
    half = -math.log(0.5)
    silence = number_of["SIL"]
    lines = [
        f"0 1 0 0 {half:.5f}",
        f"0 2 {2 * silence} 0 {2 * half:.5f}",
        f"2 2 {2 * silence - 1} 0 {half:.5f}",
        "2 1 0 0 0",
    ]
    free = 3
    for word, spoken in sorted(lexicon.items()):
        for phones, count in sorted(spoken.items()):
            at, cost, out = 1, -math.log(count / max(spoken.values())), words[word]
            for phone in placed(phones):
                number = number_of[phone]
                lines.append(f"{at} {free} {2 * number} {out} {half + cost:.5f}")
                lines.append(f"{free} {free} {2 * number - 1} 0 {half:.5f}")
                at, free, cost, out = free, free + 1, 0.0, 0
            lines += [f"{at} 1 0 0 {half:.5f}", f"{at} 2 {2 * silence} 0 {2 * half:.5f}"]
    return "\n".join([*lines, "1 0"]) + "\n"


def grammar_text(sentences: Sentences, words: Mapping[str, int], rng: Any, samples: int = 20_000) -> str:
    """Pairs of words in sampled sentences, mixed nine to one with single words; state 1 knows no history."""
    back, vocabulary = 0.1, [word for word in words if word != "<eps>"]
    single = collections.Counter(dict.fromkeys(vocabulary, 20.0))
    pairs: dict[str, collections.Counter[str]] = collections.defaultdict(collections.Counter)
    for number in range(samples):
        before = "<s>"
        for word in [*sentences.expand(sentences.lines[number % len(sentences.lines)], rng), "</s>"]:
            single[word] += 1
            pairs[before][word] += 1
            before = word
    total = sum(single.values())
    state = {history: number for number, history in enumerate(["<s>", "", *vocabulary])}

    def arc(source: int, word: str, chance: float) -> str:
        if word == "</s>":
            return f"{source} {-math.log(chance):.5f}"
        return f"{source} {state[word]} {words[word]} {words[word]} {PER_WORD - math.log(chance):.5f}"

    lines = []
    for history, source in state.items():
        if not history:
            lines += [arc(source, word, count / total) for word, count in sorted(single.items())]
            continue
        seen = sum(pairs[history].values())
        for word, count in sorted(pairs[history].items()):
            lines.append(arc(source, word, (1 - back) * count / seen + back * single[word] / total))
        lines.append(f"{source} 1 0 0 {-math.log(back if seen else 1.0):.5f}")
    return "\n".join(lines) + "\n"


def write_graph(folder: Path, sentences: Sentences, lexicon: Lexicon, phones: Sequence[str], seed: int) -> None:
    (folder / "phones").mkdir(parents=True, exist_ok=True)
    number_of = {phone: number for number, phone in enumerate(phones, 1)}
    words = {word: number for number, word in enumerate(["<eps>", *sorted(lexicon)])}
    with tempfile.TemporaryDirectory() as work:
        here = Path(work)
        (here / "hcl").write_text(lexicon_text(lexicon, words, number_of))
        _openfst(
            f"fstcompile {here}/hcl | fstarcsort --sort_type=olabel >{here}/HCL.fst; "
            f"fstconvert --fst_type=olabel_lookahead --save_relabel_opairs={here}/relabel "
            f"{here}/HCL.fst >{folder}/HCLr.fst"
        )
        # The conversion gives the words new numbers.
        changed: dict[int, int] = {}
        for line in (here / "relabel").read_text().splitlines():
            old, new = line.split()
            changed[int(old)] = int(new)
        words = {word: changed.get(number, number) for word, number in words.items()}
        (here / "g").write_text(grammar_text(sentences, words, np.random.default_rng([seed, 7])))
        _openfst(f"fstcompile {here}/g | fstarcsort --sort_type=ilabel | fstconvert --fst_type=const >{folder}/Gr.fst")
    _write_tables(folder, words, phones, lexicon)


def _write_tables(folder: Path, words: Mapping[str, int], phones: Sequence[str], lexicon: Lexicon) -> None:
    (folder / "disambig_tid.int").write_bytes(b"")  # must be there; there is nothing to disambiguate
    by_number = sorted(words.items(), key=lambda item: item[1])
    (folder / "words.txt").write_text("".join(f"{word} {number}\n" for word, number in by_number), "utf-8")
    place = {"B": "begin", "E": "end", "I": "internal", "S": "singleton"}
    (folder / "phones" / "word_boundary.int").write_text(
        "".join(f"{n} {'nonword' if p == 'SIL' else place[p[-1]]}\n" for n, p in enumerate(phones, 1))
    )
    entries = [(w, p, count) for w in sorted(lexicon) for p, count in sorted(lexicon[w].items())]
    text = "".join(f"{word}\t{' '.join(spoken)}\t{count}\n" for word, spoken, count in entries)
    (folder / "lexicon.txt").write_text(text, "utf-8")  # for people


def _openfst(pipes: str) -> None:
    """Debian keeps OpenFst's plug-ins where the loader does not look."""
    listed = subprocess.run(["dpkg", "-L", "libfst22-plugins-base"], capture_output=True, text=True, check=False).stdout
    plugins = {os.path.dirname(file) for file in listed.split() if file.endswith("olabel_lookahead-fst.so")}
    path = ":".join([*sorted(plugins), os.environ.get("LD_LIBRARY_PATH", "")])
    subprocess.run(["bash", "-o", "pipefail", "-ec", pipes], check=True, env={**os.environ, "LD_LIBRARY_PATH": path})
