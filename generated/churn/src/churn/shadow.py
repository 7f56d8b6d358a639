"""A sample of the rows that were answered without pandas is computed again with it, after the answer has left.

Where both differ the row path of that version is switched off: training proved it, but not on this row.  Pandas takes
for a row not much less than for a hundred, so the rows of some seconds are computed together.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from prometheus_client import CollectorRegistry, Counter

from .answers import Answer, Scores
from .versions import Alone, Version

log = logging.getLogger(__name__)

EVERY = 1000  # one in so many rows
PAUSE = 10.0  # seconds from one check to the next

# A raw row, what was answered, and by which version.
Held = tuple[Any, Answer, Version | Alone]


class Shadow:
    """Counts rows, and checks one in `EVERY`."""

    def __init__(self, registry: CollectorRegistry, turn: threading.Lock) -> None:
        self.turn = turn
        # Not the thread that scores: the first check imports pandas, for which no request is to wait.
        self.thread = ThreadPoolExecutor(1, "shadow")
        self.seen = 0
        self.held: list[Held] = []
        self.due = 0.0
        name = "churn"
        rows = Counter(
            f"{name}_rows_computed",
            "Rows by what computed them",
            ["by"],
            registry=registry,
        )
        self.alone, self.pandas = rows.labels("row path"), rows.labels("pandas")
        self.checks = Counter(
            f"{name}_shadow_checks",
            "Rows computed again with pandas",
            ["outcome"],
            registry=registry,
        )
        for outcome in ("same", "different"):
            self.checks.labels(outcome)

    def saw(self, rows: list[Any], scores: Scores, version: Version | Alone) -> None:
        """Note an answer."""
        # versions of earlier code know no row path
        if not getattr(scores, "alone", False):
            self.pandas.inc(len(rows))
            return
        self.alone.inc(len(rows))
        due = EVERY - 1 - self.seen % EVERY
        self.seen += len(rows)
        if due >= len(rows):
            return
        self.held.append(
            (rows[due], (scores.predictions[due], scores.probabilities[due]), version)
        )
        now = time.monotonic()
        if now >= self.due:
            self.due, held = now + PAUSE, self.held
            self.held = []
            self.thread.submit(self.check, held)

    def check(self, held: Sequence[Held]) -> None:
        """Compute rows again with pandas; switch a row path off where it gave something else."""
        try:
            for version in {id(one): one for _, _, one in held}.values():
                self._check(
                    [(row, found) for row, found, by in held if by is version], version
                )
        except Exception:  # nobody waits for the outcome
            log.exception("rows could not be computed again with pandas")

    def _check(
        self, held: Sequence[tuple[Any, Answer]], version: Version | Alone
    ) -> None:
        whole = version.whole  # before it is anybody's turn: it may take seconds
        score = whole.module("infer").score
        with self.turn:
            again = score([row for row, _ in held], whole, alone=False)
        for at, (row, found) in enumerate(held):
            different = _difference(found, again, at, whole)
            if different:  # as the proof does: what counts is the row by itself
                with self.turn:
                    different = _difference(
                        found, score([row], whole, alone=False), 0, whole
                    )
            self.checks.labels("different" if different else "same").inc()
            if different:
                version.row.off = different
                log.error(
                    "version %s: single rows are answered by pandas from now on: %s",
                    version.number,
                    different,
                )


def _difference(found: Answer, again: Scores, at: int, whole: Version) -> str:
    """What pandas says of the row at this place, if that is not what was answered."""
    expected = again.predictions[at], again.probabilities[at]
    errors = [error for error in again.errors if error.row == at]
    if not errors and whole.module("rows").same_answer(found, expected):
        return ""
    return f"a row gave {found} and with pandas {errors or expected}"
