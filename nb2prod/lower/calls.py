"""The wraps that take a call or a subscript apart, with LibCST: layout and comments are kept."""

from __future__ import annotations

import json
from collections.abc import Container

import libcst as cst

from nb2prod.ir.stages import Site
from nb2prod.lower.thunks import as_lambda

# The adapters take options by name: those that a call may give by position, after what the adapter takes so.
POSITIONAL = {
    "get_dummies": ("", "prefix", "prefix_sep", "dummy_na", "columns", "sparse", "drop_first", "dtype"),
    "qcut": ("", "", "labels", "retbins", "precision", "duplicates"),
    "winsorize": ("", "limits", "inclusive", "inplace", "axis", "nan_policy"),
    "add_constant": ("", "prepend", "has_constant"),
    "cut": ("", "", "right", "labels", "retbins", "precision", "include_lowest", "duplicates", "ordered"),
}


def write(site: Site, key: str, at: list[str], text: str, imported: Container[str]) -> str:
    """The wrap of the expression `text`, under this key and with what tells the turns of a loop apart."""
    node = _expression(text)
    match site.kind:
        case "keep":
            base, chosen = _kept(node, imported)
            return f"st.keep({', '.join([key, base, as_lambda(chosen), *at])})"
        case "drop_rows":
            base, chosen = _kept(node, imported)
            return f"st.fit_only({key}, {as_lambda(chosen)}, {base})"
        case "columns":
            base, chosen = _kept(node, imported)
            return f"{base}[st.value({key}, lambda: list(({chosen}).columns))]"
        case "group_transform":
            return f"st.group_transform({', '.join([key, *_group_parts(node), *at])})"
    assert isinstance(node, cst.Call)
    receiver = node.func.value if isinstance(node.func, cst.Attribute) else None
    own = [_code(receiver)] if receiver is not None and not _is_module(receiver, imported) else []
    match site.kind:
        case "fit_transform_each":
            method = node.args[0].value
            assert isinstance(method, cst.Attribute)
            return f"st.fit_transform_each({', '.join([key, _code(method.value), *own, *at])})"
        case "scaled":
            return _again("st.scaled", [key, _code(node.func)], node, at)
        case "read_csv" | "write_csv":
            return _again(f"st.{site.kind}", own if site.kind == "write_csv" else [], node, [])
        case "split" | "folds" as kind:
            return _again(f"st.{kind}", [_code(node.func)], node, [*site.options])
        case "astype_category" if own:
            return f"st.astype_category({', '.join([key, *own, *at])})"
        case "fit" | "fit_transform" | "fit_predict" | "merge" | "factorize" | "astype_category":
            return _again(f"st.{site.kind}", [key, *own], node, at)
        case kind:
            return _again(f"st.{kind}", [key], node, at, POSITIONAL.get(kind, ()))


def _expression(text: str) -> cst.BaseExpression:
    """An expression that may go over several lines."""
    node = cst.parse_expression(f"({text})")
    return node.with_changes(lpar=node.lpar[1:], rpar=node.rpar[:-1])


def _code(node: cst.CSTNode) -> str:
    return cst.Module([]).code_for_node(node)


def _again(
    function: str, first: list[str], node: cst.Call, last: list[str], names: tuple[str, ...] = ()
) -> str:
    """The call with another function and more arguments, its layout and comments kept."""
    given = [_named(a, names[i]) if i < len(names) and names[i] else a for i, a in enumerate(node.args)]
    inside = "".join(_code(argument) for argument in given)
    if last and given and isinstance(given[-1].comma, cst.MaybeSentinel):
        inside += ", "
    inside += ", ".join(last)
    begin = _code(node.whitespace_before_args)
    return f"{function}({begin}{', '.join(first)}{', ' if first and inside else ''}{inside})"


def _named(argument: cst.Arg, name: str) -> cst.Arg:
    if argument.keyword is not None or argument.star:
        return argument
    blank = cst.SimpleWhitespace("")
    return argument.with_changes(keyword=cst.Name(name), equal=cst.AssignEqual(blank, blank))


def _kept(node: cst.BaseExpression, imported: Container[str]) -> tuple[str, str]:
    """The frame whose rows are chosen, with the same columns, and the text that chooses."""
    match node:
        case cst.Subscript(slice=[cst.SubscriptElement(), cst.SubscriptElement(), *_] as parts):
            every = parts[0].with_changes(slice=cst.Slice(lower=None, upper=None))
            return _code(node.with_changes(slice=[every, *parts[1:]])), _code(node)
        case cst.Subscript(value=cst.Attribute(value=inner, attr=cst.Name(value="loc" | "iloc"))):
            return _code(inner), _code(node)
        case cst.Subscript(value=inner):
            return _code(inner), _code(node)
        case cst.Call(func=cst.Attribute(value=inner, attr=cst.Name(value=name))) if not (
            _is_module(inner, imported) or name == "fit_resample"
        ):
            return _code(_ungrouped(inner)), _code(node)
        case cst.Call():
            given = [a for a in node.args if a.keyword is None or a.keyword.value in ("X", "y")]
            frames = [_code(argument.value) for argument in given]
            if len(frames) > 1:
                return f"({', '.join(frames)})", f"tuple({_code(node)})"
            return frames[0], _code(node)
        case _:
            return _code(node), _code(node)


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


def _group_parts(node: cst.BaseExpression) -> list[str]:
    """`df.groupby(by, **o)["c"].transform(f)` -> df, by, "c", f, o."""
    assert isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute)
    grouped: cst.BaseExpression = node.func.value
    column = "None"
    if isinstance(grouped, cst.Subscript):
        element = grouped.slice[0].slice
        assert isinstance(element, cst.Index)
        column, grouped = _code(element.value), grouped.value
    elif isinstance(grouped, cst.Attribute):
        column, grouped = json.dumps(grouped.attr.value), grouped.value
    assert isinstance(grouped, cst.Call) and isinstance(grouped.func, cst.Attribute)
    by, *options = grouped.args
    plain = [_code(option.with_changes(comma=cst.MaybeSentinel.DEFAULT)).strip() for option in options]
    return [_code(grouped.func.value), _code(by.value), column, _code(node.args[0].value), *plain]
