"""The bodies of tests/cases/stage_features/, run: training gives the notebook's own X and y, and each raw row
alone the features that it had among all others.
"""

from __future__ import annotations

import ast
import importlib
import sys
import warnings
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from percent import notebook
from test_cases import Case, cases, read
from test_state_runtime import ADAPTERS, assert_same, render

from nb2prod import frontend
from nb2prod.analysis.cut import cut
from nb2prod.analysis.defuse import defuse
from nb2prod.analysis.types import infer
from nb2prod.ir.project import Module
from nb2prod.ir.stages import Sink
from nb2prod.lower import lower
from nb2prod.passes import run_passes

ROWS = 48


def frame(rows: int, seed: int) -> pd.DataFrame:
    """Rows with gaps, categories of uneven size, and numbers that no two statistics agree on."""
    rng = np.random.default_rng(seed)
    age = np.where(rng.random(rows) < 0.2, np.nan, rng.integers(1, 80, rows))
    cities = np.array(["Oslo", "Bergen", "Molde"])
    return pd.DataFrame(
        {
            "Survived": rng.integers(0, 2, rows),
            "Name": [f"Doe, {'Mrs.' if i % 3 else 'Mr.'} {'A ' * (i % 2)}J{i}" for i in range(rows)],
            "Sex": np.where(np.arange(rows) % 3, "female", "male"),
            "Age": age,
            "Fare": np.round(rng.exponential(30, rows), 2),
            "Embarked": np.where(rng.random(rows) < 0.1, None, np.where(rng.random(rows) < 0.7, "S", "C")),
            "City": cities[rng.integers(0, 3, rows)],
            "Ticket": [f"T{i % 7}" for i in range(rows)],
            "Pclass": rng.integers(1, 4, rows),
            "SibSp": rng.integers(0, 3, rows),
            "Parch": rng.integers(0, 3, rows),
            "When": [f"2024-{1 + i % 12:02d}-{1 + i % 28:02d}" for i in range(rows)],
        }
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    frame(ROWS, 1).to_csv(folder / "data.csv", index=False)
    frame(10, 2).to_csv(folder / "test.csv", index=False)
    cities = pd.DataFrame({"City": ["Molde", "Oslo", "Vardo"], "income": [3, 5, 7]})
    cities.to_csv(folder / "cities.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    root = tmp_path_factory.mktemp("runtime")
    render(root / "runtime_of_cases", ADAPTERS)
    sys.path.insert(0, str(root))
    return importlib.import_module("runtime_of_cases.staging")


def compiled(case: Case) -> tuple[Any, Sink, list[str]]:
    """The project, the model fit, and the notebook's statements up to it."""
    program = frontend.parse(notebook(case.cells))
    types = infer(program)
    flow = defuse(program, types)
    graph = run_passes(cut(flow, types), flow, types)
    assert graph.sink is not None and not graph.refusals
    lowered = lower(graph, flow, types, name="p", notebook="p.ipynb", data_root=".").project
    before = [ast.unparse(stmt.node) for stmt in program.stmts() if stmt.id < graph.sink.stmt]
    return lowered, graph.sink, before


def loaded(module: Module, names: dict[str, Any]) -> dict[str, Any]:
    """The names of a generated module."""
    text = ["from __future__ import annotations", *module.imports, *module.helpers, *module.functions]
    exec("\n".join(text), names)
    return names


def telling_rows(rows: pd.DataFrame) -> list[int]:
    """The first rows, the last one, and in each column the first gap and the largest value."""
    found = {0, 1, len(rows) - 1}
    for name in rows.columns:
        column = rows[name]
        found |= {
            int(np.argmax(mask)) for mask in (column.isna(), column == column.dropna().max()) if mask.any()
        }
    return sorted(found)


def staged_cases() -> list[Any]:
    return [p for p in cases("stage_features") if "  refused" not in Path(p.values[0]).read_text()]  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", staged_cases())
def test_staged_body(path: Path, data: Path, runtime: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    project, sink, before = compiled(read(path))
    monkeypatch.chdir(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        noted: dict[str, Any] = {}
        exec("\n".join(before), noted)
        X = eval(ast.unparse(sink.x), noted)
        settings = SimpleNamespace(data_path=lambda key: f"{key}.csv")
        raw = loaded(project.load, {})["load"](settings)
        main = raw if isinstance(raw, pd.DataFrame) else next(iter(raw.values()))
        target = loaded(project.target, {}).get("target")
        features = loaded(project.features, {"target": target})["features"]

        st = runtime.Staging.for_fit(raw)
        main = main.copy()
        trained = features(st.main, st)
        assert_same(trained, X)
        if sink.y is not None:
            assert_same(
                np.asarray(st.y).reshape(-1, 1), np.asarray(eval(ast.unparse(sink.y), noted)).reshape(-1, 1)
            )

        state = st.freeze()
        for place in telling_rows(main.iloc[st.train_ids]):
            row = main.iloc[[st.train_ids[place]]].drop(columns="Survived").reset_index(drop=True)
            serving = runtime.Staging.for_serving(row, state)
            assert_same(features(serving.main, serving), trained[place : place + 1])
