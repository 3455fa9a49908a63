"""Synthetic telephone speech: espeak-ng through ctypes, with the moment of every phoneme, and a telephone channel.

Three sets of voices, speeds and noise share nothing: TRAIN makes the model, TUNE chose its settings, TEST judges it and
speaks in the project's tests.
"""

import ctypes
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

RATE = 8000
LANGUAGES = {"cmn": ("cmn-latn-pinyin", ""), "en": ("en-us", " ")}
"""espeak's voice and what stands between words. Not "cmn": 1.51 spells its pinyin out in English."""
TUNE = ["m5", "f4", "f5", "Gene2", "Alicia", "Hugo", "Marco", "ed", "iven", "michel", "pedro", "rob", "shelby", "steph"]
TEST = ["m3", "f2", "Andy", "Lee", "linda", "paul", "victor", "Annie"]
TRAIN = [
    "",
    *[
        "m1",
        "m2",
        "m4",
        "m6",
        "m7",
        "m8",
        "f1",
        "f3",
        "Alex",
        "Andrea",
        "Denis",
        "Diogo",
        "Gene",
        "Jacky",
        "Mario",
        "Michael",
        "adam",
        "anika",
        "antonio",
        "benjamin",
    ],
    *[
        "boris",
        "caleb",
        "david",
        "edward",
        "john",
        "marcelo",
        "max",
        "miguel",
        "norbert",
        "quincy",
        "robert",
        "sandro",
        "steph2",
        "travis",
        "zac",
    ],
    *[
        "announcer",
        "aunty",
        "belinda",
        "edward2",
        "grandma",
        "grandpa",
        "gustave",
        "iven2",
        "iven3",
        "iven4",
        "kaukovalta",
        "pablo",
        "steph3",
    ],
    *("Mr serious", "Nguyen", "RicishayMax", "RicishayMax2", "RicishayMax3", "Storm", "Tweaky", "anikaRobot"),
    *["klatt2", "klatt3", "klatt4", "robosoft", "robosoft3"],
]


@dataclass(frozen=True)
class Conditions:
    """Voices, words a minute (pieces of a range), and the exponent of the noise's spectrum."""

    voices: Sequence[str]
    speeds: tuple[tuple[int, int], ...]
    noise: tuple[float, float]


TRAINING = Conditions(TRAIN, ((115, 150), (175, 235)), (0.0, 0.6))
TUNING = Conditions(TUNE, ((115, 150), (175, 235)), (0.0, 0.6))
TESTING = Conditions(TEST, ((152, 173),), (0.7, 1.0))


class _Id(ctypes.Union):
    _fields_: ClassVar = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_: ClassVar = [
        *(("type", ctypes.c_int), ("uid", ctypes.c_uint), ("text_position", ctypes.c_int), ("length", ctypes.c_int)),
        *(("audio_position", ctypes.c_int), ("sample", ctypes.c_int), ("user_data", ctypes.c_void_p), ("id", _Id)),
    ]


Callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Espeak:
    """One per process, made once: the library has global state. It crashes on some texts with a pitch range from 78."""

    _only: ClassVar["Espeak | None"] = None

    def __new__(cls) -> "Espeak":
        if cls._only is None:
            cls._only = super().__new__(cls)
            cls._only._start()
        return cls._only

    def _start(self) -> None:
        self.library = ctypes.CDLL("libespeak-ng.so.1")
        self.rate = self.library.espeak_Initialize(2, 0, None, 1)  # synchronous, with phoneme events
        if self.rate <= 0:
            raise SystemExit("espeak-ng does not start: install espeak-ng-data")
        self.pcm = bytearray()
        self.events: list[Any] = []
        self._callback = Callback(self._heard)
        self.library.espeak_SetSynthCallback(self._callback)

    def _heard(self, wave: Any, count: int, events: Any) -> int:
        if wave and count > 0:
            self.pcm += ctypes.string_at(wave, 2 * count)
        number = 0
        while events[number].type != 0:
            event = events[number]
            if event.type == 7:
                raw = ctypes.string_at(ctypes.addressof(event) + _Event.id.offset, 8)
                self.events.append((event.sample, event.text_position, raw.split(b"\0")[0].decode()))
            number += 1
        return 0

    def say(self, text: str, voice: str, speed: int, pitch: int, spread: int) -> tuple[np.ndarray, list[Any]]:
        if self.library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise SystemExit(f"espeak-ng has no voice {voice}")
        for parameter, value in ((1, speed), (3, pitch), (4, spread)):
            self.library.espeak_SetParameter(parameter, int(value), 0)
        self.pcm.clear()
        self.events.clear()
        data = text.encode()
        self.library.espeak_Synth(data, len(data) + 1, 0, 0, 0, 1, None, None)
        self.library.espeak_Synchronize()
        return np.frombuffer(bytes(self.pcm), np.int16).astype(np.float32), list(self.events)


