"""The HTTP service."""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from churn import bundle, registry
from churn.answers import same_values
from churn.infer import READ_CSV, score
from churn.schema import COLUMNS
from churn.serve import _encoded, create_app
from churn.settings import Settings
from churn.train import Result
from churn.versions import Version


@pytest.fixture(scope="module")
def client(settings: Settings, trained: Result) -> Iterator[TestClient]:
    with TestClient(create_app(settings)) as client:
        yield client


def gate(client: TestClient) -> Any:
    """The application; to the client it is any of ASGI's."""
    return client.app


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


@pytest.mark.skipif(
    not COLUMNS, reason="the notebook was not run: no column is known to be needed"
)
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


def test_an_answer_that_is_no_finite_number_is_none() -> None:
    assert _encoded({"prediction": "NaN"}) == b'{"prediction":"NaN"}'
    for value in (math.nan, -math.inf):
        with pytest.raises(ValueError):
            _encoded({"probabilities": {"Infinity": value}})


def test_health_metrics_and_documentation(client: TestClient) -> None:
    for path in ("/health", "/ready", "/ping", "/docs"):
        assert client.get(path).status_code == 200
    assert "churn_requests_total" in client.get("/metrics").text
    documented = json.dumps(client.get("/openapi.json").json())
    assert all(json.dumps(column) in documented for column in COLUMNS)


def test_sagemaker_routes(client: TestClient, rows: list[dict[str, Any]]) -> None:
    assert client.post("/invocations", json=rows[0]).status_code == 200


@pytest.mark.parametrize(
    "value", ["\ud800", 10**400, float("nan"), float("inf"), [], {"a": [None]}]
)
def test_values_that_no_column_has_are_no_fault_of_ours(
    client: TestClient, rows: list[dict[str, Any]], value: Any
) -> None:
    for column in [*COLUMNS, "another"]:
        text = json.dumps({**rows[0], column: value})
        assert client.post("/predict", content=text).status_code in (200, 422)
    told = json.dumps({"prediction_id": "1", "label": value})
    assert client.post("/feedback", content=told).status_code in (202, 422)
    assert client.post("/feedback", content=b"\xff").status_code in (400, 422)


def test_limits_of_a_request(
    settings: Settings, trained: Result, rows: list[dict[str, Any]]
) -> None:
    small = replace(settings, max_body=20_000, max_rows=3)
    with TestClient(create_app(small)) as client:
        assert client.post("/predict", json=rows[:1] * 3).status_code == 200
        assert client.post("/predict", json=rows[:1] * 4).status_code == 413
        assert client.post("/predict", content=b" " * 20_001).status_code == 413
        chunks = (b" " * 5_000 for _ in range(5))  # sent without a length
        assert client.post("/predict", content=chunks).status_code == 413
        assert client.post("/predict", json=rows[0]).status_code == 200


@pytest.mark.parametrize(
    "lines", [b"," * 100_000, b'"\n",' + b"a," * 100_000, b"a\n" + b"1," * 100_000]
)
def test_a_file_of_endless_columns_is_not_read(
    client: TestClient, lines: bytes
) -> None:
    assert (
        client.post(
            "/predict", content=lines, headers={"content-type": "text/csv"}
        ).status_code
        == 413
    )


