"""How each site is written: the text of its wrap from the text of the expression.

value          df["Age"].median()            st.value("age_median", df["Age"].median)
keep           df[df.Fare < 300]             st.keep("fare", df, lambda: df[df.Fare < 300])
fit_transform  sc.fit_transform(X)           st.fit_transform("standard_scaler", sc, X)
expand         df.a.str.split(expand=True)   st.expand("a_split", df.a.str.split(expand=True))
an adapter     pd.qcut(df.Fare, 4)           st.qcut("fare_qcut", df.Fare, 4)
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path

from nb2prod.caches import Texts, stamp_of
from nb2prod.ir.stages import Site
from nb2prod.lower.rewrite import Build
from nb2prod.lower.thunks import as_lambda, thunk

NAME = re.compile(r"\w+")
LIMIT = 5_000  # wraps that are kept between runs


def wrap(site: Site, imported: Iterable[str], made: Texts) -> Build:
    """The builder of a site's wrap; `imported` names are modules and what comes from them."""
    return lambda text: _write(site, text, imported, made)


def earlier() -> Texts:
    """Wraps of earlier runs: only new ones need LibCST, which takes longer to load than all else here."""
    return Texts("wraps", stamp_of(sorted(Path(__file__).parent.glob("*.py"))), LIMIT)


def _write(site: Site, text: str, imported: Iterable[str], made: Texts) -> str:
    key, at = json.dumps(site.key), [f"at=({', '.join(site.at)},)"] if site.at else []
    match site.kind:
        case "value" | "once":
            return f"st.{site.kind}({', '.join([key, thunk(text), *at])})"
        case "fit_only":
            return f"st.fit_only({key}, {as_lambda(text)})"
        case "expand":
            return f"st.expand({', '.join([key, text, *at])})"
    modules = sorted(set(NAME.findall(text)) & set(imported))

    def taken_apart() -> str:
        from nb2prod.lower.calls import write

        return write(site, key, at, text, modules)

    return made([site.kind, key, text, *at, *site.options, *modules], taken_apart)
