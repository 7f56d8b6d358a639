"""What the plain run keeps of rows of another file that inference cells predict (V9)."""

from __future__ import annotations

import pytest
from percent import notebook

from nb2prod.baseline import taps
from nb2prod.compiler import analyse

BEFORE = """# %% tags=load
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
train = pd.read_csv("train.csv")
{load}
# %% tags=features
train["Age"] = train["Age"].fillna(train["Age"].median())
{features}
X_train, X_test, y_train, y_test = train_test_split(train[["Age"]], train["Survived"], random_state=0)
# %% tags=train
model = LogisticRegression().fit(X_train, y_train)
# %% tags=infer
"""


def kept(load: str, features: str, infer: str) -> dict[str, tuple[int, int, str]]:
    """Cell, line and text of the two values, where they are kept."""
    text = BEFORE.format(load=load, features=features) + infer
    compiled = analyse(notebook(text))
    assert not compiled.blocked, compiled.blocking
    found = taps(compiled.graph, compiled.flow, compiled.types)
    return {
        one.name: (one.span.cell, one.span.line, one.expression)
        for one in found
        if one.name in ("rows_new", "X_new")
    }


@pytest.mark.parametrize(
    ("load", "features", "infer", "expected"),
    [
        pytest.param(
            'test = pd.read_csv("test.csv")\ntest.columns = ["Id", "Age"]',
            'test["Age"] = test["Age"].fillna(0)',
            'print(model.predict(test[["Age"]]))',
            {"rows_new": (0, 6, "test"), "X_new": (3, 1, "test[['Age']]")},
            id="loaded: as the cells of load leave it",
        ),
        pytest.param(
            "",
            "",
            'new = pd.read_csv("new.csv")\nnew["Age"] = new.Age.clip(0)\nprint(model.predict(new[["Age"]]))',
            {"rows_new": (3, 1, "new"), "X_new": (3, 3, "new[['Age']]")},
            id="read by the inference cell: as it is read",
        ),
        pytest.param("", "", "print(model.predict(X_test))", {}, id="the rows of the split"),
        pytest.param(
            "",
            "",
            'print(model.predict(train[["Age"]]))',
            {"X_new": (3, 1, "train[['Age']]")},
            id="the rows of the training file",
        ),
    ],
)
def test_rows_of_another_file(load: str, features: str, infer: str, expected: dict[str, object]) -> None:
    assert kept(load, features, infer) == expected
