"""What a check works on: the notebook's baseline, and the project loaded and trained in this process."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import pickle
import random
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .compare import count, take
from .lockstep import Parting
from .recorder import put_back

Say = Callable[[int, int], None]


class Failed(Exception):
    """A check found that the project does something else than the notebook."""


class Impossible(Exception):
    """A check cannot be made; `status` is skipped or not_applicable."""

    def __init__(self, reason: str, status: str = "skipped") -> None:
        super().__init__(reason)
        self.status = status


class Baseline:
    """What the notebook's plain run left: values, metrics and states of the random generators."""

    def __init__(self, request: dict[str, Any], package: str) -> None:
        self.folder = Path(request["baseline"])
        self.names: dict[str, str] = request["values"]
        self.package = package
        index = json.loads((self.folder / "index.json").read_text(encoding="utf-8"))
        self.values, self.metrics, self.random = index["values"], index["metrics"], index.get("random", {})

    def get(self, role: str) -> Any:
        """The value that plays a role (`X_train`, ...), by default the one of that name."""
        entry = self.values.get(self.names.get(role, role))
        if entry is None:
            raise Impossible(f"the notebook's run left no {role}")
        if not entry.get("file"):
            raise Impossible(f"the notebook's {role} could not be kept: {entry.get('error')}")
        data = (self.folder / entry["file"]).read_bytes()
        return _Unpickler(io.BytesIO(data), self.package).load()

    def has(self, role: str) -> bool:
        return self.names.get(role, role) in self.values

    def replay(self, role: str) -> None:
        """Put the global random generators where the notebook had them when it kept a value."""
        file = self.random.get(self.names.get(role, role))
        if file:
            put_back(pickle.loads((self.folder / file).read_bytes()))


class _Unpickler(pickle.Unpickler):
    """Finds what the notebook defined itself in the project's modules."""

    def __init__(self, stream: io.BytesIO, package: str) -> None:
        super().__init__(stream)
        self.package = package

    def find_class(self, module: str, name: str) -> Any:
        if module == "__main__" and self.package:
            for part_ in ("features", "train", "target", "infer", "load"):
                found = getattr(importlib.import_module(f"{self.package}.{part_}"), name, None)
                if found is not None:
                    return found
        return super().find_class(module, name)


