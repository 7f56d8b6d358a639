"""How each site is written: the text of its wrap from the text of the expression.

value          df["Age"].median()            st.value("age_median", df["Age"].median)
keep           df[df.Fare < 300]             st.keep("fare", df, lambda: df[df.Fare < 300])
fit_transform  sc.fit_transform(X)           st.fit_transform("standard_scaler", sc, X)
an adapter     pd.qcut(df.Fare, 4)           st.qcut("fare_qcut", df.Fare, 4)
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import libcst as cst

from nb2prod.analysis.events import AT_NAME
from nb2prod.ir.stages import Site
from nb2prod.lower.rewrite import Build

Code = Callable[[cst.CSTNode], str]
QUERY = re.compile(r"\.(?:query|eval)\(")
METHODS = {"drop_rows": "fit_only"}
METHOD_ADAPTERS = ("factorize", "astype_category")


def wrap(site: Site) -> Build:
    """The builder of a site's wrap."""
    return lambda node, code: _call(site, _parts(site, node, code))


def _call(site: Site, parts: list[str]) -> str:
    keyed = site.at and site.kind not in ("split", "columns", "fit_only", "drop_rows")
    at = [f"at=({', '.join(site.at)},)"] if keyed else []
    if site.kind == "columns":
        return f"{parts[0]}[st.value({json.dumps(site.key)}, lambda: list(({parts[1]}).columns))]"
    if site.kind == "split":
        return f"st.split({', '.join(parts)})"
    method = METHODS.get(site.kind, site.kind)
    return f"st.{method}({', '.join([json.dumps(site.key), *parts, *at])})"


def _parts(site: Site, node: cst.BaseExpression, code: Code) -> list[str]:
    match site.kind:
        case "value" | "once":
            return [_thunk(node, code)]
        case "keep":
            return [_base(node, code), _lambda(code(node))]
        case "fit_only":
            return [_lambda(code(node))]
        case "drop_rows":
            return [_lambda(code(node)), _base(node, code)]
        case "columns":
            return [_base(node, code), code(node)]
        case "group_transform":
            return _group_parts(node, code)
        case "split":
            assert isinstance(node, cst.Call)
            return [code(node.func), *_arguments(node, code)]
        case "fit" | "fit_transform" | "fit_predict":
            assert isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute)
            return [code(node.func.value), *_arguments(node, code)]
        case "merge" if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute):
            own = [] if _is_module(node.func.value) else [code(node.func.value)]
            return [*own, *_arguments(node, code)]
        case kind if kind in METHOD_ADAPTERS and isinstance(node, cst.Call):
            if isinstance(node.func, cst.Attribute) and not _is_module_call(node.func, kind):
                given = _arguments(node, code) if kind != "astype_category" else []
                return [code(node.func.value), *given]
            return _arguments(node, code)
        case _:
            assert isinstance(node, cst.Call)
            return _arguments(node, code)


def _is_module_call(func: cst.Attribute, kind: str) -> bool:
    """`pd.factorize(x)`, not `x.factorize()`."""
    return isinstance(func.value, cst.Name) and func.value.value in ("pd", "pandas") and kind == "factorize"


def _thunk(node: cst.BaseExpression, code: Code) -> str:
    """A bound method where it says it, else a lambda."""
    if isinstance(node, cst.Call) and not node.args and isinstance(node.func, cst.Attribute):
        return code(node.func)
    return _lambda(code(node))


def _lambda(text: str) -> str:
    """A thunk; what `df.query("a < @limit")` reads by its text must be a variable of the thunk itself."""
    names = dict.fromkeys(AT_NAME.findall(text)) if QUERY.search(text) else {}
    bound = ", ".join(f"{name}={name}" for name in names)
    return f"lambda {bound}: {text}" if bound else f"lambda: {text}"


def _base(node: cst.BaseExpression, code: Code) -> str:
    """The frame whose rows are chosen, with the same columns."""
    match node:
        case cst.Subscript(slice=[cst.SubscriptElement(), cst.SubscriptElement(), *_] as parts):
            every = parts[0].with_changes(slice=cst.Slice(lower=None, upper=None))
            return code(node.with_changes(slice=[every, *parts[1:]]))
        case cst.Subscript(value=cst.Attribute(value=inner, attr=cst.Name(value="loc" | "iloc"))):
            return code(inner)
        case cst.Subscript(value=inner):
            return code(inner)
        case cst.Call(func=cst.Attribute(value=inner)) if not (node.args and _is_module(inner)):
            return code(inner)
        case cst.Call(args=[first, *_]):
            return code(first.value)
        case _:
            return code(node)


def _is_module(node: cst.BaseExpression) -> bool:
    return isinstance(node, cst.Name) and node.value in ("pd", "np", "pandas", "numpy")


def _arguments(node: cst.Call, code: Code) -> list[str]:
    return [code(argument.with_changes(comma=cst.MaybeSentinel.DEFAULT)).strip() for argument in node.args]


def _group_parts(node: cst.BaseExpression, code: Code) -> list[str]:
    """`df.groupby(by, **o)["c"].transform(f)` -> df, by, "c", f, o."""
    assert isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute)
    grouped: cst.BaseExpression = node.func.value
    column = "None"
    if isinstance(grouped, cst.Subscript):
        element = grouped.slice[0].slice
        assert isinstance(element, cst.Index)
        column, grouped = code(element.value), grouped.value
    elif isinstance(grouped, cst.Attribute):
        column, grouped = json.dumps(grouped.attr.value), grouped.value
    assert isinstance(grouped, cst.Call) and isinstance(grouped.func, cst.Attribute)
    by, *options = _arguments(grouped, code)
    by = by.split("=", 1)[1].strip() if by.startswith("by=") else by
    function = _arguments(node, code)[0].removeprefix("func=")
    return [code(grouped.func.value), by, column, function, *options]
