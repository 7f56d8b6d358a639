"""FastAPI + pandas + scikit-learn, as most people serve a notebook's model.

python fastapi_app.py FOLDER PORT
"""

import sys
from pathlib import Path
from typing import Any

import uvicorn
from by_hand import Model
from customer import Answer, Customer
from fastapi import FastAPI

app = FastAPI()
model = Model(Path(sys.argv[1]))


@app.post("/predict")
def predict(customer: Customer) -> Answer:
    found: dict[str, Any] = model.answer(customer.model_dump())
    return Answer(**found)


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), access_log=False, log_level="warning")
