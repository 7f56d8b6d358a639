"""The model as MLflow's own server runs it: models from code, with the notebook's cells."""

from pathlib import Path
from typing import Any

import mlflow
from by_hand import Model
from mlflow.pyfunc import PythonModel


class Churn(PythonModel):
    def load_context(self, context: Any) -> None:
        self.model = Model(Path(context.artifacts["learned"]).parent)

    def predict(self, context: Any, model_input: Any, params: Any = None) -> list[dict[str, Any]]:
        return [self.model.answer(row) for row in model_input.to_dict("records")]


mlflow.models.set_model(Churn())
