"""NBP409."""

from __future__ import annotations

from nb2prod.rules import Rule, Severity


class TimeSeriesModel(Rule):
    """The model continues a series: it has no features, and no row to predict.

    Why it matters: ARIMA, exponential smoothing or Prophet forecast the next steps of the series that they
    were fitted on. A request would bring no row, but the time since training.

    Instead: make the past a feature of each row (lags, averages of earlier values, computed before the data
    reach the model) and fit a regressor, or run the forecast as a job of its own.
    """

    code, name, severity, blocks_compile = "NBP409", "time-series-model", Severity.ERROR, True
    message = "`{subject}` continues a series and has no features: there is no row to predict"
    help = "fit a regressor on features of the past, or run the forecast as a job of its own"
    refused = (("ARIMA(y, order=(1, 0, 0)).fit()", ""),)
