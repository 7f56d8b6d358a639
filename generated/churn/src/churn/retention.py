"""What becomes of the prediction log's files: Parquet when their process is gone, removed when they are old.

A service does that in a process of its own: here it would keep the interpreter from requests, and each segment would
leave the process larger than before.
"""

from __future__ import annotations

import fcntl
import logging
import logging.config
import math
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from .settings import Settings

log = logging.getLogger(__name__)


def apart(folder: Path, days: float) -> None:
    """`recover` and `prune` in another process, to the end of which this waits; what it could not do is logged."""
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        return
    command = [sys.executable, "-m", __name__, str(folder), str(days)]
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    # in a session of its own: a terminal's Ctrl-C is for the service
    done = subprocess.run(
        command,
        env={**os.environ, **path},
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        start_new_session=True,
    )
    if done.returncode:
        log.error(
            "the prediction log in %s is not tidied: %s",
            folder,
            done.stderr.strip() or done.returncode,
        )


def recover(folder: Path) -> None:
    """Make Parquet of the segments that no living process writes."""
    from . import segments  # with pandas

    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.glob("*.jsonl")):
        with path.open("a", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            if path.exists():  # else another process was faster
                segments.rotate(path)


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


if __name__ == "__main__":
    from .logs import LOGGING

    logging.config.dictConfig(LOGGING)
    os.nice(10)
    recover(Path(sys.argv[1]))
    prune(Path(sys.argv[1]), float(sys.argv[2]))
