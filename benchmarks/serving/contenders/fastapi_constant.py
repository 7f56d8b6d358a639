"""The floor of FastAPI: the same models of input and output, and a constant answer.

python fastapi_constant.py FOLDER PORT
"""

import sys

import uvicorn
from customer import Answer, Customer
from fastapi import FastAPI

app = FastAPI()


@app.post("/predict")
async def predict(customer: Customer) -> Answer:
    return Answer(prediction=0, probability=0.25)


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[2]), access_log=False, log_level="warning")
