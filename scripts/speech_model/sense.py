"""Makes a model folder that the unmodified ``sherpa-onnx`` takes for a SenseVoice model, from synthetic speech only.

scripts/speech-model sense cmn FOLDER [--utterances 5000] [--epochs 20] [--seed 1]

What is genuine in it: the file's format, its inputs and metadata, features, tokens, greedy CTC; so the engine is tested
through the real library. What is not: the network, four small convolutions that know one synthesiser.

Facts of the format (sherpa-onnx 2.0.1, ``csrc/offline-sense-voice-model.cc`` and its recogniser): 80 mel bins of 16 kHz
sound, Hamming window, seven frames joined every six; four tokens that are no words come first, in frames of their own.
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

from scripts.speech_model.build import PARTS, sentences
from scripts.speech_model.voices import LANGUAGES, TRAINING, no_speech, utterance

RATE, BINS, JOINED, STEP = 16_000, 80, 7, 6
WIDTH = 96
LAYERS = ((5, 1), (5, 1), (5, 2), (3, 4))
"""Of each convolution: taps, dilation. One output every 60 ms."""
SPECIAL = ("<blank>", "<|zh|>", "<|NEUTRAL|>", "<|Speech|>", "<|woitn|>")
BATCH = 24


def features(pcm: np.ndarray) -> np.ndarray:
    """16-bit samples at 8 kHz -> what the library computes of them at 16 kHz."""
    import kaldi_native_fbank as knf

    spectrum = np.fft.rfft(pcm.astype(np.float32))
    wide = np.zeros(len(pcm) + 1, np.complex64)
    wide[: len(spectrum)] = spectrum
    samples = np.fft.irfft(wide, 2 * len(pcm)) * 2
    options = knf.FbankOptions()
    options.frame_opts.samp_freq, options.frame_opts.dither = RATE, 0.0
    options.frame_opts.window_type, options.frame_opts.snip_edges = "hamming", True
    options.mel_opts.num_bins, options.mel_opts.high_freq = BINS, 0.0
    bank = knf.OnlineFbank(options)
    bank.accept_waveform(RATE, samples.astype(np.float32).tolist())
    bank.input_finished()
    frames = np.array([bank.get_frame(n) for n in range(bank.num_frames_ready)], np.float32)
    count = (len(frames) - JOINED) // STEP + 1
    return np.stack([frames[STEP * n : STEP * n + JOINED].ravel() for n in range(count)])


def make_part(job: tuple[str, int, int, int]) -> list[tuple[np.ndarray, str]]:
    language, seed, part, count = job
    known = sentences(language)
    vocabulary = known.vocabulary()
    rng = np.random.default_rng([seed, part])
    made = []
    for _ in range(count):
        if rng.random() < 0.05:
            made.append((features(no_speech(rng)[0]), ""))
            continue
        groups = [known.sentence(rng)]
        if rng.random() < 0.4:
            groups = [[str(word) for word in rng.choice(vocabulary, rng.integers(2, 7))]]
        pcm, _ = utterance(groups, language, TRAINING, rng, warp=rng.uniform(0.86, 1.17))
        made.append((features(pcm), "".join(word for group in groups for word in group)))
    return made


def make_data(language: str, seed: int, count: int) -> list[tuple[np.ndarray, str]]:
    jobs = [(language, seed, part, count // PARTS) for part in range(PARTS)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(PARTS, os.cpu_count() or 1), context, max_tasks_per_child=1) as pool:
        return [one for part in pool.map(make_part, jobs) for one in part]


def train(data: list[tuple[np.ndarray, str]], tokens: list[str], epochs: int, seed: int, tell: Any) -> Any:
    """(mean, spread, [(weight, bias)]) with the normalisation inside the network folded in."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    number = {token: n for n, token in enumerate(tokens)}
    every = np.concatenate([made for made, _ in data])
    mean, spread = every.mean(0), every.std(0) + 1e-3
    net = _network(nn, len(tokens))
    order = sorted(range(len(data)), key=lambda i: len(data[i][0]))
    batches = [order[i : i + BATCH] for i in range(0, len(order), BATCH)]
    rng = np.random.default_rng([seed, 99])
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 5e-3, total_steps=epochs * len(batches), pct_start=0.2)
    loss_of = nn.CTCLoss(zero_infinity=True)
    for epoch in range(epochs):
        rng.shuffle(batches)
        total, begun = 0.0, time.time()
        for batch in batches:
            lengths = [len(data[i][0]) for i in batch]
            x = np.zeros((len(batch), max(lengths), BINS * JOINED), np.float32)
            for row, i in enumerate(batch):
                x[row, : lengths[row]] = (data[i][0] - mean) / spread
                if rng.random() < 0.5:  # a stretch of frames or bins is hidden, so that no single one decides
                    at = int(rng.integers(0, max(1, lengths[row] - 4)))
                    x[row, at : at + int(rng.integers(1, 4))] = 0
            targets = [[number[c] for c in data[i][1]] for i in batch]
            out = net(torch.from_numpy(x).transpose(1, 2)).permute(2, 0, 1).log_softmax(2)
            flat = torch.tensor([one for target in targets for one in target], dtype=torch.long)
            loss = loss_of(out, flat, torch.tensor(lengths), torch.tensor([len(target) for target in targets]))
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            total += loss.item()
        tell(f"epoch {epoch + 1}: loss {total / len(batches):.3f}, {time.time() - begun:.0f} s")
    return mean, spread, _folded(net.eval())


