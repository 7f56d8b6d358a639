"""What goes into and comes out of the FastAPI contenders."""

from pydantic import BaseModel


class Customer(BaseModel):
    gender: str
    SeniorCitizen: int
    Partner: str
    Dependents: str
    tenure: int
    InternetService: str
    OnlineSecurity: str
    TechSupport: str | None
    Contract: str
    PaperlessBilling: str
    PaymentMethod: str | None
    Region: str | None
    SupportCalls: float | None
    MonthlyCharges: float | None
    TotalCharges: str


class Answer(BaseModel):
    prediction: int
    probability: float
