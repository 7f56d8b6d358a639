def scaled(
    self, key: str, function: Callable[..., Any], data: Any, *, at: Sequence[Any] = (), **options: Any
) -> Any:
    """`scale(data)` and its like of scikit-learn, by the transformer that keeps what they learn."""
    from sklearn import preprocessing

    kinds = {
        "scale": preprocessing.StandardScaler,
        "minmax_scale": preprocessing.MinMaxScaler,
        "maxabs_scale": preprocessing.MaxAbsScaler,
        "robust_scale": preprocessing.RobustScaler,
        "power_transform": preprocessing.PowerTransformer,
        "quantile_transform": preprocessing.QuantileTransformer,
    }
    table = np.asarray(data)
    column = table.reshape(-1, 1) if table.ndim == 1 else table
    if self.fitting:
        transformer = kinds[function.__name__](**options).fit(column)
        self._learn(key, "scaled", transformer, at)
        return function(data, **options)
    transformer = self._recall(key, at).value
    if not len(column):
        return table.astype(float)
    return transformer.transform(column).reshape(table.shape)
