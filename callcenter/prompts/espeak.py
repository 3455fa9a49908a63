"""espeak-ng in a child process: words in, the bytes of a WAV file out.

Place on the path of a call: when prompts are built without recordings.
Promises: a crash, a hang or a missing program costs one piece and gives one sentence; words reach espeak-ng as plain
text, never as an option, a command or markup; the same words and voice give the same bytes (espeak-ng 1.51).
Never: loads libespeak-ng into this process; it has crashed on some texts with a large pitch range.
"""

import os
import subprocess
import tempfile
import unicodedata
from functools import cached_property
from pathlib import Path

from callcenter.errors import BrokenWorld
from callcenter.prompts.phrases import Voice

_AMPLITUDE = "60"
"""Of 200. At the default of 100 some vowels are clipped; the level is set afterwards anyway."""


class Espeak:
    """``command``: the program's name or path; ``timeout_seconds`` for each piece."""

    def __init__(self, command: str = "espeak-ng", timeout_seconds: float = 10.0) -> None:
        self._command = command
        self._timeout_seconds = timeout_seconds

    @cached_property
    def version(self) -> str:
        """Such as ``1.51``: part of what a prompt is made from. Raises ``BrokenWorld``."""
        words = self._run(["--version"], "").split()
        return next((word for word in words if word[:1].isdigit()), "unknown")

    def speak(self, words: str, voice: Voice) -> bytes:
        """The WAV file of ``words`` as espeak-ng wrote it. Raises ``BrokenWorld``."""
        with tempfile.TemporaryDirectory(prefix="callcenter-prompts-") as folder:
            target = Path(folder, "speech.wav")
            pace = ["-s", str(voice.words_per_minute), "-p", str(voice.pitch), "-a", _AMPLITUDE]
            self._run(["-v", voice.name, *pace, "-b", "1", "--stdin", "-w", str(target)], escaped(words))
            if not target.exists():
                raise BrokenWorld("espeak-ng wrote no sound: check its installation with 'espeak-ng --voices'.")
            return target.read_bytes()

    def _run(self, arguments: list[str], text: str) -> str:
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"}
        try:
            done = subprocess.run(
                [self._command, *arguments], input=text.encode(), capture_output=True, env=environment,
                timeout=self._timeout_seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise BrokenWorld(
                f"espeak-ng did not finish within {self._timeout_seconds:g} s: try again on a less busy machine."
            ) from None
        except OSError as error:
            raise BrokenWorld(
                f"{self._command} cannot be started ({error.strerror}): install espeak-ng, or record all prompts."
            ) from None
        if done.returncode < 0:
            signal = -done.returncode
            raise BrokenWorld(
                f"espeak-ng crashed (signal {signal}): change the words or the pitch, or record the prompt."
            )
        if done.returncode > 0:
            said = " ".join(done.stderr.decode(errors="replace").split())[:200]
            raise BrokenWorld(f"espeak-ng refused the piece ({said or done.returncode}): check the voice's name.")
        return done.stdout.decode(errors="replace")


def escaped(words: str) -> str:
    """``words`` with nothing in them that espeak-ng obeys: control characters are commands, ``[[`` begins phonemes.

    Angle brackets and ``&`` are plain text as long as espeak-ng is run without ``-m`` (SSML)."""
    plain = "".join(" " if unicodedata.category(character) in ("Cc", "Cf", "Cs") else character for character in words)
    while "[[" in plain:
        plain = plain.replace("[[", "[ [")
    return plain
