"""`nb2prod show`: how each expression is staged, on what evidence and why, with a run or without."""

from __future__ import annotations

import json
from pathlib import Path

from percent import notebook
from typer.testing import CliRunner

from nb2prod.cli import app
from nb2prod.ir.trace import SiteFact, Trace, fingerprint
from nb2prod.source import Span

SCALED = 'df["age"] = df["age"] / mylib.typical(df)'
TEXT = f"""\
# %% tags=load
import pandas as pd
import mylib
from sklearn.linear_model import LinearRegression
df = pd.read_csv("a.csv")
# %% tags=features
{SCALED}
df["fare"] = df["fare"].fillna(df["fare"].median())
X = df[["age", "fare"]]
# %% tags=train
m = LinearRegression().fit(X, df["y"])
m.predict(X)
"""


def shown(path: Path, *options: str) -> list[str]:
    ran = CliRunner().invoke(app, ["show", str(path), "--after", "stage_features", *options])
    assert ran.exit_code == 0, ran.output
    return [" ".join(line.split()) for line in ran.stdout.splitlines()]


def test_each_site_has_its_class_evidence_and_reason(tmp_path: Path) -> None:
    path = written(tmp_path)
    lines = shown(path)
    assert "cell 1:2 value('fare_median') PROVED median of all rows" in lines
    assert lines[lines.index("cell 1:2 value('fare_median') PROVED median of all rows") + 1] == (
        "df['fare'].median()"
    )
    assert any("assumed cell 1, line 1: mylib.typical is taken to work row by row" in line for line in lines)


def test_a_run_shows_what_the_text_does_not(tmp_path: Path) -> None:
    path, call = written(tmp_path), SCALED.index("mylib")
    facts = (
        SiteFact(Span(1, 1, call + 1, 1, len(SCALED) + 1), ("builtins.float",), 1, ()),
        SiteFact(Span(1, 1, len(SCALED) - 2, 1, len(SCALED)), ("pandas.DataFrame",), 1, (10, 3)),
    )
    trace = tmp_path / "trace.json"
    trace.write_text(Trace("3.12", fingerprint(notebook(TEXT)), sites=facts).to_json())
    assert "cell 1:1 value('typical') TRACED not one entry a row" in shown(path, "--trace", str(trace))


def written(folder: Path) -> Path:
    read = notebook(TEXT)
    cells = [
        {"cell_type": "code", "source": c.text, "metadata": {"tags": list(c.tags)}, "outputs": [],
         "execution_count": None}
        for c in read.cells
    ]  # fmt: skip
    path = folder / "n.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}))
    return path
