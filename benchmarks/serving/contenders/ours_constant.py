"""Our own app with a constant handler: limits, ids, metrics and log, no rows.

python ours_constant.py FOLDER PORT
"""

import sys
from pathlib import Path

import uvicorn
from churn.gate import Gate, Metrics
from churn.logs import LOGGING
from churn.settings import load_settings
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

ANSWER = {
    "predictions": [
        {"prediction_id": "0" * 32, "prediction": 0, "flags": [], "probabilities": {"0": 0.75, "1": 0.25}}
    ],
    "model_version": "1",
    "feature_version": "0" * 64,
}
app = FastAPI()
app.add_middleware(
    Gate, settings=load_settings(Path(sys.argv[1], "project")), metrics=Metrics(), paths={"/predict"}
)


@app.post("/predict")
async def predict(request: Request) -> JSONResponse:
    await request.body()
    return JSONResponse(ANSWER)


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), access_log=False, log_config=LOGGING, server_header=False)
