"""Checks a generated project against the notebook's own run; run by the user's Python, without nb2prod.

    python check_project.py REQUEST.json

The request says where the project and the baseline (what the notebook's plain run left) are; `verify.py`
writes it and describes its fields.  Standard output gets one JSON object a line: a check that starts, how far
it is, how it ended.  What user code prints goes to standard error.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import json
import os
import pickle
import random
import re
import subprocess
import sys
import tempfile
import time
import traceback
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

if not __package__:  # run as a script: the modules beside this one are a package of their own
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    __package__ = importlib.import_module(Path(__file__).resolve().parent.name).__name__
    del sys.path[0]

import numpy as np
import pandas as pd

from .alone import Found, rows_alone
from .company import batches
from .compare import EXACT, Difference, count, difference, flat, tolerance, with_values
from .leakage import leakage
from .liveness import live_state
from .lockstep import Parting, batch, body_of, part, trained
from .other_rows import other_rows
from .probe import probe, to_json_rows
from .refit import FEW, parts_of_files, reading_a_part, sampled_raw
from .results import candidates, metrics, predictions
from .session import Baseline, Failed, Impossible, Say, Session
from .unseen import unseen_values

# --- the checks: each returns what it saw, or raises ------------------------------------------------------


def slice_alone(session: Session, say: Say) -> str:
    """V0: the notebook's sliced statements, run plain in a fresh process, give the notebook's X."""
    if not session.request["slice"]:
        raise Impossible("no slice was given")
    session.baseline.get("X_train")
    answer = _child(session.request, "slice")
    if answer["error"]:
        raise Failed(answer["error"])
    return str(answer["detail"])


def training_features(session: Session, say: Say) -> str:
    """V1: fit(raw) gives the X and y that the notebook's model saw."""
    data = session.train()
    learned = {re.sub(r"(\[.*\])?(#\d+)?$", "", key) for key in data.state.entries}
    unlearned = [key for key in session.request["learned"] if key not in learned]
    if unlearned:
        raise Failed(f"training learned nothing under {', '.join(unlearned)}")
    expected = session.baseline.get("X_train")
    found = difference(expected, data.X_train, EXACT, dtypes=True)
    if found is not None:
        raise Failed(f"notebook against project: {found}{_last_touched(session, found)}")
    for role in ("y_train", "y_eval"):
        value = getattr(data, role)
        if value is None or not session.baseline.has(role):
            continue
        wrong = difference(flat(session.baseline.get(role)), flat(value))
        if wrong is not None:
            raise Failed(f"{role}, notebook against project: {wrong}")
    shape = getattr(data.X_train, "shape", (count(data.X_train),))
    return f"{' x '.join(map(str, shape))} values equal"


def single_rows(session: Session, say: Say) -> str:
    """V2: a row alone gets the features that it gets in training and in any batch."""
    ids, expected = session.kept()
    found = rows_alone(session, ids, expected, say)
    if found.row is not None:
        left = trained(session.fitting(), found.row)
        right = batch(session.serving(session.main.iloc[[found.row]]))
        parting = part(session.module("features"), left, right, session.targets)
        raise Failed(found.text + session.place(parting))
    return _said(session, found)


def target_free(session: Session, say: Say) -> str:
    """V3: the features of a row do not depend on its target, which may be absent."""
    if not session.targets and not session.request["apart"]:
        raise Impossible("the notebook has no target", "not_applicable")
    ids, _ = session.kept()
    rows = session.main.iloc[ids[np.linspace(0, len(ids) - 1, min(500, len(ids))).astype(int)]]
    expected = session.transform(rows)
    if session.request["apart"]:
        return f"a table of its own holds the target; {len(rows)} rows without it"
    variants = {"target absent": rows.drop(columns=list(session.targets), errors="ignore")}
    columns = [column for column in session.targets if column in rows]
    if not columns:
        raise Impossible(f"no column {', '.join(map(str, session.targets))} in the raw data")
    order = np.random.RandomState(0).permutation(len(rows))
    for column in columns:
        known = rows[column].dropna()
        for value in pd.unique(known)[[0, -1]] if len(known) else []:
            variants[f"{column} always {value!r}"] = with_values(rows, column, _repeated(rows[column], value))
        variants[f"{column} permuted"] = with_values(rows, column, rows[column].to_numpy()[order])
        variants[f"{column} missing"] = with_values(rows, column, np.nan)
    for name, changed in variants.items():
        try:
            with session.without_target():
                found = difference(expected, session.transform(changed), tolerance(expected))
        except Exception as error:
            if name.endswith(" missing"):
                continue  # a schema lets no such row through; that it fails gives nothing away
            raise Failed(f"{name}: {session.error(error)}") from error
        if found is not None:
            left, right = batch(session.serving(rows)), batch(session.serving(changed))
            parting = part(session.module("features"), left, right, session.targets)
            raise Failed(f"{name}: {found}{session.place(parting)}")
    return f"{len(rows)} rows x {len(variants)} targets"


