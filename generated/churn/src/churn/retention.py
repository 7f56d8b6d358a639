"""What becomes of the prediction log's files: Parquet when their process is gone, removed when they are old.

A service does that beside its requests, so `segments.py`, which imports pandas, is imported where there is a file for it.
"""

from __future__ import annotations

import fcntl
import logging
import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .settings import Settings

log = logging.getLogger(__name__)


def rotate(path: Path) -> None:
    """Make Parquet of a full segment."""
    from . import segments

    segments.rotate(path)


def recover(folder: Path) -> None:
    """Rotate the segments that no living process writes."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.glob("*.jsonl")):
        with path.open("a", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            if path.exists():  # else another process was faster
                rotate(path)


def days_kept(settings: Settings) -> float:
    """A label that comes on the last of its days is judged by the windows that hold it."""
    return settings.log_days + settings.monitor_days if settings.log_days else math.inf


def prune(folder: Path, days: float) -> None:
    """Remove the segments all of whose entries are older; the oldest come first, so the first that is not ends it."""
    full = sorted(folder.glob("*.parquet")) if math.isfinite(days) else []
    if not full:
        return
    from . import segments

    until = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    for path in full:
        newest = segments.newest(path)
        if newest == segments.UNKNOWN:
            continue
        if newest >= until:
            return
        path.unlink(missing_ok=True)  # another process may be at it too
        log.info("%s is removed: its last entry is of %s", path, newest)
