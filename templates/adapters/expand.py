def expand(self, key: str, frame: pd.DataFrame, *, at: Sequence[Any] = ()) -> pd.DataFrame:
    """A table whose columns come from its values (`str.split(expand=True)`), with the columns of training.

    A column that these rows do not give is missing in each; one that training had not is left out.
    """
    if self.fitting:
        self._learn(key, "expand", frame.dtypes, at)
        return frame
    dtypes = self._recall(key, at).value
    empty = {name: pd.Series(None, frame.index, dtype) for name, dtype in dtypes.items()}
    return pd.DataFrame({name: frame[name] if name in frame else empty[name] for name in dtypes.index})
