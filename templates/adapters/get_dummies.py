def get_dummies(self, key: str, data: Any, *, at: Sequence[Any] = (), **options: Any) -> pd.DataFrame:
    """`pd.get_dummies` that gives the columns of training; a value unseen there is zero in all of them."""
    table = isinstance(data, pd.DataFrame)
    frame = data if table else pd.DataFrame({"": data})
    if self.fitting:
        result = pd.get_dummies(data, **options)
        vanished = [c for c in frame if c not in result] if table else [""]
        encoded = list(options.get("columns") or vanished)
        levels = [pd.Categorical(frame[column]).categories for column in encoded]
        learned = {"encoded": encoded, "levels": levels, "columns": result.columns}
        self._learn(key, "get_dummies", learned, at)
        return result
    learned = self._recall(key, at).value
    known = zip(learned["encoded"], learned["levels"], strict=True)
    frame = frame.astype({column: pd.CategoricalDtype(levels) for column, levels in known})
    if table:
        result = pd.get_dummies(frame, **{**options, "columns": learned["encoded"]})
    else:
        result = pd.get_dummies(frame[""], **options)
    return result.set_axis(learned["columns"], axis="columns")
