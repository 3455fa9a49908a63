"""The recogniser of running calls: sound in small pieces goes in, words come out while they are spoken.

Place on the path of a call: inside the child process (``live_child``), one ``Ear`` for each direction of a call.
Promises: the rest of live transcription knows only ``Ear`` and ``Ears``, so that another engine is another pair.
Never: decides what to do with words.

Vosk 0.3.45: times count from the recogniser's birth and go on over results; sound is decoded in blocks of 240 ms.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from callcenter.errors import BadInput
from callcenter.speech.audiosocket import RATE
from callcenter.speech.engine import Vosk
from callcenter.speech.models import look
from callcenter.speech.transcript import Word, as_heard


@dataclass(frozen=True, slots=True)
class Heard:
    """After one piece of sound: words that will not change any more, and what the engine guesses of the rest."""

    final: tuple[Word, ...] = ()
    partial: tuple[str, ...] = ()


class Ear(Protocol):
    """One direction of one call."""

    def feed(self, pcm: bytes) -> Heard:
        """Signed linear 16 bit, 8 kHz. May take long; called by one thread at a time."""

    def end(self) -> Heard:
        """No more sound will come."""


class Ears(Protocol):
    """A model that was loaded."""

    def ear(self) -> Ear: ...


class VoskEars:
    """Vosk (extra ``speech``), loaded as for recordings. Raises ``BadInput`` for a folder that holds no model it can
    use."""

    def __init__(self, folder: Path) -> None:
        try:
            model = look(folder)
            if model.engine != "vosk" or model.rate != RATE:
                raise BadInput(f"{folder} is no Vosk model for {RATE} Hz: name one, as telephone sound has no more.")
            self._vosk = Vosk(model)
        except BadInput as error:
            raise BadInput(f"live.model: {error}") from None

    def ear(self) -> "VoskEar":
        return VoskEar(self._vosk.recogniser())


class VoskEar:
    """``Ear`` by a KaldiRecognizer."""

    def __init__(self, recogniser: Any) -> None:
        self._recogniser = recogniser

    def feed(self, pcm: bytes) -> Heard:
        if self._recogniser.AcceptWaveform(pcm):
            return Heard(_words(self._recogniser.Result()))
        return Heard((), tuple(json.loads(self._recogniser.PartialResult()).get("partial", "").split()))

    def end(self) -> Heard:
        return Heard(_words(self._recogniser.FinalResult()))


def _words(result: str) -> tuple[Word, ...]:
    """``result`` is absent where nothing was said."""
    return tuple(as_heard(w["word"], w["start"], w["end"], w["conf"]) for w in json.loads(result).get("result", ()))