class Session:
    """The project in this process: its modules, the raw data and what training made of them."""

    def __init__(self, request: dict[str, Any]) -> None:
        self.request = request
        self.project = Path(request["project"])
        self.package: str = request["package"]
        sys.path.insert(0, str(self.project / "src"))
        self.baseline = Baseline(request, self.package)
        self.raw: Any = None
        self.data: Any = None
        self.apart: Any = None
        self.fitted: Any = None
        self.judged: np.ndarray | None = None  # rows of a split by hand that judge the model
        self.facts: dict[str, Any] = {}  # what the check at work found besides its outcome

    def module(self, name: str) -> Any:
        return importlib.import_module(f"{self.package}.{name}")

    @property
    def main(self) -> pd.DataFrame:
        return self.raw if isinstance(self.raw, pd.DataFrame) else next(iter(self.raw.values()))

    @property
    def targets(self) -> tuple[Any, ...]:
        """The columns of the target, as the raw data name them: in a file without a header by numbers."""
        names = {str(column): column for column in self.main.columns}
        return tuple(names.get(target, target) for target in self.request["targets"])

    def settings(self, fit_on: str = "all") -> Any:
        """The project's settings; `fit_on` all is what the notebook does, whatever config.toml says."""
        settings = self.module("settings").load_settings(self.project)
        return replace(settings, fit_on=fit_on) if hasattr(settings, "fit_on") else settings

    def load(self) -> Any:
        return self.module("load").load(self.settings())

    def train(self) -> Any:
        """The project's own load and fit, once."""
        if self.data is None:
            self.raw = self.load()
            self.baseline.replay("features")
            self.data = self.module("features").fit(self.raw, self.settings())
        return self.data

    @contextlib.contextmanager
    def learned_apart(self) -> Iterator[Any]:
        """The training that learns from the training rows of the split alone takes the place of the other."""
        own, fitted = self.trained(), self.fitted
        if self.apart is None:
            self.baseline.replay("features")
            self.apart = self.module("features").fit(self.raw, self.settings("train"))
        self.data, self.fitted = self.apart, None
        try:
            yield self.apart
        finally:
            self.data, self.fitted = own, fitted

    @contextlib.contextmanager
    def learning_from(self, raw: Any) -> Iterator[Any]:
        """Training on other raw data takes the place of the project's own."""
        own = self.raw, self.data, self.fitted
        random.seed(self.request["seed"])
        np.random.seed(self.request["seed"])
        try:
            self.data, self.raw = self.module("features").fit(raw, self.settings()), raw
            yield self.data
        finally:
            self.raw, self.data, self.fitted = own

    def trained(self) -> Any:
        if self.data is None:
            raise Impossible("the project's features could not be fitted")
        return self.data

    def model(self) -> Any:
        """The project's own fit of the model, once, with the random numbers that the notebook drew."""
        if self.fitted is None:
            self.baseline.replay("train")
            self.fitted = self.module("train").fit_model(self.trained(), self.settings())
        return self.fitted

    def transform(self, rows: pd.DataFrame) -> Any:
        return self.module("features").transform(rows, self.trained().state)

    def kept(self) -> tuple[np.ndarray, Any]:
        """Positions of the raw rows that training kept, and their features as training made them.

        Where training made up all of its rows (resampling), all raw rows and their features as served.
        """
        data = self.trained()
        ids = np.asarray(data.train_ids)
        at = np.flatnonzero(ids >= 0)
        if not len(at):
            X = self.transform(self.main)
            if count(X) != len(self.main):
                raise Failed(f"{len(self.main)} rows in, {count(X)} out")
            return np.arange(len(self.main)), X
        return ids[at], take(data.X_train, at)

    @contextlib.contextmanager
    def without_target(self) -> Iterator[None]:
        """Make the project's target code raise: serving has no business there."""

        def target(*arguments: Any) -> Any:
            raise Failed("the target is computed while serving")

        features = self.module("features")
        own = features.__dict__.get("target")
        ours = getattr(own, "__module__", "") == f"{self.package}.target"
        if ours:
            features.__dict__["target"] = target
        try:
            yield
        finally:
            if ours:
                features.__dict__["target"] = own

    def serving(self, rows: pd.DataFrame) -> Any:
        return self.module("staging").Staging.for_serving(rows, self.trained().state)

    def fitting(self) -> Any:
        settings = self.settings()
        self.baseline.replay("features")
        return self.module("staging").Staging.for_fit(self.raw, asdict(settings.parameters))

    def place(self, parting: Parting | None) -> str:
        """The generated line and the notebook's own, for messages."""
        return "" if parting is None else f"; first differing statement: {self.line(parting)}: {parting.text}"

    def line(self, parting: Parting) -> str:
        statements = self.request["statements"]
        at = statements[parting.index] if parting.index < len(statements) else None
        where = f"features.py line {parting.line}"
        return where if at is None else f"cell {at['cell']}, line {at['line']} `{at['text']}` ({where})"

    def error(self, error: Exception) -> str:
        """The error and the last line of the project that it passed through."""
        text = f"{type(error).__name__}: {error}"
        steps = traceback.extract_tb(error.__traceback__)
        source = str(self.project / "src")
        ours = [step for step in steps if step.filename.startswith(source)]
        own = [step for step in ours if Path(step.filename).name not in ("state.py", "staging.py")]
        if not ours:
            return text
        step = (own or ours)[-1]
        return f"{text} (in {Path(step.filename).name} line {step.lineno}: `{step.line}`)"
