"""What every request passes on its way to the service: API key, limits, time-out; and what is noted of it.

A service that takes everything answers nothing once it falls behind.  So a process holds no more than
`max_requests` at a time, bodies are read up to `max_body`, and a request gets an answer within
`request_seconds`: 503 (come back later), 413 or 504, never a queue that only grows.

Bodies with rows go from here straight to `scoring`: what a web framework does with a request costs as much as the
prediction.

With `CHURN_API_KEY` set, every path but the probes asks for it, `/metrics` and `/docs` too.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import os
import re
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from starlette.types import Message, Receive, Scope, Send

from .logs import note
from .settings import PACKAGE, Settings

log = logging.getLogger(__name__)
PROBES = ("/health", "/ready", "/ping")
REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# The answer to a body of this content type; what is to be noted of the request goes into the dict.
Scoring = Callable[[bytes, str, dict[str, Any]], Awaitable[Response]]


class Refused(Exception):
    """The request gets no further; the arguments are status and reason."""


class Gate:
    """The service as ASGI knows it: the application behind its limits."""

    def __init__(
        self,
        app: FastAPI,
        settings: Settings,
        metrics: Metrics,
        scoring: Mapping[str, Scoring],
        paths: set[str],
    ) -> None:
        self.app = app
        self.state = app.state
        self.settings = settings
        self.metrics = metrics
        self.scoring = scoring
        self.paths = paths
        self.held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begin, status = time.perf_counter(), 0
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = (
            given if REQUEST_ID.fullmatch(given) else secrets.token_hex(16).encode()
        )
        noted: dict[str, Any] = {}

        async def reply(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", request_id),
                ]
            await send(message)

        try:
            response = await self._pass(scope, headers, receive, reply, noted)
        except Exception:
            log.exception(
                "a request failed",
                extra={"fields": {"request_id": request_id.decode()}},
            )
            response = failed()
        # a reply that was begun cannot be taken back
        if response is not None and status == 0:
            await response(scope, receive, reply)
        self._note(scope, request_id, status, time.perf_counter() - begin, noted)

    async def _pass(
        self,
        scope: Scope,
        headers: dict[bytes, bytes],
        receive: Receive,
        reply: Send,
        noted: dict[str, Any],
    ) -> Response | None:
        """Let a request through, or say with what it is refused."""
        if scope["path"] not in PROBES and not self._knows_key(headers):
            return _refusal(401, "an API key is needed", {"www-authenticate": "Bearer"})
        if scope["method"] != "POST":
            await self.app(scope, receive, reply)
            return None
        if self.held >= self.settings.max_requests:
            return _refusal(
                503, "too many requests at a time; try again", {"retry-after": "1"}
            )
        self.held += 1
        limit = asyncio.timeout(self.settings.request_seconds)
        try:
            async with limit:
                body = await self._body(headers, receive)
                score = self.scoring.get(scope["path"])
                if score is None:
                    await self.app(scope, _once(body, receive), reply)
                else:
                    response = await score(
                        body, headers.get(b"content-type", b"").decode("latin-1"), noted
                    )
                    await response(scope, receive, reply)
        except Refused as refused:
            return _refusal(*refused.args)
        except TimeoutError:
            if not limit.expired():
                raise
            return _refusal(
                504, f"no answer within {self.settings.request_seconds:g} seconds"
            )
        finally:
            self.held -= 1
        return None

    def _knows_key(self, headers: dict[bytes, bytes]) -> bool:
        """Compared in a time that does not tell how much of it is right."""
        if not self.settings.api_key:
            return True
        scheme, _, key = headers.get(b"authorization", b"").partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(
            key, self.settings.api_key.encode()
        )

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        """The body, read no further than allowed, whatever its declared length is."""
        too_large = Refused(
            413, f"the body is longer than {self.settings.max_body} bytes"
        )
        if int(headers.get(b"content-length", b"0")) > self.settings.max_body:
            raise too_large
        body, more = bytearray(), True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refused(400, "the body ended early")
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > self.settings.max_body:
                raise too_large
        return bytes(body)

    def _note(
        self,
        scope: Scope,
        request_id: bytes,
        status: int,
        seconds: float,
        noted: dict[str, Any],
    ) -> None:
        path = scope["path"] if scope["path"] in self.paths else "other"
        self.metrics.note(path, status, seconds)
        if status < 400 and path in (*PROBES, "/metrics"):
            return
        fields = {
            "request_id": request_id.decode(),
            "method": scope["method"],
            "path": scope["path"],
        }
        note(
            log,
            "request",
            {**fields, "status": status, "ms": round(seconds * 1000, 3), **noted},
        )


def failed(*_: Any) -> Response:
    """The answer where the code failed."""
    return _refusal(500, "internal error; the log has it under this request's id")


def _once(body: bytes, receive: Receive) -> Receive:
    """A body that was read already, given to the application."""
    waiting = [body]

    async def replay() -> Message:
        if waiting:
            return {"type": "http.request", "body": waiting.pop(), "more_body": False}
        return await receive()

    return replay


def _refusal(
    status: int, why: str, headers: dict[str, str] | None = None
) -> JSONResponse:
    return JSONResponse({"detail": why}, status, headers)


class Metrics:
    """What Prometheus sees; of all processes where `serve --workers` runs several, and of what `monitor` last found."""

    def __init__(self, monitored: Path) -> None:
        self._monitored = monitored
        self.registry = CollectorRegistry()
        made: dict[str, Any] = {"registry": self.registry}
        self.requests = Counter(
            f"{PACKAGE}_requests", "Requests", ["path", "status"], **made
        )
        self.seconds = Histogram(
            f"{PACKAGE}_request_seconds", "Time to answer", ["path"], **made
        )
        rows = Counter(f"{PACKAGE}_rows", "Rows by outcome", ["outcome"], **made)
        self.scored, self.rejected = rows.labels("scored"), rows.labels("rejected")
        self.version = Gauge(
            f"{PACKAGE}_model_version",
            "The version that serves, 0 for none",
            multiprocess_mode="liveall",
            **made,
        )

        # By path and status: to look them up costs more than to count.
        self._counts: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def note(self, path: str, status: int, seconds: float) -> None:
        """Count a request."""
        if (path, status) not in self._counts:
            self._counts[path, status] = (
                self.requests.labels(path, str(status)),
                self.seconds.labels(path),
            )
        count, histogram = self._counts[path, status]
        count.inc()
        histogram.observe(seconds)

    def text(self) -> bytes:
        try:
            return self._own() + self._monitored.read_bytes()
        except FileNotFoundError:  # it never ran here
            return self._own()

    def _own(self) -> bytes:
        folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
        if not folder:
            return generate_latest(self.registry)
        for path in Path(folder).glob("gauge_live*_*.db"):
            process = int(path.stem.rpartition("_")[2])
            # it was killed, and the next one has another number
            if not _alive(process):
                multiprocess.mark_process_dead(process, folder)  # type: ignore[no-untyped-call]
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together, folder)  # type: ignore[no-untyped-call]
        return generate_latest(together)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
