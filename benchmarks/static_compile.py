"""Processor time of `nb2prod compile --static` on a notebook of sixty cells, beside `nb2prod --version`.

    python benchmarks/static_compile.py

The goal is less than a second above `--version`.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

LOAD = """import numpy as np
import pandas as pd
from sklearn.preprocessing import StandardScaler
df = pd.read_csv("rows.csv")"""
LOOKED_AT = "print(df.describe().head({i}))"
# One feature cell after another, over and over: what notebooks do to columns, `i` being the cell's number.
FEATURES = (
    'df["f{i}"] = df["age"] * {i} + df["age"].mean()',
    'df["f{i}"] = df["age"].fillna(df["age"].mode()[0])',
    'df["f{i}"] = pd.qcut(df["age"], 4, labels=False)',
    'df = df.dropna(subset=["c{i}"])',
    'df["f{i}"] = df.groupby("c{i}")["age"].transform("mean")',
    'df["c{i}"] = df["c{i}"].map({{"a": 1, "b": 2}})\nprint(df.head())',
    'scaler{i} = StandardScaler()\ndf[["c{i}"]] = scaler{i}.fit_transform(df[["c{i}"]])',
    'df["f{i}"] = np.log1p(df["c{i}"])  # as agreed',
    'df = pd.get_dummies(df, columns=["g{i}"])',
)
TARGET = 'X = df.drop(columns="y")\ny = df["y"]'
TRAIN = """from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
model = LogisticRegression().fit(X_train, y_train)
print(accuracy_score(y_test, model.predict(X_test)))"""


def main() -> None:
    """Prints the fastest of three runs of each, and the difference; beside it the run that filled the caches.

    Each run has another notebook, with another feature cell left out.
    """
    cells = [("load", LOAD)]
    cells += [("eda", LOOKED_AT.format(i=i)) for i in range(12)]
    cells += [("features", FEATURES[i % len(FEATURES)].format(i=i)) for i in range(46)]
    cells += [("features", TARGET), ("train", TRAIN)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "sixty.ipynb")
        compiling = ("compile", str(path), "--static", "--force", "-o", str(Path(folder, "out")))
        compiled, version = [], []
        for run in range(4):
            sixty = notebook([*cells[: 20 + run], *cells[21 + run :]])
            path.write_text(json.dumps(sixty), encoding="utf-8")
            version.append(cpu(folder, "--version"))
            compiled.append(cpu(folder, *compiling))
        best, base = min(compiled[1:]), min(version)
    print(
        f"compile --static {best:.2f} s, --version {base:.2f} s, above it {best - base:.2f} s;"
        f" with empty caches {compiled[0] - base:.2f} s"
    )


def notebook(cells: list[tuple[str, str]]) -> dict[str, object]:
    code = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {"tags": [tag]},
            "execution_count": None,
            "outputs": [],
            "source": text,
        }
        for number, (tag, text) in enumerate(cells)
    ]
    return {"cells": code, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}


def cpu(folder: str, *arguments: str) -> float:
    """Seconds of processor time of one run, its children included."""
    caches = {"PYTHONPYCACHEPREFIX": str(Path(folder, "pyc")), "NB2PROD_CACHE_DIR": str(Path(folder, "kept"))}
    environment = {**os.environ, **caches}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "nb2prod", *arguments]
    subprocess.run(command, env=environment, cwd=folder, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
