"""Where nb2prod keeps what it can make again: the user's cache folder, or `NB2PROD_CACHE_DIR`."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nb2prod import __version__


def cache_folder() -> Path:
    """The folder, which need not exist yet."""
    base = os.environ.get("NB2PROD_CACHE_DIR")
    if base:
        return Path(base)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "nb2prod"


def kept(name: str, sources: Sequence[Path], make: Callable[[], Any]) -> Any:
    """What `make` makes of these files of ours (JSON values): from the cache while none has changed."""
    place = hashlib.sha256(str(sources[0]).encode()).hexdigest()[:16]
    file, stamp = cache_folder() / f"{name}-{place}.json", stamp_of(sources)
    value = read(file, stamp)
    if value is None:
        value = make()
        write(file, stamp, value)
    return value


def stamp_of(files: Sequence[Path]) -> list[Any]:
    """What tells that files, or the version of nb2prod, have changed."""
    stats = [(str(path), path.stat()) for path in files]
    return [__version__, *([path, stat.st_mtime_ns, stat.st_size] for path, stat in stats)]


def read(file: Path, stamp: object) -> Any:
    """The value that was written with this stamp; None where there is none, or none that can be read."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        return found["value"] if found["of"] == stamp else None
    except (OSError, ValueError, KeyError, TypeError, IndexError):
        return None


def write(file: Path, stamp: object, value: object) -> None:
    """Writes a value as one step, where that is possible."""
    part = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.write_text(json.dumps({"of": stamp, "value": value}), encoding="utf-8")
        part.replace(file)
    except (OSError, ValueError):
        return


class Texts:
    """Texts that take long to make, by a hash of all that they are made of; `limit` stay for later runs."""

    def __init__(self, name: str, stamp: object, limit: int) -> None:
        self.file, self.stamp, self.limit = cache_folder() / f"{name}.json", stamp, limit
        found = read(self.file, stamp)
        self.made: dict[str, str] = found if isinstance(found, dict) else {}
        self.known = len(self.made)

    def __call__(self, of: Sequence[str], make: Callable[[], str]) -> str:
        """The text made of these."""
        key = self.key(of)
        if key not in self.made:
            self.made[key] = make()
        return self.made[key]

    @staticmethod
    def key(of: Sequence[str]) -> str:
        return hashlib.sha256(json.dumps(list(of)).encode()).hexdigest()

    def save(self) -> None:
        """Writes them, where there are new ones."""
        if len(self.made) > self.known:
            write(self.file, self.stamp, dict(list(self.made.items())[-self.limit :]))
