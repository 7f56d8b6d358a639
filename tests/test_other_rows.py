"""V9 and rows that no split set apart: which raw rows they are is found by label, order or value."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nb2prod.injected.other_rows import other_rows
from nb2prod.injected.session import Failed, Impossible

RAW = pd.DataFrame({"a": np.arange(20.0) % 7, "b": np.arange(20.0)})


def features(rows: pd.DataFrame) -> pd.DataFrame:
    return rows[["a", "b"]] * 2


class Told:
    """What the check asks of a session: this project doubles two columns, and was trained on `train_ids`."""

    def __init__(self, train_ids: Any, **kept: Any) -> None:
        self.main, self.judged, self.facts = RAW, None, {}
        self.data = SimpleNamespace(train_ids=np.array(train_ids), X_eval=None)
        self.baseline = SimpleNamespace(has=kept.__contains__, get=kept.__getitem__)
        self.as_array = isinstance(kept.get("X_judged"), np.ndarray)

    def trained(self) -> Any:
        return self.data

    def transform(self, rows: pd.DataFrame) -> Any:
        return features(rows).to_numpy() if self.as_array else features(rows)


def said(session: Told) -> str:
    return other_rows(session, lambda at, of: None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("train_ids", "judged", "ids"),
    [
        pytest.param(range(12), features(RAW[12:]), range(12, 20), id="by their labels"),
        pytest.param(
            range(0, 20, 2),
            features(RAW[1::2]).reset_index(drop=True),
            range(1, 20, 2),
            id="numbered anew: all that training left out",
        ),
        pytest.param(
            [3, 0, 1, 2], features(RAW[10:12]).to_numpy(), [10, 11], id="an array: rows with these values"
        ),
    ],
)
def test_found(train_ids: Any, judged: Any, ids: Any) -> None:
    session = Told(train_ids, X_judged=judged)
    assert said(session) == f"{len(ids)} rows chosen by hand"
    assert session.judged is not None and list(session.judged) == list(ids)


def test_rows_that_trained_the_model_do_not_judge_it_alone() -> None:
    session = Told(range(12), X_judged=features(RAW))
    assert said(session) == "20 rows chosen by hand" and list(session.judged) == list(range(12, 20))  # type: ignore[call-overload]


@pytest.mark.parametrize("labelled", [True, False])
def test_prepared_otherwise(labelled: bool) -> None:
    judged = features(RAW[12:])
    judged.iloc[:2, 0] += 1
    session = Told(range(12), X_judged=judged if labelled else judged.reset_index(drop=True))
    with pytest.raises(Failed, match="1 of 2 columns differ for 25% of 8 rows"):
        said(session)
    assert session.facts["columns"] == ["a"]


def test_not_known_where_the_training_rows_were_shuffled() -> None:
    session = Told([5, 0, 1, 2], X_judged=(features(RAW[4:]).to_numpy() + 0.5)[::-1])
    with pytest.raises(Impossible, match="not known"):
        said(session)


def test_rows_of_another_file_come_before_those_with_the_same_labels() -> None:
    new = RAW[12:].assign(b=-1.0).reset_index(drop=True)
    assert said(Told(range(12), X_new=features(new), rows_new=new)) == "8 rows of another file"
    with pytest.raises(Failed, match="1 of 2 columns differ"):
        said(Told(range(12), X_new=features(new).assign(a=0.0), rows_new=new))
