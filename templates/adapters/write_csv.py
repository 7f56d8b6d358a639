def write_csv(self, frame: Any, path: Any, **options: Any) -> None:
    """`frame.to_csv(path)` for a file that is read again: it stays in memory."""
    self._files[str(path)] = frame.to_csv(**options)
