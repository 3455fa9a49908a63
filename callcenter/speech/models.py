"""Model folders: what one is made of, whether it is whole, and installing one from an archive.

Place on the path of a call: looked at before a worker starts, and by ``callcenter models``.
Promises: what is missing, empty or of another kind is told in one sentence; an archive is unpacked beside its place,
checked, and appears under its name only when it is whole; nothing in it can be written elsewhere.
Never: takes a model from an address that the site did not give.
"""

import contextlib
import errno
import gzip
import hashlib
import http.client
import json
import lzma
import os
import re
import shutil
import struct
import tarfile
import tempfile
import urllib.request
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from callcenter.errors import BadInput, BrokenWorld

RECORD = "callcenter-model.json"
"""Written at the installation: checksum of the files, language."""
MAX_BYTES = 8 << 30
_FST_MAGIC = struct.pack("<I", 0x7EB2FDD6)
_KALDI_MAGIC = b"\0B<TransitionModel>"
_LANGUAGES = {"cn": "zh", "cmn": "zh", "zh": "zh", "en": "en", "us": "en"}


@dataclass(frozen=True, slots=True)
class Model:
    """``rate``: samples per second it was trained for. ``language``: "" if neither name nor installation tells."""

    folder: Path
    engine: str
    rate: int
    language: str
    size: int

    @property
    def name(self) -> str:
        return self.folder.name


def look(folder: Path) -> Model:
    """What the folder holds. Raises ``BadInput`` if it is no model, or not whole as far as files tell."""
    if not folder.is_dir():
        raise BadInput(f"{folder} is no folder: name the folder of a model ('callcenter models install' makes one).")
    if (folder / "tokens.txt").is_file():
        return _look_at_network(folder)
    acoustic = _first(folder, "am/final.mdl", "final.mdl")
    features = _first(folder, "conf/mfcc.conf", "mfcc.conf")
    graph = _first(folder, "graph/HCLG.fst", "graph/HCLr.fst", "HCLG.fst", "HCLr.fst")
    _begins(acoustic, _KALDI_MAGIC)
    _begins(graph, _FST_MAGIC)
    if graph.name == "HCLr.fst":
        _begins(_first(graph.parent, "Gr.fst"), _FST_MAGIC)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Model(folder, "vosk", _rate(features), _language(folder), size)


_SHERPA_NEEDS = {
    "paraformer": (b"vocab_size", b"lfr_window_size", b"lfr_window_shift", b"neg_mean", b"inv_stddev"),
    "sense_voice": (b"vocab_size", b"lfr_window_size", b"lfr_window_shift", b"neg_mean", b"inv_stddev", b"with_itn"),
}
"""What the file of each kind must tell of itself; sherpa-onnx ends the process where it is missing."""
SHERPA_RATE = 16_000
_ONNX_TAIL = 1 << 20
"""What a model tells of itself stands behind its network."""


def _look_at_network(folder: Path) -> Model:
    """A model for sherpa-onnx: ``tokens.txt`` beside one ONNX file."""
    network = network_of(folder)
    tail = _tail(network)
    missing = [name.decode() for name in _SHERPA_NEEDS[kind_of(folder)] if name not in tail]
    if missing:
        raise BadInput(f"{network} does not tell its {missing[0]}: it is no SenseVoice or Paraformer, or not whole.")
    lines = (folder / "tokens.txt").read_text("utf-8", "replace").splitlines()
    if not lines or any(len(line.split()) not in (1, 2) for line in lines):
        raise BadInput(f"{folder / 'tokens.txt'} is no list of tokens with their numbers: copy the model again.")
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return Model(folder, "sherpa", SHERPA_RATE, _language(folder) or "zh", size)


def network_of(folder: Path) -> Path:
    """The ONNX file of a model for sherpa-onnx; of two the one in 8 bits, which is half as slow."""
    return _first(folder, "model.int8.onnx", "model.onnx")


def kind_of(folder: Path) -> str:
    """ "paraformer" or "sense_voice"."""
    return "sense_voice" if b"with_itn" in _tail(network_of(folder)) else "paraformer"


def _tail(file: Path) -> bytes:
    with file.open("rb") as opened:
        opened.seek(max(0, file.stat().st_size - _ONNX_TAIL))
        return opened.read()


def _first(folder: Path, *names: str) -> Path:
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise BadInput(f"{folder} has no {names[0]}: it is no model for vosk or sherpa-onnx, or was not copied whole.")