def other_batches(session: Session, say: Say) -> str:
    """V4: the features of a row do not depend on the batch around it."""
    ids, _ = session.kept()
    return _said(session, batches(session, session.main.iloc[ids]))


def unseen(session: Session, say: Say) -> str:
    """V5: a value that training never saw gives a row the same alone and in a batch."""
    ids, expected = session.kept()
    return _said(session, unseen_values(session, session.main.iloc[ids], expected, say))


def exercised(session: Session, say: Say) -> str:
    """V6: each learned value changes the features of some row or probe."""
    ids, _ = session.kept()
    return _said(session, live_state(session, session.main.iloc[ids], say))


def learned_again(session: Session, say: Say) -> str:
    """V7: learning from a part of the rows gives what the notebook's slice gives on that part."""
    session.trained()
    if len(session.main) < FEW:
        raise Impossible(f"{len(session.main)} rows have no part to learn from", "not_applicable")
    shapes = parts_of_files(session.load, session.main)
    expected = _slice_of_part(session, shapes) if shapes else None
    with reading_a_part(shapes):
        raw = session.load() if shapes else sampled_raw(session.raw)
    with session.learning_from(raw) as data:
        found = None if expected is None else difference(expected, data.X_train, EXACT, dtypes=True)
        if found is not None:
            raise Failed(f"notebook's slice against project: {found}{_last_touched(session, found)}")
        ids, X = session.kept()
        alone = _said(session, rows_alone(session, ids, X, say, covering=False))
    compared = "no file to read a part of" if expected is None else f"{count(expected)} rows equal"
    return f"{compared}; {alone}"


def _slice_of_part(session: Session, shapes: set[tuple[int, ...]]) -> Any:
    """What the slice gives on a part of the files that have these shapes."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "X.pkl")
        asked = {"shapes": sorted(shapes), "file": str(file)}
        answer = _child({**session.request, "part": asked}, "slice")
        if answer["error"]:
            text = f"the notebook's own code does not run on a part of its rows: {answer['error']}"
            raise Impossible(text, "not_applicable")
        return pickle.loads(file.read_bytes())


def _said(session: Session, found: Found) -> str:
    if found.failed:
        raise Failed(found.text + session.place(found.parting))
    session.facts |= found.facts
    return found.text


def stored_state(session: Session, say: Say) -> str:
    """V8: the state, saved and loaded by a new process, gives rows that came as JSON the same features."""
    ids, _ = session.kept()
    rows = session.main.iloc[ids[np.linspace(0, len(ids) - 1, min(200, len(ids))).astype(int)]]
    expected = session.transform(rows)
    with tempfile.TemporaryDirectory() as folder:
        session.trained().state.save(folder)
        records = to_json_rows(rows)
        Path(folder, "rows.json").write_text(json.dumps(records), encoding="utf-8")
        answer = _child({**session.request, "state": folder}, "state")
        if answer["error"]:
            raise Failed(answer["error"])
        served = pickle.loads(Path(folder, "X.pkl").read_bytes())
    found = difference(expected, served, tolerance(expected))
    if found is not None:
        raise Failed(f"before against after: {found}")
    return f"{len(rows)} rows as JSON in a new process"


def _also_apart(check: Callable[[Session, Say], str]) -> Callable[[Session, Say], str]:
    """A check of the notebook's own training, and of the corrected one where the project uses that."""

    def both(session: Session, say: Say) -> str:
        text = check(session, say)
        if session.request["fit_on"] != "train":
            return text
        with session.learned_apart():
            try:
                return f"{text}; learned from the training rows alone: {check(session, say)}"
            except Failed as error:
                raise Failed(f"learned from the training rows alone: {error}") from error

    return both


RUN: dict[str, Callable[[Session, Say], str]] = {
    "V0": slice_alone,
    "V1": training_features,
    "V2": _also_apart(single_rows),
    "V3": _also_apart(target_free),
    "V4": _also_apart(other_batches),
    "V5": _also_apart(unseen),
    "V6": exercised,
    "V7": learned_again,
    "V8": _also_apart(stored_state),
    "metrics": metrics,
    "predictions": predictions,
    "V9": other_rows,
    "leakage": leakage,
    "candidates": candidates,
}


