"""Our own app with a constant in place of features and model: limits, validation, ids, metrics, log are on.

python ours_constant.py FOLDER PORT
"""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn
from churn.logs import LOGGING
from churn.serve import create_app
from churn.settings import load_settings


class Constant:
    """In the place of a row path."""

    off = ""

    def answer(self, row: Any) -> tuple[int, dict[str, float]]:
        return 0, {"0": 0.75, "1": 0.25}


app = create_app(load_settings(Path(sys.argv[1], "project")))
champion = app.state.champion
champion.refresh()
champion.quick = champion.version = replace(champion.version, row=Constant())


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), access_log=False, log_config=LOGGING, server_header=False)
