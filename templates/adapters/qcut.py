def qcut(self, key: str, values: Any, q: Any, *, at: Sequence[Any] = (), **options: Any) -> Any:
    """`pd.qcut` with the quantiles of training; a value outside them is missing."""
    if self.fitting:
        result, edges = pd.qcut(values, q, retbins=True, **options)
        self._learn(key, "qcut", edges, at)
        return result
    return pd.cut(values, self._recall(key, at).value, include_lowest=True, **options)
