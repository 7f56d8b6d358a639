"""churn: made from churn.ipynb."""
