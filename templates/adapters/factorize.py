def factorize(self, key: str, values: Any, *, at: Sequence[Any] = (), **options: Any) -> tuple[Any, Any]:
    """`pd.factorize` with the codes of training; a value unseen there is -1."""
    if self.fitting:
        codes, uniques = pd.factorize(values, **options)
        self._learn(key, "factorize", uniques, at)
        return codes, uniques
    uniques = _copied(self._recall(key, at).value)
    return pd.Index(uniques).get_indexer(pd.Index(values)), uniques
