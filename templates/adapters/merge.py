def merge(self, key: str, left: Any, right: Any, *, at: Sequence[Any] = (), **options: Any) -> Any:
    """`left.merge(right, **options)`, in which rows without a partner fall away; serving keeps every row."""
    if not self.fitting:
        self._recall(key, at)
        return left.merge(right, **{**options, "how": "left"})
    merged = left.assign(**{"which row": np.arange(len(left))}).merge(right, **options)
    rows = merged.pop("which row").to_numpy()
    ids = self._ids.get(len(left))
    if ids is not None:
        self._ids[len(merged)] = ids[rows]
    self._learn(key, "merge", {"rows": len(left), "kept": len(merged)}, at)
    return merged
