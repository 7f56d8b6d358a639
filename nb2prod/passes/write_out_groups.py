"""Writes groups that are held in a variable out where they are transformed: what a group gets is learned, and
the wrap must see the frame and the keys.

Before:  by = df.groupby(["Sex", "Class"])           After:  `by` stands for `df.groupby(["Sex", "Class"])`
         df["Age"] = by["Age"].transform(f)                  in the second statement; the first is gone

Both mean the same as long as the frame is the same one and its keys are as they were: pandas makes the keys
of the groups when they are made, and takes the columns from the frame when they are asked for.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from nb2prod.analysis.types import Types
from nb2prod.ir.flow import Flow
from nb2prod.ir.stages import Role, StageGraph


def write_out_groups(graph: StageGraph, flow: Flow, types: Types) -> StageGraph:
    """Fills in `written_out`, and hides the statements that made those groups."""
    kept = {number: stage.role for stage in graph.stages for number in stage.stmts}
    written: dict[int, ast.expr] = {}
    gone: set[int] = set()
    for number in kept:
        match flow.by_id[number].node:
            case ast.Assign(targets=[ast.Name(id=name)], value=groups) if _keys(groups) is not None:
                users = [
                    s for s in kept if any(u.name == name and number in u.reaches for u in flow.uses_of(s))
                ]
                names = [node for user in users for node in _reads(flow.by_id[user].node, name)]
                plain = all(
                    kept[user] is Role.FEATURES and _same(flow, groups, number, user) for user in users
                )
                if plain and any(_is_transformed(flow.by_id[user].node, name, types) for user in users):
                    written |= {id(node): groups for node in names}
                    gone.add(number)
    hidden = graph.hidden | {id(flow.by_id[number].node) for number in gone}
    return replace(graph, hidden=hidden, written_out=written)


def _keys(groups: ast.expr) -> set[str] | None:
    """The columns that `frame.groupby(...)[...]` groups by, all of them constants; None for anything else."""
    while isinstance(groups, (ast.Subscript, ast.Attribute)):
        groups = groups.value
    match groups:
        case ast.Call(func=ast.Attribute(value=ast.Name(), attr="groupby"), args=args, keywords=options):
            by = [*args, *(option.value for option in options if option.arg == "by")][:1]
            keys = [key for part in by for key in (part.elts if isinstance(part, ast.List) else [part])]
            others = [*args[1:], *(option.value for option in options if option.arg != "by")]
            if keys and all(isinstance(part, ast.Constant) for part in [*keys, *others]):
                return {str(key.value) for key in keys if isinstance(key, ast.Constant)}
    return None


def _same(flow: Flow, groups: ast.expr, made: int, used: int) -> bool:
    """Whether the groups written out at `used` are those that were made: until then, the frame only gets
    columns, and none of the keys.
    """
    keys = _keys(groups) or set()
    frames = {node.id for node in ast.walk(groups) if isinstance(node, ast.Name)}
    user = flow.by_id[used].node
    changing = {d.stmt for d in flow.defs if d.name in frames and made < d.stmt < used}
    if not isinstance(user, (ast.Assign, ast.Expr)):  # its parts may run more than once
        changing |= {d.stmt for d in flow.defs if d.name in frames and d.stmt == used}
    stored = [_stored(flow.by_id[number].node) for number in changing]
    return all(columns is not None and not columns & keys for columns in stored)


def _stored(node: ast.stmt) -> set[str] | None:
    """The columns that `frame["a"] = ...` gives to a frame; None for any other statement."""
    match node:
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(), slice=ast.Constant(value=str(column)))]):
            return {column}
    return None


def _reads(node: ast.AST, name: str) -> Iterator[ast.Name]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and inner.id == name and isinstance(inner.ctx, ast.Load):
            yield inner


def _is_transformed(node: ast.AST, name: str, types: Types) -> bool:
    """Whether a value of each group is given to all of its rows."""
    for call in ast.walk(node):
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and any(_reads(call.func, name))
        ):
            fact = types.fact(call)
            if fact is not None and fact.adapter == "group_transform":
                return True
    return False
