def read_csv(self, path: Any, **options: Any) -> pd.DataFrame:
    """`pd.read_csv(path)` of what `write_csv` kept; columns get the dtypes that they had in training."""
    frame = pd.read_csv(io.StringIO(self._files[str(path)]), **options)
    key = f"file {path}"
    if self.fitting:
        read = State.learning_from(frame)
        self.state.entries[key] = Entry("read_csv", (read.sample, read.holds), always=False)
        return frame
    sample, holds = self.state.entry(key).value
    return State(sample, holds).prepare(frame)
