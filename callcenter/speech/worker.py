"""The child process that listens: one model, one recording at a time. Started by ``workers``, never by a person.

Place on the path of a call: after its end; ``workers`` writes which files to hear, this writes what was said.
Promises: says about once a second that it lives, and only then what it heard, so that it wakes nobody for every word;
one JSON object a line, on the standard output that it was given; gives way to everything else on the machine
(``priority``) and stays within its memory; ends when its starter is gone.
Never: writes a file, opens a connection, or prints a word anywhere else.

In: {"seat": path, "caller": path}, either may be left out, and {"there": [[start, end]]} if it is known in which
seconds a seat is on our side, to measure its loudness. Out: {"ready"}, then {"at"}, {"said"} and {"level"} while it
goes on, then {"done"}, {"refused"} (this recording will never do) or {"failed"} (another attempt may do), these two
with a {"code"} of ``reasons``.
"""

import argparse
import json
import os
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from callcenter.errors import CallcenterError
from callcenter.riff import BadSound
from callcenter.speech import sound
from callcenter.speech.engine import Engine, load
from callcenter.speech.models import look
from callcenter.speech.priority import PRIORITIES, give_way
from callcenter.speech.reasons import NO_ROOM
from callcenter.speech.transcript import SPEAKERS, Word
from callcenter.speech.wav import BLOCK_SECONDS, CutOff, open_wav

TOLD_SECONDS = 1.0
OUT_OF_MEMORY = (MemoryError, SystemError)
"""CPython that finds no room even for its MemoryError says "error return without exception set"."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--memory-mb", type=int, required=True)
    parser.add_argument("--priority", choices=PRIORITIES, required=True)
    options = parser.parse_args(arguments)
    out = _own_output()
    give_way(options.priority)
    _limit(options.memory_mb)
    try:
        engine = load(look(options.model))
        for _ in engine.listen([bytes(engine.rate)]):  # half a second of silence: it loads, and it decodes
            pass
    except CallcenterError as error:
        _say(out, refused=str(error), code="model")
        return 2
    except OUT_OF_MEMORY:
        _say(out, refused=f"The model needs more than {options.memory_mb} MB: raise speech.memory_mb.", code="memory")
        return 2
    _say(out, ready=engine.rate)
    for line in sys.stdin:
        _answer(out, engine, json.loads(line))
    return 0


def _own_output() -> TextIO:
    """Libraries that print must not end up between the answers."""
    own = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return own


def _limit(memory_mb: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold what was said


def _answer(out: TextIO, engine: Engine, asked: Mapping[str, Any]) -> None:
    begun = time.process_time()
    try:
        seconds = _hear(out, engine, asked)
    except BadSound as error:
        _say(out, refused=str(error), code=error.reason)
    except CutOff as error:
        _say(out, failed=str(error), code="cut_off")
    except OSError as error:
        told = f"The recording cannot be read to its end ({error.strerror}): look at its disk."
        _say(out, failed=told, code="read_error")
    except OUT_OF_MEMORY:
        _say(out, failed="The worker ran out of memory: raise speech.memory_mb.", code="memory")
    else:
        _say(out, done=seconds, cpu=time.process_time() - begun)


def _hear(out: TextIO, engine: Engine, asked: Mapping[str, Any]) -> float:
    """Seconds of sound that were heard, both tracks together. Both are opened before either is heard."""
    tracks = [
        (speaker, open_wav(Path(asked[speaker]), f"The {speaker}'s track")) for speaker in SPEAKERS if speaker in asked
    ]
    before = next_at = 0.0
    for speaker, wav in tracks:
        with wav:
            meter = sound.Meter(engine.rate, asked.get("there", ()) if speaker == "seat" else ())
            for heard, words in enumerate(engine.listen(meter.through(sound.pcm(wav, engine.rate))), 1):
                if words:
                    _write(out, said=[speaker, [_plain(word) for word in words]])
                if heard % 5 == 0 and (now := time.monotonic()) >= next_at:
                    next_at = now + TOLD_SECONDS
                    _say(out, at=round(before + heard * BLOCK_SECONDS, 1))
            _write(out, level=[speaker, meter.told()])
            before += wav.seconds
    return before


def _plain(word: Word) -> tuple[str, float, float, float]:
    return word.word, round(word.start, 3), round(word.end, 3), round(word.conf, 3)


def _write(out: TextIO, **told: Any) -> None:
    """Goes out with what is said next."""
    out.write(json.dumps(told, ensure_ascii=False) + "\n")


def _say(out: TextIO, **told: Any) -> None:
    _write(out, **told)
    out.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(1)
    except OUT_OF_MEMORY:
        os._exit(NO_ROOM)
