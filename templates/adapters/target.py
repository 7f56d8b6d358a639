def target(self, function: Callable[[Any, Staging], Any], df: Any) -> Any:
    """The target, which exists in training only."""
    if not self.fitting{% if "split" in project.adapters %} and not self._judging{% endif %}:
        return None
    self._in_target = True
    y = function(df, self)
    self._in_target = False
    return y
