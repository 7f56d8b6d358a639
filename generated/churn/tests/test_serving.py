"""The HTTP service."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from churn import registry
from churn.checks import same_values
from churn.infer import score
from churn.schema import COLUMNS
from churn.serve import create_app
from churn.settings import Settings
from churn.train import Result
from churn.versions import Version


@pytest.fixture(scope="module")
def client(settings: Settings, trained: Result) -> Iterator[TestClient]:
    with TestClient(create_app(settings)) as client:
        yield client


def test_the_service_answers_as_the_batch_does(
    client: TestClient, version: Version, rows: list[dict[str, Any]]
) -> None:
    expected = score(rows, version)
    for body in (rows, {"rows": rows}):
        answer = client.post("/predict", json=body).json()
        assert same_values(
            [one["prediction"] for one in answer["predictions"]], expected.predictions
        )
        assert answer["model_version"] == version.number
        assert answer["feature_version"] == version.feature_version
        assert len({one["prediction_id"] for one in answer["predictions"]}) == len(rows)
    for at, row in enumerate(rows):
        (one,) = client.post("/predict", json=row).json()["predictions"]
        assert same_values([one["prediction"]], [expected.predictions[at]])
        assert one["flags"] == expected.flags[at]


def test_a_bad_row_is_refused_with_its_column(
    client: TestClient, rows: list[dict[str, Any]]
) -> None:
    bad = {name: value for name, value in rows[0].items() if name != COLUMNS[0]}
    answer = client.post("/predict", json=[rows[0], bad])
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["row"], error["column"], error["code"]) == (
        1,
        COLUMNS[0],
        "missing_column",
    )
    assert error["message"]


@pytest.mark.parametrize("body", ["", "{", "1", "null", '"row"'])
def test_what_is_no_row_is_refused(client: TestClient, body: str) -> None:
    answer = client.post("/predict", content=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["message"]


def test_health_metrics_and_documentation(client: TestClient) -> None:
    for path in ("/health", "/ready", "/ping", "/docs"):
        assert client.get(path).status_code == 200
    assert "churn_requests_total" in client.get("/metrics").text
    documented = json.dumps(client.get("/openapi.json").json())
    assert all(json.dumps(column) in documented for column in COLUMNS)


def test_sagemaker_routes(client: TestClient, rows: list[dict[str, Any]]) -> None:
    assert client.post("/invocations", json=rows[0]).status_code == 200


def test_not_ready_without_a_champion(
    settings: Settings, trained: Result, rows: list[dict[str, Any]]
) -> None:
    from dataclasses import replace

    with TestClient(create_app(replace(settings, model_name="another"))) as client:
        assert client.get("/health").status_code == 200
        assert client.get("/ready").status_code == 503
        assert client.post("/predict", json=rows[0]).status_code == 503


def test_a_moved_alias_is_picked_up(
    client: TestClient,
    settings: Settings,
    second: str,
    restored: None,
    rows: list[dict[str, Any]],
) -> None:
    registry.promote(settings, second)
    assert client.app.state.champion.refresh()  # type: ignore[attr-defined]
    assert client.post("/predict", json=rows[0]).json()["model_version"] == second
