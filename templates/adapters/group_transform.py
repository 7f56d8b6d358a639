def group_transform(
    self,
    key: str,
    frame: Any,
    by: Any,
    column: Any,
    function: Any,
    *,
    at: Sequence[Any] = (),
    **options: Any,
) -> Any:
    """`frame.groupby(by, **options)[column].transform(function)` with the groups of training.

    `function` gives one value a group ("median", or a callable) or fills in what is missing; either way one
    value a group is learned.  A row of a group that training did not have gets NaN, or keeps its own value.
    `column` is None where `frame` is a Series.
    """
    if isinstance(column, list):
        parts = {
            c: self.group_transform(key, frame, by, c, function, at=(*at, c), **options) for c in column
        }
        return pd.DataFrame(parts)
    values = frame if column is None else frame[column]
    keys = [b if isinstance(b, pd.Series) else frame[b] for b in (by if isinstance(by, list) else [by])]
    rows = [tuple(None if pd.isna(k) else k for k in row) for row in zip(*keys, strict=True)]
    groups = [(row[0] if len(row) == 1 else row) for row in rows]
    if options.get("dropna", True):  # pandas leaves rows without a group out: () is in no table
        groups = [() if None in row else group for row, group in zip(rows, groups, strict=True)]
    if not self.fitting:
        return self._from_groups(values, groups, self._recall(key, at).value)
    grouped = values.groupby(keys if len(keys) > 1 else keys[0], **options)
    result = grouped.transform(function)
    fills = not isinstance(function, str) and np.ndim(function(next(iter(grouped))[1])) > 0
    missing = values.isna()
    table = dict(zip(groups, result, strict=True))
    if fills:
        table = {g: v for g, v, lost in zip(groups, result, missing, strict=True) if lost}
        table |= self._probed(values, keys, groups, function, options, set(groups) - set(table))
    table.pop((), None)
    learned = {"fills": fills, "dtype": str(result.dtype), "groups": table}
    if not self._from_groups(values, groups, learned).equals(result):
        raise StateError(
            f"{key}: the function gives neither one value a group nor fills in missing values"
        )
    self._learn(key, "group_transform", learned, at)
    return result

def _probed(
    self,
    values: pd.Series,
    keys: list[pd.Series],
    groups: list[Any],
    function: Any,
    options: Any,
    wanted: Any,
) -> dict[Any, Any]:
    """What `function` would fill in for the `wanted` groups, which miss nothing: one row more of each tells."""
    first = [groups.index(group) for group in wanted]
    places = [*range(len(values)), *first]
    more = [k.iloc[places].reset_index(drop=True) for k in keys]
    known = pd.Series(np.arange(len(places)) < len(values))
    probe = values.iloc[places].reset_index(drop=True).where(known)
    filled = probe.groupby(more if len(more) > 1 else more[0], **options).transform(function)
    return dict(zip(wanted, filled.iloc[len(values) :], strict=True))

def _from_groups(self, values: pd.Series, groups: list[Any], learned: dict[str, Any]) -> pd.Series:
    table = learned["groups"]
    found = [table.get(group, np.nan) for group in groups]
    if learned["fills"]:
        rows = zip(values, values.notna(), groups, found, strict=True)
        found = [own if known and group != () else new for own, known, group, new in rows]
    result = pd.Series(found, index=values.index, name=values.name, dtype=object)
    whole = result.notna().all() or learned["dtype"].startswith(("float", "object", "str"))
    return result.astype(learned["dtype"]) if whole else result.infer_objects()
