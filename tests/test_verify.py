"""The checks: a right project passes, and every way of getting it wrong is found and named."""

from __future__ import annotations

import itertools
import json
import os
import pickle
import random
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jinja2
import numpy as np
import pandas as pd
import pytest

from nb2prod.injected.check_project import check
from nb2prod.injected.session import Session
from nb2prod.verify import CHECKS, Check, Place, Report, Request, Slice, outcome, run_checks, run_probe

TEMPLATES = Path(__file__).parent.parent / "templates"
NUMBERS = itertools.count()

NOTEBOOK = """
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

df = pd.read_csv("raw.csv")
df = df.drop(columns=["id"])
df["age"] = df["age"].fillna(df["age"].median())
df["fare"] = df["fare"].fillna(df["fare"].mean())
df = df[df["calls"] < 30]
df = pd.get_dummies(df, columns=["town"])
y = (df["churn"] == "yes").astype(int)
X = df.drop(columns=["churn"])
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=1)
sc = StandardScaler()
X_train = sc.fit_transform(X_train)
X_test = sc.transform(X_test)
"""

FEATURES = '''
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from .staging import Staging


def target(df, st):
    return (df["churn"] == "yes").astype(int)


def features(df, st):
    """Cells 1 to 3."""
    df = df.drop(columns=["id"])
    df["age"] = df["age"].fillna(st.value("age_median", df["age"].median))
    df["fare"] = df["fare"].fillna(st.value("fare_mean", df["fare"].mean))
    df = st.keep("few_calls", df, lambda: df[df["calls"] < 30])
    df = st.get_dummies("dummies", df, columns=["town"])
    y = st.target(target, df)
    X = df.drop(columns=["churn"])
    X_train, X_test, y_train, y_test = st.split(train_test_split, X, y, test_size=0.3, random_state=1)
    sc = StandardScaler()
    X_train = st.fit_transform("scaler", sc, X_train)
    return st.result(X_train, y_train, y_test)


@dataclass
class Training:
    X_train: Any
    y_train: Any
    X_eval: Any
    y_eval: Any
    train_ids: Any
    eval_ids: Any
    state: Any
    extras: dict = field(default_factory=dict)


def fit(raw, settings=None):
    st = Staging.for_fit(raw)
    X = features(st.main, st)
    if settings is not None and settings.fit_on == "train":
        st = Staging.for_fit(raw, rehearsal=st)
        X = features(st.main, st)
    state = st.freeze()
    judged = Staging.for_evaluation(raw.iloc[st.eval_ids], state)
    X_eval = features(judged.main, judged)
    return Training(X, st.y, X_eval, judged.y, st.train_ids, st.eval_ids, state, st.extras)


def transform(rows, state):
    st = Staging.for_serving(rows, state)
    return features(st.main, st)
'''

OTHERS = {
    "__init__": "",
    "settings": """
import os
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Parameters:
    pass


@dataclass
class Settings:
    project: Path
    parameters: Parameters = field(default_factory=Parameters)
    fit_on: str = "all"


def load_settings(project=None):
    return Settings(Path(project))
""",
    "load": """
import os
import pandas as pd


def load(settings):
    return pd.read_csv(os.path.join(os.environ["TINY_DATA_ROOT"], "raw.csv"))
""",
    "train": """
from dataclasses import dataclass, field
from sklearn.linear_model import LogisticRegression


@dataclass
class Fitted:
    model: object
    metrics: dict = field(default_factory=dict)
    extras: dict = field(default_factory=dict)


def fit_model(data, settings):
    print("what user code prints is no answer {")
    model = LogisticRegression().fit(data.X_train, data.y_train)
    return Fitted(model, {"accuracy": model.score(data.X_eval, data.y_eval)})
""",
    "infer": """
def decide(model, X, given):
    return (model.predict_proba(X)[:, 1] > 0.4).astype(int)
""",
}
LINES = [line for line in FEATURES.splitlines() if line.startswith("    ")]
STATEMENTS = tuple(Place(2, at, line.strip()) for at, line in enumerate(LINES[2:14], 1))


def raw_rows() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    n = 160
    age = np.where(rng.random(n) < 0.1, np.nan, rng.integers(18, 80, n))
    return pd.DataFrame(
        {
            "id": [f"c{at}" for at in range(n)],
            "age": age,
            "fare": rng.gamma(2, 20, n).round(2),  # never missing: its mean is learned and never used
            "calls": rng.integers(0, 33, n),
            "town": rng.choice(["Bern", "Rome", "Oslo"], n),
            "churn": np.where(rng.random(n) < 0.3 + 0.3 * (age > 50), "yes", "no"),
        }
    )


