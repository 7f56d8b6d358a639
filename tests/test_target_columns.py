"""Which raw columns are the target's: a row that is predicted need not have them."""

from __future__ import annotations

import pytest
from percent import notebook

from nb2prod.compiler import analyse
from nb2prod.ir.project import Column
from nb2prod.lower import lower

TEXT = """\
# %% tags=load
import pandas as pd
import numpy as np
df = pd.read_csv("rows.csv")
# %% tags=features
{statements}
X = df[["a", "b"]]
# %% tags=train
from sklearn.linear_model import LogisticRegression
model = LogisticRegression().fit(X, y)
"""
COLUMNS = tuple(Column(name, "int", read=name in "ab") for name in ("a", "b", "q"))


def targets(statements: str, columns: tuple[Column, ...]) -> tuple[str, ...]:
    compiled = analyse(notebook(TEXT.format(statements=statements)))
    made = lower(
        compiled.graph,
        compiled.flow,
        compiled.types,
        name="rows",
        notebook="rows.ipynb",
        data_root="..",
        columns=columns,
    )
    return made.project.target_columns


@pytest.mark.parametrize("columns", [(), COLUMNS], ids=["text alone", "columns known"])
@pytest.mark.parametrize(
    "statements",
    [
        'y = df["q"]',
        'some = pd.concat([df[["q"]], pd.get_dummies(df["a"])], axis=1)\ny = some.q',
        'all_q = df["q"].to_numpy()\nwanted = (df["a"] > 2) & (df["q"] < 9)\ny = all_q[wanted]',
        'y = df["q"]\nusual = df["a"] > 2\nrest, y = df[usual], y[usual]',
        'y = np.log1p(df["q"])',
        'df["q"] = df["q"].map({1: 0, 2: 1})\ny = df["q"]',
        'df["good"] = (df["q"] > 7).astype(int)\ny = df["good"]',
        'df["good"] = [1 if x > 7 else 0 for x in df.q]\ny = df["good"]',
        'df["best"] = np.where(df["q"] > 7, 1, 0)\ndf["good"] = df["best"] * 2\ny = df["good"]',
        'df = df.assign(good=df["q"] > 7)\ny = df["good"]',
        'df = df.rename(columns={"q": "good"})\ny = df["good"]',
        'df["good"] = 0\ndf.loc[df["q"] > 7, "good"] = 1\ny = df["good"]',
    ],
)
def test_columns_behind_the_target(statements: str, columns: tuple[Column, ...]) -> None:
    assert targets(statements, columns) == ("q",)


@pytest.mark.parametrize("columns", [(), COLUMNS], ids=["text alone", "columns known"])
def test_what_features_are_made_of_is_no_target(columns: tuple[Column, ...]) -> None:
    """Else serving would fill in a constant for it."""
    assert targets('df["good"] = df["q"] > df["a"]\ny = df["good"]', columns) == ("q",)
