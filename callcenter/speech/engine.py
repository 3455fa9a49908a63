"""What an engine is, and how one is loaded by its name. Engines are optional (the extra ``speech``).

Place on the path of a call: in a worker process; samples go in, words come out. ``models`` has looked at the folder.
Promises: the same words for the same samples, whatever was heard before; nothing is kept between two recordings.
Never: knows a call, a file name of a recording, or a phrase.
"""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from callcenter.errors import BadInput, extra_remedy
from callcenter.speech.models import Model, kind_of, network_of
from callcenter.speech.transcript import MAX_WORD, Word, as_heard

REMEDY = extra_remedy("speech")
SHERPA_REMEDY = extra_remedy("sherpa")
LONGEST_TOKEN_SECONDS = 0.4
"""The last of an utterance has no successor that would tell its end."""

SKIPPED_AFTER_SECONDS = 3.0
"""Longer than any pause within an utterance."""


class Engine(Protocol):
    """``rate``: samples per second that ``listen`` wants."""

    rate: int

    def listen(self, blocks: Iterable[bytes]) -> Iterator[tuple[Word, ...]]:
        """Utterances as they end. ``blocks``: 16-bit little-endian samples of one channel; times count from the first.

        A block without an utterance's end gives an empty tuple: the caller sees that time goes on."""
        ...


def load(model: Model) -> Engine:
    """The engine of a model. Raises ``BadInput`` if it is not installed or does not take the model."""
    return Sherpa(model) if model.engine == "sherpa" else Vosk(model)


class Vosk:
    """The unmodified ``vosk`` package. Facts that shape this class, seen with 0.3.45: endpoints are looked for once a
    block; times count from the making of a recogniser, so each recording has its own; too low a rate raises, too high a
    one is rubbish; the reason why a model does not load is only on standard error."""

    def __init__(self, model: Model) -> None:
        try:
            import vosk
        except ModuleNotFoundError:
            raise BadInput(f"The engine vosk is not installed: {REMEDY}.") from None
        except (ImportError, OSError):  # its library, or numpy's, finds no room
            raise BadInput("The engine vosk does not load: raise speech.memory_mb, or install it again.") from None
        vosk.SetLogLevel(-1)
        self.rate = model.rate
        self._vosk = vosk
        try:
            self._model = vosk.Model(str(model.folder))
        except Exception:  # vosk raises nothing more exact
            raise BadInput(f"{model.folder} is no model that vosk can load: copy or install it again.") from None

    def recogniser(self) -> Any:
        """A ``KaldiRecognizer`` that has heard nothing yet and tells the times of words."""
        made = self._vosk.KaldiRecognizer(self._model, self.rate)
        made.SetWords(True)
        return made

    def listen(self, blocks: Iterable[bytes]) -> Iterator[tuple[Word, ...]]:
        """What is silent to the last bit for long is not decoded: a line that somebody forgot costs next to nothing."""
        recogniser, begun, at, silent = self.recogniser(), 0.0, 0.0, 0.0
        for block in blocks:
            seconds = len(block) / 2 / self.rate
            silent = silent + seconds if block == bytes(len(block)) else 0.0
            if silent > SKIPPED_AFTER_SECONDS:
                yield _words(recogniser.FinalResult(), begun) if recogniser is not None else ()
                recogniser = None
            else:
                if recogniser is None:
                    recogniser, begun = self.recogniser(), at
                yield _words(recogniser.Result(), begun) if recogniser.AcceptWaveform(block) else ()
            at += seconds
        yield _words(recogniser.FinalResult(), begun) if recogniser is not None else ()


def _words(told: str, begun: float) -> tuple[Word, ...]:
    """``begun``: the second at which the recogniser's time begins."""
    found: list[dict[str, Any]] = json.loads(told).get("result", [])
    return tuple(
        as_heard(one["word"].strip(), begun + one["start"], begun + one["end"], one.get("conf", 1.0))
        for one in found
        if one["word"].strip() and not one["word"].startswith(("[", "<"))  # [unk], <UNK>: nothing was recognised
    )


class Sherpa:
    """``sherpa-onnx`` (extra ``sherpa``) with a SenseVoice or Paraformer model. Facts that shape this class, seen with
    2.0.1: these models hear whole utterances, so ``utterances`` cuts the recording; a file that is no model, or lacks
    what its kind must tell, *ends the process* with a line on standard error, so ``models`` looks at it before; a
    Paraformer without time stamps gives none: then its words are spread evenly over the utterance."""

    def __init__(self, model: Model) -> None:
        try:
            import sherpa_onnx
        except ImportError:
            raise BadInput(f"The engine sherpa-onnx is not installed: {SHERPA_REMEDY}.") from None
        self.rate = model.rate
        tokens, network = str(model.folder / "tokens.txt"), str(network_of(model.folder))
        recogniser = sherpa_onnx.OfflineRecognizer
        try:
            if kind_of(model.folder) == "paraformer":
                self._recogniser = recogniser.from_paraformer(network, tokens, num_threads=1)
            else:
                self._recogniser = recogniser.from_sense_voice(
                    network, tokens, num_threads=1, language=model.language if model.language in ("zh", "en") else ""
                )
        except Exception:  # the library raises nothing more exact
            raise BadInput(f"{model.folder} is no model that sherpa-onnx can load: copy or install it again.") from None

    def listen(self, blocks: Iterable[bytes]) -> Iterator[tuple[Word, ...]]:
        from callcenter.speech.utterances import utterances

        for found in utterances(blocks, self.rate):
            if found is None:
                yield ()
                continue
            start, samples = found
            stream = self._recogniser.create_stream()
            stream.accept_waveform(self.rate, samples / 32768.0)
            self._recogniser.decode_stream(stream)
            yield _spoken(stream.result, start, start + len(samples) / self.rate)


def _spoken(result: Any, start: float, end: float) -> tuple[Word, ...]:
    """Words of tokens: a Chinese character each, or the pieces of a word joined ("\u2581he" "llo", "he@@" "llo")."""
    tokens = [str(token) for token in result.tokens]
    starts = _starts([float(at) for at in result.timestamps], len(tokens), start, end)
    chances = [float(one) for one in getattr(result, "ys_log_probs", ())]
    words: list[Word] = []
    joins = False
    for n, token in enumerate(tokens):
        text = token.removeprefix("\u2581").strip()
        conf = math.exp(min(0.0, chances[n])) if len(chances) == len(tokens) else 1.0
        if not text or text.startswith("<"):
            continue
        until = min(starts[n + 1] if n + 1 < len(tokens) else end, starts[n] + LONGEST_TOKEN_SECONDS)
        piece = text.removesuffix("@@")
        room = words and len(words[-1].word) + len(piece) <= MAX_WORD
        if room and (joins or _goes_on(token, words[-1].word)):
            last = words[-1]
            words[-1] = as_heard(last.word + piece, last.start, until, min(last.conf, conf))
        else:
            words.append(as_heard(piece, starts[n], until, conf))
        joins = text.endswith("@@")
    return tuple(words)


def _goes_on(token: str, before: str) -> bool:
    """Whether a token continues the word before it: pieces of a word in letters have no mark at their beginning."""
    return (
        not token.startswith(("\u2581", " ")) and token[:1].isascii() and token[:1].isalpha() and before[-1:].isascii()
    )


def _starts(told: Sequence[float], count: int, start: float, end: float) -> list[float]:
    if len(told) == count:
        return [start + at for at in told]
    return [start + (end - start) * n / max(1, count) for n in range(count)]
