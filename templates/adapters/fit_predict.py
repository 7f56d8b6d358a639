def fit_predict(
    self, key: str, estimator: Any, *data: Any, at: Sequence[Any] = (), **options: Any
) -> Any:
    """`estimator.fit_predict(...)`; serving predicts with what was learned in training."""
    return self._fitted(key, at, "fit_predict", "predict", estimator, data, options)
