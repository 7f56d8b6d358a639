def cut(self, key: str, values: Any, bins: int, *, at: Sequence[Any] = (), **options: Any) -> Any:
    """`pd.cut` into a number of bins, whose edges are those of training; a value outside them is missing."""
    if self.fitting:
        result, edges = pd.cut(values, bins, retbins=True, **options)
        self._learn(key, "cut", edges, at)
        return result
    return pd.cut(values, self._recall(key, at).value, **options)
