"""A model version: feature code under a name of its own, what it learned, and the model, in one folder.

Pickled objects refer to functions by module name.  If two versions kept their feature code under one name,
a process that holds both would run the code of one with the state of the other.  So training imports a copy
of this package whose name carries the hash of its text, logs that copy with the model, and every process
that loads the version imports it from there.

    <version>/code/churn_<hash>/   the copy
    <version>/data/version/       version.json, state.json, state.joblib, model.pkl
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import importlib
import importlib.metadata
import json
import logging
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from .policies import Policies

log = logging.getLogger(__name__)

HERE = Path(__file__).resolve().parent
DATA = Path("data", "version")
# Modules that run versions rather than belong to one.
SERVICE = (
    "__main__.py",
    "api.py",
    "audit.py",
    "bundle.py",
    "catalogue.py",
    "cli.py",
    "cli_features.py",
    "console.py",
    "contract.py",
    "entities.py",
    "gate.py",
    "logs.py",
    "monitor.py",
    "pipeline.py",
    "prediction_log.py",
    "registry.py",
    "report.py",
    "retrain.py",
    "segments.py",
    "serve.py",
    "shadow.py",
    "store.py",
)
# Modules that say what the features are.
DEFINING = ("features.py", "schema.py", "staging.py", "state.py", "target.py")
LIBRARIES = (
    "joblib",
    "numpy",
    "pandas",
    "scikit-learn",
    "scipy",
)


class VersionError(Exception):
    """A version cannot be stored or loaded."""


@dataclass(frozen=True)
class Version:
    """Everything that a prediction needs; `package` is the name of the version's own code.

    `policies` are not stored with it: they are those of the project that serves.
    """

    package: str
    state: Any
    model: Any
    extras: dict[str, Any] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    number: str = ""
    policies: Policies = field(default_factory=Policies)
    row: Any = None  # the row path, where training proved it

    def module(self, name: str) -> Any:
        """A module of the version's code."""
        return _module(f"{self.package}.{name}")

    @property
    def feature_version(self) -> str:
        return str(self.state.version)


@cache
def _module(name: str) -> Any:
    return importlib.import_module(name)


def libraries(names: tuple[str, ...] = LIBRARIES) -> dict[str, str]:
    """The installed versions of libraries; by default those that features depend on."""
    found = {}
    for name in names:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def definition(folder: Path = HERE) -> str:
    """Hash of what the features are: code without comments and docstrings, schema, library versions."""
    parts = [
        json.dumps(libraries(), sort_keys=True),
        f"{sys.version_info[0]}.{sys.version_info[1]}",
    ]
    parts += [_meaning(folder / name) for name in DEFINING]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _meaning(path: Path) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) and body else None
        text = first.value if isinstance(first, ast.Expr) else None
        if isinstance(text, ast.Constant) and isinstance(text.value, str):
            text.value = ""
    return ast.dump(tree)


def code_hash(folder: Path = HERE) -> str:
    """Hash of the text of a version's modules."""
    digest = hashlib.sha256()
    for path in _sources(folder):
        digest.update(
            f"{path.relative_to(folder).as_posix()}\0".encode()
            + path.read_bytes()
            + b"\0"
        )
    return digest.hexdigest()


def _sources(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.rglob("*.py")
        if path.relative_to(folder).as_posix() not in SERVICE
    )


def freeze_code(folder: Path, source: Path = HERE) -> str:
    """Copy the code of a version into `folder` under the name that carries its hash, and import it."""
    name = f"churn_{code_hash(source)[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / name).is_dir():
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            copy = Path(temporary, name)
            for path in _sources(source):
                target = copy / path.relative_to(source)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
            try:
                os.rename(copy, folder / name)
            except OSError:
                if not (folder / name).is_dir():  # else another process was faster
                    raise
    import_code(folder / name)
    return name


def import_code(folder: Path) -> str:
    """Make a version's code importable under its own name; returns the name."""
    name = folder.name
    if name not in sys.modules:
        if name.rpartition("_")[2] != code_hash(folder)[:12]:
            raise VersionError(f"{folder} was changed after it was stored")
        sys.path.append(str(folder.parent))
        importlib.invalidate_caches()
        importlib.import_module(name)
    return name


def save(version: Version, folder: Path, code: Path) -> None:
    """Write a version; `code` is the folder in which its code was frozen."""
    import cloudpickle

    data = folder / DATA
    data.mkdir(parents=True)
    shutil.copytree(
        code / version.package,
        folder / "code" / version.package,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    version.state.save(data)
    with (data / "model.pkl").open("wb") as file:
        cloudpickle.dump({"model": version.model, "extras": version.extras}, file)
    (data / "version.json").write_text(
        json.dumps(version.info, indent=1) + "\n", encoding="utf-8"
    )


def load(folder: Path, number: str = "") -> Version:
    """Read a version that `save` wrote, in this process, beside any others."""
    codes = [
        path for path in (folder / "code").iterdir() if path.name.startswith("churn_")
    ]
    if len(codes) != 1:
        raise VersionError(f"{folder} holds no version of churn")
    return _read(folder / DATA, import_code(codes[0]), number)


def _read(data: Path, package: str, number: str = "") -> Version:
    import cloudpickle

    state = importlib.import_module(f"{package}.state").State.load(data)
    with (data / "model.pkl").open("rb") as file:
        stored = cloudpickle.load(file)
    info = json.loads((data / "version.json").read_text(encoding="utf-8"))
    version = Version(package, state, stored["model"], stored["extras"], info, number)
    proof = info.get("row_path", {"passed": False})
    if not proof["passed"]:
        return version
    try:
        path = version.module("rows").RowPath(
            version, proof["frames"], proof["quickly"]
        )
    except (
        Exception
    ):  # of other code than this, whose version it may be: pandas answers as well
        log.exception("version %s: single rows are answered by pandas", number)
        return version
    return replace(version, row=path)


def rescore(version: Version) -> None:
    """Score the version's own example again; it must give what it gave when the version was trained."""
    example = version.info["example"]
    scores = version.module("infer").score(example["rows"], version)
    found = scores.predictions
    # a row that has no answer there keeps the one that pandas gave
    if version.row is not None:
        alone = [version.row.answer(row) for row in example["rows"]]
        found = [
            one if answer is None else answer[0]
            for answer, one in zip(alone, found, strict=True)
        ]
    if not version.module("checks").same_values(example["predictions"], found):
        raise VersionError(f"the example gave {found} and not {example['predictions']}")


class Served:
    """A version as MLflow's python_function flavour expects it."""

    def __init__(self, version: Version) -> None:
        self.version = version

    def predict(self, model_input: Any, params: dict[str, Any] | None = None) -> Any:
        return self.version.module("infer").predict(model_input, self.version)


def _load_pyfunc(path: str) -> Served:
    """Called by `mlflow.pyfunc.load_model`, which has put the version's code on the path."""
    return Served(_read(Path(path), __name__.rpartition(".")[0]))
