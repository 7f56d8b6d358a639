"""The HTTP service: predictions of the champion, which is replaced while the service runs."""

from __future__ import annotations

import io
import json
import logging
import threading
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from pydantic import BaseModel

from . import prediction_log, registry, versions
from .infer import Scores, read_rows, score
from .schema import Row, RowError
from .settings import Settings, load_settings
from .versions import Version

log = logging.getLogger(__name__)


class Prediction(BaseModel):
    """The answer for one row."""

    prediction_id: str
    prediction: Any
    probabilities: dict[str, float] | None = None
    flags: list[str] = []


class Predictions(BaseModel):
    """The answer to a request: one prediction for each row, in order."""

    predictions: list[Prediction]
    model_version: str
    feature_version: str


class Problem(BaseModel):
    """What is wrong with a row."""

    row: int | None
    column: str | None
    code: str
    message: str


class Problems(BaseModel):
    """Why a request was refused."""

    errors: list[Problem]


class Champion:
    """The version that serves.  A thread looks for a moved alias and swaps in the new version when it is warm."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.version: Version | None = None
        self.lock = (
            threading.Lock()
        )  # the notebook's code was never meant to run twice at a time
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._watch, name="champion", daemon=True
        )

    def start(self) -> None:
        self.refresh()
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(timeout=5)

    def refresh(self) -> bool:
        """Load the champion if it is another version than the one that serves; tells whether it was."""
        try:
            number = registry.champion(self.settings)
            if number is None or (
                self.version is not None and self.version.number == number
            ):
                return False
            version = registry.load(self.settings, number)
            with self.lock:
                versions.rescore(version)
            self.version = version
            log.info("version %s serves", number)
            return True
        except (
            Exception
        ):  # the registry may be away for a while: what serves goes on serving
            log.exception("cannot load the champion")
            return False

    def _watch(self) -> None:
        while not self._stop.wait(self.settings.poll_seconds):
            self.refresh()

    def score(self, rows: list[Any]) -> tuple[Version, Scores]:
        version = self.version
        if version is None:
            raise LookupError("no version is loaded yet")
        with self.lock:
            return version, score(rows, version)


class BadRequest(Exception):
    """The request does not hold rows."""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application; `uvicorn --factory churn.serve:create_app` runs it as well."""
    champion = Champion(settings or load_settings())
    metrics = Metrics(champion)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(champion.start)
        yield
        await run_in_threadpool(champion.stop)
        await run_in_threadpool(journal.close)

    app = FastAPI(title="churn", version="1", lifespan=lifespan)
    app.state.champion = champion
    journal = prediction_log.attach(app, champion.settings, metrics.registry)
    app.middleware("http")(metrics.measure)
    described: dict[str, Any] = {
        "response_model": Predictions,
        "response_model_exclude_none": False,
        "responses": {
            422: {"model": Problems},
            503: {"description": "No version is loaded yet."},
        },
        "openapi_extra": {
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _body()}},
            }
        },
    }

    @app.post("/predict", **described)
    async def predict(request: Request) -> Response:
        """Score one row, a list of rows, or {"rows": [...]}."""
        return await _answer(request, champion, metrics)

    @app.post("/invocations", **described)
    async def invocations(request: Request) -> Response:
        """The same for SageMaker, which may send CSV as well."""
        return await _answer(request, champion, metrics)

    @app.get("/health")
    def health() -> dict[str, str]:
        """The process is alive."""
        return {"status": "ok"}

    @app.get("/ready")
    def ready() -> Response:
        """A version is loaded and has scored its example."""
        version = champion.version
        if version is None:
            return JSONResponse({"status": "no version is loaded yet"}, 503)
        return JSONResponse({"status": "ready", "model_version": version.number})

    @app.get("/ping")
    def ping() -> Response:
        """`/ready` for SageMaker."""
        return ready()

    @app.get("/metrics")
    def prometheus() -> Response:
        """Counters and latencies for Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return app


class Metrics:
    """What Prometheus sees."""

    def __init__(self, champion: Champion) -> None:
        self.registry = CollectorRegistry()
        prefix = "churn"
        self.requests = Counter(
            f"{prefix}_requests", "Requests", ["path", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            f"{prefix}_request_seconds",
            "Time to answer",
            ["path"],
            registry=self.registry,
        )
        self.rows = Counter(
            f"{prefix}_rows", "Rows by outcome", ["outcome"], registry=self.registry
        )
        version = Gauge(
            f"{prefix}_model_version",
            "The version that serves, 0 for none",
            registry=self.registry,
        )
        version.set_function(
            lambda: float(champion.version.number) if champion.version else 0.0
        )

    async def measure(
        self, request: Request, call: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        begin, status = time.perf_counter(), 500
        try:
            response = await call(request)
            status = response.status_code
            return response
        finally:
            route = request.scope.get("route")
            path = route.path if route is not None else "other"
            self.requests.labels(path, str(status)).inc()
            self.seconds.labels(path).observe(time.perf_counter() - begin)

    def text(self) -> bytes:
        return generate_latest(self.registry)


def _body() -> dict[str, Any]:
    row = Row.model_json_schema()
    rows = {"type": "array", "items": row}
    wrapped = {"type": "object", "properties": {"rows": rows}, "required": ["rows"]}
    return {"oneOf": [row, rows, wrapped]}


async def _answer(request: Request, champion: Champion, metrics: Metrics) -> Response:
    try:
        rows = _rows(await request.body(), request.headers.get("content-type", ""))
        version, scores = await run_in_threadpool(champion.score, rows)
    except BadRequest as error:
        return _refused([RowError(None, None, "not_rows", str(error))])
    except LookupError as error:
        return JSONResponse({"detail": str(error)}, 503)
    if scores.errors:
        metrics.rows.labels("rejected").inc(len({error.row for error in scores.errors}))
        return _refused(scores.errors)
    metrics.rows.labels("scored").inc(len(rows))
    answers = []
    for value, probabilities, flags in zip(
        scores.predictions, scores.probabilities, scores.flags, strict=True
    ):
        answer: dict[str, Any] = {
            "prediction_id": uuid.uuid4().hex,
            "prediction": value,
            "flags": flags,
        }
        if probabilities is not None:
            answer["probabilities"] = probabilities
        answers.append(answer)
    request.app.state.journal.predictions(
        rows, [one["prediction_id"] for one in answers], scores, version
    )
    return JSONResponse(
        {
            "predictions": answers,
            "model_version": version.number,
            "feature_version": version.feature_version,
        }
    )


def _rows(body: bytes, content_type: str) -> list[Any]:
    """The rows of a request."""
    try:
        if content_type.startswith("text/csv"):
            rows: list[Any] = read_rows(io.BytesIO(body)).to_dict("records")
            return rows
        sent = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequest(f"the body cannot be read: {error}") from error
    if isinstance(sent, dict):
        sent = sent["rows"] if isinstance(sent.get("rows"), list) else [sent]
    if not isinstance(sent, list):
        raise BadRequest(
            "the body must be a row, a list of rows, or an object with `rows`"
        )
    return sent


def _refused(errors: list[RowError]) -> Response:
    return JSONResponse({"errors": [error.to_dict() for error in errors]}, 422)
