"""Statements that store something in a frame, or change one in place."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2prod.rowpath.kinds import (
    COLLECTED,
    COLUMN,
    EMPTY,
    FRAME,
    FRESH,
    MATRIX,
    Kind,
    NotUnderstood,
    call,
    shown,
)
from nb2prod.rowpath.table import BINARY, FRAME_METHODS

if TYPE_CHECKING:
    from nb2prod.rowpath.body import Body


def renamed_columns(body: Body, target: ast.Attribute, value: ast.expr, node: ast.stmt) -> list[ast.stmt]:
    """`df.columns = names`."""
    kind, frame = body.expression(target.value)
    if kind is EMPTY:
        return []
    if kind is FRAME and target.attr == "columns":
        return [ast.Expr(call("become", frame, call("named", body.plain(value), call("dict", frame))))]
    raise NotUnderstood(node, shown(node))


def stored(body: Body, target: ast.Subscript, value: ast.expr) -> list[ast.stmt]:
    """`df["a"] = ...`, `df[names] = ...`, `df.loc[mask, "a"] = ...`, `array[:, 1] = ...`."""
    if isinstance(target.value, ast.Attribute) and target.value.attr == "loc":
        return _located(body, target, target.value.value, value)
    base, frame = body.expression(target.value)
    kind, made = body.expression(value)
    if base is MATRIX and kind.name in ("plain", "matrix"):
        return [ast.Assign([target], made)]
    if base is FRESH and isinstance(frame, ast.Name) and kind in (EMPTY, COLUMN):
        body.scope.kinds[frame.id] = base = FRAME if kind is COLUMN else EMPTY
        body.rowless |= {frame.id} if kind is EMPTY else set()
    if base is EMPTY:
        return []
    if base is not FRAME:
        if base.name == "plain" and kind.name == "plain":
            return [ast.Assign([ast.Subscript(frame, body.plain(target.slice), ast.Store())], made)]
        raise NotUnderstood(target, shown(target))
    inner, key = body.expression(target.slice)
    if inner.text == "list" and kind in (FRAME, MATRIX):
        return [
            ast.Expr(ast.Call(ast.Attribute(frame, "update", ast.Load()), [call("named", key, made)], []))
        ]
    if inner.name != "plain" or inner.text or kind.text == "list":
        raise NotUnderstood(target, shown(target))
    return [ast.Assign([ast.Subscript(frame, key, ast.Store())], _as_value(body, target, kind, made))]


def _as_value(body: Body, node: ast.AST, kind: Kind, made: ast.expr) -> ast.expr:
    if kind is COLUMN:
        return made
    if kind.name == "plain":
        return call("value", made)
    if kind is MATRIX:
        return call("only_value", made)
    if kind is COLLECTED:
        return call("gathered", made)
    raise NotUnderstood(node, f"a {kind.name} stored in {shown(node)}")


def _located(body: Body, target: ast.Subscript, base: ast.expr, value: ast.expr) -> list[ast.stmt]:
    kind, frame = body.expression(base)
    if kind is EMPTY:
        return []
    match target.slice:
        case ast.Tuple(elts=[where, key]) if kind is FRAME:
            column = ast.Subscript(frame, body.plain(key), ast.Store())
            inner, made = body.expression(value)
            stored = ast.Assign([column], _as_value(body, target, inner, made))
            if isinstance(where, ast.Slice) and where.lower is where.upper is where.step is None:
                return [stored]
            asked, mask = body.expression(where)
            if asked is COLUMN:
                return [ast.If(call("truth_value", mask), [stored], [])]
    raise NotUnderstood(target, shown(target))


def augmented(body: Body, node: ast.AugAssign, target: ast.expr) -> list[ast.stmt]:
    if isinstance(target, ast.Name) and body.kind_of(target).name == "plain":
        return [ast.AugAssign(target, node.op, body.plain(node.value))]
    if isinstance(target, ast.Subscript) and type(node.op) in BINARY:
        read = ast.parse(ast.unparse(target), mode="eval").body
        return stored(body, target, ast.copy_location(ast.BinOp(read, node.op, node.value), node))
    raise NotUnderstood(node, shown(node))


def in_place(body: Body, node: ast.Call, function: ast.Attribute) -> list[ast.stmt]:
    others = [k for k in node.keywords if k.arg != "inplace"]
    flag = next(k.value for k in node.keywords if k.arg == "inplace")
    changed = ast.copy_location(ast.Call(function, node.args, others), node)
    kind, frame = body.expression(function.value)
    if kind is EMPTY:
        return []
    if not (isinstance(flag, ast.Constant) and flag.value is True):
        raise NotUnderstood(node, shown(node))
    if kind is FRAME and function.attr in FRAME_METHODS:
        return [ast.Expr(call("become", frame, body.expression(changed)[1]))]
    if kind is COLUMN and isinstance(frame, ast.Subscript) and body.chained is not None:
        new = body.expression(changed)[1]
        return (
            [ast.Assign([ast.Subscript(frame.value, frame.slice, ast.Store())], new)] if body.chained else []
        )
    raise NotUnderstood(node, shown(node))
