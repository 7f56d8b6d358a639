"""Whether a project does what its notebook does, found out without nb2prod's own checks.

The notebook's cells run in an IPython shell; the project trains and predicts in other processes, from other
seeds, and answers rows as a server gets them: twice, one by one, numbered from nought, in a process that
hashes texts in another way.  Only `predictions` and metrics are compared.
"""

from __future__ import annotations

import importlib
import os
import pickle
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from forked import Fork
from hazard_cases import Hazard

METRICS = ("mae", "accuracy", "best", "score")
ALONE = 8
SERVING = """\
import pickle, sys
from pathlib import Path
folder, source = map(Path, sys.argv[1:])
sys.path.insert(0, str(source))
import numpy as np
from hazard import features, infer, state
import hazard.train
def load(depth):  # statsmodels looks for the names of a formula some frames up the stack
    return load(depth - 1) if depth else pickle.loads((folder / "fitted.pkl").read_bytes())
fitted, rows = load(5)
learned = state.State.load(folder / "state")
given = {**learned.shared, **fitted.extras}
def answer(rows):
    return np.asarray(infer.decide(fitted.model, features.transform(rows, learned), given))
whole = [answer(rows), answer(rows)]
alone = [answer(rows.iloc[[at]].reset_index(drop=True)) for at in range(min(8, len(rows)))]
(folder / "answers.pkl").write_bytes(pickle.dumps([*whole, np.concatenate(alone)]))
"""


def disagreement(case: Hazard, data: Path, project: Path, work: Path) -> str:
    """What the project does otherwise than the notebook; empty where nothing does."""
    ran = in_child(lambda: notebook(case, data), work)
    if isinstance(ran, str):
        return f"the notebook fails: {ran}"
    predictions, metrics, asked = ran
    trained = in_child(lambda: training(project, data, len(predictions), asked, work), work)
    if isinstance(trained, str):
        return trained
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    command = [sys.executable, "-W", "ignore", "-c", SERVING, str(work), str(project / "src")]
    served = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if served.returncode:
        return f"serving fails: {served.stderr.strip().splitlines()[-1]}"
    first, again, alone = pickle.loads((work / "answers.pkl").read_bytes())
    found = []
    for name, answers in {"predictions": first, "asked again": again, "rows alone": alone}.items():
        if not same(predictions[: ALONE if answers is alone else None], answers):
            found.append(f"{name}: notebook {predictions[:3]}, project {answers[:3]}")
    for name, value in trained.items():
        if name in metrics and not np.isclose(metrics[name], value, rtol=1e-9):
            found.append(f"{name}: notebook {metrics[name]}, project {value}")
    return "; ".join(found)


def in_child(work: Callable[[], Any], folder: Path) -> Any:
    """The result of `work` in a fork of this process, or the error it raised as a text."""
    path = folder / "result.pkl"
    path.unlink(missing_ok=True)

    def save() -> None:
        try:
            result = work()
        except Exception as error:  # told by the caller
            result = f"{type(error).__name__}: {error}"
        path.write_bytes(pickle.dumps(result))

    Fork.of(save).communicate()
    return pickle.loads(path.read_bytes())


def notebook(case: Hazard, data: Path) -> tuple[Any, dict[str, float], Any]:
    """The notebook, run from its folder: predictions, metrics, and the rows that it predicts on where it
    says so: a frame `new` of its own, or the labels of `X_test`.
    """
    from IPython.core.interactiveshell import InteractiveShell

    os.chdir(data)
    sys.path.insert(0, str(data))
    _seed(123)
    InteractiveShell.enable_gui = lambda self, gui=None: None  # there is no window
    shell = InteractiveShell.instance()
    for _, text in case.cells:
        shell.run_cell(text, store_history=True).raise_error()
    names = shell.user_ns
    asked = names.get("new", getattr(names.get("X_test"), "index", None))
    return np.asarray(names["predictions"]), {n: float(names[n]) for n in METRICS if n in names}, asked


def training(project: Path, data: Path, count: int, asked: Any, work: Path) -> dict[str, float] | str:
    """Trains by the project's own code and leaves what serving needs; its metrics."""
    os.environ["HAZARD_DATA_ROOT"] = str(data)
    os.chdir("/")
    _seed(456)
    sys.path.insert(0, str(project / "src"))
    settings = _module("settings").load_settings(project)
    raw = _module("load").load(settings)
    main = raw if isinstance(raw, pd.DataFrame) else next(iter(raw.values()))
    fitting = _module("features").fit(raw, settings)
    fitted = _module("train").fit_model(fitting, settings)
    fitting.state.save(work / "state")
    sides = [
        ids for ids in (fitting.eval_ids, fitting.train_ids, asked) if ids is not None and len(ids) == count
    ]
    if not sides:
        return f"no side of the split has the {count} rows that the notebook predicts on"
    rows = sides[0] if isinstance(sides[0], pd.DataFrame) else main.iloc[list(sides[0])]
    (work / "fitted.pkl").write_bytes(pickle.dumps((fitted, rows.reset_index(drop=True))))
    return dict(fitted.metrics)


def same(expected: Any, answers: Any) -> bool:
    if expected.shape != answers.shape:
        return False
    if expected.dtype.kind in "fiub" and answers.dtype.kind in "fiub":
        return np.allclose(expected.astype(float), answers.astype(float), rtol=1e-7, equal_nan=True)
    return list(expected) == list(answers)


def _module(name: str) -> Any:
    return importlib.import_module(f"hazard.{name}")


def _seed(seed: int) -> None:
    np.random.seed(seed)
    random.seed(seed)