# --- how they are run ---------------------------------------------------------------------------------------


def check(session: Session, tell: Callable[[dict[str, Any]], None]) -> None:
    """Run the requested checks one after another; each ends with a status and a reason."""
    for name in session.request["checks"]:
        tell({"event": "start", "check": name})

        def say(done: int, of: int, name: str = name) -> None:
            tell({"event": "progress", "check": name, "done": done, "of": of})

        started = time.monotonic()
        session.facts = {}
        try:
            status, detail = "passed", RUN[name](session, say)
        except Impossible as error:
            status, detail = error.status, str(error)
        except Failed as error:
            status, detail = "failed", str(error)
        except Exception as error:  # the project's own code fails
            traceback.print_exc()
            status, detail = "failed", session.error(error)
        told = {"status": status, "detail": detail, "facts": session.facts}
        tell({"event": "done", "check": name, **told, "seconds": round(time.monotonic() - started, 3)})


def _last_touched(session: Session, found: Difference) -> str:
    """The last statement of `features` that names the differing column."""
    _, body = body_of(session.module("features").features)
    touching = [
        Parting(index, statement.lineno, "")
        for index, statement in enumerate(body)
        if any(isinstance(node, ast.Constant) and node.value == found.column for node in ast.walk(statement))
    ]
    return f"; last named in {session.line(touching[-1])}" if found.column and touching else ""


def _repeated(column: pd.Series, value: Any) -> pd.Series:
    return pd.Series([value] * len(column), index=column.index, dtype=column.dtype)


def _child(request: dict[str, Any], task: str) -> dict[str, Any]:
    """Do one task of this file in a new process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "request.json")
        path.write_text(json.dumps({**request, "task": task}), encoding="utf-8")
        # sets in another order than in this process, as serving has them; the slice is the notebook's own
        environment = {**os.environ, "PYTHONHASHSEED": "0" if task == "slice" else "1"}
        command = [sys.executable, __file__, str(path)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    answers = [line for line in ran.stdout.splitlines() if line.startswith("{")]
    if not answers:
        return {"error": f"the process ended with {ran.returncode}: {ran.stderr.strip()[-500:]}"}
    return dict(json.loads(answers[-1]))


def run_slice(request: dict[str, Any]) -> dict[str, Any]:
    """In a new process: run the slice as a script, and compare its X with the notebook's.

    Where a part of the rows is asked for, its X on that is kept instead.
    """
    asked, part_ = request["slice"], request.get("part")
    random.seed(request["seed"])
    np.random.seed(request["seed"])
    os.chdir(asked["folder"])
    sys.path.insert(0, asked["folder"])
    script = sys.modules["__main__"] = types.ModuleType("__main__")  # what it defines is found by pickle
    try:
        text = Path(asked["path"]).read_text(encoding="utf-8")
        with reading_a_part({tuple(s) for s in part_["shapes"]}) if part_ else contextlib.nullcontext():
            exec(compile(text, asked["path"], "exec"), script.__dict__)
    except Exception as error:
        lines = [s.lineno for s in traceback.extract_tb(error.__traceback__) if s.filename == asked["path"]]
        line = lines[-1] if lines else "?"
        return {"error": f"the slice raises {type(error).__name__}: {error} (line {line})"}
    X = script.__dict__[asked["variable"]]
    if part_:
        Path(part_["file"]).write_bytes(pickle.dumps(X))
        return {"error": "", "detail": ""}
    found = difference(Baseline(request, "").get("X_train"), X, EXACT, dtypes=True)
    return {"error": f"notebook against slice: {found}" if found else "", "detail": f"{count(X)} rows equal"}


def run_state(request: dict[str, Any]) -> dict[str, Any]:
    """In a new process: load the state, serve the rows."""
    session, folder = Session(request), Path(request["state"])
    try:
        state = session.module("state").State.load(folder)
        records = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
        rows = pd.DataFrame(records, dtype=object)
        (folder / "X.pkl").write_bytes(pickle.dumps(session.module("features").transform(rows, state)))
    except Exception as error:
        return {"error": session.error(error)}
    return {"error": ""}


def main(arguments: list[str]) -> int:
    request = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what user code prints must not look like an answer

    def tell(event: dict[str, Any]) -> None:
        stream.write(json.dumps(event) + "\n")
        stream.flush()

    if request["task"] == "slice":
        tell(run_slice(request))
    elif request["task"] == "state":
        tell(run_state(request))
    elif request["task"] == "probe":
        session = Session(request)
        session.train()
        tell({"event": "probe", "facts": probe(session)})
    else:
        check(Session(request), tell)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
