def split(self, function: Callable[..., Any], *arrays: Any, **options: Any) -> list[Any]:
    """`train_test_split` and its like, called with row positions too; serving has training rows only."""
    if not self.fitting or self._split_is_over():
        return [part for a in arrays for part in ((None, None) if a is None else (a, _no_rows(a)))]
    ids = self._ids.get(_count(arrays[0]), np.full(_count(arrays[0]), -1))
    *parts, train, held = function(*arrays, np.arange(len(ids)), **options)
    self.eval_ids = ids[held]
    self._split_ids = self._ids[len(train)] = ids[train]
    return parts
