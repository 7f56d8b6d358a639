def add_constant(self, key: str, data: Any, *, at: Sequence[Any] = (), **options: Any) -> Any:
    """`add_constant` of statsmodels, which adds none where training had one: in one row every column is."""
    from statsmodels.tools import add_constant

    if self.fitting:
        result = add_constant(data, **options)
        added = columns_of(result) != columns_of(data)
        self._learn(key, "add_constant", added, at)
        return result
    added = self._recall(key, at).value
    return add_constant(data, **{**options, "has_constant": "add"}) if added else data