class Folder:
    """A project, its data and the notebook's baseline."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.request = Request(
            project=root / "project",
            package="tiny",
            baseline=root / "baseline",
            targets=("churn",),
            slice=Slice(root / "slice.py", "X_train", root / "data"),
            statements=STATEMENTS,
            env={"TINY_DATA_ROOT": str(root / "data")},
        )
        self.package = root / "project" / "src" / "tiny"

    def edit(self, old: str, new: str, module: str = "features") -> Folder:
        path = self.package / f"{module}.py"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        return self

    def checks(self, *names: str, fit_on: str = "all", **options: Any) -> dict[str, Check]:
        request = replace(self.request, checks=names or CHECKS, fit_on=fit_on)
        found = run_checks(request, python=sys.executable, timeout=120, **options)
        return {check.id: check for check in found}

    def inside(self, *names: str) -> dict[str, Check]:
        """The same checks in this process, which is faster, under a package name of their own."""
        name = f"tiny_{next(NUMBERS)}"
        shutil.copytree(self.package, self.package.with_name(name))
        request = replace(self.request, package=name, checks=names)
        found: dict[str, Check] = {}

        def tell(event: dict[str, Any]) -> None:
            if event["event"] == "done":
                found[event["check"]] = Check(event["check"], event["status"], event["detail"])

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("TINY_DATA_ROOT", self.request.env["TINY_DATA_ROOT"])
            patch.syspath_prepend(str(self.root))  # restores sys.path afterwards
            check(Session(json.loads(json.dumps(request.to_json("check"), default=str))), tell)
        return found


def write_baseline(folder: Path, data: Path) -> None:
    """What the notebook's plain run leaves, in the format of the recorder."""
    from sklearn.linear_model import LogisticRegression

    space: dict[str, Any] = {}
    before = Path.cwd()
    os.chdir(data)
    try:
        exec(NOTEBOOK, space)
    finally:
        os.chdir(before)
    state = {"random": random.getstate(), "numpy": np.random.get_state()}
    model = LogisticRegression().fit(space["X_train"], space["y_train"])
    values = {name: space[name] for name in ("X_train", "y_train")}
    values |= {"X_eval": space["X_test"], "y_eval": space["y_test"], "model": model}
    values["predictions_eval"] = (model.predict_proba(space["X_test"])[:, 1] > 0.4).astype(int)
    values["predictions_train"] = (model.predict_proba(space["X_train"])[:, 1] > 0.4).astype(int)
    folder.mkdir()
    index: dict[str, Any] = {"values": {}, "random": {"X_train": "random.pkl"}}
    (folder / "random.pkl").write_bytes(pickle.dumps(state))
    for name, value in values.items():
        (folder / f"{name}.pkl").write_bytes(pickle.dumps(value))
        index["values"][name] = {"file": f"{name}.pkl", "type": type(value).__name__}
    index["metrics"] = {"accuracy": model.score(space["X_test"], space["y_test"])}
    (folder / "index.json").write_text(json.dumps(index))


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("verify")
    (root / "data").mkdir()
    raw_rows().to_csv(root / "data" / "raw.csv", index=False)
    (root / "slice.py").write_text(NOTEBOOK)
    write_baseline(root / "baseline", root / "data")
    package = root / "project" / "src" / "tiny"
    package.mkdir(parents=True)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    adapters = ["fit_transform", "get_dummies", "group_transform", "split", "target", "to_training"]
    for name in ("state", "staging"):
        template = environment.get_template(f"package/src/__package__/{name}.py.jinja")
        (package / f"{name}.py").write_text(
            template.render(project=SimpleNamespace(name="tiny", adapters=adapters))
        )
    for name, text in {**OTHERS, "features": FEATURES}.items():
        (package / f"{name}.py").write_text(text)
    return root


@pytest.fixture
def folder(pristine: Path, tmp_path: Path) -> Folder:
    shutil.copytree(pristine, tmp_path / "copy")
    return Folder(tmp_path / "copy")


def test_a_right_project_is_verified(folder: Folder) -> None:
    events: list[Any] = []
    found = folder.checks(on_event=events.append)
    leakage = found["leakage"]
    assert {check.status for check in found.values() if check is not leakage} == {"passed"}, found
    assert (
        leakage.status == "failed"
        and "age_median, fare_mean, scaler learned from evaluation" in leakage.detail
    )
    assert list(found) == list(CHECKS)
    report = Report.of(tuple(found.values()), notebook="tiny.ipynb", version="1")
    assert report.status == "verified"
    assert json.loads(json.dumps(report.to_json()))["checks"][1]["id"] == "V1"
    assert [e["check"] for e in events if e["event"] == "start"] == list(CHECKS)
    assert any(e["event"] == "progress" and e["of"] > 30 for e in events)


