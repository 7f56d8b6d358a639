def group_value(self, key: str, group: Any, thunk: Callable[[], Any]) -> Any:
    """Like `value`, one a group; a group that training did not have gets NaN."""
    label = None if pd.api.types.is_scalar(group) and pd.isna(group) else group
    if self.fitting:
        table = self.state.entries.setdefault(key, Entry("group_value", {}, always=False)).value
        table[label] = _copied(self._run(thunk))
    return _copied(self.state.entry(key).value.get(label, np.nan))
