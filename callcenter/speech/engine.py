"""What an engine is, and how one is loaded by its name. Engines are optional (the extra ``speech``).

Place on the path of a call: in a worker process; samples go in, words come out. ``models`` has looked at the folder.
Promises: the same words for the same samples, whatever was heard before; nothing is kept between two recordings.
Never: knows a call, a file name of a recording, or a phrase.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from callcenter.errors import BadInput
from callcenter.speech.models import Model
from callcenter.speech.transcript import Word

REMEDY = "run pip install 'callcenter[speech]'"


class Engine(Protocol):
    """``rate``: samples per second that ``listen`` wants."""

    rate: int

    def listen(self, blocks: Iterable[bytes]) -> Iterator[tuple[Word, ...]]:
        """Utterances as they end. ``blocks``: 16-bit little-endian samples of one channel; times count from the first.

        A block without an utterance's end gives an empty tuple: the caller sees that time goes on."""
        ...


def load(model: Model) -> Engine:
    """The engine of a model. Raises ``BadInput`` if it is not installed or does not take the model."""
    return Vosk(model)


class Vosk:
    """The unmodified ``vosk`` package. Facts that shape this class, seen with 0.3.45: endpoints are looked for once a
    block; times count from the making of a recogniser, so each recording has its own; too low a rate raises, too high a
    one is rubbish; the reason why a model does not load is only on standard error."""

    def __init__(self, model: Model) -> None:
        try:
            import vosk
        except ImportError:
            raise BadInput(f"The engine vosk is not installed: {REMEDY}.") from None
        vosk.SetLogLevel(-1)
        self.rate = model.rate
        self._vosk = vosk
        try:
            self._model = vosk.Model(str(model.folder))
        except Exception:  # vosk raises nothing more exact
            raise BadInput(f"{model.folder} is no model that vosk can load: copy or install it again.") from None

    def listen(self, blocks: Iterable[bytes]) -> Iterator[tuple[Word, ...]]:
        recogniser = self._vosk.KaldiRecognizer(self._model, self.rate)
        recogniser.SetWords(True)
        for block in blocks:
            yield _words(recogniser.Result()) if recogniser.AcceptWaveform(block) else ()
        yield _words(recogniser.FinalResult())


def _words(told: str) -> tuple[Word, ...]:
    found: list[dict[str, Any]] = json.loads(told).get("result", [])
    return tuple(
        Word(word["word"].strip(), word["start"], word["end"], min(1.0, max(0.0, word.get("conf", 1.0))))
        for word in found
        if word["word"].strip() and not word["word"].startswith(("[", "<"))  # [unk], <UNK>: nothing was recognised
    )
