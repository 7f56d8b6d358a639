"""How each site is written: the text of its wrap from the text of the expression.

value          df["Age"].median()            st.value("age_median", df["Age"].median)
keep           df[df.Fare < 300]             st.keep("fare", df, lambda: df[df.Fare < 300])
fit_transform  sc.fit_transform(X)           st.fit_transform("standard_scaler", sc, X)
an adapter     pd.qcut(df.Fare, 4)           st.qcut("fare_qcut", df.Fare, 4)
"""

from __future__ import annotations

import json
import re
from collections.abc import Container

import libcst as cst

from nb2prod.analysis.events import AT_NAME
from nb2prod.ir.stages import Site
from nb2prod.lower.rewrite import Build, Code

QUERY = re.compile(r"\.(?:query|eval)\(")
METHOD_ADAPTERS = ("factorize", "astype_category")
# The adapters take options by name: those that a call may give by position, after what the adapter takes so.
POSITIONAL = {
    "get_dummies": ("", "prefix", "prefix_sep", "dummy_na", "columns", "sparse", "drop_first", "dtype"),
    "qcut": ("", "", "labels", "retbins", "precision", "duplicates"),
    "add_constant": ("", "prepend", "has_constant"),
    "cut": ("", "", "right", "labels", "retbins", "precision", "include_lowest", "duplicates", "ordered"),
}


def wrap(site: Site, imported: Container[str] = ()) -> Build:
    """The builder of a site's wrap; `imported` names are modules and what comes from them."""
    return lambda node, code: _write(site, node, code, imported)


def _write(site: Site, node: cst.BaseExpression, code: Code, imported: Container[str]) -> str:
    key = json.dumps(site.key)
    at = [f"at=({', '.join(site.at)},)"] if site.at else []
    match site.kind:
        case "value" | "once":
            return f"st.{site.kind}({', '.join([key, _thunk(node, code), *at])})"
        case "keep":
            base, text = _kept(node, code, imported)
            return f"st.keep({', '.join([key, base, _lambda(text), *at])})"
        case "fit_only":
            return f"st.fit_only({key}, {_lambda(code(node))})"
        case "drop_rows":
            base, text = _kept(node, code, imported)
            return f"st.fit_only({key}, {_lambda(text)}, {base})"
        case "columns":
            base, text = _kept(node, code, imported)
            return f"{base}[st.value({key}, lambda: list(({text}).columns))]"
        case "group_transform":
            return f"st.group_transform({', '.join([key, *_group_parts(node, code), *at])})"
    assert isinstance(node, cst.Call)
    receiver = node.func.value if isinstance(node.func, cst.Attribute) else None
    own = [code(receiver)] if receiver is not None and not _is_module(receiver, imported) else []
    match site.kind:
        case "fit_transform_each":
            method = node.args[0].value
            assert isinstance(method, cst.Attribute)
            return f"st.fit_transform_each({', '.join([key, code(method.value), *own, *at])})"
        case "scaled":
            return _again("st.scaled", [key, code(node.func)], node, at, code)
        case "read_csv" | "write_csv":
            return _again(f"st.{site.kind}", own if site.kind == "write_csv" else [], node, [], code)
        case "split" | "folds" as kind:
            return _again(f"st.{kind}", [code(node.func)], node, [*site.options], code)
        case "astype_category" if own:
            return f"st.astype_category({', '.join([key, *own, *at])})"
        case "fit" | "fit_transform" | "fit_predict" | "merge" | "factorize" | "astype_category":
            return _again(f"st.{site.kind}", [key, *own], node, at, code)
        case kind:
            return _again(f"st.{kind}", [key], node, at, code, POSITIONAL.get(kind, ()))


def _again(
    function: str, first: list[str], node: cst.Call, last: list[str], code: Code, names: tuple[str, ...] = ()
) -> str:
    """The call with another function and more arguments, its layout and comments kept."""
    given = [_named(a, names[i]) if i < len(names) and names[i] else a for i, a in enumerate(node.args)]
    inside = "".join(code(argument) for argument in given)
    if last and given and isinstance(given[-1].comma, cst.MaybeSentinel):
        inside += ", "
    inside += ", ".join(last)
    begin = code(node.whitespace_before_args)
    return f"{function}({begin}{', '.join(first)}{', ' if first and inside else ''}{inside})"


def _named(argument: cst.Arg, name: str) -> cst.Arg:
    if argument.keyword is not None or argument.star:
        return argument
    blank = cst.SimpleWhitespace("")
    return argument.with_changes(keyword=cst.Name(name), equal=cst.AssignEqual(blank, blank))


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


def _kept(node: cst.BaseExpression, code: Code, imported: Container[str]) -> tuple[str, str]:
    """The frame whose rows are chosen, with the same columns, and the text that chooses."""
    match node:
        case cst.Subscript(slice=[cst.SubscriptElement(), cst.SubscriptElement(), *_] as parts):
            every = parts[0].with_changes(slice=cst.Slice(lower=None, upper=None))
            return code(node.with_changes(slice=[every, *parts[1:]])), code(node)
        case cst.Subscript(value=cst.Attribute(value=inner, attr=cst.Name(value="loc" | "iloc"))):
            return code(inner), code(node)
        case cst.Subscript(value=inner):
            return code(inner), code(node)
        case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value=name))) if not (
            _is_module(inner, imported) or name == "fit_resample"
        ):
            return code(_ungrouped(inner)), code(node)
        case cst.Call():
            given = [a for a in node.args if a.keyword is None or a.keyword.value in ("X", "y")]
            frames = [code(argument.value) for argument in given]
            if len(frames) > 1:
                return f"({', '.join(frames)})", f"tuple({code(node)})"
            return frames[0], code(node)
        case _:
            return code(node), code(node)


def _ungrouped(node: cst.BaseExpression) -> cst.BaseExpression:
    """The frame of `df.groupby(key)`, whose methods choose rows of all groups."""
    match node:
        case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value="groupby"))):
            return inner
        case _:
            return node


def _is_module(node: cst.BaseExpression, imported: Container[str]) -> bool:
    """`pd` in `pd.factorize(x)`, `sklearn.utils` in `sklearn.utils.shuffle(x)`."""
    while isinstance(node, cst.Attribute):
        node = node.value
    return isinstance(node, cst.Name) and node.value in imported


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
    by, *options = grouped.args
    plain = [code(option.with_changes(comma=cst.MaybeSentinel.DEFAULT)).strip() for option in options]
    return [code(grouped.func.value), code(by.value), column, code(node.args[0].value), *plain]
