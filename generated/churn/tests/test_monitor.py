"""The prediction log, and what monitoring says about it."""

from __future__ import annotations

import io
import json
import math
import runpy
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import BadStatusLine
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from urllib.error import URLError

import numpy as np
import pandas as pd
import pytest
import typer
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from churn import audit, baseline, checks, cli, monitor, report, retention, segments
from churn.answers import predictions_of
from churn.infer import score
from churn.prediction_log import PredictionLog
from churn.serve import create_app
from churn.settings import PREFIX, Settings, SettingsError, load_settings
from churn.train import Result
from churn.versions import Version


@pytest.fixture(scope="module")
def window(
    version: Version, raw: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> pd.DataFrame:
    """Predictions of rows drawn from the training data, as the service's own log gives them back."""
    columns = list(version.info["baseline"]["columns"])
    drawn = raw.sample(800, replace=True, random_state=1)[columns].to_dict("records")
    rows = [
        {
            name: None if pd.isna(value) else checks.plain(value)
            for name, value in row.items()
        }
        for row in drawn
    ]
    refused = {error.row for error in score(rows, version).errors}
    rows = [row for at, row in enumerate(rows) if at not in refused]
    log = PredictionLog(tmp_path_factory.mktemp("log"))
    log.predictions(
        rows, [str(at) for at in range(len(rows))], score(rows, version), version
    )
    log.close()
    logged, _ = segments.read(log.folder)
    return logged[[*(f"row.{name}" for name in columns), "prediction"]].reset_index(
        drop=True
    )


def test_rows_like_those_of_training_are_quiet(
    window: pd.DataFrame, version: Version
) -> None:
    # of rows that the model knows, it is too sure
    inputs = window.drop(columns="prediction")
    found = monitor.examine(inputs, version.info, version.number, 100)
    assert (found.status, found.exit_code) == ("quiet", 0), found.why


def test_a_column_that_breaks_is_an_alarm(
    window: pd.DataFrame, version: Version
) -> None:
    name = next(iter(version.info["baseline"]["columns"]))
    found = monitor.examine(
        window.assign(**{f"row.{name}": None}), version.info, version.number, 100
    )
    assert found.exit_code == 1
    assert f"missing of {name}" in found.why


def test_numbers_that_moved_are_an_alarm(
    window: pd.DataFrame, version: Version
) -> None:
    for name, profile in version.info["baseline"]["columns"].items():
        if profile["kind"] == "number":
            moved = (
                pd.to_numeric(window[f"row.{name}"], errors="coerce") + profile["scale"]
            )
            found = monitor.examine(
                window.assign(**{f"row.{name}": moved}),
                version.info,
                version.number,
                100,
            )
            assert f"input drift of {name}" in found.why


def test_times_move_on_and_only_those_that_are_missing_alarm(version: Version) -> None:
    times = baseline.column(pd.Series(pd.date_range("2020", periods=500)))
    base = {"columns": {"t": times}, "predictions": {}, "quality": {}}
    later = pd.DataFrame({"row.t": pd.date_range("2024", periods=500).astype(str)})
    for rows, why in ((later, ""), (later.assign(**{"row.t": None}), "missing of t")):
        assert monitor.examine(rows, {"baseline": base}, version.number, 100).why == why


def test_unseen_categories_are_an_alarm(window: pd.DataFrame, version: Version) -> None:
    for name, profile in version.info["baseline"]["columns"].items():
        if profile["kind"] == "category":
            strange = window[f"row.{name}"].astype(object)
            strange.iloc[:200] = "never seen"
            found = monitor.examine(
                window.assign(**{f"row.{name}": strange}),
                version.info,
                version.number,
                100,
            )
            assert f"unseen of {name}" in found.why


def test_of_a_row_only_what_the_version_knows_is_logged(
    version: Version, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Columns that anybody can invent would become columns of the log."""
    log, sent = (
        PredictionLog(tmp_path),
        [{**row, f"invented {at}": at} for at, row in enumerate(rows)],
    )
    log.predictions(
        sent, [str(at) for at in range(len(sent))], score(sent, version), version
    )
    log.close()
    logged, _ = segments.read(tmp_path)
    assert len(logged) == len(rows)
    assert not [name for name in logged if name.startswith("row.invented")]


def test_a_served_row_that_the_batch_answers_otherwise_is_an_alarm(
    settings: Settings, version: Version, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    """Through the service's own log on disk, so that its types count."""
    log = PredictionLog(tmp_path)
    scores = score(rows, version)
    log.predictions(rows, [str(at) for at in range(len(rows))], scores, version)
    log.close()
    logged, _ = segments.read(tmp_path)
    fine = audit.audit(logged, version)
    assert (fine.rows, fine.differing) == (len(rows), 0), fine.detail
    quiet = monitor.examine(logged, version.info, version.number, 100)
    assert monitor.with_audit(quiet, fine).exit_code == 3
    for name in ("prediction", "feature_version"):
        was = logged[name].tolist()
        other = was[0] + "x" if isinstance(was[0], str) else was[0] + 1
        skewed = audit.audit(logged.assign(**{name: [other, *was[1:]]}), version)
        assert skewed.differing == 1, name
        found = monitor.with_audit(quiet, skewed)
        assert found.exit_code == 1 and "in a batch" in found.why


def test_rows_that_the_service_refuses_are_an_alarm(
    settings: Settings, version: Version, trained: Result, tmp_path: Path
) -> None:
    """They are in no other test: a column that broke may leave nothing to look at."""
    if not version.module("schema").COLUMNS:
        pytest.skip("the features read no column that a row must have")
    own = replace(settings, project=tmp_path, monitor_rows=100)
    found = []
    for _ in range(2):
        with TestClient(create_app(own)) as client:
            assert client.post("/predict", json=[{}] * 60).status_code == 422
        found.append(monitor.run(own))
    assert [one.status for one in found] == ["not enough data", "alarm"]
    assert [(one.rows, one.refused) for one in found] == [(0, 60), (0, 120)]
    assert f"refused of {version.module('schema').COLUMNS[0]}" in found[1].why


@pytest.mark.parametrize(("share", "status"), [(0.3, "quiet"), (0.5, "alarm")])
def test_the_share_of_the_raw_data_that_is_refused_is_no_alarm(
    share: float, status: str, window: pd.DataFrame, version: Version
) -> None:
    base = {**version.info["baseline"], "refused": {"n": 1000, "reasons": {"a": 300}}}
    count = round(len(window) * share / (1 - share))
    away = pd.DataFrame({"refused": [count], "reasons": [json.dumps({"a": count})]})
    rows = window.drop(columns="prediction")
    found = monitor.examine(
        rows, {**version.info, "baseline": base}, version.number, 100, refused=away
    )
    assert (found.status, found.refused) == (status, count), found.why


@pytest.mark.parametrize(
    ("effect", "p", "tests", "alarm"),
    [
        (0.2, 1e-4, 1, True),
        (0.05, 1e-9, 1, False),
        (0.2, 0.5, 1, False),
        (0.2, 0.005, 20, False),
    ],
)
def test_an_alarm_is_large_and_significant_among_all_tests(
    effect: float, p: float, tests: int, alarm: bool
) -> None:
    one = monitor.Finding("input drift", "x", 800, effect, 0.1, p, "")
    others = [replace(one, column=str(at), p=1.0) for at in range(1, tests)]
    assert monitor._corrected([one, *others])[0].alarm is alarm


def test_few_rows_are_not_enough_data(window: pd.DataFrame, version: Version) -> None:
    found = monitor.examine(window.iloc[:20], version.info, version.number, 100)
    assert (found.status, found.exit_code) == ("not enough data", 3)


def test_the_truth_is_told_as_predictions_are(
    version: Version, rows: list[dict[str, Any]]
) -> None:
    """In the same words and units: a truth that is what the model says is the prediction itself."""
    X = version.module("features").transform(pd.DataFrame(rows), version.state)
    said = predictions_of(version, X)
    told = checks._told(version, X, np.asarray(version.model.predict(X)))
    if told and version.info["labels"] is None:
        assert told == said
    assert {type(one) for one in told} <= {type(one) for one in said}


def test_labels_that_contradict_are_an_alarm(
    window: pd.DataFrame, version: Version
) -> None:
    quality = version.info["baseline"]["quality"]
    if "accuracy" in quality:
        known = baseline.as_text(pd.Series(version.info["labels"])).tolist()
        other = dict(zip(known, known[1:] + known[:1], strict=True))
        labels = baseline.as_text(window["prediction"]).map(other)
        found = monitor.examine(
            window.assign(label=labels), version.info, version.number, 100
        )
        assert found.why == "quality of accuracy" and found.quality["accuracy"] == 0
    if "mae" in quality:
        far = window["prediction"].astype(float) + 10 * quality["mae"]
        assert (
            "quality of mae"
            in monitor.examine(
                window.assign(label=far), version.info, version.number, 100
            ).why
        )


@pytest.mark.parametrize("share", [0.1, 1.0])
def test_labels_that_no_prediction_can_be_are_an_alarm_and_no_loss_of_quality(
    window: pd.DataFrame, version: Version, share: float
) -> None:
    if not version.info["baseline"]["quality"]:
        pytest.skip("no rows judge the model")
    labels = window["prediction"].astype(object)
    labels[: int(share * len(labels))] = "in other words"
    found = monitor.examine(
        window.assign(label=labels), version.info, version.number, 100
    )
    assert found.why == "unseen of label"


def test_labels_that_come_weeks_later_judge_when_they_come(
    settings: Settings,
    version: Version,
    rows: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    read = segments.read
    monkeypatch.setattr(segments, "read", lambda folder, *since: read(tmp_path, *since))
    recent = {
        "when": datetime.now(UTC).isoformat(),
        "id": "new",
        "row": rows[0],
        "prediction": 0,
    }
    old = {
        "when": "2020-01-01",
        "id": "old",
        "row": rows[0],
        "prediction": 0,
        "model_version": version.number,
    }
    label = {"when": datetime.now(UTC).isoformat(), "of": "old", "label": 1}
    entries = [
        old,
        {**recent, "model_version": version.number},
        label,
        {**label, "of": "of nobody"},
    ]
    _segment(tmp_path, 0, entries)
    found = monitor.run(replace(settings, monitor_rows=1))
    assert (found.rows, found.labels, found.unmatched) == (1, 1, 1)


def test_the_service_logs_and_monitor_reports(
    settings: Settings, trained: Result, rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    own = replace(settings, project=tmp_path)
    with TestClient(create_app(own)) as client:
        answers = [
            one["prediction_id"]
            for one in client.post("/predict", json=rows).json()["predictions"]
        ]
        sent = {"prediction_id": answers[0], "label": 1}
        assert client.post("/feedback", json=sent).status_code == 202
        assert client.post("/feedback", json={"label": 1}).status_code == 422
    logged, labels = segments.read(own.artifacts / "predictions")
    assert set(answers) <= set(logged["id"])
    assert answers[0] in set(labels["id"])
    found = monitor.run(own)
    assert found.exit_code == 3
    with TestClient(create_app(own)) as client:
        shown = {
            one.name: one
            for one in text_string_to_metric_families(client.get("/metrics").text)
        }
    assert shown["churn_monitor_rows"].samples[0].value == found.rows
    stored = json.loads((own.artifacts / "monitor" / "report.json").read_text())
    assert stored["status"] == "not enough data"
    assert "<!doctype html>" in (own.artifacts / "monitor" / "report.html").read_text()


def test_the_page_opens_at_what_alarms_and_shows_any_text_as_text(
    window: pd.DataFrame, version: Version
) -> None:
    odd = "<script>"
    name = next(iter(version.info["baseline"]["columns"]))
    loud = monitor.Finding("missing", name, 10, 0.5, 0.05, 0.0, "half", True)
    calm = monitor.Finding("missing", odd, 10, 0.0, 0.05, 1.0, odd, False)
    found = monitor.Report("alarm", odd, version.number, "", 10, 0, [calm, loud], {})
    page = report.page(found, window, version.info["baseline"])
    assert page.index("<details open>") < page.index("<details>")
    assert odd not in page and "&lt;script&gt;" in page
    assert "http" not in page  # all of it is in this one file
    category = {
        "kind": "category",
        "table": {"a long name, which is <b>shown</b>": 3, "": 1},
        "other": {},
    }
    plot = report._plot(
        "", pd.Series(["a long name, which is <b>shown</b>", "new"]), category
    )
    assert (
        "a long name, which is &lt;b&gt;shown&lt;/b&gt;" in plot
        and "75.0% → 50.0%" in plot
        and "new" in plot
    )


@pytest.mark.parametrize(
    ("status", "code"), [("quiet", 0), ("alarm", 1), ("not enough data", 3)]
)
def test_cron_sees_what_was_found(
    status: str, code: int, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = monitor.Report(status, "why", "1", "", 10, 0, [], {})
    monkeypatch.setattr(cli, "load_settings", lambda project: settings)
    monkeypatch.setattr(monitor, "run", lambda given: found)
    for more in ([], ["--json"]):
        ran = CliRunner().invoke(cli.app, ["monitor", *more])
        assert ran.exit_code == code and status in ran.stdout


@pytest.mark.parametrize(
    "error",
    [
        SettingsError("no data"),
        ZeroDivisionError("a fault"),
        KeyboardInterrupt("stopped"),
    ],
)
def test_a_failure_is_no_alarm(
    error: BaseException, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "load_settings", lambda project: settings)
    monkeypatch.setattr(monitor, "run", Mock(side_effect=error))
    ran = CliRunner().invoke(cli.app, ["monitor", "--json"])
    assert ran.exit_code == 2 and str(error) in ran.stderr and not ran.stdout


def test_a_report_that_cannot_be_printed_is_no_alarm(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cli, "load_settings", lambda project: settings)
    monkeypatch.setattr(
        monitor, "run", lambda given: monitor.Report("quiet", "", "1", "", 0, 0, [], {})
    )
    full = Mock(spec=io.StringIO, write=Mock(side_effect=OSError("no space left")))
    with redirect_stdout(full), pytest.raises(typer.Exit) as ended:
        cli.monitor()
    assert ended.value.exit_code == 2


def test_a_library_that_is_not_installed_is_no_alarm(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(
        sys.modules, "churn.cli", None
    )  # as if it could not be imported
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("churn", run_name="__main__")
    assert ended.value.code == 2


def test_gauges_name_any_column(version: Version) -> None:
    odd = 'a "b" \\ \n\tc'
    one = monitor.Finding("missing", odd, 10, 0.5, 0.05, 0.0, "", True)
    found = monitor.Report("alarm", "", version.number, "", 10, 0, [one], {})
    shown = {
        one.name: one
        for one in text_string_to_metric_families(monitor.prometheus(found))
    }
    (sample,) = shown["churn_monitor_alarm"].samples
    assert (sample.labels["column"], sample.value) == (odd, 1)


def test_what_was_answered_is_on_disk_while_old_segments_are_tidied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the other process takes on a busy machine."""
    tidied = threading.Event()
    monkeypatch.setattr(retention, "apart", lambda *given: tidied.wait(60))
    log = PredictionLog(tmp_path)
    log.put({"id": "one"})
    until = time.monotonic() + 10
    while log.waiting() and time.monotonic() < until:
        time.sleep(0.05)
    assert not log.waiting() and not tidied.is_set()
    assert "one" in "".join(path.read_text() for path in tmp_path.glob("*.jsonl"))
    tidied.set()
    log.close()


def test_a_full_queue_drops_and_counts(tmp_path: Path) -> None:
    journal = PredictionLog(tmp_path, waiting=5)
    journal._start = lambda: None  # type: ignore[method-assign]
    taken = [journal.put({"id": str(at)}) for at in range(8)]
    assert taken == [True] * 5 + [False] * 3
    assert journal.dropped == 3


def test_what_a_killed_process_left_is_recovered(tmp_path: Path) -> None:
    entry = {
        "when": "2024-01-01",
        "id": "a",
        "row": {"x": 1},
        "prediction": 0,
        "probabilities": {"no": 0.9},
    }
    torn = json.dumps({**entry, "id": "b"})[:30]
    (tmp_path / "0-1.jsonl").write_text(json.dumps(entry) + "\n" + torn)
    retention.recover(tmp_path)
    assert [path.suffix for path in tmp_path.iterdir()] == [".parquet"]
    logged, _ = segments.read(tmp_path)
    assert logged[["id", "row.x", "probability.no"]].to_numpy().tolist() == [
        ["a", 1, 0.9]
    ]


def test_the_log_leaves_pandas_to_another_process(tmp_path: Path) -> None:
    """In a service each segment that became Parquet would leave it larger than before."""
    _segment(tmp_path, 0, [{"when": datetime.now(UTC).isoformat(), "id": "a"}])
    script = """
import sys
from pathlib import Path
from churn.prediction_log import PredictionLog
log = PredictionLog(Path(sys.argv[1]), keep=10.0)
log.put({"id": "b"})
log.close()
print(*sorted({"pandas", "pyarrow"} & set(sys.modules)))
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout.split() == [], done.stdout
    assert [path.suffix for path in tmp_path.iterdir()] == [".parquet", ".parquet"]
    assert set(segments.read(tmp_path)[0]["id"]) == {"a", "b"}


def test_a_segment_that_cannot_be_rotated_does_not_stop_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "0-1.jsonl").mkdir()
    log = PredictionLog(tmp_path)
    log.put({"id": "a"})
    log.close()
    assert log.waiting() == 0 and "is not tidied" in caplog.text
    (tmp_path / "0-1.jsonl").rmdir()
    assert segments.read(tmp_path)[0]["id"].tolist() == ["a"]


def _segment(folder: Path, number: int, entries: list[dict[str, Any]]) -> None:
    """A segment as a process leaves it that was killed."""
    (folder / f"{number}-1.jsonl").write_text(
        "".join(json.dumps(one) + "\n" for one in entries)
    )


def test_a_segment_reads_the_same_whether_it_is_written_still_or_rotated(
    tmp_path: Path,
) -> None:
    """And texts stay texts, numbers numbers, where segments do not agree."""
    values: list[dict[str, Any]] = [
        {"a": 1, "b": "x", "c": 2.5, "d": "w"},
        {"a": "y", "b": "z"},
        {"b": "x", "c": None},
    ]
    for at, row in enumerate(values):
        one = {
            "when": f"2024-01-0{at + 1}",
            "id": str(at),
            "row": row,
            "prediction": at,
            "model_version": "1",
        }
        _segment(
            tmp_path, at, [one, {"when": "2024-02-01", "of": str(at), "label": "yes"}]
        )
    before = segments.read(tmp_path)
    retention.recover(tmp_path)
    after = segments.read(tmp_path)
    for left, right in zip(before, after, strict=True):
        pd.testing.assert_frame_equal(left, right)
    logged, labels = after
    assert logged["row.a"].dropna().tolist() == [1, "y"] and logged[
        "row.b"
    ].tolist() == ["x", "z", "x"]
    assert logged["row.d"].dropna().tolist() == ["w"]
    assert logged["row.c"].dtype == float and logged["row.c"].dropna().tolist() == [2.5]
    assert labels[["id", "label", "prediction"]].to_numpy().tolist() == [
        ["0", "yes", 0],
        ["1", "yes", 1],
        ["2", "yes", 2],
    ]
    assert segments.read(tmp_path, "2024-01-03")[0]["id"].tolist() == ["2"]


@pytest.mark.parametrize("value", ["\ud800", 10**30, [1], {"a": None}, math.inf])
def test_what_a_file_cannot_hold_does_not_stop_the_log(
    value: Any, tmp_path: Path
) -> None:
    entry = {
        "when": "2024-01-01",
        "id": "a",
        "row": {"x": value, "y": "text"},
        "prediction": 0,
        "model_version": "1",
    }
    _segment(tmp_path, 0, [entry, {"when": "2024-01-02", "of": "a", "label": "yes"}])
    for rotate in (lambda folder: None, retention.recover):
        rotate(tmp_path)
        logged, labels = segments.read(tmp_path)
        assert logged[["id", "row.y"]].to_numpy().tolist() == [["a", "text"]]
        assert logged["row.x"].notna().all()
        assert labels[["id", "prediction"]].to_numpy().tolist() == [["a", 0]]


def test_the_log_keeps_what_its_days_say(tmp_path: Path) -> None:
    """A segment goes when all of it is older, and what cannot be read is nobody's to remove."""
    now = datetime.now(UTC)
    for at, days in enumerate([30, 11, 9]):
        entry = {
            "when": (now - timedelta(days=days)).isoformat(),
            "id": str(at),
            "prediction": 0,
            "model_version": "1",
        }
        _segment(tmp_path, at, [entry])
    late = {"when": (now - timedelta(days=9)).isoformat(), "of": "1", "label": 1}
    with (tmp_path / "1-1.jsonl").open("a") as file:
        file.write(json.dumps(late) + "\n")
    (tmp_path / "-.parquet").write_text("damaged")
    for keep, kept in ((math.inf, {"0", "1", "2", "new"}), (10.0, {"1", "2", "new"})):
        log = PredictionLog(tmp_path, keep=keep)
        log.put({"id": "new", "prediction": 0, "model_version": "1"})
        log.close()
        (tmp_path / "-.parquet").rename(tmp_path / "-")
        logged, labels = segments.read(tmp_path)
        (tmp_path / "-").rename(tmp_path / "-.parquet")
        assert set(logged["id"]) == kept
        assert labels[["id", "prediction"]].to_numpy().tolist() == [["1", 0]]


def test_monitor_tidies_the_log_where_no_service_does(
    settings: Settings, trained: Result, tmp_path: Path
) -> None:
    predictions = tmp_path / "artifacts" / "predictions"
    predictions.mkdir(parents=True)
    for at, when in enumerate(["2020-01-01", datetime.now(UTC).isoformat()]):
        _segment(
            predictions,
            at,
            [
                {
                    "when": when,
                    "id": str(at),
                    "prediction": 0,
                    "model_version": trained.version,
                }
            ],
        )
    monitor.run(replace(settings, project=tmp_path))
    assert [path.name for path in predictions.iterdir()] == ["1-1.parquet"]


def test_a_label_of_the_last_of_its_days_is_judged_by_every_window_that_holds_it(
    settings: Settings,
) -> None:
    attached = create_app(
        replace(settings, log_days=90.0, monitor_days=7.0)
    ).state.journal
    assert attached._keep == 97.0
    assert create_app(replace(settings, log_days=0.0)).state.journal._keep == math.inf


@pytest.mark.parametrize("days", ["-1", "nan", "inf"])
def test_days_that_are_none_are_refused(
    days: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}LOG_DAYS", days)
    with pytest.raises(SettingsError, match="log_days"):
        load_settings(Path(__file__).resolve().parents[1])


@pytest.fixture
def hook() -> Iterator[tuple[str, list[Any]]]:
    """A webhook that fails once."""
    got: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(500 if len(got) == 1 else 200)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", got
    server.shutdown()


def test_an_alarm_reaches_the_webhook_after_a_failure(
    hook: tuple[str, list[Any]],
    settings: Settings,
    window: pd.DataFrame,
    version: Version,
) -> None:
    name = next(iter(version.info["baseline"]["columns"]))
    found = monitor.examine(
        window.assign(**{f"row.{name}": None}), version.info, version.number, 100
    )
    monitor._alert(replace(settings, webhook=hook[0]), found)
    assert len(hook[1]) == 2
    assert found.why in hook[1][1]["text"]


@pytest.mark.parametrize("error", [URLError("down"), BadStatusLine("no web server")])
def test_a_webhook_that_stays_down_is_no_failure(
    error: Exception,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("urllib.request.urlopen", Mock(side_effect=error))
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    found = monitor.Report("alarm", "drift", "1", "", 10, 0, [], {})
    monitor._alert(replace(settings, webhook="http://localhost:9/"), found)
    assert caplog.text.count("the webhook failed") == 3 and "drift" in caplog.text
