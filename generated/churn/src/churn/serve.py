"""The HTTP service: predictions of the champion, which is replaced while the service runs.

`gate.py` stands before it with the limits, `api.py` says what goes in and comes out.
"""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import math
import secrets
import sys
import threading
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from fastapi import FastAPI, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic_core import from_json, to_json

from . import api, bundle, prediction_log, registry, versions
from .answers import Scores
from .gate import Gate, Metrics, Refused, failed
from .prediction_log import PredictionLog
from .schema import COLUMNS, RowError
from .settings import Settings, load_settings
from .shadow import Shadow
from .versions import Alone, Version

log = logging.getLogger(__name__)

CELLS = max(2_000, 3 * len(COLUMNS))  # in a line of CSV
# Seconds that a thread which scores with pandas may keep others from a request; Python's own are ten times as many.
SWITCH = 0.0005

SMALL = 20_000  # bytes of a body that is read at once
QUICK = (
    0.002  # seconds of CPU that a request's rows may take without a thread of their own
)
PASSES = 5  # over the rows of the example, to find out


class Champion:
    """The version that serves.  A thread looks for a moved alias and swaps in the new version when it is warm.

    A request takes the version once and uses no other, so no answer is of two versions.
    """

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self.settings = settings
        self.metrics = metrics
        self.version: Version | Alone | None = None
        self.newest: Any = None
        if settings.entity:
            from .entities import (
                Newest,  # with pandas, which a service for single rows may do without
            )

            self.newest = Newest(settings)
        self.source: Any = bundle if settings.bundle else registry
        # One thread scores: the notebook's code was never meant to run twice at a time.
        self.scorer = ThreadPoolExecutor(1, "scorer")
        # What is answered or checked without that thread is not run beside it either.
        self.turn = threading.Lock()
        # The version, where its row path needs no thread for so many rows.
        self.quick: Version | Alone | None = None
        self.at_once = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._watch, name="champion", daemon=True
        )

    def start(self) -> None:
        self.refresh()
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self.scorer.shutdown()
        self._thread.join(timeout=5)

    def refresh(self) -> bool:
        """Load the champion if it is another version than the one that serves; tells whether it was."""
        try:
            if self.newest is not None:
                self.newest.refresh()
            number = self.source.champion(self.settings)
            if number is None or (
                self.version is not None and self.version.number == number
            ):
                return False
            version = self.source.serving(self.settings, number)
            # Warm before it is asked; meanwhile the version before it answers.
            versions.rescore(version)
            at_once = _rows_at_once(version)
            self.quick, self.version, self.at_once = None, version, at_once
            self.quick = version if at_once else None
            self.metrics.version.set(float(number))
            log.info("version %s serves", number)
            return True
        except Exception:
            # the registry may be away for a while: what serves goes on serving
            log.exception("cannot load the champion")
            return False

    def _watch(self) -> None:
        while not self._stop.wait(self.settings.poll_seconds):
            self.refresh()

    def score(self, rows: list[Any]) -> tuple[Version | Alone, Scores]:
        version = self.version
        if version is None:
            raise Refused(503, "no version is loaded yet")
        with self.turn:
            scores = _one_by_one(rows, version)
        if scores is not None:
            return version, scores
        whole = version.whole  # before it is anybody's turn: it may take seconds
        infer = whole.module("infer")  # the code that warmed up, not this package's
        with self.turn:
            return version, infer.score(rows, whole)

    def score_quickly(self, rows: list[Any]) -> tuple[Version | Alone, Scores] | None:
        """The same for few rows, where that takes microseconds and nobody else's turn it is."""
        version = self.quick
        if (
            version is None
            or len(rows) > self.at_once
            or not self.turn.acquire(blocking=False)
        ):
            return None
        try:
            scores = _one_by_one(rows, version)
        finally:
            self.turn.release()
        return None if scores is None else (version, scores)


def _one_by_one(rows: list[Any], version: Version | Alone) -> Scores | None:
    """The scores of rows without pandas; None where only pandas can, or where training found it faster for so many."""
    if version.row is None or len(rows) > version.info["row_path"].get("until", 1):
        return None
    alone, found = version.module("answers").score_alone, []
    for row in rows:
        scores = alone(row, version)
        if scores is None:
            return None
        found.append(scores)
    return found[0] if len(found) == 1 else _together(found)


