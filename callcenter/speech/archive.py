"""The store of recordings: a folder or S3, reached through fsspec. Blocking: for threads of their own.

Place on the path of a call: after its end; ``storing`` copies into it, ``reading`` fetches from it, ``keeping`` erases.
Promises: a copy is read back and compared by size and SHA-256 before it counts; the same track always gets the same
key, so a copy made twice is one; a store that does not answer is ``StoreAway``, within seconds.
Never: holds a secret longer than a connection, or tells a key, a path or a caller in an error.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from callcenter.errors import BrokenWorld, extra_remedy
from callcenter.settings import Recordings, SettingsError, read_secret

CONNECT_SECONDS, READ_SECONDS = 5, 30
_BLOCK_BYTES = 8 << 20
T = TypeVar("T")


class StoreAway(BrokenWorld):
    """The store cannot be reached or refuses; what was asked may be asked again."""


class StoreRefused(StoreAway):
    """It cannot be asked at all: a key file cannot be read, or the extra is not installed."""


class Damaged(BrokenWorld):
    """What the store holds is not what was written."""


class Archive:
    """Connects at the first use."""

    def __init__(self, settings: Recordings) -> None:
        self._settings = settings
        self._connected: tuple[Any, str] | None = None

    @staticmethod
    def of(settings: Recordings) -> "Archive | None":
        """``None`` where no store is set."""
        return Archive(settings) if settings.store_url else None

    def put(self, server: str, call_id: str, track: str, file: Path) -> dict[str, Any]:
        """Copies a track and verifies the copy; what is there already and whole is left. Returns what to note.

        Raises ``OSError`` for the local file, ``StoreAway`` or ``Damaged`` for the store."""
        told = {"sha256": sha256(file), "size": file.stat().st_size}
        told["key"] = f"{_folder(server, call_id)}/{track}-{told['sha256']}{file.suffix.lower()}"
        if not self.holds(told, whole=True):
            self._asked(lambda fs, root: _copy(fs, file, f"{root}/{told['key']}"))
            if not self.holds(told, whole=True):
                raise Damaged("The store of recordings does not hold what was written: look at its disk and its log.")
        return told

    def holds(self, copy: Mapping[str, Any], *, whole: bool = False) -> bool:
        """Whether the copy is there with its size; ``whole``: and, read back, with its hash."""

        def look(fs: Any, root: str) -> bool:
            place = f"{root}/{copy['key']}"
            try:
                if fs.info(place)["size"] != copy["size"]:
                    return False
                return not whole or _hash_of(fs, place) == copy["sha256"]
            except FileNotFoundError:
                return False

        return self._asked(look)

    def get(self, copy: Mapping[str, Any], target: Path) -> None:
        """Fetches a copy. Raises ``StoreAway``, or ``Damaged`` if it is not what was written."""
        self._asked(lambda fs, root: fs.get_file(f"{root}/{copy['key']}", str(target)))
        if sha256(target) != copy["sha256"]:
            raise Damaged("The store of recordings holds another sound than was written: restore it from a backup.")

    def erase(self, server: str, call_id: str) -> int:
        """Removes all copies of a call's tracks, also those that nobody noted; how many. Raises ``StoreAway``."""

        def remove(fs: Any, root: str) -> int:
            places = fs.find(f"{root}/{_folder(server, call_id)}")
            for place in places:
                fs.rm_file(place)
            return len(places)

        return self._asked(remove)

    def _asked(self, what: Callable[[Any, str], T]) -> T:
        try:
            if self._connected is None:
                self._connected = self._connect()
            fs, root = self._connected
            fs.invalidate_cache()
            return what(fs, root)
        except StoreRefused:
            raise
        except SettingsError as error:
            raise StoreRefused(str(error)) from None
        except Exception as error:  # each kind of store has errors of its own
            self._connected = None
            raise StoreAway(
                f"The store of recordings cannot be used ({type(error).__name__}): look at [recordings] store_url, "
                "endpoint_url and the keys, and whether the store runs."
            ) from None

    def _connect(self) -> tuple[Any, str]:
        try:
            import fsspec
            import s3fs  # noqa: F401 - what s3:// needs
        except ImportError:
            raise StoreRefused(f"recordings.store_url: needs the extra s3. {extra_remedy('s3')}.") from None
        settings = self._settings
        options: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
        if settings.store_url.startswith("file:"):
            options["auto_mkdir"] = True
        else:
            timeouts = {"connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS}
            options["config_kwargs"] = timeouts | {"retries": {"max_attempts": 1}}
            if settings.endpoint_url:
                options["endpoint_url"] = settings.endpoint_url
            if settings.key_file is not None:
                options["key"] = read_secret(settings.key_file, "recordings.key_file")
                options["secret"] = read_secret(settings.secret_file, "recordings.secret_file")
        fs, root = fsspec.core.url_to_fs(settings.store_url.rstrip("/"), **options)
        return fs, root


def sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _copy(fs: Any, file: Path, place: str) -> None:
    fs.put_file(str(file), place)


def _hash_of(fs: Any, place: str) -> str:
    whole = hashlib.sha256()
    with fs.open(place, "rb") as opened:
        while block := opened.read(_BLOCK_BYTES):
            whole.update(block)
    return whole.hexdigest()


def _folder(server: str, call_id: str) -> str:
    """A call's own folder; a name of dots alone would be another one."""
    return "/".join(quote(part, safe="").replace(".", "_") if set(part) <= {"."} else quote(part, safe="")
                    for part in (server, call_id))  # fmt: skip
