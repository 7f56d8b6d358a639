def target(self, function: Callable[[Any, Staging], Any], df: Any) -> Any:
    """The target, which exists in training only."""
    if not self.fitting:
        return None
    self._in_target = True
    y = function(df, self)
    self._in_target = False
    return y
