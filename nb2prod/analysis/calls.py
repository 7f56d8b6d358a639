"""Every call of a notebook in the order of the text, with the public name of what is called.

import numpy as np
np.random.rand(3)       ->  numpy.random.rand
open("a")               ->  builtins.open, unless the notebook has an `open` of its own
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from nb2prod.analysis.events import BUILTINS, Event, Function
from nb2prod.analysis.script import Script
from nb2prod.analysis.values import imported
from nb2prod.ir.program import Stmt
from nb2prod.knowledge import GIVEN, star_names

_ARGUMENTS = "_nb2prod_arguments"  # where a call keeps them


@dataclass(slots=True, eq=False)  # one for each call: not frozen, see Event
class Called:
    """One call.  `api` is empty where the root is no import and no builtin; `name` is the last part.

    `function` is the function of the notebook in whose body it stands.
    """

    stmt: Stmt
    node: ast.Call
    api: str
    name: str
    function: Function | None = None


class Calls(tuple[Called, ...]):
    """All calls.  `names` and `apis` are what is called at all: asked before each call is looked at."""

    names: frozenset[str]
    apis: frozenset[str]


def calls(script: Script) -> Calls:
    """All calls, those in the bodies of functions after those of their statement."""
    paths: dict[str, str] = {}
    own: set[str] = set()
    found: list[Called] = []
    for stmt, events in script.stmts():
        if isinstance(stmt.node, ast.ImportFrom) and stmt.node.names[0].name == "*":
            module = stmt.node.module or ""
            paths |= {name: f"{module}.{name}" for name in star_names(module) or ()}
        if not (events.called or events.binds or events.functions):
            continue
        rows: list[tuple[Event, Function | None]] = [(event, None) for event in events.events]
        for inner in events.functions:
            rows += [(event, inner) for event in inner.every_event()]
        for event, function in rows:
            if event.kind == "read":
                continue
            if event.kind == "bind":
                module = imported(event.node, event.name) or _second_name(stmt.node, event.name, paths, own)
                if module:
                    paths[event.name] = module
                else:
                    paths.pop(event.name, None)
                    if function is None:
                        own.add(event.name)
            elif event.kind == "call" and isinstance(event.node, ast.Call):
                node = event.node
                hidden = function is not None and _root(node.func) in function.params
                api = "" if hidden else _path(node.func, paths, own)
                found.append(Called(stmt, node, api, called_name(node), function))
        for function in events.functions:
            own.add(function.name)
    every = Calls(found)
    every.names = frozenset([call.name for call in found])
    every.apis = frozenset([call.api for call in found])
    return every


def _second_name(node: ast.stmt, name: str, paths: dict[str, str], own: set[str]) -> str:
    """`r = np.random`: a part of a module under another name."""
    match node:
        case ast.Assign(targets=[ast.Name(id=target)], value=ast.Attribute() as value) if target == name:
            return _path(value, paths, own)
        case ast.For(target=ast.Name(id=target), iter=ast.List(elts=made) | ast.Tuple(elts=made)) if (
            target == name and made
        ):  # `for Model in (Ridge, Lasso)`: the first stands for all
            every = [_path(one, paths, own) for one in made if isinstance(one, (ast.Name, ast.Attribute))]
            return every[0] if len(every) == len(made) and all(every) else ""
    return ""


def arguments(node: ast.Call) -> Mapping[str, object]:
    """Every argument under its keyword or its position, a literal as itself."""
    kept: dict[str, object] | None = node.__dict__.get(_ARGUMENTS)
    if kept is None:
        every = [(str(position), value) for position, value in enumerate(node.args)]
        every += [(keyword.arg, keyword.value) for keyword in node.keywords if keyword.arg]
        kept = {name: value.value if isinstance(value, ast.Constant) else GIVEN for name, value in every}
        node.__dict__[_ARGUMENTS] = kept
    return kept


def called_name(node: ast.Call) -> str:
    """The last part of what is called: `rand` of `np.random.rand(3)`."""
    function = node.func
    if function.__class__ is ast.Attribute:
        return function.attr
    return function.id if function.__class__ is ast.Name else ""


def _root(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _path(node: ast.expr, paths: dict[str, str], own: set[str]) -> str:
    names = ""
    while node.__class__ is ast.Attribute:
        names = f".{node.attr}{names}"
        node = node.value
    if node.__class__ is not ast.Name:
        return ""
    name: str = node.id
    if name in paths:
        return paths[name] + names
    return f"builtins.{name}" if not names and name in BUILTINS and name not in own else ""
