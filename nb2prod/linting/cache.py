"""What was found in files that have not changed: by their time and size, else by a hash of their bytes.

One JSON file for each working folder, in the user's cache folder. Another version of nb2prod (or an edited
one) starts anew. A cache that cannot be read or written is none.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

from nb2prod import __version__
from nb2prod.caches import cache_folder, read, write
from nb2prod.linting.result import Linted, restored, stored

LIMIT = 20_000  # files


class Cache:
    """The answers of earlier runs in this working folder."""

    def __init__(self, folder: Path | None = None) -> None:
        place = hashlib.sha256(str(Path.cwd()).encode()).hexdigest()[:16]
        self.file = (folder or cache_folder()) / f"lint-{place}.json"
        self.key = _version()
        found = read(self.file, self.key)
        self.rows: dict[str, Any] = found if isinstance(found, dict) else {}
        self.changed = False

    def get(self, path: str) -> Linted | None:
        """What was found in a file as it is now."""
        row = self.rows.get(path)
        if row is None:
            return None
        try:
            now = os.stat(path)
            if [now.st_mtime_ns, now.st_size] != row["stat"]:
                if now.st_size != row["stat"][1] or _hash(Path(path).read_bytes()) != row["hash"]:
                    return None
                row["stat"] = [now.st_mtime_ns, now.st_size]
                self.changed = True
            return restored(path, row)
        except (OSError, KeyError, TypeError, ValueError):
            return None

    def put(self, linted: Linted) -> None:
        """Keeps what was found (by all rules)."""
        try:
            now = os.stat(linted.path)
            digest = _hash(Path(linted.path).read_bytes())
        except (OSError, ValueError):
            return
        self.rows[linted.path] = {
            "stat": [now.st_mtime_ns, now.st_size],
            "hash": digest,
            **stored(linted),
        }
        self.changed = True

    def save(self) -> None:
        if not self.changed:
            return
        if len(self.rows) > LIMIT:
            self.rows = dict(list(self.rows.items())[-LIMIT // 2 :])
        write(self.file, self.key, self.rows)


def _version() -> str:
    """The version of what finds: nb2prod with the newest of its files, and Python."""
    package = Path(__file__).resolve().parents[1]
    newest = 0
    for folder in ("", "analysis", "rules", "knowledge", "linting", "ir"):
        with os.scandir(package / folder) as entries:
            newest = max([newest, *(entry.stat().st_mtime_ns for entry in entries if entry.is_file())])
    return f"{__version__} {newest} {sys.version_info[:2]}"


def _hash(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()
