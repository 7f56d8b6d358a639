def parameter(self, name: str) -> Any:
    """A setting with the value that training used."""
    if self.fitting:
        entry = Entry("parameter", _copied(self._parameters[name]), always=False)
        self.state.entries[f"parameter {name}"] = entry
    return _copied(self.state.entry(f"parameter {name}").value)
