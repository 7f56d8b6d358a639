"""The raw columns that the target is made of, which a row need not have when it is predicted."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.analysis.nodes import valued
from nb2prod.analysis.split import sources, value_of
from nb2prod.ir.project import Column
from nb2prod.ir.stages import Role
from nb2prod.ir.trace import Trace
from nb2prod.knowledge import methods
from nb2prod.lower.module import Context
from nb2prod.lower.unpacking import TARGET

DROPS = ("drop", "pop")  # a column that is only taken out is not looked at


def raw_targets(context: Context, trace: Trace | None, columns: tuple[Column, ...]) -> tuple[str, ...]:
    """As the text names them, else as the data show.

    What features are made of as well is none of them: a row must have it.
    """
    named = target_columns(context)
    raw = {column.name for column in columns}
    if named and set(named) <= raw:
        return named
    made = _Made(context)
    sources = made.sources(named, raw)
    if sources != named:
        unread = {column.name for column in columns if not column.read}
        own = tuple(n for n in sources if (n in unread if raw else not made.looked_at(n)))
        if own:
            return own
    if not raw:
        return named
    return (trace.targets if trace is not None else ()) or tuple(n for n in named if n in raw)


def target_columns(context: Context) -> tuple[str, ...]:
    """The columns that the statements of the target name."""
    graph = context.graph
    assert graph.sink is not None
    if graph.sink.y is None:
        return ()
    if graph.arrays is not None:
        return (TARGET,)
    found = [name for node in _behind(graph.y[0], context) for name in _columns(node, context)]
    nodes: list[ast.AST] = [context.flow.by_id[s].node for s in graph.stage(Role.TARGET).stmts]
    found = found or [name for node in nodes for name in _columns(node, context)]
    return tuple(dict.fromkeys(found or _columns(graph.sink.y, context)))


def _behind(name: str, context: Context) -> list[ast.AST]:
    """The expressions that the target is made of, back to those that name columns."""
    made: dict[str, list[ast.Assign]] = {}
    stages = (Role.FEATURES, Role.TARGET)
    for id in sorted(s for stage in stages for s in context.graph.stage(stage).stmts):
        node = context.flow.by_id[id].node
        for bound in context.flow.defined_by(id) if isinstance(node, ast.Assign) else ():
            assert isinstance(node, ast.Assign)
            made.setdefault(bound, []).append(node)
    found: list[ast.AST] = []
    seen: set[str] = set()
    todo = [name]
    while todo:
        current = todo.pop()
        for node in made.get(current, []) if current not in seen else ():
            part = value_of(node, current)
            if any(True for _ in _columns(part, context)):
                found.append(part)
            else:
                split = sources(node, current) if isinstance(node.value, ast.Call) else set()
                todo += sorted(split or {n.id for n in valued(part)})
        seen.add(current)
    return found


class _Made:
    """The columns that statements before the model make of others: `df["good"] = df["quality"] > 7`."""

    def __init__(self, context: Context) -> None:
        self.context = context
        stages = (Role.LOAD, Role.FEATURES, Role.TARGET)
        ids = sorted(s for role in stages for s in context.graph.stage(role).stmts)
        self.nodes = [context.flow.by_id[id].node for id in ids]

    def sources(self, names: tuple[str, ...], raw: set[str]) -> tuple[str, ...]:
        """The columns behind these, back to those that no statement makes."""
        found: dict[str, None] = {}
        seen: set[str] = set()
        todo = list(names)
        while todo:
            name = todo.pop(0)
            if name in seen:
                continue
            seen.add(name)
            made_of = self._made_of(name) if name not in raw else []
            if made_of and name not in made_of:
                todo += made_of
            else:
                found[name] = None
        return tuple(found)

    def looked_at(self, name: str) -> bool:
        """Whether the features name this column for more than to make the target of it, or to drop it."""
        stmts = self.context.graph.stage(Role.FEATURES).stmts
        for node in (self.context.flow.by_id[id].node for id in stmts):
            made = [column for column, _ in _makes(node, self.context)]
            if made and all(name in self.sources((column,), set()) for column in made):
                continue
            dropped = {id(n) for call in ast.walk(node) if _drops(call) for n in ast.walk(call)}
            named = (n for n in ast.walk(node) if id(n) not in dropped)
            if any(name in (getattr(n, "value", None), getattr(n, "attr", None)) for n in named):
                return True
        return False

    def _made_of(self, name: str) -> list[str]:
        parts = [part for node in self.nodes for column, part in _makes(node, self.context) if column == name]
        return [column for part in parts for column in _columns(part, self.context)]


def _makes(stmt: ast.AST, context: Context) -> Iterator[tuple[str, ast.AST]]:
    """The columns that a statement gives values, each with what these are made of."""
    for node in ast.walk(stmt):
        match node:
            case ast.Assign(targets=[ast.Subscript(slice=where)], value=value):
                place = where.elts[-1] if isinstance(where, ast.Tuple) and where.elts else where
                named = place.value if isinstance(place, ast.Constant) else ""
                column = named or (_constant(place.id, context) if isinstance(place, ast.Name) else "")
                if column and isinstance(column, str):
                    condition = where.elts[:-1] if isinstance(where, ast.Tuple) else []
                    yield column, ast.Tuple([*condition, value], ast.Load())
            case ast.Call(func=ast.Attribute(attr="assign"), keywords=keywords):
                yield from ((k.arg, k.value) for k in keywords if k.arg)
            case ast.Call(
                func=ast.Attribute(attr="insert"), args=[_, ast.Constant(value=str() as name), value]
            ):
                yield name, value
            case ast.Call(func=ast.Attribute(attr="rename"), keywords=keywords):
                renamed = (k.value for k in keywords if k.arg == "columns" and isinstance(k.value, ast.Dict))
                for names in renamed:
                    for old, new in zip(names.keys, names.values, strict=True):
                        if isinstance(new, ast.Constant) and isinstance(old, ast.Constant):
                            yield str(new.value), ast.Subscript(ast.Name("rows"), old, ast.Load())


def _constant(name: str, context: Context) -> str:
    """The text that a constant holds, as in `TARGET = "price"`; empty if it is none."""
    made = [context.flow.by_id[d.stmt].node for d in context.flow.defs if d.name == name]
    match made:
        case [ast.Assign(value=ast.Constant(value=str() as text))]:
            return text
    return ""


def _drops(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in DROPS


def _columns(node: ast.AST, context: Context) -> list[str]:
    """The columns of frames that an expression or statement names."""
    found = []
    called = {id(call.func) for call in ast.walk(node) if isinstance(call, ast.Call)}
    for inner in ast.walk(node):
        match inner:
            case ast.Subscript(slice=ast.Constant(value=str() as column)):
                found.append(column)
            case ast.Subscript(slice=ast.Name(id=named)) if column := _constant(named, context):
                found.append(column)
            case ast.Call(func=ast.Attribute(attr="pop"), args=[ast.Constant(value=str() as column)]):
                found.append(column)
            case ast.Attribute(value=ast.Name() as frame, attr=column) if context.types.fact(inner) is None:
                kind, owner = context.types.of(inner), context.types.of(frame)
                a_frame = frame.id in context.graph.frames or owner == "pandas.DataFrame"
                of_object = frame.id in context.types.imports or id(inner) in called or methods(column)
                untold = not kind and (a_frame or not owner) and not of_object
                if untold or (a_frame and kind == "pandas.Series"):
                    found.append(column)
    return found
