"""The row path of what training learned: a row alone, in a batch and in plain Python have the same features.

Each case is the features cell of a small notebook, compiled by its text; its project fits them in each of the
generations of pandas, and `benchmarks/row_path_runner.py` computes rows, changed rows and probes both ways.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sklearn")

import nbformat
import pandas as pd

from nb2prod import emit, frontend
from nb2prod.ir.project import Module
from nb2prod.rowpath import row_path
from nb2prod.static import analyse, files, lowered

RUNNER = Path(__file__).parents[1] / "benchmarks" / "row_path_runner.py"
PYTHONS = [exe for exe in os.environ.get("NB2PROD_PYTHONS", "").split(os.pathsep) if exe]
SETUP = """import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import LabelEncoder, MinMaxScaler, OneHotEncoder, StandardScaler"""
REST = "y = df['y']\nmodel = LogisticRegression()\nmodel.fit(X, y)"
CASES = {
    "dummies_scaled": """
X = pd.get_dummies(df[['n', 'f', 'k']], columns=['k']).fillna(0)
scaler = StandardScaler().fit(X)
X = scaler.transform(X)""",
    "intervals": """
df['band'] = pd.cut(df['n'], bins=4)
df['part'] = pd.qcut(df['f'], 3)
X = pd.get_dummies(df[['n', 'band', 'part']], columns=['band', 'part'])""",
    "interval_codes": """
df['band'] = pd.cut(df['f'].fillna(df['f'].median()), bins=3)
encoder = LabelEncoder()
df['band'] = encoder.fit_transform(df['band'])
X = df[['n', 'band']]""",
    "labels": """
df['band'] = pd.qcut(df['n'], q=3, labels=['a', 'b', 'c'], duplicates='drop')
df['band'] = df['band'].map({'a': 1, 'b': 2, 'c': 3}).astype(float)
X = df[['n', 'band']]""",
    "written": """
df[['n', 'f', 's', 'k', 'y']].to_csv('kept.csv', index=False)
again = pd.read_csv('kept.csv')
X = again[['n', 'f']].fillna(again['f'].mean())""",
    "texts_in_arrays": """
values = df[['n', 'k', 'f']].values
imputer = SimpleImputer(strategy='mean')
imputer.fit(values[:, 2:])
values[:, 2:] = imputer.transform(values[:, 2:])
transformer = ColumnTransformer([('k', OneHotEncoder(), [1])], remainder='passthrough')
X = np.array(transformer.fit_transform(values))""",
    "gathered": """
bands = []
for n in df['n']:
    if n > 20:
        bands.append(1)
    else:
        bands.append(0)
df['band'] = bands
chosen = pd.DataFrame()
for c in ['n', 'band']:
    if abs(df[c].corr(df['y'])) >= 0:
        chosen[c] = df[c]
X = MinMaxScaler().fit_transform(chosen)""",
    "row_by_row": """
def age(row):
    if pd.isnull(row['f']):
        return row['n'] / 2
    return row['f']