def word_phones(words: Sequence[str], separator: str, events: Sequence[Any], rate: float, total: int) -> list[Any]:
    """[(phone, start in seconds, number of the word or -1)]. A short pause (a closure) goes to the phone after it."""
    owner, position = {}, 1
    for number, word in enumerate(words):
        owner.update({position + k: number for k in range(len(word))})
        position += len(word) + len(separator)
    spoken: list[list[Any]] = []
    for sample, place, name in events:
        if name.startswith("("):
            if spoken or name not in ("(en-us)", "(en)", "(cmn)"):
                raise ValueError(f"the voice changes its language inside the text: {name}")
            continue
        pause = name == "" or name.startswith("_")
        spoken.append(["SIL" if pause else name, sample / rate, -1 if pause else owner.get(place, -2)])
    return _joined(spoken, total / rate)


def _joined(spoken: list[list[Any]], end: float) -> list[Any]:
    out: list[Any] = []
    for number, (phone, start, word) in enumerate(spoken):
        following = spoken[number + 1] if number + 1 < len(spoken) else None
        stop = following[1] if following else end
        if phone == "SIL" and following and stop - start < 0.06 and out and following[0] != "SIL":
            following[1] = start
        elif phone != "SIL" or not ((out and out[-1][0] == "SIL") or stop <= start):
            out.append((phone, start, word))
    return out


