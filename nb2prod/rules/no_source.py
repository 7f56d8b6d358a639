"""NBP407."""

from __future__ import annotations

from nb2prod.rules import Rule, Severity


class NoSource(Rule):
    """The raw data of the features enter through nothing that nb2prod recognises as a source.

    Why it matters: without a source there is no input schema: nobody knows what a row in production looks
    like.

    Instead: read the data with pandas in a cell tagged load.
    """

    code, name, severity, blocks_compile = "NBP407", "no-source", Severity.ERROR, True
    message = "no data source leads to `{subject}`"
    help = "read the data with pandas, such as `pd.read_csv(...)`, in a cell tagged `load`"
    refused = (("X_train", ""),)