df['f'] = df[['f', 'n']].apply(age, axis=1)
X = df[['n', 'f']] / df[['n', 'f']].max()""",
}


def project(
    folder: Path,
    name: str,
    cell: str,
    guards: tuple[str, ...] = (),
    load: str = "df = pd.read_csv('raw.csv')",
) -> Path:
    """The project of a notebook with this features cell, whose data lie beside it."""
    rng = random.Random(0)
    rows = [
        (rng.randrange(90), rng.choice(["", round(rng.gauss(9, 4), 2)]), rng.choice(["", "Ann", "Bo"]),
         rng.choice("uvw"), rng.randrange(2))
        for _ in range(80)
    ]  # fmt: skip
    table = "\n".join(",".join(map(str, row)) for row in rows)
    (folder / "raw.csv").write_text(f"n,f,s,k,y\n{table}\n", encoding="utf-8")
    cells = [("setup", SETUP), ("load", load), ("features", cell), ("train", REST)]
    made = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text.strip(), metadata={"tags": [tag]}) for tag, text in cells]
    )
    path = folder / f"{name}.ipynb"
    nbformat.write(made, path)
    compiled = analyse(frontend.read(path))
    assert not compiled.blocked, compiled.blocking
    out = folder / f"project_{name}"
    lowering = lowered(compiled, path, f"sites_{name}", out, None, ())
    staged = replace(lowering.project, guards=guards)
    made_row = row_path(staged.features, lowering.body, pd.__version__, guards)
    assert made_row.text, made_row.told()
    lowering = replace(lowering, project=replace(staged, row_path=made_row.text))
    emit.write(files(lowering, compiled.notebook), out)
    return out


@pytest.mark.parametrize("exe", ["", *(pytest.param(exe, marks=pytest.mark.slow) for exe in PYTHONS)])
def test_a_row_alone_has_the_features_of_the_batch(exe: str, tmp_path: Path) -> None:
    """In one process for all cases: what takes long is to import pandas."""
    folders = {name: str(project(tmp_path, name, cell)) for name, cell in CASES.items()}
    script = "import json, sys; sys.path.insert(0, sys.argv[1]); import row_path_runner as runner\n"
    script += (
        "found = {n: runner.main(runner.Path(at), 400, 0) for n, at in json.loads(sys.argv[2]).items()}\n"
    )
    script += "print(json.dumps(found))"
    command = [exe or sys.executable, "-c", script, str(RUNNER.parent), json.dumps(folders)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    for name, found in json.loads(done.stdout.splitlines()[-1]).items():
        assert (found["different"], found["first"], found["share"]) == (0, "", 1), name


def test_a_row_that_a_guard_drops_is_left_to_pandas(tmp_path: Path) -> None:
    cell = "df = df[df['n'] < 50]\ndf = df.dropna(subset=['f'])\nX = df[['n', 'f']]"
    keys = ("dropna", "n_filter")
    folder = project(tmp_path, "guarded", cell, keys)
    sys.path.insert(0, str(folder / "src"))
    try:
        features, row = (
            importlib.import_module(f"sites_guarded.{word}") for word in ("features", "features_row")
        )
        raw = pd.read_csv(tmp_path / "raw.csv")
        state = features.fit(raw).state
        assert set(keys) <= set(state.entries), list(state.entries)
        alone = row.bind(state)
        X, outside = features.screened(raw, state)
    finally:
        sys.path.remove(str(folder / "src"))
    dropped = {int(at) for found in outside.values() for at in found}
    assert 10 < len(dropped) < len(raw) - 10
    for at, one in enumerate(raw.to_dict("records")):
        if at in dropped:
            with pytest.raises(row.NotCovered):
                alone(plain(one))
        else:
            assert alone(plain(one)) == X.iloc[at].tolist()


def test_a_file_without_a_header_has_its_columns_under_the_text_of_their_numbers(tmp_path: Path) -> None:
    load = "df = pd.read_csv('raw.csv', header=None, skiprows=1)"
    cell = "df = df.rename(columns={4: 'y'})\ndf[0] = df[0] / df[0].max()\nX = df[[0, 1]].fillna(0)"
    folder = project(tmp_path, "bare", cell, load=load)
    sys.path.insert(0, str(folder / "src"))
    try:
        features, row = (
            importlib.import_module(f"sites_bare.{word}") for word in ("features", "features_row")
        )
        raw = pd.read_csv(tmp_path / "raw.csv", header=None, skiprows=1)
        state = features.fit(raw).state
        alone, X = row.bind(state), features.transform(raw, state)
    finally:
        sys.path.remove(str(folder / "src"))
    for at, one in enumerate(raw.to_dict("records")):
        assert alone(plain(one)) == X.iloc[at].tolist()
        assert alone({str(name): value for name, value in plain(one).items()}) == X.iloc[at].tolist()


@pytest.mark.parametrize("name", ["churn", "house_prices", "reviews_text", "segments", "titanic_twins"])
def test_the_features_of_every_example_have_a_row_form(name: str, tmp_path: Path) -> None:
    """Of what lowering makes of the notebook, which is not always its own text."""
    path = RUNNER.parents[1] / "examples" / "notebooks" / f"{name}.ipynb"
    compiled = analyse(frontend.read(path))
    lowering = lowered(compiled, path, "row_form", tmp_path, None, ())
    made = row_path(lowering.project.features, lowering.body, pd.__version__, lowering.project.guards)
    assert made.text, made.told()


def plain(row: dict[Any, Any]) -> dict[Any, Any]:
    return {name: None if value != value else value for name, value in row.items()}


@pytest.mark.parametrize(
    "filtering", ["df.query('a > 1')", "df.sort_values('a').head(3)", "df.dropna(thresh=2)"]
)
def test_a_guard_that_is_not_understood_leaves_all_to_pandas(filtering: str) -> None:
    body = (
        f"def features(df, st):\n    df = st.keep('few', df, lambda: {filtering})\n    return st.result(df)"
    )
    assert row_path(Module(functions=(body,))).text
    assert row_path(Module(functions=(body,)), guards=("few",)).reason
