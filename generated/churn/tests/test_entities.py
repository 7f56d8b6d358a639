"""Features by entity: the newest for serving, those of a time for training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from fastapi.testclient import TestClient

from churn import baseline, catalogue, entities
from churn.entities import EntityError
from churn.infer import score
from churn.serve import create_app
from churn.settings import Settings
from churn.versions import Version

KEY, TIME = "who is it", "when was it"


@pytest.fixture
def history(version: Version) -> pd.DataFrame:
    """Each row of the example twice, as another entity's first and second row; the file has the second ones first."""
    rows = pd.DataFrame(version.info["example"]["rows"])
    half = len(rows) // 2
    new, old = rows.iloc[:half], rows.iloc[half : 2 * half]
    keyed = [
        part.assign(**{KEY: range(half), TIME: when})
        for part, when in ((new, "2024-03-01"), (old, "2024-01-01"))
    ]
    return pd.concat(keyed, ignore_index=True)


@pytest.fixture
def keyed(
    settings: Settings, version: Version, history: pd.DataFrame, tmp_path: Path
) -> Settings:
    """A project in which the history is materialised."""
    own = replace(settings, entity=KEY, timestamp=TIME)
    folder = entities._folder(own)
    found = entities.materialise(own, version, history)
    assert (found["rows"], found["left_out"]) == (len(history), 0)
    assert [path.name for path in folder.iterdir() if path.is_dir()] == [
        found["folder"]
    ]
    return own


def features(version: Version, rows: pd.DataFrame) -> list[list[str]]:
    table = catalogue.table(version.module("features").transform(rows, version.state))
    return [list(row) for row in table.astype(str).to_numpy()]


def test_the_newest_features_of_an_entity(
    keyed: Settings, version: Version, history: pd.DataFrame
) -> None:
    found = entities.latest(keyed, version, "1")
    X = version.module("features").transform(history.iloc[[1]], version.state)
    assert found["time"].startswith("2024-03-01")
    assert found["features"] == entities._row(catalogue.table(X), 0)
    with pytest.raises(EntityError, match="no features of"):
        entities.latest(keyed, version, "nobody")


def test_times_are_of_one_form_or_of_iso_8601() -> None:
    mixed = pd.Series(
        ["2024-03-01", "2024-02-29T12:00:00+02:00", None, "2024-02-29 11:00:00"],
        name=TIME,
    )
    assert baseline.as_times(mixed).dt.hour.tolist()[:2] == [0, 10]
    assert baseline.as_times(pd.Series(["Jan 31 2024 10:00"])).dt.hour.tolist() == [10]
    with pytest.raises(baseline.TimesError, match=TIME):
        baseline.as_times(pd.Series(["2024-03-01", "soon"], name=TIME))


def test_features_as_they_were_at_a_time(
    keyed: Settings, version: Version, history: pd.DataFrame
) -> None:
    """At no time is anything known that came later."""
    half = len(history) // 2
    asked = pd.DataFrame(
        {KEY: [0] * 4, TIME: ["2024-03-01", "2024-02-29", "2024-01-01", "2023-12-31"]},
        index=[7, 5, 3, 1],
    )
    found = entities.as_of(keyed, version, asked)
    assert found.index.tolist() == [7, 5, 3, 1]
    known = found.filter(like="feature.")
    assert known.iloc[3].isna().all()
    rows = history.iloc[[0, half, half]].reset_index(drop=True)
    dtypes = catalogue.table(
        version.module("features").transform(rows, version.state)
    ).dtypes
    again = known.iloc[:3].set_axis(dtypes.index, axis="columns").astype(dtypes)
    assert again.astype(str).to_numpy().tolist() == features(version, rows)
    with pytest.raises(EntityError, match="no time"):
        entities.as_of(keyed, version, asked.assign(**{TIME: None}))


def test_the_service_answers_by_key(
    keyed: Settings, version: Version, history: pd.DataFrame
) -> None:
    expected = score(history.iloc[:1].to_dict("records"), version).predictions
    with TestClient(create_app(keyed)) as client:
        answer = client.post("/predict", json={KEY: 0}).json()
        assert [one["prediction"] for one in answer["predictions"]] == expected
        refused = client.post("/predict", json=[{KEY: 0}, {KEY: "nobody"}])
        assert refused.status_code == 422
        assert [(one["row"], one["code"]) for one in refused.json()["errors"]] == [
            (1, "unknown_entity")
        ]


def test_what_is_missing_is_said(
    settings: Settings, version: Version, history: Any, tmp_path: Path
) -> None:
    with pytest.raises(EntityError, match="names no `entity`"):
        entities.materialise(settings, version, history)
    empty = replace(settings, entity=KEY, timestamp=TIME, project=tmp_path)
    with pytest.raises(EntityError, match="run `features materialise`"):
        entities.latest(empty, version, "1")
    with pytest.raises(EntityError, match="no column"):
        entities.materialise(replace(empty, entity="no such column"), version, history)
    entities.materialise(empty, version, history)
    with pytest.raises(
        EntityError, match=f"no features by {KEY} yet"
    ):  # they are by time as well
        entities.latest(replace(empty, timestamp=""), version, "1")
    assert not len(entities.as_of(empty, version, history.iloc[:0]))
    other = replace(version, state=replace(version.state, version="another"))
    with pytest.raises(EntityError, match="not those of the champion"):
        entities.latest(empty, other, "1")
