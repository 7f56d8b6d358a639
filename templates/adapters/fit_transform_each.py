def fit_transform_each(self, key: str, estimator: Any, frame: pd.DataFrame, *, at: Sequence[Any] = ()) -> Any:
    """`frame.apply(estimator.fit_transform)`: each column is transformed by what was learned from it."""
    columns = {
        name: self._fitted(key, (*at, name), "fit_transform", "transform", estimator, (frame[name],), {})
        for name in frame.columns
    }
    return pd.DataFrame(columns, index=frame.index)
