def frame(self, name: str) -> pd.DataFrame:
    """A secondary frame, such as the notebook's test data; it has no rows while serving."""
    if self.fitting:
        empty = self._frames[name].iloc[:0].copy()
        self.state.entries[f"frame {name}"] = Entry("frame", empty, always=False)
        return self._frames[name].copy()
    return self.state.entry(f"frame {name}").value.copy()