def resample(samples: np.ndarray, rate: float) -> np.ndarray:
    count = round(len(samples) * RATE / rate)
    spectrum = np.fft.rfft(samples)
    return (np.fft.irfft(spectrum[: count // 2 + 1], count) * (count / len(samples))).astype(np.float32)


def _band(samples: np.ndarray, low: float, high: float, tilt: float) -> np.ndarray:
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE)
    gain = 1 / (1 + (low / np.maximum(hertz, 1.0)) ** 8) / (1 + (hertz / high) ** 24)
    gain *= (np.maximum(hertz, 100) / 1000.0) ** (tilt / 6.02)
    return np.fft.irfft(np.fft.rfft(samples) * gain, len(samples)).astype(np.float32)


def _noise(count: int, exponent: float, rng: np.random.Generator) -> np.ndarray:
    white = rng.standard_normal(count).astype(np.float32)
    hertz = np.maximum(np.fft.rfftfreq(count, 1 / RATE), 30)
    coloured = np.fft.irfft(np.fft.rfft(white) * hertz**-exponent, count).astype(np.float32)
    made: np.ndarray = coloured / np.sqrt(np.mean(coloured**2))
    return made


def _companded(samples: np.ndarray, law: str) -> np.ndarray:
    """Quantised like G.711 (its continuous curve, 8 bits)."""
    x = np.clip(samples / 32768.0, -1, 1)
    size = np.abs(x)
    if law == "u":
        code = np.round(np.sign(x) * np.log1p(255 * size) / np.log(256) * 127) / 127
        back = (256 ** np.abs(code) - 1) / 255
    else:
        a, k = 87.6, 1 + np.log(87.6)
        code = np.where(size < 1 / a, a * size / k, (1 + np.log(np.maximum(a * size, 1))) / k) * np.sign(x)
        code = np.copysign((np.minimum(np.floor(np.abs(code) * 128), 127) + 0.5) / 128, code)
        size = np.abs(code)  # no step is zero: a silent A-law line is 8, not 0
        back = np.where(size < 1 / k, size * k / a, np.exp(size * k - 1) / a)
    made: np.ndarray = (np.sign(code) * back * 32767).astype(np.float32)
    return made


def channel(x: np.ndarray, rng: np.random.Generator, noise: tuple[float, float], clean: bool = False) -> np.ndarray:
    """A telephone channel: band, level, noise, G.711."""
    if not clean:
        x = _band(x, rng.uniform(60, 350), rng.uniform(3100, 3900), rng.uniform(-3, 3))
    level = 10 ** ((-20.0 if clean else rng.uniform(-36, -12)) / 20) * 32768
    active = np.abs(x) > 0.02 * np.abs(x).max() + 1e-6
    power = float(np.sqrt(np.mean(x[active] ** 2))) if active.any() else 1.0
    x = x * (level / max(power, 1e-3))
    if not clean and rng.random() < 0.85:
        x = x + _noise(len(x), rng.uniform(*noise), rng) * level * 10 ** (-rng.uniform(10, 40) / 20)
    x = np.clip(x, -32767, 32767)
    law = rng.choice(["u", "a", "none"])
    return np.round(x if law == "none" else _companded(x, law)).astype(np.int16)


def utterance(
    groups: Sequence[Sequence[str]],
    language: str,
    where: Conditions,
    rng: np.random.Generator,
    warp: float = 1.0,
    clean: bool = False,
) -> tuple[np.ndarray, list[Any]]:
    """Groups of words with pauses between -> 16-bit samples, [(phone, start, number of the word)].

    ``warp`` is a tape's speed: it moves the formants."""
    espeak, (voice, separator) = Espeak(), LANGUAGES[language]
    variant = str(rng.choice(list(where.voices)))
    voice += f"+{variant}" if variant else ""
    speed = int(rng.integers(*where.speeds[rng.integers(len(where.speeds))]))
    pitch, spread = int(rng.integers(25, 85)), int(rng.integers(20, 65))
    parts: list[np.ndarray] = []
    aligned: list[Any] = []
    at, base = 0.0, 0
    for words in [*groups, []]:
        parts.append(np.zeros(int(rng.uniform(0.1, 0.8) * RATE), np.float32))
        aligned.append(("SIL", at, -1))
        at += len(parts[-1]) / RATE
        if words:
            raw, events = espeak.say(separator.join(words), voice, speed, pitch, spread)
            found = word_phones(words, separator, events, espeak.rate * warp, len(raw))
            parts.append(resample(raw, espeak.rate * warp))
            aligned += [(phone, at + start, word if word < 0 else word + base) for phone, start, word in found]
            at += len(parts[-1]) / RATE
            base += len(words)
    merged = [a for i, a in enumerate(aligned) if not (i and a[0] == "SIL" and aligned[i - 1][0] == "SIL")]
    return channel(np.concatenate(parts), rng, where.noise, clean), merged


def no_speech(rng: np.random.Generator) -> tuple[np.ndarray, list[Any]]:
    """Silence, noise, ring-back, DTMF or chords, aligned as nothing but silence."""
    count = int(rng.uniform(1.5, 4.0) * RATE)
    kinds: list[Callable[[np.ndarray, np.random.Generator], np.ndarray]] = [_nothing, _ringback, _keys, _chords]
    sound = kinds[rng.integers(4)](np.arange(count) / RATE, rng)
    return channel(sound.astype(np.float32), rng, TRAINING.noise, rng.random() < 0.2), [("SIL", 0.0, -1)]


def _nothing(t: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    return np.zeros(len(t))


def _ringback(t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.sin(2 * np.pi * rng.uniform(300, 1100) * t) * ((t + rng.uniform(0, 4)) % rng.uniform(0.5, 5) < 1)


def _keys(t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    on = t % rng.uniform(0.1, 0.4) < rng.uniform(0.05, 0.3)
    low, high = rng.choice([697, 770, 852, 941]), rng.choice([1209, 1336, 1477])
    made: np.ndarray = (np.sin(2 * np.pi * low * t) + np.sin(2 * np.pi * high * t)) * on
    return made


def _chords(t: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    root, beat = rng.uniform(120, 500), rng.uniform(0.2, 1.0)
    step, sound = (t / beat).astype(int), np.zeros(len(t))
    for interval in (1, 1.25, 1.5, 2):
        melody = 2 ** (rng.integers(0, 12, step.max() + 1) / 12.0)[step]
        sound += rng.random() * np.sin(2 * np.pi * root * interval * t * melody)
    return sound * np.exp(-rng.uniform(0, 6) * (t % beat))


class Sentences:
    """A file with one sentence a line. A first line that starts with [X] says what [X] may stand for."""

    def __init__(self, path: Path) -> None:
        self.classes: dict[str, list[str]] = {}
        self.lines: list[list[str]] = []
        for line in path.read_text("utf-8").splitlines():
            line = line.split("#")[0].strip()
            head, _, rest = line.partition(" ")
            if head.startswith("[") and head[1:-1] not in self.classes:
                self.classes[head[1:-1]] = rest.split("|") if "|" in rest else rest.split()
            elif line:
                self.lines.append(line.split())

    def expand(self, line: Sequence[str], rng: np.random.Generator) -> list[str]:
        chosen = (
            self.expand(str(rng.choice(self.classes[word[1:-1]])).split(), rng) if word.startswith("[") else [word]
            for word in line
        )
        return [word for words in chosen for word in words]

    def sentence(self, rng: np.random.Generator) -> list[str]:
        return self.expand(self.lines[rng.integers(len(self.lines))], rng)

    def vocabulary(self) -> list[str]:
        entries = [*self.lines, *(entry.split() for some in self.classes.values() for entry in some)]
        return sorted({word for entry in entries for word in entry if not word.startswith("[")})