def test_a_slow_answer_is_given_up(
    settings: Settings, trained: Result, rows: list[dict[str, Any]]
) -> None:
    with TestClient(create_app(replace(settings, request_seconds=3.0))) as client:
        release, many = (
            threading.Event(),
            rows * (1 + 1000 // len(rows)),
        )  # fewer may need no thread
        gate(client).state.champion.scorer.submit(release.wait)
        try:
            assert client.post("/predict", json=many).status_code == 504
        finally:
            release.set()
        assert client.post("/predict", json=rows).status_code == 200


def test_with_an_api_key_only_the_probes_are_open(
    settings: Settings, trained: Result, rows: list[dict[str, Any]]
) -> None:
    with TestClient(create_app(replace(settings, api_key="secret"))) as client:
        for path in ("/health", "/ready", "/ping"):
            assert client.get(path).status_code == 200
        for path in ("/metrics", "/docs", "/openapi.json"):
            assert client.get(path).status_code == 401
        for given in (
            {},
            {"authorization": "Bearer wrong"},
            {"authorization": "secret"},
        ):
            assert (
                client.post("/predict", json=rows[0], headers=given).status_code == 401
            )
        given = {"authorization": "Bearer secret"}
        assert client.post("/predict", json=rows[0], headers=given).status_code == 200


@pytest.mark.skipif(
    bool(READ_CSV), reason="the notebook's files have a form of their own"
)
def test_csv_is_scored_as_json_is(
    client: TestClient, rows: list[dict[str, Any]]
) -> None:
    text = pd.DataFrame(rows).to_csv(index=False)
    as_csv = client.post(
        "/invocations", content=text, headers={"content-type": "text/csv"}
    )
    as_json = client.post("/invocations", json=rows)
    assert as_csv.status_code == 200
    found, expected = (
        [one["prediction"] for one in answer.json()["predictions"]]
        for answer in (as_csv, as_json)
    )
    assert same_values(found, expected)


def test_a_request_is_one_line_of_the_log(
    client: TestClient,
    rows: list[dict[str, Any]],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with caplog.at_level("INFO"):
        answer = client.post("/predict", json=rows, headers={"x-request-id": "mine-1"})
    assert answer.headers["x-request-id"] == "mine-1"
    (line,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert (line["request_id"], line["path"], line["status"], line["rows"]) == (
        "mine-1",
        "/predict",
        200,
        len(rows),
    )
    forged = client.post("/predict", json=rows, headers={"x-request-id": "a b"})
    assert forged.headers["x-request-id"] != "a b"


def test_openapi_has_an_example_that_works(client: TestClient) -> None:
    described = client.get("/openapi.json").json()["paths"]["/predict"]["post"]
    for kind, body in described["requestBody"]["content"].items():
        for example in body.get("examples", {}).values():
            content = (
                example["value"] if kind == "text/csv" else json.dumps(example["value"])
            )
            assert (
                client.post(
                    "/predict", content=content, headers={"content-type": kind}
                ).status_code
                == 200
            )


def test_openapi_says_what_the_service_answers(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    kind = client.get("/metrics").headers["content-type"].partition(";")[0]
    assert list(paths["/metrics"]["get"]["responses"]["200"]["content"]) == [kind]
    sent = {"content": b"\xff", "headers": {"content-type": "application/json"}}
    for path in ("/predict", "/feedback"):
        assert (
            str(client.post(path, **sent).status_code)
            in paths[path]["post"]["responses"]
        )


def test_not_ready_without_a_champion(
    settings: Settings, trained: Result, rows: list[dict[str, Any]]
) -> None:
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
    assert gate(client).state.champion.refresh()
    assert client.post("/predict", json=rows[0]).json()["model_version"] == second


FROM_A_BUNDLE = """
import sys
from dataclasses import replace
from pathlib import Path
from fastapi.testclient import TestClient
from churn.serve import create_app
from churn.settings import load_settings
own, folder, *bodies = sys.argv[1:]
settings = replace(load_settings(Path(own)), project=Path(folder).parent, bundle=folder)
with TestClient(create_app(settings)) as client:
    for body in bodies:
        print(client.post("/predict", content=body).text)
        print(*sys.modules)
"""


def served_from(
    folder: Path, *bodies: Any
) -> Iterator[tuple[dict[str, Any], set[str]]]:
    """What a new process answers from a bundle, and the modules that it has imported by then."""
    own = Path(__file__).resolve().parents[1]
    command = [
        sys.executable,
        "-c",
        FROM_A_BUNDLE,
        str(own),
        str(folder),
        *map(json.dumps, bodies),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    lines = iter(done.stdout.splitlines())
    for answer, modules in zip(lines, lines, strict=True):
        yield json.loads(answer), set(modules.split())


def test_a_bundle_serves_without_mlflow(
    settings: Settings, version: Version, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    folder = tmp_path / "bundle"
    assert bundle.export(settings, version.number, folder) == version.number
    ((answer, modules),) = served_from(folder, rows[0])
    assert "mlflow" not in modules
    assert answer["model_version"] == version.number
    assert same_values(
        [answer["predictions"][0]["prediction"]], score([rows[0]], version).predictions
    )


def test_a_version_exported_later_is_picked_up(
    settings: Settings,
    version: Version,
    second: str,
    rows: list[dict[str, Any]],
    tmp_path: Path,
) -> None:
    bundle.export(settings, version.number, tmp_path / "bundle")
    with TestClient(
        create_app(replace(settings, bundle=str(tmp_path / "bundle")))
    ) as client:
        bundle.export(settings, second, tmp_path / "bundle")
        assert gate(client).state.champion.refresh()
        assert client.post("/predict", json=rows[0]).json()["model_version"] == second


def test_a_row_by_itself_is_answered_without_pandas(
    version: Version, rows: list[dict[str, Any]]
) -> None:
    if not version.info["row_path"]["passed"]:
        pytest.skip(version.info["row_path"]["told"])
    alone = [score([row], version) for row in rows]
    assert any(one.alone for one in alone)
    for row, one in zip(rows, alone, strict=True):
        again = score([row], version, alone=False)
        assert not again.alone
        assert same_values(one.predictions, again.predictions)
        assert one.flags == again.flags


def test_single_rows_need_no_pandas_and_a_large_batch_imports_it(
    settings: Settings, version: Version, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    proof = version.info["row_path"]
    if not proof["passed"] or proof["needs"]:
        pytest.skip(proof.get("needs") or proof["told"])
    bundle.export(settings, version.number, tmp_path / "bundle")
    told = tmp_path / "bundle" / version.number / "data" / "version" / "version.json"
    told.write_text(
        told.read_text().replace(f'"until": {proof["until"]}', '"until": 1')
    )
    (single, before), (batch, after) = served_from(
        tmp_path / "bundle", rows[0], rows[:2]
    )
    assert not {"pandas", "scipy", "sklearn"} & before
    assert "pandas" in after
    assert same_values(
        [single["predictions"][0]["prediction"]],
        [batch["predictions"][0]["prediction"]],
    )


def test_few_rows_are_answered_one_by_one_and_more_together(
    client: TestClient,
    version: Version,
    rows: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Which is faster was measured when the version was trained; the answers are the same."""
    if not version.info["row_path"]["passed"]:
        pytest.skip(version.info["row_path"]["told"])
    served, shadow = (
        gate(client).state.champion.version,
        gate(client).scoring["/predict"].shadow,
    )
    assert served.info["row_path"]["until"] >= 1
    alone = [row for row in rows if score([row], version).alone][:2] * 2
    expected, before = score(alone, version), shadow.alone._value.get()
    for until, counted in ((4, 4), (3, 0)):
        monkeypatch.setitem(served.info["row_path"], "until", until)
        answer = client.post("/predict", json=alone).json()["predictions"]
        assert same_values([one["prediction"] for one in answer], expected.predictions)
        assert [one["flags"] for one in answer] == expected.flags
        assert shadow.alone._value.get() - before == counted
        before = shadow.alone._value.get()
    monkeypatch.setitem(served.info["row_path"], "until", 4)
    errors = client.post("/predict", json=[*alone[:2], {}]).json()["errors"]
    assert errors and {error["row"] for error in errors} == {2}


def test_a_row_that_the_row_path_cannot_answer_is_answered_by_pandas(
    version: Version, rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    if version.row is None:
        pytest.skip(version.info["row_path"]["told"])
    expected = score([rows[0]], version, alone=False)
    monkeypatch.setattr(version.row, "asked", None)  # the model fails
    found = score([rows[0]], version)
    assert not found.alone
    assert same_values(found.predictions, expected.predictions)


def test_a_row_that_differs_from_pandas_switches_the_row_path_off(
    client: TestClient,
    version: Version,
    rows: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The check in production runs after the answer."""
    if not version.info["row_path"]["passed"]:
        pytest.skip(version.info["row_path"]["told"])
    served = gate(client).state.champion.version
    row = next(row for row in rows if score([row], served).alone)
    wrong = {name: None for name in served.row.asked.info["targets"]}
    monkeypatch.setattr(
        type(served.row),
        "answer",
        lambda self, row: None if self.off else ("wrong", wrong),
    )
    monkeypatch.setattr("churn.shadow.EVERY", 1)
    assert (
        client.post("/predict", json=row).json()["predictions"][0]["prediction"]
        == "wrong"
    )
    gate(client).scoring["/predict"].shadow.thread.submit(lambda: None).result()
    assert served.row.off
    assert (
        client.post("/predict", json=row).json()["predictions"][0]["prediction"]
        != "wrong"
    )
    assert 'shadow_checks_total{outcome="different"} 1.0' in client.get("/metrics").text
    served.row.off = ""


def test_rows_of_some_seconds_are_checked_together(
    client: TestClient,
    version: Version,
    rows: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not version.info["row_path"]["passed"]:
        pytest.skip(version.info["row_path"]["told"])
    scoring = gate(client).scoring["/predict"]
    row = next(row for row in rows if score([row], version).alone)
    counted = scoring.shadow.checks.labels("same")._value
    monkeypatch.setattr("churn.shadow.EVERY", 1)
    for due, checked in ((math.inf, 0), (math.inf, 0), (0.0, 3), (0.0, 1)):
        scoring.shadow.due, before = due, counted.get()
        client.post("/predict", json=row)
        gate(client).scoring["/predict"].shadow.thread.submit(lambda: None).result()
        assert counted.get() - before == checked


def test_no_request_waits_for_a_check(
    client: TestClient,
    version: Version,
    rows: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first one imports pandas, which takes seconds; here it takes until the request has its answer."""
    if not version.info["row_path"]["passed"]:
        pytest.skip(version.info["row_path"]["told"])
    shadow, release, waited = (
        gate(client).scoring["/predict"].shadow,
        threading.Event(),
        [],
    )
    monkeypatch.setattr(shadow, "check", lambda held: waited.append(release.wait(10)))
    monkeypatch.setattr("churn.shadow.EVERY", 1)
    monkeypatch.setattr(
        gate(client).state.champion, "quick", None
    )  # rows go to the thread that scores
    row, shadow.due = next(row for row in rows if score([row], version).alone), 0.0
    assert [client.post("/predict", json=row).status_code for _ in range(2)] == [
        200,
        200,
    ]
    release.set()
    shadow.thread.submit(lambda: None).result()
    assert waited == [True]
