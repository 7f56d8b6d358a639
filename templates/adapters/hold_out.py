def hold_out(self, frame: Any, thunk: Callable[[], Any]) -> Any:
    """The rows that the notebook evaluates on; serving has none."""
    if not self.fitting:
        return _no_rows(frame)
    held = _copied(self._run(thunk))
    self.eval_ids = self._positions(frame, held)
    return held
