"""The checks: a right project passes, and every way of getting it wrong is found and named."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from tiny_project import Folder

from nb2prod.verify import CHECKS, Check, Report, outcome, run_checks, run_probe


def test_a_right_project_is_verified(folder: Folder) -> None:
    events: list[Any] = []
    found = folder.checks(on_event=events.append)
    leakage = found["leakage"]
    assert {check.status for check in found.values() if check is not leakage} == {"passed"}, found
    assert (
        leakage.status == "failed"
        and "age_median, fare_mean, scaler learned from evaluation" in leakage.detail
    )
    assert list(found) == list(CHECKS)
    report = Report.of(tuple(found.values()), notebook="tiny.ipynb", version="1")
    assert report.status == "verified"
    assert json.loads(json.dumps(report.to_json()))["checks"][1]["id"] == "V1"
    assert [e["check"] for e in events if e["event"] == "start"] == list(CHECKS)
    assert any(e["event"] == "progress" and e["of"] > 30 for e in events)


def test_a_project_that_learns_from_the_training_rows_is_checked_both_ways(folder: Folder) -> None:
    found = folder.checks(fit_on="train")
    assert {check.status for check in found.values()} == {"passed"}, found
    for name in ("V2", "V3", "V4", "V5", "V8"):
        assert "learned from the training rows alone" in found[name].detail
    assert "the project learns from the training rows alone" in found["leakage"].detail


def test_a_fault_of_the_corrected_training_alone_is_found(folder: Folder) -> None:
    again = "st = Staging.for_fit(raw, rehearsal=st)\n        X = features(st.main, st)"
    wrong = again + "\n        X = X + 1"
    found = folder.edit(again, wrong).checks(fit_on="train")
    assert found["V1"].status == "passed"
    assert found["V2"].status == "failed" and found["V2"].detail.startswith(
        "learned from the training rows alone"
    )


WRAPS = {
    'st.value("age_median", df["age"].median)': 'df["age"].median()',
    'st.value("fare_mean", df["fare"].mean)': 'df["fare"].mean()',
    'st.keep("few_calls", df, lambda: df[df["calls"] < 30])': 'df[df["calls"] < 30]',
    'st.get_dummies("dummies", df, columns=["town"])': 'pd.get_dummies(df, columns=["town"])',
    'st.fit_transform("scaler", sc, X_train)': "sc.fit_transform(X_train)",
    "st.split(train_test_split, X, y,": "train_test_split(X, y,",
}


@pytest.mark.parametrize("wrap", WRAPS)
def test_a_deleted_wrap_is_found(folder: Folder, wrap: str) -> None:
    found = folder.edit(wrap, WRAPS[wrap]).inside("V1", "V2", "V3", "V5")
    assert outcome(tuple(found.values()))[0] == "differs", found


def test_the_first_differing_statement_is_named(folder: Folder) -> None:
    folder.edit('st.value("age_median", df["age"].median)', 'df["age"].median()')
    check = folder.inside("V1", "V2")["V2"]
    assert check.status == "failed"
    assert 'cell 2, line 2 `df["age"]' in check.detail and "`df`: column 'age'" in check.detail


@pytest.mark.parametrize(
    "leak",
    [
        'X = df.drop(columns=["churn"]).assign(leak=df["churn"] == "yes")',
        'X = df.drop(columns=["churn"]).assign(leak=df["churn"].map({"yes": 2, "no": 3}))',
        'X = df.drop(columns=["churn"]).assign(age=df["age"].where(df["churn"] == "no", 99))',
    ],
)
def test_a_target_leak_is_found(folder: Folder, leak: str) -> None:
    check = folder.edit('X = df.drop(columns=["churn"])', leak).inside("V1", "V3")["V3"]
    assert check.status == "failed" and "cell 2, line 7" in check.detail, check


def test_a_row_that_looks_at_other_rows_is_found(folder: Folder) -> None:
    check = folder.edit(
        "    df = st.get_dummies", '    df["fare"] = df["fare"].rank()\n    df = st.get_dummies'
    ).inside("V1", "V2")
    assert check["V1"].status == check["V2"].status == "failed"


def test_other_features_are_found_with_column_and_row(folder: Folder) -> None:
    folder.edit('st.fit_transform("scaler", sc, X_train)', 'X_train.assign(fare=X_train["fare"] + 1e-3)')
    check = folder.inside("V1")["V1"]
    assert check.status == "failed" and "array against DataFrame" in check.detail
    folder.edit('X_train.assign(fare=X_train["fare"] + 1e-3)', "sc.fit_transform(X_train) + 1e-3")
    check = folder.inside("V1")["V1"]
    assert check.status == "failed" and "column '0', row 0" in check.detail


def test_other_metrics_and_predictions_are_found(folder: Folder) -> None:
    folder.edit("data.y_eval)", "data.y_eval) + 0.01", "train").edit("> 0.4", "> 0.5", "infer")
    found = folder.inside("V1", "metrics", "predictions")
    assert found["metrics"].status == found["predictions"].status == "failed"
    assert "accuracy: notebook 0." in found["metrics"].detail
    assert "eval rows" in found["predictions"].detail or "train rows" in found["predictions"].detail


def test_rows_of_another_file_that_the_notebook_prepares_otherwise_are_found(folder: Folder) -> None:
    judged = folder.kept("y_eval").index
    folder.keep("rows_new", pd.read_csv(folder.root / "data" / "raw.csv").loc[judged].drop(columns="churn"))
    X = folder.kept("X_eval")
    folder.keep("X_new", X)
    found = folder.inside("V1", "V9")["V9"]
    assert found.status == "passed" and found.detail == f"{len(X)} rows; {len(X)} rows of another file"
    X[: len(X) // 2, 0] += 1
    folder.keep("X_new", X)
    found = folder.inside("V1", "V9")["V9"]
    assert found.status == "failed" and f"1 of {X.shape[1]} columns differ" in found.detail
    assert found.facts["rows"] == "X_new"


def test_what_is_unstable_in_the_notebook_is_no_fault_of_the_project(folder: Folder) -> None:
    folder.edit("LogisticRegression()", "LogisticRegression(C=0.001)", "train")
    folder.request = replace(folder.request, unstable=("accuracy", "model"))
    found = folder.inside("V1", "metrics", "predictions")
    assert found["metrics"].status == "skipped"
    assert found["predictions"].status == "passed" and "the notebook's model" in found["predictions"].detail


def test_a_wrong_slice_is_found(folder: Folder) -> None:
    text = (folder.root / "slice.py").read_text()
    (folder.root / "slice.py").write_text(text.replace(".median()", ".mean()"))
    assert "notebook against slice" in folder.checks("V0")["V0"].detail
    (folder.root / "slice.py").write_text("unknown")
    assert "NameError" in folder.checks("V0")["V0"].detail
    folder.request = replace(folder.request, slice=None)
    assert folder.inside("V0")["V0"].status == "skipped"


def test_state_that_does_not_survive_storage_is_found(folder: Folder) -> None:
    folder.edit(
        "objects = joblib.load",
        "document['learned'][0]['value'] = 1.0\n        objects = joblib.load",
        "state",
    )
    assert folder.checks("V1", "V8")["V8"].status == "failed"


def test_no_target_is_not_applicable_and_no_metric_neither(folder: Folder) -> None:
    folder.request = replace(folder.request, targets=())
    index = json.loads((folder.root / "baseline" / "index.json").read_text())
    (folder.root / "baseline" / "index.json").write_text(json.dumps({**index, "metrics": {}}))
    found = folder.inside("V1", "V3", "metrics")
    assert found["V3"].status == found["metrics"].status == "not_applicable"


def test_code_that_fails_names_its_line(folder: Folder) -> None:
    folder.edit('columns=["id"]', 'columns=["idd"]')
    found = folder.inside("V1", "V2")
    assert found["V1"].status == "failed" and 'df.drop(columns=["idd"])' in found["V1"].detail
    assert found["V2"].status == "skipped"


def test_a_process_that_dies_is_a_failure_and_one_that_hangs_is_not(folder: Folder) -> None:
    folder.edit("    df = df.drop(", "    import os; os.kill(os.getpid(), 9)\n    df = df.drop(")
    found = folder.checks("V1", "V2")
    assert found["V1"] == Check("V1", "failed", "the process died (signal 9)")
    assert found["V2"].status == "skipped"
    found_ = run_checks(replace(folder.request, checks=("V1",)), python=sys.executable, timeout=0.5)
    assert found_[0].status == "skipped" and "time-out" in found_[0].detail


def test_an_interpreter_that_is_none(folder: Folder) -> None:
    with pytest.raises(Exception, match="cannot be started"):
        run_checks(folder.request, python="/nowhere/python")


def test_the_probe_knows_what_the_features_read(folder: Folder) -> None:
    facts = run_probe(folder.request, python=sys.executable)
    columns = {column["name"]: column for column in facts["columns"]}
    assert {name for name, column in columns.items() if column["read"]} == {"age", "fare", "calls", "town"}
    assert columns["town"]["categories"] == ["Bern", "Oslo", "Rome"] and columns["town"]["type"] == "str"
    assert columns["age"]["nullable"] and columns["age"]["type"] == "float"
    assert columns["calls"]["type"] == "int"
    assert next(entry["key"] for entry in facts["learned"]) == "age_median"
    with pytest.raises(Exception, match="ModuleNotFoundError"):
        run_probe(replace(folder.request, package="tinier"), python=sys.executable)


def passed(**changed: str) -> list[Check]:
    return [Check(name, changed.get(name, "passed"), name) for name in CHECKS]


@pytest.mark.parametrize(
    ("checks", "status"),
    [
        (passed(), "verified"),
        (passed(V3="not_applicable", metrics="not_applicable"), "verified"),
        (passed(V2="not_applicable"), "unverified"),
        (passed(V9="failed"), "verified"),
        (passed(V8="skipped"), "unverified"),
        (passed(V8="skipped", V2="failed"), "differs"),
        ([c for c in passed() if c.id != "predictions"], "unverified"),
        ([], "unverified"),
    ],
)
def test_the_status_rule(checks: list[Check], status: str) -> None:
    assert outcome(checks)[0] == status
