"""A sample of the rows that were answered without pandas is computed again with it, after the answer has left.

Where both differ the row path of that version is switched off: training proved it, but not on this row.
"""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Executor
from typing import Any

from prometheus_client import CollectorRegistry, Counter

from .answers import Scores
from .versions import Alone, Version

log = logging.getLogger(__name__)

EVERY = 1000  # one in so many rows


class Shadow:
    """Counts single rows, and checks one in `EVERY` in the thread that scores."""

    def __init__(
        self, registry: CollectorRegistry, scorer: Executor, turn: threading.Lock
    ) -> None:
        self.scorer, self.turn = scorer, turn
        self.seen = 0
        name = "churn"
        rows = Counter(
            f"{name}_single_rows",
            "Single rows by what computed them",
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
        if len(rows) != 1:
            return
        # versions of earlier code know no row path
        alone = getattr(scores, "alone", False)
        (self.alone if alone else self.pandas).inc()
        if alone:
            self.seen += 1
            if self.seen % EVERY == 0:
                self.scorer.submit(self.check, rows, scores, version)

    def check(self, rows: list[Any], scores: Scores, version: Version | Alone) -> None:
        """Compute a row again with pandas; switch the row path off where it gives something else."""
        whole = version.whole  # before it is anybody's turn: it may take seconds
        infer, same = whole.module("infer"), whole.module("rows").same_answer
        with self.turn:
            again = infer.score(rows, whole, alone=False)
        found = scores.predictions[0], scores.probabilities[0]
        if not again.errors and same(
            found, (again.predictions[0], again.probabilities[0])
        ):
            self.checks.labels("same").inc()
            return
        self.checks.labels("different").inc()
        version.row.off = (
            f"a row gave {found} and with pandas {again.predictions or again.errors}"
        )
        log.error(
            "version %s: single rows are answered by pandas from now on: %s",
            version.number,
            version.row.off,
        )
