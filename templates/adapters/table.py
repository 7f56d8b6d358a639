def table(self, name: str) -> Any:
    """A reference table that rows are looked up in, or another value from a file; it is part of the state."""
    if self.fitting:
        self.state.entries[f"table {name}"] = Entry("table", _copied(self._frames[name]), always=False)
    return _copied(self.state.entry(f"table {name}").value)