def _together(found: list[Scores]) -> Scores:
    errors = [
        replace(error, row=at) for at, one in enumerate(found) for error in one.errors
    ]
    predictions, probabilities = (
        [one.predictions[0] for one in found],
        [one.probabilities[0] for one in found],
    )
    return Scores(
        predictions, probabilities, [one.flags[0] for one in found], errors, alone=True
    )


def _rows_at_once(version: Version | Alone) -> int:
    """How many rows the row path of a version, if it has one, answers in a time that is worth no change of threads.

    The best of some passes counts: the first is slow whatever the row path is, and so is any on a busy machine.
    """
    if version.row is None:
        return 0
    alone, rows, least = (
        version.module("answers").score_alone,
        version.info["example"]["rows"],
        math.inf,
    )
    for _ in range(PASSES):
        begin = time.thread_time()
        found = [alone(row, version) for row in rows]
        if None in found:
            return 0
        least = min(least, time.thread_time() - begin)
    return int(QUICK * len(rows) / least)


def create_app(settings: Settings | None = None) -> Gate:
    """The application; `uvicorn --factory churn.serve:create_app` runs it as well."""
    settings = settings or load_settings()
    metrics = Metrics(settings.artifacts / "monitor" / "metrics.prom")
    champion = Champion(settings, metrics)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        sys.setswitchinterval(SWITCH)
        gc.disable()  # nothing of what a start imports is garbage, and to look for some takes a quarter of it
        try:
            await run_in_threadpool(champion.start)
        finally:
            gc.freeze()
            gc.enable()
        yield
        await run_in_threadpool(champion.stop)
        await run_in_threadpool(journal.close)

    app = FastAPI(title="churn", version="1", lifespan=lifespan)
    app.state.champion = champion
    journal = prediction_log.attach(app, settings, metrics.registry)
    scoring = dict.fromkeys(
        ("/predict", "/invocations"), Scoring(champion, metrics, journal)
    )

    # The gate answers these two; here they are described.
    @app.post("/predict", **api.SCORING)
    def predict() -> None:
        """Score one row, a list of rows, or {"rows": [...]}."""

    @app.post("/invocations", **api.SCORING)
    def invocations() -> None:
        """The same under SageMaker's name."""

    app.add_exception_handler(RequestValidationError, api.invalid)
    app.add_exception_handler(Exception, failed)

    @app.get("/health")
    async def health() -> dict[str, str]:
        """The process is alive."""
        return {"status": "ok"}

    @app.get("/ready", responses=api.NOT_READY)
    async def ready() -> Response:
        """A version is loaded and has scored its example."""
        version = champion.version
        if version is None:
            return JSONResponse({"status": "no version is loaded yet"}, 503)
        return JSONResponse({"status": "ready", "model_version": version.number})

    @app.get("/ping", responses=api.NOT_READY)
    async def ping() -> Response:
        """`/ready` under SageMaker's name."""
        return await ready()

    @app.get("/metrics", response_class=PlainTextResponse)
    def prometheus() -> Response:
        """Counters, latencies and the last findings of `monitor` for Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    api.document(app, settings, lambda: champion.version)
    paths = {getattr(route, "path", "") for route in app.routes}
    # around it, not one of its middlewares: what it does before those it would do for every row
    return Gate(app, settings, metrics, scoring, paths)


class Scoring:
    """The answers to bodies with rows."""

    def __init__(
        self, champion: Champion, metrics: Metrics, journal: PredictionLog
    ) -> None:
        self.champion, self.metrics, self.journal = champion, metrics, journal
        self.shadow = Shadow(metrics.registry, champion.turn)

    async def __call__(self, body: bytes, kind: str, noted: dict[str, Any]) -> Response:
        """Worked out in the scoring thread unless it takes less than a change of threads."""
        rows: list[Any] | None = None
        try:
            if len(body) <= SMALL and not kind.startswith("text/csv"):
                rows = _rows(body, kind, self.champion)
                found = self.champion.score_quickly(rows)
                if found is not None:
                    return self._answer(noted, rows, *found)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(
                self.champion.scorer, self._score, body, kind, noted, rows
            )
        except Rejected as rejected:
            return _rejected(*rejected.args)
        except Refused as refused:
            status, why = refused.args
            return JSONResponse({"detail": why}, status)

    def _score(
        self, body: bytes, kind: str, noted: dict[str, Any], rows: list[Any] | None
    ) -> Response:
        """The answer to a body, of which the rows may have been read already."""
        rows = _rows(body, kind, self.champion) if rows is None else rows
        return self._answer(noted, rows, *self.champion.score(rows))

    def _answer(
        self,
        noted: dict[str, Any],
        rows: list[Any],
        version: Version | Alone,
        scores: Scores,
    ) -> Response:
        """The response for scored rows; what was answered is counted and logged."""
        noted |= {"rows": len(rows), "model_version": version.number}
        if scores.errors:
            self.metrics.rejected.inc(len({error.row for error in scores.errors}))
            self.journal.refusals(scores.errors, version)
            return _rejected(scores.errors)
        ids = [secrets.token_hex(16) for _ in rows]
        try:
            answer = api.answer(
                ids, scores.predictions, scores.probabilities, scores.flags, version
            )
            response = Response(_encoded(answer), media_type="application/json")
        except ValueError:
            return _rejected(
                [
                    RowError(
                        None,
                        None,
                        "not_finite",
                        "the model's answer is no finite number",
                    )
                ]
            )
        self.metrics.scored.inc(len(rows))
        self.journal.predictions(rows, ids, scores, version)
        self.shadow.saw(rows, scores, version)
        return response


def _encoded(answer: dict[str, Any]) -> bytes:
    """JSON, or ValueError where a number has none."""
    text = to_json(answer)
    if b"NaN" in text or b"Infinity" in text:  # in a text they may stand
        json.dumps(answer, allow_nan=False)
    return text


class Rejected(Exception):
    """The rows are none that can be scored; the argument says what is wrong with them."""


def _rows(body: bytes, kind: str, champion: Champion) -> list[Any]:
    """The rows of a request; for one that is nothing but an entity's key, the newest row of that entity."""
    settings = champion.settings
    try:
        sent = _parsed(body, kind, settings.max_rows)
    except (ValueError, OverflowError, RecursionError) as error:
        raise Rejected(
            [RowError(None, None, "not_rows", f"the body cannot be read: {error}")]
        ) from error
    if champion.newest is None:
        return sent
    filled: tuple[list[Any], list[int]] = champion.newest.filled(sent)
    rows, unknown = filled
    if unknown:
        why = "has no row of which features are known"
        raise Rejected(
            [RowError(at, settings.entity, "unknown_entity", why) for at in unknown]
        )
    return rows


