def table(self, name: str) -> pd.DataFrame:
    """A reference table that rows are looked up in; it is part of the state."""
    if self.fitting:
        self.state.entries[f"table {name}"] = Entry("table", self._frames[name].copy(), always=False)
    return self.state.entry(f"table {name}").value.copy()
