"""Training and serving compute the same features and predictions."""

from __future__ import annotations

from typing import Any

import pandas as pd

from churn import features
from churn.answers import same_values
from churn.checks import difference, main_frame, take
from churn.infer import predict, score
from churn.load import load
from churn.settings import Settings
from churn.train import Result
from churn.versions import Version


def test_training_features_are_serving_features(settings: Settings) -> None:
    raw = load(settings)
    data = features.fit(raw, settings)
    known = data.train_ids >= 0
    if known.all():
        rows = main_frame(raw).iloc[data.train_ids]
        assert difference(data.X_train, features.transform(rows, data.state)) == ""


def test_a_row_alone_is_the_row_in_a_batch(version: Version, raw: pd.DataFrame) -> None:
    transform = version.module("features").transform
    rows = pd.DataFrame(version.info["example"]["rows"])
    batch = transform(rows, version.state)
    for at in range(len(rows)):
        assert (
            difference(take(batch, at), transform(rows.iloc[[at]], version.state)) == ""
        )


def test_every_check_of_the_training_run_passed(trained: Result) -> None:
    assert {check["status"] for check in trained.checks} <= {"passed", "skipped"}
    assert trained.checks


def test_a_batch_gives_what_single_rows_give(
    version: Version, rows: list[dict[str, Any]]
) -> None:
    batch = score(rows, version)
    alone = [score([row], version).predictions[0] for row in rows]
    assert batch.errors == []
    assert same_values(batch.predictions, alone)


def test_a_rejected_row_keeps_its_place(
    version: Version, rows: list[dict[str, Any]]
) -> None:
    bad: dict[str, Any] = {}
    frame = pd.DataFrame([rows[0], bad, rows[1]], index=[7, 7, 3])
    out = predict(frame, version)
    assert list(out.index) == [7, 7, 3]
    assert out["error"].isna().tolist() == [True, False, True]
    assert out.iloc[:, 0].isna().tolist() == [False, True, False]
