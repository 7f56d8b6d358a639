def answers(self, name: str) -> pd.DataFrame:
    """A table that only the target is made of, with a row for each of the main one; it has none while serving."""
    if self.fitting:
        self.state.entries[f"answers {name}"] = Entry("frame", self._frames[name].iloc[:0].copy(), always=False)
    if not self._answers:
        return self.state.entry(f"answers {name}").value.copy()
    table = self._answers[name]
    return table.copy() if self._chosen_rows is None else table.iloc[self._chosen_rows].copy()
