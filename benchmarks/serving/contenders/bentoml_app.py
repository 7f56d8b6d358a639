"""BentoML + pandas + scikit-learn.  BENCH_FOLDER=FOLDER bentoml serve bentoml_app:Churn --port PORT"""

import os
from pathlib import Path
from typing import Any

import bentoml
from by_hand import Model


@bentoml.service(workers=1)
class Churn:
    def __init__(self) -> None:
        self.model = Model(Path(os.environ["BENCH_FOLDER"]))

    @bentoml.api
    def predict(self, row: dict[str, Any]) -> dict[str, Any]:
        return self.model.answer(row)
