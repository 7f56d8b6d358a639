def get_dummies(self, key: str, data: Any, *, at: Sequence[Any] = (), **options: Any) -> pd.DataFrame:
    """`pd.get_dummies` that gives the columns of training; a value unseen there is zero in all of them."""
    if self.fitting:
        result = pd.get_dummies(data, **options)
        frame = data if isinstance(data, pd.DataFrame) else pd.DataFrame({None: data})
        encoded = [c for c in frame if c not in result or not isinstance(data, pd.DataFrame)]
        levels = [pd.Categorical(frame[column]).categories for column in encoded]
        self._learn(
            key, "get_dummies", {"encoded": encoded, "levels": levels, "columns": result.columns}, at
        )
        return result
    learned = self._recall(key, at).value
    types = {
        c: pd.CategoricalDtype(l) for c, l in zip(learned["encoded"], learned["levels"], strict=True)
    }
    if isinstance(data, pd.DataFrame):
        result = pd.get_dummies(data.astype(types), **{**options, "columns": learned["encoded"]})
    else:
        result = pd.get_dummies(pd.Series(data).astype(types[None]), **options)
    result.columns = learned["columns"]
    return result