def _begins(file: Path, magic: bytes) -> None:
    with file.open("rb") as opened:
        if opened.read(len(magic)) != magic:
            raise BadInput(f"{file} is damaged or of another kind: copy or install the model again.")


def _rate(features: Path) -> int:
    found = re.search(r"^--sample-frequency=(\d{4,6})\b", features.read_text("utf-8", "replace"), re.MULTILINE)
    return int(found[1]) if found else 16_000  # Kaldi's own default


def _language(folder: Path) -> str:
    told = str(record(folder).get("language") or "")
    parts = re.split(r"[^a-z]+", folder.name.lower())
    return told or next((_LANGUAGES[part] for part in parts if part in _LANGUAGES), "")


def record(folder: Path) -> dict[str, Any]:
    """What the installation noted; nothing for a folder that was copied by hand."""
    try:
        told = json.loads((folder / RECORD).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def checksum(folder: Path) -> str:
    """SHA-256 over the names and the SHA-256 of all files, in order of their names; the record is left out."""
    whole = hashlib.sha256()
    for file in sorted(file for file in folder.rglob("*") if file.is_file() and file.name != RECORD):
        whole.update(f"{file_sha256(file)}  {file.relative_to(folder).as_posix()}\n".encode())
    return whole.hexdigest()


def file_sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def check(folder: Path) -> Model:
    """As ``look``, and every byte is as it was when the model was installed."""
    model = look(folder)
    noted = record(folder).get("checksum")
    if noted and noted != checksum(folder):
        raise BadInput(f"{folder} is not as it was installed (its checksum differs): install the model again.")
    return model


def listed(folder: Path) -> Iterator[Model | BadInput]:
    """The models of a folder; in the place of one that is not whole or not as installed, what is wrong with it."""
    for below in sorted(folder.iterdir()) if folder.is_dir() else ():
        if below.is_dir() and not below.name.startswith("."):
            try:
                yield check(below)
            except BadInput as error:
                yield error


def install(source: str, folder: Path, name: str = "", sha256: str = "", language: str = "") -> Model:
    """Puts the model of ``source`` (a folder, an archive or an address) under ``folder``.

    ``sha256``: of the archive, or of a folder's ``checksum``. Raises ``BadInput`` or ``BrokenWorld``; then nothing new
    is there."""
    if sha256 and not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise BadInput("--sha256: must be the 64 hexadecimal digits that sha256sum prints for the archive.")
    if name and (not name.isprintable() or PurePosixPath(name).name != name or name.startswith(".")):
        raise BadInput(
            "--name: give a plain name for the model's folder: printable, without '/' and without a dot at its start."
        )
    fresh = [above for above in (folder, *folder.parents) if not above.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".installing-", dir=folder) as work:
            target = _installed(source, folder, Path(work), name, sha256, language)
    except OSError as error:
        reason = error.strerror or error
        raise BrokenWorld(
            f"The model cannot be put into {folder} ({reason}): make room there, or name another --dir."
        ) from None
    finally:
        for above in fresh:
            with contextlib.suppress(OSError):  # it is not empty: the model is there
                above.rmdir()
    return look(target)


def _installed(source: str, folder: Path, work: Path, name: str, sha256: str, language: str) -> Path:
    """The model's new place. ``work``: a folder beside it that goes afterwards."""
    given = _fetched(source, work) if re.match(r"(https?|file)://", source) else Path(source)
    _checked_sha256(given, sha256)
    draft = work / "model"
    root = _unpacked(given, draft)
    try:
        look(root)
    except BadInput as error:
        raise BadInput(str(error).replace(str(root), given.name)) from None
    target = folder / (name or _plain_name(root if root != draft else given))
    if not target.name.isprintable():
        raise BadInput(f"{target.name} holds characters that cannot be printed: name the model's folder by --name.")
    told = language or _language(root) or _language(Path(_plain_name(given)))  # --name may not tell it
    noted = {"checksum": checksum(root), "language": told, "source": source if "://" in source else ""}
    (root / RECORD).write_text(json.dumps(noted, indent=1) + "\n", "utf-8")
    try:
        if target.exists():
            raise FileExistsError
        os.rename(root, target)
    except OSError as error:
        if not target.exists():
            raise
        raise BadInput(f"{target} is there already: remove it first, or install under another --name.") from error
    return target


def _plain_name(path: Path) -> str:
    return re.sub(r"\.(zip|tar|tar\.gz|tgz|tar\.xz|tar\.bz2)$", "", path.resolve().name) or "model"


def _checked_sha256(given: Path, sha256: str) -> None:
    if not given.exists():
        raise BadInput(f"{given} does not exist: name a folder or an archive of a model.")
    if not given.is_dir() and not given.is_file():
        raise BadInput(f"{given} is neither a folder nor a file: name a folder or an archive of a model.")
    if sha256 and sha256.lower() != (checksum(given) if given.is_dir() else file_sha256(given)):
        raise BadInput(f"{given.name} has another checksum than was given: it was changed or not copied whole.")


def _fetched(address: str, work: Path) -> Path:
    file = work / "fetched" / (PurePosixPath(address.split("?")[0]).name or "archive")
    file.parent.mkdir()
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310 - looked at
            told = int(answer.headers.get("Content-Length") or 0)
            _too_much(told)
            blocks = iter(lambda: answer.read(1 << 20), b"")
            came = _written(blocks, file)
    except BadInput:
        raise
    except (http.client.HTTPException, OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC:
            raise
        broken = isinstance(error, http.client.HTTPException)
        reason = "it ended early" if broken else " ".join(str(getattr(error, "reason", None) or error).split())
        raise BrokenWorld(f"The address of the model cannot be read ({reason}): check it and the network.") from None
    if came < told:
        raise BrokenWorld(f"The address of the model ended after {came} of {told} bytes: try again.")
    return file


def _written(blocks: Iterator[bytes], file: Path) -> int:
    size = 0
    with file.open("wb") as out:
        for block in blocks:
            size += out.write(block)
            _too_much(size)
    return size


_DAMAGED = (zipfile.BadZipFile, tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, RuntimeError, ValueError)
_MISNAMED = (errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG)
"""What names that cannot stand beside one another in a folder come to. A damaged archive's only."""


def _unpacked(given: Path, draft: Path) -> Path:
    """The folder in which the model lies: archives mostly hold one folder with everything in it."""
    draft.mkdir()
    try:
        _unpack(given, draft)
    except BadInput:
        raise
    except _DAMAGED:
        raise _damaged(given) from None
    except OSError as error:
        if error.errno in _MISNAMED or isinstance(error, gzip.BadGzipFile):
            raise _damaged(given) from None
        raise
    inside = [below for below in draft.iterdir() if not below.name.startswith((".", "__MACOSX"))]
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else draft


def _damaged(given: Path) -> BadInput:
    return BadInput(f"{given.name} is damaged, not whole, or needs a password: get the archive again.")


def _unpack(given: Path, draft: Path) -> None:
    if given.is_dir():
        _copy_folder(given, draft)
    elif zipfile.is_zipfile(given):
        with zipfile.ZipFile(given) as archive:
            _too_much(sum(item.file_size for item in archive.infolist()))
            for item in archive.infolist():
                if not item.is_dir():
                    _copy(archive.open(item), draft, item.filename)
    elif tarfile.is_tarfile(given):
        with tarfile.open(given) as archive_:
            members = [member for member in archive_ if member.isfile()]
            _too_much(sum(member.size for member in members))
            for member in members:
                opened = archive_.extractfile(member)
                assert opened is not None
                _copy(opened, draft, member.name)
    else:
        raise BadInput(f"{given.name} is no zip or tar archive, or not whole: name a folder or such an archive.")


def _copy_folder(given: Path, draft: Path) -> None:
    """Files, and what links to files; nothing without an end, such as a device or a pipe."""
    files = [below for below in given.rglob("*") if not below.is_dir()]
    if odd := next((below for below in files if not below.is_file()), None):
        raise BadInput(f"{odd} is no file, or a link to none: leave it out of the model.")
    _too_much(sum(file.stat().st_size for file in files))
    for file in files:
        _copy(file.open("rb"), draft, file.relative_to(given).as_posix())


def _too_much(size: int) -> None:
    if size > MAX_BYTES:
        raise BadInput(f"The model has more than {MAX_BYTES >> 30} GiB: check what it is.")


def _copy(opened: IO[bytes], draft: Path, name: str) -> None:
    target = (draft / name).resolve()
    if not target.is_relative_to(draft.resolve()):
        raise BadInput("The archive holds a name that leads out of its folder: do not use it.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with opened, target.open("wb") as out:
        shutil.copyfileobj(opened, out)