def _network(nn: Any, outputs: int) -> Any:
    layers, width = [nn.Conv1d(BINS * JOINED, WIDTH, 1), nn.ReLU(), nn.BatchNorm1d(WIDTH)], WIDTH
    for taps, dilation in LAYERS:
        padding = (taps - 1) * dilation // 2
        layers += [nn.Conv1d(width, WIDTH, taps, dilation=dilation, padding=padding), nn.ReLU(), nn.BatchNorm1d(WIDTH)]
    return nn.Sequential(*layers, nn.Dropout(0.1), nn.Conv1d(WIDTH, outputs, 1))


def _folded(net: Any) -> list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Of each convolution: weight, bias, and the scale and shift that follow its ReLU."""
    out = []
    modules = list(net)
    for n, module in enumerate(modules):
        if module.__class__.__name__ != "Conv1d":
            continue
        norm = modules[n + 2] if n + 2 < len(modules) else None
        scale, shift = np.ones(module.out_channels, np.float32), np.zeros(module.out_channels, np.float32)
        if norm is not None:
            scale = (norm.weight / (norm.running_var + norm.eps).sqrt()).detach().numpy()
            shift = (
                (norm.bias - norm.running_mean * (norm.weight / (norm.running_var + norm.eps).sqrt())).detach().numpy()
            )
        out.append((module.weight.detach().numpy(), module.bias.detach().numpy(), scale, shift))
    return out


def write(folder: Path, tokens: list[str], mean: np.ndarray, spread: np.ndarray, layers: list[Any]) -> None:
    """``model.onnx`` in 16-bit weights, and ``tokens.txt``."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, weights = [helper.make_node("Transpose", ["x"], ["h"], perm=[0, 2, 1])], []

    def weight(name: str, value: np.ndarray) -> str:
        weights.append(numpy_helper.from_array(value.astype(np.float16), name + "16"))
        nodes.append(helper.make_node("Cast", [name + "16"], [name], to=TensorProto.FLOAT))
        return name

    at = "h"
    shapes = ((1, 1), *LAYERS, (1, 1))
    for n, ((taps, dilation), (kernel, bias, scale, shift)) in enumerate(zip(shapes, layers, strict=True)):
        pad = (taps - 1) * dilation // 2
        names = [at, weight(f"w{n}", kernel), weight(f"b{n}", bias)]
        nodes.append(
            helper.make_node("Conv", names, [f"c{n}"], dilations=[dilation], pads=[pad, pad], kernel_shape=[taps])
        )
        at = f"c{n}"
        if n < len(shapes) - 1:
            nodes.append(helper.make_node("Relu", [at], [f"r{n}"]))
            nodes.append(helper.make_node("Mul", [f"r{n}", weight(f"s{n}", scale[:, None])], [f"m{n}"]))
            nodes.append(helper.make_node("Add", [f"m{n}", weight(f"t{n}", shift[:, None])], [f"a{n}"]))
            at = f"a{n}"
    head = np.full((1, 4, len(tokens)), -10, np.float32)
    for frame in range(4):
        head[0, frame, frame + 1] = 10
    weights.append(numpy_helper.from_array(head, "head"))
    nodes.append(helper.make_node("Transpose", [at], ["spoken"], perm=[0, 2, 1]))
    nodes.append(helper.make_node("Concat", ["head", "spoken"], ["joined"], axis=1))
    nodes.append(helper.make_node("LogSoftmax", ["joined"], ["logits"], axis=2))
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, "T", BINS * JOINED])]
    inputs += [helper.make_tensor_value_info(n, TensorProto.INT32, [1]) for n in ("x_length", "language", "text_norm")]
    outputs = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, "L", len(tokens)])]
    graph = helper.make_graph(nodes, "sense", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    told = {"model_type": "sense_voice_ctc", "vocab_size": len(tokens), "lfr_window_size": JOINED}
    told |= {
        "lfr_window_shift": STEP,
        "normalize_samples": 0,
        "with_itn": 14,
        "without_itn": 15,
        "comment": "synthetic",
    }
    told |= {"lang_auto": 0, "lang_zh": 3, "lang_en": 4, "lang_yue": 7, "lang_ja": 11, "lang_ko": 12}
    told |= {"neg_mean": ",".join(f"{-one:.5g}" for one in mean)}
    told |= {"inv_stddev": ",".join(f"{1 / one:.5g}" for one in spread)}
    helper.set_model_props(model, {key: str(value) for key, value in told.items()})
    onnx.checker.check_model(model)
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(folder / "model.onnx"))
    (folder / "tokens.txt").write_text("".join(f"{token} {n}\n" for n, token in enumerate(tokens)), "utf-8")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/speech-model sense")
    parser.add_argument("language", choices=sorted(LANGUAGES))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--utterances", type=int, default=5000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    begun = time.time()

    def tell(text: str) -> None:
        print(f"[{time.time() - begun:6.1f} s] {text}", flush=True)

    data = make_data(options.language, options.seed, options.utterances)
    seen = collections.Counter(character for _, text in data for character in text)
    tokens = [*SPECIAL, *sorted(seen)]
    tell(f"{len(data)} utterances, {len(tokens)} tokens")
    write(options.folder, tokens, *train(data, tokens, options.epochs, options.seed, tell))
    size = sum(file.stat().st_size for file in options.folder.rglob("*") if file.is_file())
    tell(f"{options.folder}: {size} bytes")
    return 0
