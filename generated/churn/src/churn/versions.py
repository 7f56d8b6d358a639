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
import io
import json
import logging
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from .answers import same_values
from .policies import Policies

log = logging.getLogger(__name__)

HERE = Path(__file__).resolve().parent
DATA = Path("data", "version")
# The row path by itself, with its code, which only this version of Python reads.
ALONE = "row_path.pkl"
PYTHON = sys.implementation.cache_tag
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
    "retention.py",
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

    @property
    def decide(self) -> Any:
        """The notebook's code from model and features to predictions."""
        return self.module("infer").decide

    @property
    def given(self) -> dict[str, Any]:
        """What that code takes beside them."""
        return {**self.state.shared, **self.extras}

    @property
    def whole(self) -> Version:
        return self


@dataclass(frozen=True)
class Alone:
    """A version whose row path needs neither pandas nor the model's library: the rest is read when a row first does."""

    folder: Path
    package: str
    info: dict[str, Any]
    number: str
    policies: Policies
    row: Any

    def module(self, name: str) -> Any:
        """A module of the version's code."""
        return _module(f"{self.package}.{name}")

    @property
    def feature_version(self) -> str:
        return str(self.info["feature_version"])

    @cached_property
    def whole(self) -> Version:
        """The version with all that it has; its row path is this one."""
        log.info(
            "version %s: the rest of it is read, for rows that need pandas", self.number
        )
        return replace(
            _read(self.folder / DATA, self.package, self.number),
            policies=self.policies,
            row=self.row,
        )


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
    if version.info.get("row_path", {}).get("passed"):
        proof = {
            **version.info["row_path"],
            "python": PYTHON,
        }  # another version may have the same one
        version.info["row_path"] = proof
        _write_info(version, data)
        proof["needs"] = _keep_alone(version, folder)
    _write_info(version, data)


def _write_info(version: Version, data: Path) -> None:
    (data / "version.json").write_text(
        json.dumps(version.info, indent=1) + "\n", encoding="utf-8"
    )


def _keep_alone(version: Version, folder: Path) -> str:
    """Write the row path by itself, if a new process answers the example with it and imports no library for that.

    Returns what is in the way, if anything is.  Functions are written with their code, not by name: the modules that
    they stand in import pandas.
    """
    proof, path = version.info["row_path"], folder / DATA / ALONE
    if proof["how"] != "quick":
        return "the model's library"
    try:
        row = version.module("rows").row_path(version, proof["how"])
        path.write_bytes(_with_code(row, version.package))
        needs = rescore_elsewhere(folder, "alone")
    except Exception as error:  # noqa: BLE001 -- pandas and the library answer as well
        needs = f"{type(error).__name__}: {error}"
    if needs:
        path.unlink(missing_ok=True)
    return needs


def _with_code(found: Any, package: str) -> bytes:
    """A pickle that holds the code of functions and classes of the package, but for modules that import no library."""
    import cloudpickle
    import pandas as pd

    class Pickler(cloudpickle.Pickler):  # type: ignore[misc]
        def reducer_override(self, one: Any) -> Any:
            return (
                (_module(f"{package}.answers").Pandas, ())
                if one is pd
                else super().reducer_override(one)
            )

    named = {
        f"{package}.{name}" for name in ("answers", "model_row", "policies", "schema")
    }
    modules = [
        sys.modules[name]
        for name in sys.modules
        if name.startswith(f"{package}.") and name not in named
    ]
    for module in modules:
        cloudpickle.register_pickle_by_value(module)
    try:
        Pickler(written := io.BytesIO()).dump(found)
    finally:
        for module in modules:
            cloudpickle.unregister_pickle_by_value(module)
    return written.getvalue()


def rescore_elsewhere(folder: Path, how: str = "load") -> str:
    """Rescore a stored version in a new process; returns the libraries of frames and models that it imported."""
    code = _code(folder)
    script = (
        "import sys; from pathlib import Path; from importlib import import_module\n"
        "sys.path.append(sys.argv[1]); versions = import_module(sys.argv[2] + '.versions')\n"
        "versions.rescore(getattr(versions, sys.argv[4])(Path(sys.argv[3])))\n"
        "print(*sorted({'pandas', 'scipy', 'sklearn', 'lightgbm', 'xgboost'} & set(sys.modules)))"
    )
    command = [
        sys.executable,
        "-c",
        script,
        str(code.parent),
        code.name,
        str(folder),
        how,
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, cwd=folder, check=False
    )
    if done.returncode:
        raise VersionError((done.stderr.strip() or "no message").splitlines()[-1])
    return (done.stdout.splitlines() or [""])[-1]


def load(folder: Path, number: str = "") -> Version:
    """Read a version that `save` wrote, in this process, beside any others."""
    return _read(folder / DATA, import_code(_code(folder)), number)


def alone(
    folder: Path, number: str = "", policies: Policies | None = None
) -> Alone | None:
    """The row path of a stored version, where it was kept by itself; nothing else is read."""
    path = folder / DATA / ALONE
    if not path.exists():
        return None
    info = json.loads((folder / DATA / "version.json").read_text(encoding="utf-8"))
    if info["row_path"]["python"] != PYTHON:
        log.warning(
            "version %s was trained with %s: all of it is read",
            number,
            info["row_path"]["python"],
        )
        return None
    package = import_code(_code(folder))
    row = pickle.loads(path.read_bytes())
    return Alone(folder, package, info, number, policies or Policies(), row)


def serving(folder: Path, number: str, policies: Policies) -> Version | Alone:
    """A stored version for a service, of which no more is read than single rows need."""
    try:
        found = alone(folder, number, policies)
    except Exception:  # pandas and the library answer as well
        log.exception(
            "version %s: its row path cannot be read, and all of it is", number
        )
        found = None
    return found or replace(load(folder, number), policies=policies)


def _code(folder: Path) -> Path:
    codes = [
        path for path in (folder / "code").iterdir() if path.name.startswith("churn_")
    ]
    if len(codes) != 1:
        raise VersionError(f"{folder} holds no version of churn")
    return codes[0]


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
        path = version.module("rows").row_path(version, proof["how"])
    except Exception:
        # it may be a version of other code than this: pandas answers as well
        log.exception("version %s: single rows are answered by pandas", number)
        return version
    return replace(version, row=path)


def rescore(version: Version | Alone) -> None:
    """Score the version's own example again; it must give what it gave when the version was trained."""
    example = version.info["example"]
    alone = [
        None if version.row is None else version.row.answer(row)
        for row in example["rows"]
    ]
    if isinstance(version, Version) or None in alone:
        found = (
            version.whole.module("infer")
            .score(example["rows"], version.whole)
            .predictions
        )
        # a row that has no answer there keeps the one that pandas gave
        found = [
            one if answer is None else answer[0]
            for answer, one in zip(alone, found, strict=True)
        ]
    else:
        found = [answer[0] for answer in alone if answer is not None]  # none is
    if not same_values(example["predictions"], found):
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
