"""Expressions of the staged body as expressions over one row."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2prod.rowpath import calls, loops, sites
from nb2prod.rowpath.kinds import (
    COLUMN,
    EMPTY,
    FRAME,
    LIST,
    MATRIX,
    PLAIN,
    ROWS,
    Kind,
    NotUnderstood,
    call,
    constant,
    name,
    shown,
)
from nb2prod.rowpath.table import BINARY, COMPARED, UNARY

if TYPE_CHECKING:
    from nb2prod.rowpath.body import Body

Value = tuple[Kind, ast.expr]
FRAME_WORDS = frozenset(
    """T agg aggregate align all any apply applymap assign astype at attrs axes bfill clip columns copy
    corr count cumsum describe diff div drop drop_duplicates dropna dtypes duplicated empty eq equals
    eval explode ffill fillna filter first flags ge get groupby gt head iat idxmax iloc index info
    insert isin isna isnull items iterrows itertuples join keys kurt last le loc lt map mask max mean
    median melt merge min mod mode mul ndim ne notna notnull nunique pipe pivot pop pow prod product
    quantile query rank reindex rename replace resample reset_index rolling round sample select_dtypes
    set_index shape shift size skew sort_index sort_values squeeze stack std style sub sum swapaxes tail
    take to_numpy transform transpose unstack update values var where xs""".split()
)


def expression(body: Body, node: ast.expr) -> Value:
    """The kind of an expression and its row form; NotUnderstood where it has none."""
    match node:
        case ast.Name():
            return body.kind_of(node), node
        case ast.Constant():
            return PLAIN, node
        case ast.Call():
            return calls.called(body, node)
        case ast.BinOp():
            return _operator(body, node)
        case ast.Compare():
            return _comparison(body, node)
        case ast.UnaryOp():
            return _unary(body, node)
        case ast.Subscript():
            return _subscript(body, node)
        case ast.Attribute():
            return _attribute(body, node)
        case ast.List() | ast.Tuple() if node.elts:
            return _list(body, node)
        case ast.ListComp():
            return loops.gathered(body, node) or _as_it_is(body, node)
    return _as_it_is(body, node)


def plain(body: Body, node: ast.expr) -> ast.expr:
    """An expression that must be the same for every row."""
    kind, made = expression(body, node)
    if kind.name != "plain":
        raise NotUnderstood(node, f"{shown(node)}, which differs from row to row, used as a constant")
    return made


def _as_it_is(body: Body, node: ast.expr) -> Value:
    """Plain Python stays plain Python, with what was learned in the places where it is asked for."""
    kind = LIST if isinstance(node, ast.List | ast.ListComp | ast.Tuple) else PLAIN
    return kind, body.without_rows(node)


def _list(body: Body, node: ast.List | ast.Tuple) -> Value:
    kinds = [body.kind_of(e) if isinstance(e, ast.Name) else None for e in node.elts]
    if all(kind is not None and kind.name in ("frame", "empty") for kind in kinds):
        return Kind("frames", "", tuple(e.id for e in node.elts if isinstance(e, ast.Name))), node
    return _as_it_is(body, node)


def _operator(body: Body, node: ast.BinOp) -> Value:
    (left, a), (right, b) = expression(body, node.left), expression(body, node.right)
    if left.name == right.name == "plain":
        return PLAIN, ast.BinOp(a, node.op, b)
    if EMPTY in (left, right):
        return EMPTY, node
    row = BINARY.get(type(node.op))
    names = {left.name, right.name}
    if row is None or not names <= {"plain", "column", "frame"}:
        raise NotUnderstood(node, shown(node))
    if names <= {"plain", "column"}:
        return COLUMN, call(row, a, b)
    if left is FRAME and right.name in ("plain", "frame"):
        known = body.at_bind(b, "by_column") if isinstance(b, ast.Name) and right.name == "plain" else b
        return FRAME, call("each", name(row), a, known)
    if left.name == "plain" and right is FRAME:
        return FRAME, call("each", name(row), b, a, constant(True))
    raise NotUnderstood(node, shown(node))


def _comparison(body: Body, node: ast.Compare) -> Value:
    (left, a), (right, b) = expression(body, node.left), expression(body, node.comparators[0])
    if left.name == right.name == "plain":
        return _as_it_is(body, node)
    if EMPTY in (left, right):
        return EMPTY, node
    row = COMPARED.get(type(node.ops[0]))
    if row is None or len(node.ops) > 1 or not {left.name, right.name} <= {"plain", "column"}:
        raise NotUnderstood(node, shown(node))
    function, swapped = row
    return COLUMN, call(function, b, a) if swapped else call(function, a, b)


def _unary(body: Body, node: ast.UnaryOp) -> Value:
    kind, made = expression(body, node.operand)
    if kind.name == "plain":
        return PLAIN, ast.UnaryOp(node.op, made)
    row = UNARY.get(type(node.op))
    if kind is EMPTY:
        return EMPTY, node
    if row is None or kind is not COLUMN:
        raise NotUnderstood(node, shown(node))
    return COLUMN, call(row, made)


def _attribute(body: Body, node: ast.Attribute) -> Value:
    if body.imported(node):
        return PLAIN, node
    part = calls.time_part(body, node)
    if part is not None:
        return COLUMN, part
    if isinstance(node.value, ast.Attribute) and node.value.attr in ("str", "dt"):
        node = ast.copy_location(ast.Attribute(node.value.value, node.value.attr, ast.Load()), node)
    kind, made = expression(body, node.value)
    if kind.name == "plain":
        return (LIST if node.attr == "columns" else PLAIN), ast.Attribute(made, node.attr, ast.Load())
    if kind is EMPTY:
        return EMPTY, node
    if kind is FRAME and node.attr == "columns":
        return LIST, call("list", made)
    if kind is FRAME and node.attr == "values":
        return MATRIX, call("matrix", made)
    if kind is FRAME and node.attr not in FRAME_WORDS:
        return COLUMN, ast.Subscript(made, constant(node.attr), ast.Load())
    if kind is COLUMN and node.attr == "values":
        return COLUMN, made
    raise NotUnderstood(node, shown(node))


def _subscript(body: Body, node: ast.Subscript) -> Value:
    if isinstance(node.value, ast.Attribute) and node.value.attr in ("loc", "iloc"):
        found = _located(body, node, node.value)
        if found is not None:
            return found
    text = calls.text_place(body, node)
    if text is not None:
        return COLUMN, text
    kind, made = expression(body, node.value)
    if kind is EMPTY:
        sites.asked_for_nothing(body, node.slice)
        return EMPTY, node
    key = body.without_rows(node.slice)
    if kind.name == "plain":
        return PLAIN, ast.Subscript(made, key, ast.Load())
    if kind is MATRIX:
        return MATRIX, ast.Subscript(made, key, ast.Load())
    if kind is FRAME and not isinstance(node.slice, ast.Slice):
        inner, key = expression(body, node.slice)
        if inner.text == "list":
            return FRAME, call("selected", made, key)
        if inner.name == "plain" and inner.text != "mask":
            return COLUMN, ast.Subscript(made, key, ast.Load())
    raise NotUnderstood(node, shown(node))


def _located(body: Body, node: ast.Subscript, accessor: ast.Attribute) -> Value | None:
    """`frame.loc[:, names]` and `frame.iloc[:, start:stop]`."""
    kind, made = expression(body, accessor.value)
    if kind is EMPTY:
        return EMPTY, node
    if kind is not FRAME:
        return None
    match node.slice:
        case ast.Tuple(elts=[ast.Slice(lower=None, upper=None, step=None), ast.Slice(step=None) as part]):
            if accessor.attr == "iloc":
                ends = [
                    constant(None) if end is None else plain(body, end) for end in (part.lower, part.upper)
                ]
                return FRAME, call("columns_between", made, *ends)
        case ast.Tuple(elts=[ast.Slice(lower=None, upper=None, step=None), names]) if accessor.attr == "loc":
            inner, key = expression(body, names)
            if inner.text == "list":
                return FRAME, call("selected", made, key)
            if inner.name == "plain" and inner.text != "mask":
                return COLUMN, ast.Subscript(made, key, ast.Load())
    raise NotUnderstood(node, shown(node))


def rows_in(body: Body, node: ast.AST) -> bool:
    """Whether an expression mentions a variable that differs from row to row."""
    return any(
        isinstance(inner, ast.Name) and body.scope.kinds.get(inner.id, PLAIN).name in (*ROWS, "frames")
        for inner in ast.walk(node)
    )
