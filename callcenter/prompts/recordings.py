"""The site's own recordings: whole prompts, and pieces that prompts are put together from.

Place on the path of a call: when prompts are built with a folder of recordings.
Layout: ``greeting-zh-1001.wav`` (a whole prompt under its own name) in the folder itself; pieces
(``greeting-before.wav``, ``digit-0.wav`` ...) in a folder per language (``zh/``), or beside the whole prompts when
there is one language only.
Promises: only names of the plan are looked up; one voice per prompt: with some pieces missing it is not built at all.
Never: writes, follows a name out of the folder, or waits on something that is no file.
"""

from pathlib import Path

from callcenter.errors import BadInput
from callcenter.prompts.plan import Piece, Prompt

MAX_BYTES = 32 * 1024 * 1024


class Recordings:
    """The recordings in ``folder``; none where it is None. Raises ``BadInput`` if the folder cannot be read."""

    def __init__(self, folder: Path | None, languages: tuple[str, ...]) -> None:
        self._folder = folder
        self._one_language = len(languages) == 1
        self._used: set[Path] = set()
        self._there = frozenset(_listing(folder, languages)) if folder else frozenset()

    def whole(self, prompt: Prompt) -> str | None:
        """The recording of the whole prompt, by its path in the folder."""
        return self._find([Path(f"{prompt.name}.wav")])

    def pieces(self, prompt: Prompt) -> list[str] | None:
        """The recordings of all its pieces in order; None when there is none; ``BadInput`` when some are missing."""
        places = [self._places(piece, prompt.language) for piece in prompt.pieces]
        found = [self._find(each) for each in places]
        if not any(found):
            return None
        missing = dict.fromkeys(str(each[-1]) for each, name in zip(places, found, strict=True) if name is None)
        if missing:
            raise BadInput(
                f"Of the recorded pieces {', '.join(missing)} cannot be found: record all pieces of a prompt."
            )
        return [name for name in found if name]

    def read(self, name: str) -> bytes:
        """The bytes of a recording. Raises ``BadInput``."""
        assert self._folder is not None
        file = self._folder / name
        try:
            if not file.is_file():
                raise BadInput(f"{name} is not a plain file: put the recording itself there.")
            if file.stat().st_size > MAX_BYTES:
                raise BadInput(f"{name} is larger than {MAX_BYTES // 2**20} MB: cut it to the words of the prompt.")
            return file.read_bytes()
        except OSError as error:
            raise BadInput(f"{name} cannot be read ({error.strerror}): check its owner and rights.") from None

    def unused(self) -> list[str]:
        """WAV files there that no prompt asked for: a misspelt name, or a seat that is gone."""
        return sorted(str(file) for file in self._there - self._used)

    def _places(self, piece: Piece, language: str) -> list[Path]:
        names = [f"{name}.wav" for name in piece.recordings]
        flat = [Path(name) for name in names] if self._one_language else []
        return flat + [Path(language, name) for name in names]

    def _find(self, places: list[Path]) -> str | None:
        found = next((place for place in places if place in self._there), None)
        if found:
            self._used.add(found)
        return str(found) if found else None


def _listing(folder: Path, languages: tuple[str, ...]) -> list[Path]:
    try:
        return [
            file.relative_to(folder)
            for place in (folder, *(folder / language for language in languages))
            if place == folder or place.is_dir()
            for file in place.iterdir()
            if file.name.endswith(".wav")
        ]
    except OSError as error:
        reason = error.strerror
        raise BadInput(f"The folder of recordings {folder} cannot be read ({reason}): name the right folder.") from None
