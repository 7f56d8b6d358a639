"""How each site is written: the text of its wrap from the text of the expression.

value          df["Age"].median()            st.value("age_median", df["Age"].median)
keep           df[df.Fare < 300]             st.keep("fare", df, lambda: df[df.Fare < 300])
fit_transform  sc.fit_transform(X)           st.fit_transform("standard_scaler", sc, X)
an adapter     pd.qcut(df.Fare, 4)           st.qcut("fare_qcut", df.Fare, 4)
"""

from __future__ import annotations

import json
from collections.abc import Container

from nb2prod.ir.stages import Site
from nb2prod.lower.rewrite import Build
from nb2prod.lower.thunks import as_lambda, thunk


def wrap(site: Site, imported: Container[str] = ()) -> Build:
    """The builder of a site's wrap; `imported` names are modules and what comes from them."""
    return lambda text: _write(site, text, imported)


def _write(site: Site, text: str, imported: Container[str]) -> str:
    key, at = json.dumps(site.key), [f"at=({', '.join(site.at)},)"] if site.at else []
    match site.kind:
        case "value" | "once":
            return f"st.{site.kind}({', '.join([key, thunk(text), *at])})"
        case "fit_only":
            return f"st.fit_only({key}, {as_lambda(text)})"
    from nb2prod.lower.calls import write

    return write(site, key, at, text, imported)