def _parsed(body: bytes, kind: str, most: int) -> list[Any]:
    if kind.startswith("text/csv"):
        _require_narrow(body)
        from .infer import read_rows

        frame = read_rows(io.BytesIO(body))
        _require_few(len(frame), most)
        rows: list[Any] = frame.to_dict("records")
        return rows
    sent = from_json(body)
    if isinstance(sent, dict):
        sent = sent["rows"] if isinstance(sent.get("rows"), list) else [sent]
    if isinstance(sent, list):
        _require_few(len(sent), most)
        return sent
    raise ValueError("it must be a row, a list of rows, or an object with `rows`")


def _require_narrow(body: bytes) -> None:
    """A column costs pandas a part of a millisecond, whatever it holds, and a small body has room for a million."""
    from .infer import READ_CSV

    separator = str(READ_CSV.get("sep") or READ_CSV.get("delimiter") or ",").encode()
    marks = [separator] if len(separator) == 1 else [b",", b";", b"|", b"\t", b" "]
    if any(sum(map(line.count, marks)) > CELLS for line in body.splitlines()):
        raise Refused(413, f"a line has more than {CELLS} values")


def _require_few(count: int, most: int) -> None:
    if count > most:
        raise Refused(
            413, f"{count} rows are more than the {most} that a request may have"
        )


def _rejected(errors: list[RowError]) -> Response:
    return JSONResponse({"errors": [error.to_dict() for error in errors]}, 422)
