def fit_transform(
    self, key: str, estimator: Any, *data: Any, at: Sequence[Any] = (), **options: Any
) -> Any:
    """`estimator.fit_transform(...)`; serving transforms with what was learned in training."""
    return self._fitted(key, at, "fit_transform", "transform", estimator, data, options)
