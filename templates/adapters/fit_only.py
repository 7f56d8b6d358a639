def fit_only(self, key: str, thunk: Callable[[], Any], frame: Any = None) -> None:
    """A statement that only training runs; `frame` is what it filters in place."""
    if not self.fitting:
        return
{% if "split" in project.adapters %}
    if self._to_come and frame is not None:
        return
{% endif %}
    before = None if frame is None else frame.copy()
    self._run(thunk)
    if before is not None:
        self._follow(before, frame)
