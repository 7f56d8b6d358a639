def winsorize(self, key: str, values: Any, limits: Any = None, *, at: Sequence[Any] = (), **options: Any) -> Any:
    """`scipy.stats.mstats.winsorize` with the limits of training, as values; a side without a limit has none."""
    if self.fitting:
        from scipy.stats import mstats

        result = mstats.winsorize(values, limits, **options)
        low, high = limits if isinstance(limits, (tuple, list)) else (limits, limits)
        self._learn(key, "winsorize", (result.min() if low else None, result.max() if high else None), at)
        return result
    low, high = self._recall(key, at).value
    unlimited = low is None and high is None
    return np.ma.masked_array(np.asarray(values) if unlimited else np.clip(values, low, high))
