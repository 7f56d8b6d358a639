def folds(
    self, function: Callable[..., Any], *arrays: Any, **options: Any
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """The last fold of a splitter, whose rows a loop over the folds leaves; serving has training rows only."""
    if not self.fitting:
        every = np.arange(_count(arrays[0]))
        return iter([(every, every[:1])])
    ids = self._ids.get(_count(arrays[0]), np.full(_count(arrays[0]), -1))
    train, held = list(function(*arrays, **options))[-1]
    self._ids[len(train)] = ids[train]
    return iter([(train, held)])
