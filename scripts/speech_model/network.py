"""Training: a TDNN of five layers on the phonemes' own times (no alignment has to be found), one output each 30 ms."""

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from scripts.speech_model.features import BINS

WIDTH, EVERY = 128, 3
OFFSETS = ((-2, -1, 0, 1, 2), (-1, 0, 1), (-3, 0, 3), (-3, 0, 3), (-6, 0, 6))
CONTEXT = 15
"""Frames each side: the sum of the offsets."""
BATCH = 24
Layer = tuple[np.ndarray, np.ndarray]


def targets(aligned: Sequence[Any], frames: int, shift: int, phones: Mapping[str, int]) -> np.ndarray | None:
    """Kaldi's "chain" topology: class 2p for the first frame of phone p, 2p+1 for its others; one frame at least."""
    count = (frames - shift + EVERY - 1) // EVERY
    if len(aligned) > count:
        return None
    begin = [math.ceil((start - 0.0125 - 0.01 * shift) / 0.03) for _, start, *_ in aligned]
    begin[0] = 0
    for i in range(1, len(begin)):
        begin[i] = max(begin[i], begin[i - 1] + 1)
    limit = count
    for i in range(len(begin) - 1, -1, -1):
        limit = begin[i] = min(begin[i], limit - 1)
    if begin[0] < 0:
        return None
    out = np.zeros(count, np.int64)
    for (phone, *_), start, stop in zip(aligned, begin, [*begin[1:], count], strict=True):
        out[start:stop] = 2 * phones[phone] + 1
        out[start] = 2 * phones[phone]
    return out


def train(
    data: Sequence[tuple[np.ndarray, Any]],
    phones: Mapping[str, int],
    epochs: int,
    seed: int,
    tell: Callable[[str], None],
) -> tuple[list[Layer], np.ndarray]:
    """The layers with all normalisation folded in, and how often each class occurs."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(2)
    classes = 2 * len(phones)
    every = np.concatenate([features for features, _ in data])
    mean, spread = every.mean(0), every.std(0)
    net = _network(nn, classes)
    normed = [((features - mean) / spread).astype(np.float32) for features, _ in data]
    order = sorted(range(len(data)), key=lambda i: len(normed[i]))
    batches = [order[i : i + BATCH] for i in range(0, len(order), BATCH)]
    rng = np.random.default_rng([seed, 99])
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 4e-3, total_steps=epochs * len(batches), pct_start=0.15)
    counts = np.ones(classes)
    for epoch in range(epochs):
        rng.shuffle(batches)
        seen = right = loss_sum = 0.0
        begun = time.time()
        for batch in batches:
            x, y = _batch(batch, data, normed, phones, rng)
            if epoch == 0:
                counts += np.bincount(y[y >= 0], minlength=classes)
            wanted = torch.from_numpy(y)
            out = net(torch.from_numpy(x).transpose(1, 2).contiguous())
            loss = nn.functional.cross_entropy(out, wanted, ignore_index=-100)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimiser.step()
            schedule.step()
            with torch.no_grad():
                known = int((wanted >= 0).sum())
                seen, loss_sum = seen + known, loss_sum + float(loss) * known
                right += int(((out.argmax(1) == wanted) & (wanted >= 0)).sum())
        share = f"loss {loss_sum / seen:.4f}, frames right {right / seen:.4f}"
        tell(f"epoch {epoch + 1}: {share}, {time.time() - begun:.0f} s")
    return _folded(nn, torch, net.eval(), mean, spread), (counts / counts.sum()).astype(np.float32)


def _network(nn: Any, classes: int) -> Any:
    layers, width = [], BINS
    for number, offsets in enumerate(OFFSETS):
        dilation = (offsets[1] - offsets[0]) // (1 if number < 2 else EVERY)
        stride = EVERY if number == 1 else 1
        convolution = nn.Conv1d(width, WIDTH, len(offsets), stride=stride, dilation=dilation)
        layers += [convolution, nn.ReLU(), nn.BatchNorm1d(WIDTH)]
        width = WIDTH
    return nn.Sequential(*layers, nn.Conv1d(WIDTH, classes, 1))


def _batch(
    batch: Sequence[int], data: Sequence[Any], normed: Sequence[np.ndarray], phones: Mapping[str, int], rng: Any
) -> tuple[np.ndarray, np.ndarray]:
    xs, ys = [], []
    for i in batch:
        shift = int(rng.integers(EVERY))
        y = targets(data[i][1], len(normed[i]), shift, phones)
        if y is not None:
            xs.append(np.pad(normed[i][shift:], ((CONTEXT, CONTEXT), (0, 0)), mode="edge"))
            ys.append(y)
    longest = max(len(x) for x in xs)
    outputs = (longest - 2 * CONTEXT + EVERY - 1) // EVERY
    x = np.stack([np.pad(x, ((0, longest - len(x)), (0, 0)), mode="edge") for x in xs])
    return x, np.stack([np.pad(y, (0, outputs - len(y)), constant_values=-100) for y in ys])


def _folded(nn: Any, torch: Any, net: Any, mean: np.ndarray, spread: np.ndarray) -> list[Layer]:
    """The input's normalisation and every BatchNorm go into the affine layer that follows."""
    layers: list[Layer] = []
    scale, offset = 1.0 / spread, -mean / spread
    for module in net:
        if isinstance(module, nn.Conv1d):
            weight = module.weight.detach().numpy().astype(np.float64)
            bias = module.bias.detach().numpy().astype(np.float64) + (weight * offset[None, :, None]).sum((1, 2))
            flat = (weight * scale[None, :, None]).transpose(0, 2, 1).reshape(weight.shape[0], -1)
            layers.append((flat.astype(np.float32), bias.astype(np.float32)))
        elif isinstance(module, nn.BatchNorm1d):
            scale = (module.weight / torch.sqrt(module.running_var + module.eps)).detach().numpy().astype(np.float64)
            offset = module.bias.detach().numpy() - module.running_mean.numpy() * scale
    return layers
