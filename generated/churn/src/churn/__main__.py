"""`python -m churn`."""

from .cli import app

app(prog_name="python -m churn")
