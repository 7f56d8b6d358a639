"""Training: the notebook's model and metrics, checked, logged to MLflow and registered."""

# The notebook's statements have no types.
# mypy: ignore-errors
from __future__ import annotations

import platform
import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from . import checks, versions
from .features import Training
from .settings import Settings
from .versions import Version

TASK = "classification"
TARGETS: list[str] = [
    "Churn",
]


@dataclass
class Fitted:
    """The model, the notebook's metrics by name, and further values that predictions use."""

    model: Any
    metrics: dict[str, float] = field(default_factory=dict)
    extras: dict[str, Any] = field(default_factory=dict)


def fit_model(data: Training, settings: Settings) -> Fitted:
    """Cell 24 of churn.ipynb."""
    X_train = data.X_train
    y_train = data.y_train
    X_test = data.X_eval
    y_test = data.y_eval
    metrics: dict[str, float] = {}
    N_TREES = settings.parameters.n_trees
    RANDOM_STATE = settings.parameters.random_state

    model = RandomForestClassifier(
        n_estimators=N_TREES, min_samples_leaf=4, random_state=RANDOM_STATE, n_jobs=1
    )
    model.fit(X_train, y_train)

    y_pred = model.predict(X_test)
    accuracy = accuracy_score(y_test, y_pred)
    metrics["accuracy"] = accuracy
    f1 = f1_score(y_test, y_pred)
    metrics["f1"] = f1
    auc = roc_auc_score(y_test, model.predict_proba(X_test)[:, 1])
    metrics["auc"] = auc
    return Fitted(model, metrics)


@dataclass(frozen=True)
class Result:
    """What a training run came to."""

    version: str
    run_id: str
    model_name: str
    metrics: dict[str, float]
    feature_version: str
    code_hash: str
    data_fingerprint: str
    model_hash: str
    checks: list[dict[str, Any]]
    champion: str | None
    status: str

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


class CheckError(Exception):
    """The trained project is not consistent with itself; nothing was registered."""


def train(
    settings: Settings,
    package: str,
    raw: Any,
    data: Training,
    say: Callable[[str], None] = lambda text: None,
    action: str = "train",
) -> Result:
    """Fit the model on prepared data; check, log and register it and, where the policy says so, promote it.

    `package` is the name under which the code of this version was frozen; `action` is what the record of a
    challenger says it came from.
    """
    from . import registry  # not part of the code that is kept with a version

    say("fitting the model")
    version = Version(package, data.state, None)
    fitted = version.module("train").fit_model(data, settings)
    version = replace(version, model=fitted.model, extras=fitted.extras)
    version = checks.describe(version, raw, data, TASK, TARGETS)
    metrics = {name: float(value) for name, value in fitted.metrics.items()}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "model")
        versions.save(version, folder, settings.artifacts / "code")
        say("checking that training, serving and the stored version agree")
        report = checks.check(version, data, raw, folder)
        say("logging to MLflow")
        number, run_id = _log(settings, version, folder, metrics, report)
    say("loading the registered version back")
    status = registry.accept(settings, number, action)
    return Result(
        version=number,
        run_id=run_id,
        model_name=settings.model_name,
        metrics=metrics,
        feature_version=version.feature_version,
        code_hash=version.info["code_hash"],
        data_fingerprint=version.info["data_fingerprint"],
        model_hash=version.info["model_hash"],
        checks=report,
        champion=registry.champion(settings),
        status=status,
    )


def _log(
    settings: Settings,
    version: Version,
    folder: Path,
    metrics: dict[str, float],
    report: list[dict[str, Any]],
) -> tuple[str, str]:
    """One MLflow run; returns the number of the registered version and the run's id."""
    from . import registry

    mlflow = registry.connect(settings)
    info = version.info
    with mlflow.start_run(experiment_id=registry.experiment(settings)) as run:
        mlflow.log_params(
            {
                **asdict(settings.parameters),
                **_model_params(version.model),
                "seed": settings.seed,
            }
        )
        mlflow.log_metrics(
            {
                re.sub(r"[^\w\-. /:]", "_", name): value
                for name, value in metrics.items()
            }
        )
        hashes = {name: info[name] for name in registry.LINEAGE}
        libraries = {
            f"library.{name}": number for name, number in info["libraries"].items()
        }
        mlflow.set_tags({**hashes, **libraries, "python": platform.python_version()})
        mlflow.set_tag(
            "row_path",
            "proved"
            if info["row_path"]["passed"]
            else "not used: " + info["row_path"]["told"][:400],
        )
        mlflow.log_dict({"checks": report}, "parity.json")
        mlflow.log_dict(info["profile"], "profile.json")
        mlflow.log_dict({"learned": version.state.describe()}, "state.json")
        failed = [check for check in report if check["status"] == "failed"]
        if failed:
            raise CheckError(
                "; ".join(f"{check['check']}: {check['detail']}" for check in failed)
            )
        return registry.register(version, folder, settings), run.info.run_id


def _model_params(model: Any) -> dict[str, str]:
    """The model's class and its simple parameters."""
    params = {"model": f"{type(model).__module__}.{type(model).__qualname__}"}
    try:
        found = model.get_params(deep=False)
    except (AttributeError, TypeError):  # not an estimator of scikit-learn's kind
        return params
    simple = {
        k: v for k, v in found.items() if isinstance(v, str | int | float | bool | None)
    }
    return {
        **params,
        **{f"model.{name}": str(value)[:500] for name, value in simple.items()},
    }
