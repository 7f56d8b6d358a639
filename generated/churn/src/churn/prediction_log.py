"""What was predicted, and what came true: a journal that requests never wait for.

A request puts its rows into a bounded queue; what does not fit is counted and dropped.  A thread appends what waits
as JSON lines to a segment of its own process, and syncs it to disk, several times in `SYNC_SECONDS`: a killed
process loses no more than that.  Full segments become Parquet (`segments.py`); what a killed process left does so when
the next one starts, or `monitor` runs, without its last line if that was torn (`retention.py`).
"""

from __future__ import annotations

import fcntl
import logging
import math
import os
import threading
import time
import uuid
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, Counter, Gauge
from pydantic import BaseModel
from pydantic_core import to_json

from . import retention
from .answers import Scores
from .api import REFUSALS, Refusal
from .schema import RowError, reasons
from .settings import PACKAGE, Settings
from .versions import Alone, Version

log = logging.getLogger(__name__)
WAITING, WAITING_SIZE = 50_000, 50_000_000  # entries, bytes
SYNC_SECONDS, LOOK_SECONDS = 1.0, 0.25
AT_ONCE = 1000  # lines that are written at once
SEGMENT_ROWS, SEGMENT_SIZE = 50_000, 50_000_000
SEGMENT_SECONDS = 3600.0


class Feedback(BaseModel):
    """What came true for a prediction."""

    prediction_id: str
    label: str | float | int | bool


