"""Notebooks that never seed what they draw: what the project leaves out decides nothing of what it draws."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from forked import forked
from hazard_cases import IMPORTS, parse, write_data, write_notebook
from hazard_oracle import in_child

from nb2prod import baseline, compiler, frontend
from nb2prod.compiler import Options, compile_notebook

HEAD = f"""\
== unseeded
-> verified
# %% setup
{IMPORTS}from sklearn.ensemble import RandomForestRegressor
# %% load
# %% features
X = df[["a", "c"]]
y = df["price"]
"""
SPLIT = """\
# %% features
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.25)
"""
TRAIN = """\
# %% train
model = Ridge().fit(X_train, y_train)
mae = mean_absolute_error(y_test, model.predict(X_test))
# %% infer
predictions = model.predict(X_test)
"""
SHOWN = "# %% eda\ndf.sample(5)\n"
LEFT_OUT = "# %% eda\nforest = RandomForestRegressor(5).fit(X, y)\nprint(forest.feature_importances_)\n"
TWO_LEFT_OUT = (
    LEFT_OUT + "# %% eda\nfor column in df:\n    df.sample(3)\nnp.random.shuffle(df.columns.tolist())\n"
)
COMPARED = (
    "# %% train\nother = RandomForestRegressor(5).fit(X_train, y_train)\nprint(other.score(X_test, y_test))\n"
)


@pytest.fixture(scope="module", autouse=True)
def forks() -> Iterator[None]:
    with forked():
        yield


@pytest.mark.parametrize(
    "cells",
    [SHOWN + SPLIT, LEFT_OUT + SPLIT, TWO_LEFT_OUT + SPLIT, SPLIT + COMPARED],
    ids=["rows shown", "a model that is left out", "several", "a model that is compared"],
)
def test_what_is_left_out_moves_no_stream(cells: str, tmp_path: Path) -> None:
    outcome = compiled(HEAD + cells + TRAIN, tmp_path)
    assert outcome.status == "verified", outcome.report.reason
    assert outcome.out is not None
    project = outcome.out

    def trained() -> float:
        """The project's own training, from its own seed."""
        import os
        import sys

        os.environ["HAZARD_DATA_ROOT"] = str(tmp_path / "data")
        sys.path.insert(0, str(project / "src"))
        from hazard import features, load, pipeline, settings, train  # type: ignore[import-not-found]

        known = settings.load_settings(project)
        pipeline.seed(known)
        found = train.fit_model(features.fit(load.load(known), known), known)
        return float(found.metrics["mae"])

    assert in_child(trained, tmp_path) == pytest.approx(outcome.metrics["mae"], rel=1e-12)


@pytest.mark.parametrize(
    "cell",
    ["np.random.seed(3)", "from transformers import set_seed\nset_seed(3)"],
    ids=["seeded", "by a library"],
)
def test_a_seeded_stream_is_left_alone(cell: str, tmp_path: Path) -> None:
    text = HEAD.replace("# %% load", f"{cell}\n# %% load") + SHOWN + SPLIT + TRAIN
    path = write_notebook(parse(text, "unseeded")[0], tmp_path)
    compiled = compiler.analyse(frontend.read(path))
    streams = {
        s for tap in baseline.asides(compiled.graph, compiled.flow, compiled.types) for s in tap.streams
    }
    assert "numpy" not in streams


def compiled(text: str, folder: Path) -> compiler.Outcome:
    data = folder / "data"
    data.mkdir()
    write_data(data)
    return compile_notebook(write_notebook(parse(text, "unseeded")[0], data), Options(out=folder / "hazard"))
