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
    """What `make` makes of these files of ours (JSON values): from the cache while none has changed.

    A cache that cannot be read or written is none.
    """
    stats = [(str(path), path.stat()) for path in sources]
    stamp = [__version__, *([path, stat.st_mtime_ns, stat.st_size] for path, stat in stats)]
    place = hashlib.sha256(str(sources[0]).encode()).hexdigest()[:16]
    file = cache_folder() / f"{name}-{place}.json"
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(found, dict) and found.get("of") == stamp:
            return found["value"]
    except (OSError, ValueError, KeyError):
        pass
    value = make()
    write(file, {"of": stamp, "value": value})
    return value


def write(file: Path, value: object) -> None:
    """Writes a file of the cache as one step, where that is possible."""
    part = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part.write_text(json.dumps(value), encoding="utf-8")
        part.replace(file)
    except (OSError, ValueError):
        return
