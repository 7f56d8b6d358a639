"""Which of several models is compiled, where the notebook fits them in a loop: `--model` names one."""

from __future__ import annotations

import ast

import pytest
from percent import notebook

from nb2prod.compiler import analyse

LOOP = """\
# %% tags=load
import pandas as pd
from sklearn.linear_model import Ridge
from sklearn.tree import DecisionTreeRegressor
df = pd.read_csv("data.csv")
# %% tags=features
X = df[["Age"]]
y = df["Fare"]
# %% tags=train
{models}
for name, candidate in {iterated}:
    candidate.fit(X, y)
    print(name, candidate.score(X, y))
"""
DICTIONARY = LOOP.format(
    models='models = {"ridge": Ridge(), "tree": DecisionTreeRegressor()}', iterated="models.items()"
)
PAIRS = LOOP.format(
    models='models = [("ridge", Ridge()), ("tree", DecisionTreeRegressor())]', iterated="models"
)


@pytest.mark.parametrize(("cells", "held"), [(DICTIONARY, "models['tree']"), (PAIRS, "models[1][1]")])
def test_an_entry_is_named(cells: str, held: str) -> None:
    compiled = analyse(notebook(cells), model="tree")
    assert not compiled.blocked
    assert compiled.graph.sink is not None and compiled.graph.sink.held is not None
    assert ast.unparse(compiled.graph.sink.held) == held


@pytest.mark.parametrize("cells", [DICTIONARY, PAIRS])
def test_none_is_named(cells: str) -> None:
    assert [found.code for found in analyse(notebook(cells)).blocking] == ["NBP405"]


def test_no_entry_has_the_name() -> None:
    assert [found.code for found in analyse(notebook(DICTIONARY), model="forest").blocking] == ["NBP406"]


def test_loops_that_go_through_each_other_have_no_rows_behind_them() -> None:
    cells = """\
# %% tags=load
import pandas as pd
from sklearn.linear_model import Ridge
df = pd.read_csv("data.csv")
# %% tags=features
X = df[["Age"]]
y = df["Fare"]
# %% tags=train
model = Ridge().fit(X, y)
# %% tags=infer
for part in parts:
    for parts in part:
        print(model.predict(part))
"""
    assert analyse(notebook(cells)).graph.sink is not None
