def fit(self, key: str, estimator: Any, *data: Any, at: Sequence[Any] = (), **options: Any) -> Any:
    """`estimator.fit(...)`; serving gives `estimator` what it learned in training."""
    return self._fitted(key, at, "fit", "", estimator, data, options)
