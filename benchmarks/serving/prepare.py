"""Train the churn project and leave what the contenders read.

    python prepare.py FOLDER [ESTIMATOR]        with the project's Python

FOLDER gets `project` (trained), `by_hand.joblib`, `mlflow` (for `mlflow models serve`) and `rows.json`.
ESTIMATOR (`sklearn.neural_network.MLPClassifier`) takes the place of the notebook's forest.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import joblib

ROOT = Path(__file__).resolve().parents[2]
CONTENDERS = Path(__file__).resolve().parent / "contenders"


def main() -> None:
    folder, estimator = Path(sys.argv[1]), "".join(sys.argv[2:])
    project = folder / "project"
    sys.path.insert(0, str(project / "src"))
    if not _is_current(project, estimator):
        shutil.rmtree(project, ignore_errors=True)
        shutil.copytree(ROOT / "generated" / "churn", project, dirs_exist_ok=True)
        (project / "src" / "churn" / "train.py").write_text(_train(estimator))
        config = project / "config.toml"
        data = ROOT / "examples" / "notebooks"
        config.write_text(config.read_text().replace('"../../examples/notebooks"', json.dumps(str(data))))
        command = [sys.executable, "-m", "churn", "train", "--project", str(project)]
        subprocess.run(
            command, cwd=project / "src", check=True
        )  # its own code, not the one that is installed
    from churn import registry
    from churn.load import load
    from churn.schema import COLUMNS
    from churn.settings import load_settings

    settings = load_settings(project)
    version = registry.load(settings)
    learned = {name: entry.value for name, entry in version.state.entries.items()}
    stored = {
        "model": version.model,
        "columns": version.state.outputs["columns"],
        "learned": {
            "median": {
                "MonthlyCharges": learned["monthly_charges_median"],
                "SupportCalls": learned["support_calls_median"],
                "TotalCharges": learned["total_charges_median"],
            },
            "mode": {name: learned[f'mode["{name}"]'] for name in ("Region", "PaymentMethod", "TechSupport")},
            "mean": dict(learned["num_mean"]),
            "std": dict(learned["num_std"]),
        },
    }
    joblib.dump(stored, folder / "by_hand.joblib")
    raw = load(settings)
    rows = json.loads(raw.dropna(subset="Contract")[list(COLUMNS)].to_json(orient="records"))
    (folder / "rows.json").write_text(json.dumps(rows))
    save_for_mlflow(folder)


def _train(estimator: str) -> str:
    """The project's `train.py` with this estimator in place of its own."""
    text = (ROOT / "generated" / "churn" / "src" / "churn" / "train.py").read_text()
    if not estimator:
        return text
    fit, (module, _, name) = "    model.fit(X_train, y_train)\n", estimator.rpartition(".")
    assert text.count(fit) == 1
    return text.replace(fit, f"    from {module} import {name}\n\n    model = {name}()\n{fit}")


def _is_current(project: Path, estimator: str) -> bool:
    """Whether a version of the code as it is now was trained there."""
    code, now = project / "src" / "churn", ROOT / "generated" / "churn" / "src" / "churn"
    if not (project / "mlflow.db").exists() or (code / "train.py").read_text() != _train(estimator):
        return False
    return all(
        (code / one.name).read_text() == one.read_text() for one in now.glob("*.py") if one.name != "train.py"
    )


def save_for_mlflow(folder: Path) -> None:
    import mlflow

    sys.path.insert(0, str(CONTENDERS))  # MLflow imports the model when it saves it
    shutil.rmtree(folder / "mlflow", ignore_errors=True)
    mlflow.pyfunc.save_model(
        folder / "mlflow",
        python_model=str(CONTENDERS / "mlflow_model.py"),
        artifacts={"learned": str(folder / "by_hand.joblib")},
        code_paths=[str(CONTENDERS / "by_hand.py")],
        pip_requirements=["pandas", "scikit-learn"],
    )


if __name__ == "__main__":
    main()
