"""LitServe + pandas + scikit-learn.  python litserve_app.py FOLDER PORT"""

import sys
from pathlib import Path
from typing import Any

import litserve
from by_hand import Model


class Churn(litserve.LitAPI):
    def setup(self, device: Any) -> None:
        self.model = Model(Path(sys.argv[1]))

    def decode_request(self, request: dict[str, Any]) -> dict[str, Any]:
        return request

    def predict(self, row: dict[str, Any]) -> dict[str, Any]:
        return self.model.answer(row)

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        return output


if __name__ == "__main__":
    server = litserve.LitServer(Churn(), accelerator="cpu", workers_per_device=1)
    server.run(port=int(sys.argv[2]), generate_client_file=False, log_level="warning")