def test_a_project_that_learns_from_the_training_rows_is_checked_both_ways(folder: Folder) -> None:
    found = folder.checks(fit_on="train")
    assert {check.status for check in found.values()} == {"passed"}, found
    for name in ("V2", "V3", "V4", "V5", "V8"):
        assert "learned from the training rows alone" in found[name].detail
    assert "the project learns from the training rows alone" in found["leakage"].detail


def test_a_fault_of_the_corrected_training_alone_is_found(folder: Folder) -> None:
    again = "st = Staging.for_fit(raw, rehearsal=st)\n        X = features(st.main, st)"
    wrong = again + "\n        X = X + 1"
    found = folder.edit(again, wrong).checks(fit_on="train")
    assert found["V1"].status == "passed"
    assert found["V2"].status == "failed" and found["V2"].detail.startswith(
        "learned from the training rows alone"
    )


WRAPS = {
    'st.value("age_median", df["age"].median)': 'df["age"].median()',
    'st.value("fare_mean", df["fare"].mean)': 'df["fare"].mean()',
    'st.keep("few_calls", df, lambda: df[df["calls"] < 30])': 'df[df["calls"] < 30]',
    'st.get_dummies("dummies", df, columns=["town"])': 'pd.get_dummies(df, columns=["town"])',
    'st.fit_transform("scaler", sc, X_train)': "sc.fit_transform(X_train)",
    "st.split(train_test_split, X, y,": "train_test_split(X, y,",
}


@pytest.mark.parametrize("wrap", WRAPS)
def test_a_deleted_wrap_is_found(folder: Folder, wrap: str) -> None:
    found = folder.edit(wrap, WRAPS[wrap]).inside("V1", "V2", "V3", "V5")
    assert outcome(tuple(found.values()))[0] == "differs", found


def test_the_first_differing_statement_is_named(folder: Folder) -> None:
    folder.edit('st.value("age_median", df["age"].median)', 'df["age"].median()')
    check = folder.inside("V1", "V2")["V2"]
    assert check.status == "failed"
    assert 'cell 2, line 2 `df["age"]' in check.detail and "`df`: column 'age'" in check.detail


@pytest.mark.parametrize(
    "leak",
    [
        'X = df.drop(columns=["churn"]).assign(leak=df["churn"] == "yes")',
        'X = df.drop(columns=["churn"]).assign(leak=df["churn"].map({"yes": 2, "no": 3}))',
        'X = df.drop(columns=["churn"]).assign(age=df["age"].where(df["churn"] == "no", 99))',
    ],
)
def test_a_target_leak_is_found(folder: Folder, leak: str) -> None:
    check = folder.edit('X = df.drop(columns=["churn"])', leak).inside("V1", "V3")["V3"]
    assert check.status == "failed" and "cell 2, line 7" in check.detail, check


def test_a_row_that_looks_at_other_rows_is_found(folder: Folder) -> None:
    check = folder.edit(
        "    df = st.get_dummies", '    df["fare"] = df["fare"].rank()\n    df = st.get_dummies'
    ).inside("V1", "V2")
    assert check["V1"].status == check["V2"].status == "failed"


def test_what_the_batch_or_a_value_unseen_does_to_a_row_is_found(folder: Folder) -> None:
    before = "    df = st.get_dummies"
    unlike = "    if len(df) == 2:\n        df['fare'] = df['fare'] + 1\n"
    far = "    if len(df) > 2 and df['calls'].max() > 200:\n        df['fare'] = df['fare'] + 1\n"
    found = folder.edit(before, unlike + far + before).inside("V1", "V2", "V4", "V5")
    assert [found[name].status for name in found] == ["passed", "passed", "failed", "failed"], found
    assert "rows two of them" in found["V4"].detail
    assert found["V5"].detail.startswith("row with calls far above: in a batch against alone")


def test_other_features_are_found_with_column_and_row(folder: Folder) -> None:
    folder.edit('st.fit_transform("scaler", sc, X_train)', 'X_train.assign(fare=X_train["fare"] + 1e-3)')
    check = folder.inside("V1")["V1"]
    assert check.status == "failed" and "array against DataFrame" in check.detail
    folder.edit('X_train.assign(fare=X_train["fare"] + 1e-3)', "sc.fit_transform(X_train) + 1e-3")
    check = folder.inside("V1")["V1"]
    assert check.status == "failed" and "column '0', row 0" in check.detail