class PredictionLog:
    """The journal of one process; its thread starts with the first entry.  `keep` is how many days entries stay."""

    def __init__(
        self,
        folder: Path,
        waiting: int = WAITING,
        metrics: CollectorRegistry | None = None,
        keep: float = math.inf,
    ) -> None:
        self.folder = folder
        self._keep = keep
        self.dropped = 0
        self._lost = Counter(
            f"{PACKAGE}_log_dropped",
            "Predictions that were answered but not logged",
            registry=metrics,
        )
        self._waits = Gauge(
            f"{PACKAGE}_log_waiting",
            "Predictions not on disk yet",
            registry=metrics,
            multiprocess_mode="livesum",
        )
        self._most = waiting
        self._queue: deque[str] = deque()
        self._size = 0  # of what is in the queue
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._tidier: threading.Thread | None = None
        self._stop = threading.Event()

    def put(self, entry: dict[str, Any]) -> bool:
        """Take an entry, or drop it where the disk does not keep up; never waits."""
        line = (
            to_json(
                {"when": datetime.now(UTC).isoformat(), **entry}, fallback=str
            ).decode()
            + "\n"
        )
        with self._lock:
            self._start()
            if len(self._queue) >= self._most or self._size + len(line) > WAITING_SIZE:
                self.dropped += 1
                self._lost.inc()
                return False
            self._size += len(line)
            self._queue.append(line)
        return True

    def predictions(
        self,
        rows: Sequence[Any],
        ids: Sequence[str],
        scores: Scores,
        version: Version | Alone,
    ) -> None:
        """Take the rows of one request with what was answered.

        Of a row only the columns that the version knows: whoever sends others must not fill the log with them.
        """
        known = version.module("schema").COLUMNS or version.info["baseline"]["columns"]
        versions = {
            "model_version": version.number,
            "feature_version": version.feature_version,
        }
        for row, key, value, probabilities in zip(
            rows, ids, scores.predictions, scores.probabilities, strict=True
        ):
            sent = {name: row[name] for name in known if name in row}
            entry = {
                "id": key,
                "row": sent,
                "prediction": value,
                "probabilities": probabilities,
            }
            self.put(entry | versions)

    def refusals(self, errors: Sequence[RowError], version: Version | Alone) -> None:
        """Take how many rows of one request were refused, and for how many of them each column was a reason."""
        rows = len({error.row for error in errors})
        self.put(
            {
                "refused": rows,
                "reasons": reasons(errors),
                "model_version": version.number,
            }
        )

    def waiting(self) -> int:
        """How many entries are not on disk yet."""
        return len(self._queue)

    def close(self) -> None:
        """Write what waits; the next entry starts the journal again."""
        with self._lock:
            thread, self._thread = self._thread, None
            self._stop.set()
        if thread is not None:
            thread.join(timeout=10)

    def _start(self) -> None:
        if self._thread is None or not self._thread.is_alive():
            self._stop = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(self._stop,), name="journal", daemon=True
            )
            self._thread.start()

    def _run(self, stop: threading.Event) -> None:
        while True:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                self._tidy()
                self._write_segments(stop)
                retention.apart(self.folder, self._keep)  # nothing waits any more
                return
            except OSError:  # a full disk: what waits stays in the queue, what comes then is dropped and counted
                log.exception("the predictions cannot be written to %s", self.folder)
                if stop.wait(SYNC_SECONDS):
                    return

    def _write_segments(self, stop: threading.Event) -> None:
        while not (stop.is_set() and not self._queue):
            first = self._next(stop)
            if not first:
                continue
            with self._segment() as file:
                self._fill(file, first, stop)
            self._tidy()

    def _tidy(self) -> None:
        """Have the other process started, and write on: what was acknowledged must be on disk within a second.

        What one that still runs does not see any more is for the next.
        """
        if self._tidier is None or not self._tidier.is_alive():
            self._tidier = threading.Thread(
                target=retention.apart,
                args=(self.folder, self._keep),
                name="tidier",
                daemon=True,
            )
            self._tidier.start()

    def _segment(self) -> IO[str]:
        """A new segment; while its lock is held, nobody else takes it for a leftover."""
        while True:
            path = (
                self.folder
                / f"{time.time_ns():020d}-{os.getpid()}-{uuid.uuid4().hex[:6]}.jsonl"
            )
            file = path.open("a", encoding="utf-8")
            fcntl.flock(file, fcntl.LOCK_EX)
            if path.exists():  # else somebody was faster than the lock
                return file
            file.close()

    def _fill(self, file: IO[str], first: list[str], stop: threading.Event) -> None:
        lines, begin, written, size = first, time.monotonic(), 0, 0
        while True:
            if lines:
                text = "".join(lines)
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                self._written(lines)
                written, size = written + len(lines), size + len(text)
            full = (
                written >= SEGMENT_ROWS
                or size >= SEGMENT_SIZE
                or time.monotonic() - begin > SEGMENT_SECONDS
            )
            if full or (not lines and stop.is_set()):
                return
            lines = self._next(stop)

    def _next(self, stop: threading.Event) -> list[str]:
        """The lines that wait, after a while.  No request wakes this thread: that would cost more than its line."""
        if len(self._queue) < AT_ONCE:
            stop.wait(LOOK_SECONDS)
        with self._lock:
            return list(islice(self._queue, AT_ONCE))

    def _written(self, lines: Sequence[str]) -> None:
        """Only what is on disk leaves the queue."""
        with self._lock:
            for line in lines:
                self._queue.popleft()
                self._size -= len(line)
        self._waits.set(len(self._queue))


def attach(
    app: FastAPI, settings: Settings, metrics: CollectorRegistry
) -> PredictionLog:
    """Give the service its journal, `POST /feedback`, and what Prometheus sees of both."""
    keep = retention.days_kept(settings)
    journal = PredictionLog(
        settings.artifacts / "predictions", metrics=metrics, keep=keep
    )
    app.state.journal = journal
    labels = Counter(f"{PACKAGE}_feedback", "Labels that came back", registry=metrics)

    refusals = {
        **REFUSALS,
        400: {"model": Refusal, "description": "The body is no text."},
        503: {
            "model": Refusal,
            "description": "The log does not keep up, or too many requests at a time.",
        },
    }

    @app.post("/feedback", status_code=202, responses=refusals)
    def feedback(given: Feedback) -> JSONResponse:
        """Tell what came true for a prediction; `monitor` reads it."""
        if not journal.put({"of": given.prediction_id, "label": given.label}):
            return JSONResponse(
                {"detail": "the log does not keep up; try again later"}, 503
            )
        labels.inc()
        return JSONResponse({"status": "accepted"}, 202)

    return journal
