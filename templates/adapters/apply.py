def apply(self, key: str, function: Callable[..., Any], data: Any, *args: Any, **options: Any) -> Any:
    """`function(data, ...)` where `data` may have no rows, which most estimators refuse."""
    if self.fitting:
        result = function(data, *args, **options)
        self._learn(key, "apply", None, empty=_no_rows(result))
        return result
    entry = self._recall(key)
    return function(data, *args, **options) if _count(data) else _copied(entry.empty)
