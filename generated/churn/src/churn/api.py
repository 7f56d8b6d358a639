"""What goes into the service and what comes out, for the code and for OpenAPI (`/docs`)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from .schema import Row
from .settings import Settings
from .versions import Alone, Version


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


class Refusal(BaseModel):
    """Why a request was not looked at."""

    detail: str


def answer(
    ids: list[str],
    predictions: list[Any],
    probabilities: list[Any],
    flags: list[list[str]],
    version: Version | Alone,
) -> dict[str, Any]:
    """`Predictions` as JSON; checking it against its own model would cost more than making it."""
    answers = []
    for key, value, odds, raised in zip(
        ids, predictions, probabilities, flags, strict=True
    ):
        one: dict[str, Any] = {
            "prediction_id": key,
            "prediction": value,
            "flags": raised,
        }
        if odds is not None:
            one["probabilities"] = odds
        answers.append(one)
    return {
        "predictions": answers,
        "model_version": version.number,
        "feature_version": version.feature_version,
    }


async def invalid(request: Request, error: Exception) -> Response:
    """FastAPI's own answer repeats what was sent, which may be nothing that JSON can hold."""
    found = error.errors() if isinstance(error, RequestValidationError) else []
    problems = [
        {"loc": one["loc"], "msg": one["msg"], "type": one["type"]} for one in found
    ]
    return Response(
        json.dumps({"detail": problems}), 422, media_type="application/json"
    )


def _body() -> dict[str, Any]:
    row = Row.model_json_schema()
    rows = {"type": "array", "items": row}
    wrapped = {"type": "object", "properties": {"rows": rows}, "required": ["rows"]}
    return {
        "application/json": {"schema": {"anyOf": [row, rows, wrapped]}},
        "text/csv": {
            "schema": {
                "type": "string",
                "description": "Lines with a header, as the notebook reads its own files.",
            }
        },
    }


REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": Refusal, "description": "The API key is missing or wrong."},
    413: {
        "model": Refusal,
        "description": "The body or the number of rows is too large.",
    },
    503: {
        "model": Refusal,
        "description": "No version is loaded yet, or too many requests at a time.",
    },
    504: {"model": Refusal, "description": "No answer in time."},
}
NOT_READY: dict[int | str, dict[str, Any]] = {
    503: {"description": "No version is loaded yet."}
}
# How the routes that score rows are described.
SCORING: dict[str, Any] = {
    "response_model": Predictions,
    "responses": {
        422: {"model": Problems, "description": "Rows that cannot be scored."},
        **REFUSALS,
    },
    "openapi_extra": {"requestBody": {"required": True, "content": _body()}},
}


def document(
    app: FastAPI, settings: Settings, serving: Callable[[], Version | Alone | None]
) -> None:
    """Give OpenAPI the API key, and examples: rows that the serving version was trained with, and its answer."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        described = plain()
        if settings.api_key:
            schemes = described.setdefault("components", {}).setdefault(
                "securitySchemes", {}
            )
            schemes["key"] = {"type": "http", "scheme": "bearer"}
            described["security"] = [{"key": []}]
        version = serving()
        if version is not None:
            for path in ("/predict", "/invocations"):
                _add_examples(described["paths"][path]["post"], version)
        return described

    app.openapi = openapi  # type: ignore[method-assign]


def _add_examples(route: dict[str, Any], version: Version | Alone) -> None:
    import pandas as pd  # here, not where a service starts

    from .infer import READ_CSV

    example = version.info["example"]
    rows, predictions = example["rows"][:2], example["predictions"][:2]
    content = route["requestBody"]["content"]
    content["application/json"]["examples"] = {
        "one row": {"value": rows[0]},
        "rows": {"value": rows},
        "rows in an object": {"value": {"rows": rows}},
    }
    if not READ_CSV:  # else the notebook's files have a form of their own
        content["text/csv"]["examples"] = {
            "rows": {"value": pd.DataFrame(rows).to_csv(index=False)}
        }
    nothing: list[list[str]] = [[] for _ in rows]
    found = answer(
        ["0" * 32] * len(rows), predictions, [None] * len(rows), nothing, version
    )
    route["responses"]["200"]["content"]["application/json"]["examples"] = {
        "rows": {"value": found}
    }