def test_other_metrics_and_predictions_are_found(folder: Folder) -> None:
    folder.edit("data.y_eval)", "data.y_eval) + 0.01", "train").edit("> 0.4", "> 0.5", "infer")
    found = folder.inside("V1", "metrics", "predictions")
    assert found["metrics"].status == found["predictions"].status == "failed"
    assert "accuracy: notebook 0." in found["metrics"].detail
    assert "eval rows" in found["predictions"].detail or "train rows" in found["predictions"].detail


def test_what_is_unstable_in_the_notebook_is_no_fault_of_the_project(folder: Folder) -> None:
    folder.edit("LogisticRegression()", "LogisticRegression(C=0.001)", "train")
    folder.request = replace(folder.request, unstable=("accuracy", "model"))
    found = folder.inside("V1", "metrics", "predictions")
    assert found["metrics"].status == "skipped"
    assert found["predictions"].status == "passed" and "the notebook's model" in found["predictions"].detail


def test_a_wrong_slice_is_found(folder: Folder) -> None:
    text = (folder.root / "slice.py").read_text()
    (folder.root / "slice.py").write_text(text.replace(".median()", ".mean()"))
    assert "notebook against slice" in folder.checks("V0")["V0"].detail
    (folder.root / "slice.py").write_text("unknown")
    assert "NameError" in folder.checks("V0")["V0"].detail
    folder.request = replace(folder.request, slice=None)
    assert folder.inside("V0")["V0"].status == "skipped"


def test_state_that_does_not_survive_storage_is_found(folder: Folder) -> None:
    folder.edit(
        "objects = joblib.load",
        "document['learned'][0]['value'] = 1.0\n        objects = joblib.load",
        "state",
    )
    assert folder.checks("V1", "V8")["V8"].status == "failed"


def test_no_target_is_not_applicable_and_no_metric_neither(folder: Folder) -> None:
    folder.request = replace(folder.request, targets=())
    index = json.loads((folder.root / "baseline" / "index.json").read_text())
    (folder.root / "baseline" / "index.json").write_text(json.dumps({**index, "metrics": {}}))
    found = folder.inside("V1", "V3", "metrics")
    assert found["V3"].status == found["metrics"].status == "not_applicable"


def test_code_that_fails_names_its_line(folder: Folder) -> None:
    folder.edit('columns=["id"]', 'columns=["idd"]')
    found = folder.inside("V1", "V2")
    assert found["V1"].status == "failed" and 'df.drop(columns=["idd"])' in found["V1"].detail
    assert found["V2"].status == "skipped"


def test_a_process_that_dies_is_a_failure_and_one_that_hangs_is_not(folder: Folder) -> None:
    folder.edit("    df = df.drop(", "    import os; os.kill(os.getpid(), 9)\n    df = df.drop(")
    found = folder.checks("V1", "V2")
    assert found["V1"] == Check("V1", "failed", "the process died (signal 9)")
    assert found["V2"].status == "skipped"
    found_ = run_checks(replace(folder.request, checks=("V1",)), python=sys.executable, timeout=0.5)
    assert found_[0].status == "skipped" and "time-out" in found_[0].detail


def test_an_interpreter_that_is_none(folder: Folder) -> None:
    with pytest.raises(Exception, match="cannot be started"):
        run_checks(folder.request, python="/nowhere/python")


def test_the_probe_knows_what_the_features_read(folder: Folder) -> None:
    facts = run_probe(folder.request, python=sys.executable)
    columns = {column["name"]: column for column in facts["columns"]}
    assert {name for name, column in columns.items() if column["read"]} == {"age", "fare", "calls", "town"}
    assert columns["town"]["categories"] == ["Bern", "Oslo", "Rome"] and columns["town"]["type"] == "str"
    assert columns["age"]["nullable"] and columns["age"]["type"] == "float"
    assert columns["calls"]["type"] == "int" and columns["calls"]["maximum"] <= 29
    assert next(entry["key"] for entry in facts["learned"]) == "age_median"
    with pytest.raises(Exception, match="ModuleNotFoundError"):
        run_probe(replace(folder.request, package="tinier"), python=sys.executable)


def passed(**changed: str) -> list[Check]:
    return [Check(name, changed.get(name, "passed"), name) for name in CHECKS]


@pytest.mark.parametrize(
    ("checks", "status"),
    [
        (passed(), "verified"),
        (passed(V3="not_applicable", metrics="not_applicable"), "verified"),
        (passed(V2="not_applicable"), "unverified"),
        (passed(V9="failed"), "verified"),
        (passed(V8="skipped"), "unverified"),
        (passed(V8="skipped", V2="failed"), "differs"),
        ([c for c in passed() if c.id != "predictions"], "unverified"),
        ([], "unverified"),
    ],
)
def test_the_status_rule(checks: list[Check], status: str) -> None:
    assert outcome(checks)[0] == status
