"""A small notebook, its project and its baseline, made by hand: what the checks are tried on."""

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
from nb2prod.verify import CHECKS, Check, Place, Request, Slice, run_checks

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

    def kept(self, name: str) -> Any:
        """What the notebook's plain run left under this name."""
        return pickle.loads((self.root / "baseline" / f"{name}.pkl").read_bytes())

    def keep(self, name: str, value: Any) -> None:
        """As if the plain run had left this."""
        (self.root / "baseline" / f"{name}.pkl").write_bytes(pickle.dumps(value))
        path = self.root / "baseline" / "index.json"
        index = json.loads(path.read_text())
        index["values"][name] = {"file": f"{name}.pkl", "type": type(value).__name__}
        path.write_text(json.dumps(index))

    def checks(self, *names: str, fit_on: str = "all", **options: Any) -> dict[str, Check]:
        request = replace(self.request, checks=names or CHECKS, fit_on=fit_on)
        found = run_checks(request, python=sys.executable, timeout=600, **options)
        return {check.id: check for check in found}

    def inside(self, *names: str) -> dict[str, Check]:
        """The same checks in this process, which is faster, under a package name of their own."""
        name = f"tiny_{next(NUMBERS)}"
        shutil.copytree(self.package, self.package.with_name(name))
        request = replace(self.request, package=name, checks=names)
        found: dict[str, Check] = {}

        def tell(event: dict[str, Any]) -> None:
            if event["event"] == "done":
                found[event["check"]] = Check(
                    event["check"], event["status"], event["detail"], event["facts"]
                )

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


def write_project(root: Path) -> Path:
    """The notebook's data, slice and baseline, and a right project, in folders of `root`."""
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
