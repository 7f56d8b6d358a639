def once(self, key: str, thunk: Callable[[], Any], at: Sequence[Any] = ()) -> Any:
    """Like `value` for an expression inside a function that runs once a row: the first result counts."""
    name = _name(key, at)
    if self.fitting and name not in self.state.entries:
        self.state.entries[name] = Entry("value", _copied(self._run(thunk)), always=False)
    return _copied(self.state.entry(name).value)
