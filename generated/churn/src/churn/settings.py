"""Typed settings: config.toml, overridden by environment variables CHURN_<NAME>."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from .policies import Policies, PolicyError

PACKAGE = "churn"
PREFIX = "CHURN_"

BOUNDS = {
    "seed": (0, 2**32 - 1),  # what NumPy takes
    "port": (1, 65_535),
    "workers": (1, 10_000),
    "max_body": (1, 10**12),
    "max_rows": (1, 10**9),
    "max_requests": (1, 10**6),
    "request_seconds": (0.001, 86_400),
    "poll_seconds": (0.001, 86_400),
    "monitor_days": (0.001, 36_500),
    "monitor_rows": (1, 10**9),
    "log_days": (0, 36_500),  # 0 keeps everything
    "retrain_gain": (0, 10**9),
    "retrain_rows": (1, 10**9),
    "retrain_hours": (0, 10**6),
}


class SettingsError(ValueError):
    """A setting is missing or has a value that it cannot have."""


@dataclass(frozen=True)
class Parameters:
    """The constants of the notebook."""

    random_state: int = 42
    test_size: float = 0.25
    n_trees: int = 300


@dataclass(frozen=True)
class Settings:
    """Where things are and how the project behaves; paths are absolute."""

    project: Path
    data_root: Path
    data: dict[str, str]
    parameters: Parameters
    policies: Policies
    tracking_uri: str
    model_name: str = PACKAGE
    experiment: str = PACKAGE
    approval: str = "auto"
    fit_on: str = "all"
    seed: int = 0
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    bundle: str = ""
    poll_seconds: float = 10.0
    max_body: int = 5_000_000
    max_rows: int = 10_000
    max_requests: int = 64
    request_seconds: float = 30.0
    monitor_days: float = 7.0
    monitor_rows: int = 500
    log_days: float = 365.0
    webhook: str = ""
    timestamp: str = ""
    entity: str = ""
    retrain_metric: str = ""
    retrain_gain: float = 0.0
    retrain_rows: int = 100
    retrain_hours: float = 20.0
    api_key: str = field(default="", repr=False)

    @property
    def artifacts(self) -> Path:
        """Where stages and training leave their files."""
        return self.project / "artifacts"

    def data_path(self, key: str) -> str:
        """The file (or address) that config.toml gives for `key`, from the data root."""
        if key not in self.data:
            raise SettingsError(f"config.toml has no [data] {key}")
        value = self.data[key]
        return value if "://" in value else str(self.data_root / value)


def load_settings(project: Path | None = None) -> Settings:
    """The settings of `project`, else of the nearest project upwards, else of this package's own project."""
    root = _root(project)
    with (root / "config.toml").open("rb") as file:
        try:
            config = tomllib.load(file)
        except ValueError as error:  # no TOML, or no UTF-8
            raise SettingsError(f"{root / 'config.toml'}: {error}") from error
    config.pop("package", None)
    data_root = _text(config, "data_root", "DATA_ROOT", ".")
    data = {key: str(value) for key, value in _table(config, "data").items()}
    given = _table(config, "parameters")
    try:
        policies = Policies.read(_table(config, "policies"))
    except PolicyError as error:
        raise SettingsError(f"config.toml: {error}") from error
    settings = Settings(
        project=root,
        data_root=(root / data_root).resolve(),
        data=data,
        parameters=Parameters(**_typed(Parameters, given, "[parameters] ")),
        policies=policies,
        tracking_uri=_text(
            config, "tracking_uri", "", f"sqlite:///{root / 'mlflow.db'}"
        ),
        api_key=_api_key(),
        **_typed(Settings, config, ""),
    )
    if settings.approval not in ("auto", "manual"):
        raise SettingsError(
            f"approval is {settings.approval!r}; it must be auto or manual"
        )
    if settings.fit_on not in ("all", "train"):
        raise SettingsError(f"fit_on is {settings.fit_on!r}; it must be all or train")
    for name, (low, high) in BOUNDS.items():
        if not low <= getattr(settings, name) <= high:
            raise SettingsError(
                f"{name} is {getattr(settings, name)!r}; it must be from {low} to {high}"
            )
    for name in ("model_name", "experiment"):
        if not getattr(settings, name).strip():
            raise SettingsError(f"{name} is empty")
    if set("/:") & set(settings.model_name):  # MLflow has them between names
        raise SettingsError(
            f"model_name is {settings.model_name!r}; it must be without / and :"
        )
    if settings.webhook and not settings.webhook.startswith(("http://", "https://")):
        raise SettingsError(
            f"webhook is {settings.webhook!r}; it must begin with http:// or https://"
        )
    return settings


