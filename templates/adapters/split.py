def split(
    self, function: Callable[..., Any], *arrays: Any, joined: bool = False, **options: Any
) -> list[Any]:
    """`train_test_split` and its like, called with row positions too.

    Serving has training rows only.  The code that prepares the other side still needs a row to work on, which
    nobody reads; it gets none where both sides are `joined` again.
    """
    if not self.fitting or self._split_is_over():
        held = _no_rows if joined else _first_row
        return [part for a in arrays for part in ((None, None) if a is None else (a, held(a)))]
    ids = self._ids.get(_count(arrays[0]), np.full(_count(arrays[0]), -1))
    *parts, train, held = function(*arrays, np.arange(len(ids)), **options)
    self.eval_ids = ids[held]
    self._split_ids = self._ids[len(train)] = ids[train]
    return list(parts)
