"""The bodies of tests/cases/stage_features/ and tests/cases/features/, run: training gives the notebook's own
X and y, and each raw row alone the features that it had among all others.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
import warnings
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from percent import notebook
from test_cases import CASES, cases, read
from test_state_runtime import ADAPTERS, assert_same, render

from nb2prod import frontend
from nb2prod.analysis.cut import cut
from nb2prod.analysis.defuse import defuse
from nb2prod.analysis.types import Types, infer
from nb2prod.ir.flow import Flow
from nb2prod.ir.program import Program
from nb2prod.ir.project import Module
from nb2prod.ir.stages import Sink, StageGraph
from nb2prod.lower import lower
from nb2prod.passes import run_passes

ROWS = 48
LOAD = """# %% tags=load
import re
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
df = pd.read_csv("data.csv")
"""
TRAIN = """# %% tags=train
model = LogisticRegression().fit(X, y)
"""


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


def staged(cells: str) -> tuple[StageGraph, Program, Flow, Types]:
    program = frontend.parse(notebook(cells))
    types = infer(program)
    flow = defuse(program, types)
    return run_passes(cut(flow, types), flow, types), program, flow, types


def compiled(cells: str) -> tuple[Any, Sink, list[str]]:
    """The project, the model fit, and the notebook's statements up to it."""
    graph, program, flow, types = staged(cells)
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


def feature_cells(name: str) -> list[Any]:
    """The cells of tests/cases/features/NAME.txt, each with the code that it is refused with."""
    text = (CASES / "features" / f"{name}.txt").read_text(encoding="utf-8")
    found = re.split(r"^# ----(.*)\n", text, flags=re.MULTILINE)[1:]
    return [
        pytest.param(cell, code.strip(), id=f"{number}: {cell.splitlines()[0][:60]}")
        for number, (code, cell) in enumerate(zip(found[::2], found[1::2], strict=True), 1)
    ]


def notebook_of(cell: str) -> str:
    """A notebook whose features cell this is; it makes `df["f"]`, or `X` and `y` themselves."""
    end = "" if re.search(r"^X\b", cell, re.MULTILINE) else "X = df[['f']].fillna(0)\ny = df['Survived']\n"
    return f"{LOAD}# %% tags=features\n{cell}{end}{TRAIN}"


@pytest.mark.parametrize(("cell", "code"), feature_cells("learned"))
def test_features_are_learned(
    cell: str, code: str, data: Path, runtime: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert_staged(*compiled(notebook_of(cell)), data, runtime, monkeypatch)


@pytest.mark.parametrize(("cell", "code"), feature_cells("refused"))
def test_features_are_refused(cell: str, code: str) -> None:
    assert code in [refusal.code for refusal in staged(notebook_of(cell))[0].refusals]


@pytest.mark.parametrize("path", staged_cases())
def test_staged_body(path: Path, data: Path, runtime: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_staged(*compiled(read(path).cells), data, runtime, monkeypatch)


def assert_staged(
    project: Any,
    sink: Sink,
    before: list[str],
    data: Path,
    runtime: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
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
        module = ModuleType("features_of_case")  # what is pickled needs a place to be found at
        monkeypatch.setitem(sys.modules, module.__name__, module)
        vars(module)["target"] = target
        features = loaded(project.features, vars(module))["features"]

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