def _text(config: dict[str, Any], name: str, variable: str, otherwise: str) -> str:
    """Take a text out of config.toml; an environment variable overrides it, and an empty one is none."""
    value = config.pop(name, "")
    value = (
        os.environ.get(f"{PREFIX}{variable}" if variable else "MLFLOW_TRACKING_URI")
        or value
    )
    return str(_convert(value, str, name)) or otherwise


def _table(config: dict[str, Any], name: str) -> dict[str, Any]:
    """Take a table out of config.toml."""
    found = config.pop(name, {})
    if not isinstance(found, dict):
        raise SettingsError(
            f"config.toml: {name} is {found!r}; it must be a table, [{name}]"
        )
    return found


def _api_key() -> str:
    """Only from the environment: a file that is committed is no place for it."""
    key = os.environ.get(f"{PREFIX}API_KEY")
    if key is not None and not key.strip():
        raise SettingsError(
            f"{PREFIX}API_KEY is empty; without it the service is open to everyone"
        )
    return key or ""


def _root(project: Path | None) -> Path:
    named = os.environ.get(f"{PREFIX}PROJECT")
    project = Path(named) if project is None and named else project
    if project is not None:
        if not (project / "config.toml").is_file():
            raise SettingsError(f"{project} has no config.toml")
        return project.resolve()
    here = Path.cwd()
    own = Path(__file__).resolve().parents[2]
    for folder in (here, *here.parents, own):
        if _is_ours(folder / "config.toml"):
            return folder
    raise SettingsError(
        f"no config.toml of {PACKAGE} in {here} or above; use --project"
    )


def _is_ours(config: Path) -> bool:
    """Another project's config.toml may lie on the way up."""
    try:
        return bool(
            tomllib.loads(config.read_text(encoding="utf-8")).get("package", PACKAGE)
            == PACKAGE
        )
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True  # a broken one is for the reader to mend


def _typed(kind: type, given: dict[str, Any], where: str) -> dict[str, Any]:
    """The simple fields of a dataclass from config.toml and the environment, each with its type."""
    types: dict[str, Any] = {"int": int, "float": float, "str": str, "bool": bool}
    known = {
        one.name: types[str(one.type)] for one in fields(kind) if str(one.type) in types
    }
    for name in ("tracking_uri", "api_key"):
        known.pop(name, None)
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise SettingsError(f"config.toml: unknown setting {where}{unknown[0]}")
    values = dict(given)
    for name in known:
        text = os.environ.get(f"{PREFIX}{name.upper()}")
        if text is not None:
            values[name] = text
    return {
        name: _convert(value, known[name], where + name)
        for name, value in values.items()
    }


def _convert(value: Any, kind: type, name: str) -> Any:
    if kind is bool and isinstance(value, str):
        words = {
            "true": True,
            "1": True,
            "yes": True,
            "false": False,
            "0": False,
            "no": False,
        }
        value = words.get(value.strip().lower(), value)
    elif isinstance(value, str) and kind in (int, float):
        try:
            value = kind(value)
        except ValueError:
            pass
    elif kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise SettingsError(f"{name} is {value!r}; it must be {kind.__name__}")
    return value
