def qcut(
    self, key: str, values: Any, q: Any, *, retbins: bool = False, at: Sequence[Any] = (), **options: Any
) -> Any:
    """`pd.qcut` with the quantiles of training; a value outside them is missing."""
    if self.fitting:
        result, edges = pd.qcut(values, q, retbins=True, **options)
        self._learn(key, "qcut", edges, at)
    else:
        edges = self._recall(key, at).value
        result = pd.cut(values, edges, include_lowest=True, **options)
    return (result, _copied(edges)) if retbins else result
