"""The child process that listens: one model, one recording at a time. Started by ``workers``, never by a person.

Place on the path of a call: after its end; ``workers`` writes which files to hear, this writes what was said.
Promises: says at least once a block that it lives; one JSON object a line, on the standard output that it was given;
gives way to everything else on the machine (nice) and stays within its memory; ends when its starter is gone.
Never: writes a file, opens a connection, or prints a word anywhere else.

In: {"seat": path, "caller": path}, either may be left out. Out: {"ready"}, then {"at"}, {"said"} and {"level"} while it
goes on, then {"done"}, {"refused"} (this recording will never do) or {"failed"} (another attempt may do).
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

from callcenter.errors import BadInput, CallcenterError
from callcenter.speech import sound
from callcenter.speech.engine import Engine, load
from callcenter.speech.models import look
from callcenter.speech.transcript import SPEAKERS, Word
from callcenter.speech.wav import BLOCK_SECONDS, open_wav


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("--memory-mb", type=int, required=True)
    parser.add_argument("--nice", type=int, required=True)
    options = parser.parse_args(arguments)
    out = _own_output()
    _limit(options.memory_mb, options.nice)
    try:
        engine = load(look(options.model))
        for _ in engine.listen([bytes(engine.rate)]):  # half a second of silence: it loads, and it decodes
            pass
    except CallcenterError as error:
        _say(out, refused=str(error))
        return 2
    except MemoryError:
        _say(out, refused=f"The model needs more than {options.memory_mb} MB: raise speech.memory_mb.")
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


def _limit(memory_mb: int, nice: int) -> None:
    os.nice(nice)
    resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold what was said


def _answer(out: TextIO, engine: Engine, asked: Mapping[str, str]) -> None:
    begun = time.process_time()
    try:
        seconds = _hear(out, engine, asked)
    except BadInput as error:
        _say(out, refused=str(error))
    except (CallcenterError, OSError) as error:
        _say(out, failed=str(error))
    except MemoryError:
        _say(out, failed="The worker ran out of memory: raise speech.memory_mb.")
    else:
        _say(out, done=seconds, cpu=time.process_time() - begun)


def _hear(out: TextIO, engine: Engine, asked: Mapping[str, str]) -> float:
    """Seconds of sound that were heard, both tracks together. Both are opened before either is heard."""
    tracks = [
        (speaker, open_wav(Path(asked[speaker]), f"The {speaker}'s track")) for speaker in SPEAKERS if speaker in asked
    ]
    before = 0.0
    for speaker, wav in tracks:
        with wav:
            meter = sound.Meter(engine.rate)
            for heard, words in enumerate(engine.listen(meter.through(sound.pcm(wav, engine.rate))), 1):
                if words:
                    _say(out, said=[speaker, [_plain(word) for word in words]])
                elif heard % 4 == 0:
                    _say(out, at=round(before + heard * BLOCK_SECONDS, 1))
            _say(out, level=[speaker, meter.told()])
            before += wav.seconds
    return before


def _plain(word: Word) -> tuple[str, float, float, float]:
    return word.word, round(word.start, 3), round(word.end, 3), round(word.conf, 3)


def _say(out: TextIO, **told: Any) -> None:
    out.write(json.dumps(told, ensure_ascii=False) + "\n")
    out.flush()


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (BrokenPipeError, KeyboardInterrupt):
        os._exit(1)
