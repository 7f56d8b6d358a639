def astype_category(self, key: str, values: pd.Series, *, at: Sequence[Any] = ()) -> pd.Series:
    """`values.astype("category")` with the categories of training; a value unseen there is missing."""
    if self.fitting:
        result = values.astype("category")
        self._learn(key, "astype_category", result.cat.categories, at)
        return result
    return values.astype(pd.CategoricalDtype(self._recall(key, at).value))
