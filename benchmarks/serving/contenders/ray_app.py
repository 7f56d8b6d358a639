"""Ray Serve + pandas + scikit-learn.  python ray_app.py FOLDER PORT"""

import sys
from pathlib import Path
from typing import Any

import ray
from by_hand import Model
from ray import serve
from starlette.requests import Request


@serve.deployment(num_replicas=1, ray_actor_options={"num_cpus": 1})
class Churn:
    def __init__(self, folder: str) -> None:
        self.model = Model(Path(folder))

    async def __call__(self, request: Request) -> dict[str, Any]:
        return self.model.answer(await request.json())


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": int(sys.argv[2])})
    serve.run(Churn.bind(sys.argv[1]), route_prefix="/predict", blocking=True)
