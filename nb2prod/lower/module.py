"""Puts statements together into functions and modules: imports, helpers, constants, docstrings."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from nb2prod.analysis.events import BUILTINS, Function, events
from nb2prod.analysis.types import Types
from nb2prod.caches import Texts
from nb2prod.ir.flow import Flow
from nb2prod.ir.project import Module
from nb2prod.ir.stages import StageGraph
from nb2prod.lower.rewrite import Build, Edits, indented, source
from nb2prod.lower.unpacking import with_parts
from nb2prod.lower.wraps import earlier, wrap

LISTS = ("split", "rsplit", "findall")  # methods of `.str` that give a list for each text


@dataclass
class Context:
    """What all generated functions share: the notebook, its analysis, and the edits of staged sites."""

    flow: Flow
    types: Types
    graph: StageGraph
    name: str
    wraps: Texts = field(default_factory=earlier)

    def __post_init__(self) -> None:
        self.floating = {id: self.flow.by_id[id] for id in sorted(self.graph.floating)}
        self.functions: dict[str, Function] = {}
        for stmt in self.flow.by_id.values():
            for function in events(stmt.node).functions:
                self.functions[function.name.split(".")[0]] = function
        self.parameters = {n: id for id in self.graph.parameters for n in self.flow.defined_by(id)}
        self.closures = {id for id in self.floating if self._is_closure(id)}
        self.options = [d.stmt for d in self.flow.defs if d.name.endswith(" options>") and d.kind == "mutate"]
        in_functions = {e.name for f in self.functions.values() for e in f.outer_reads()}
        self.constants: dict[str, list[int]] = {}
        for id, stmt in self.floating.items():
            for name in self.flow.defined_by(id) if isinstance(stmt.node, ast.Assign) else ():
                if name not in self.parameters and name not in in_functions:
                    self.constants.setdefault(name, []).append(id)

    def _is_closure(self, id: int) -> bool:
        """A function that reads what a stage makes, or that is staged but not only called directly."""
        node = self.flow.by_id[id].node
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            return False
        if sum(node.name in self.flow.defined_by(other) for other in self.flow.by_id) > 1:
            return True  # defined again later: which one is meant depends on the place
        in_stages = {s for stage in self.graph.stages for s in stage.stmts}
        made = {n for s in in_stages for n in self.flow.changed_by(s)} | set(self.graph.frames)
        if outer_names(node) & made:
            return True
        return node.name in self.graph.staged_functions and self._is_passed(node.name)

    def _is_passed(self, name: str) -> bool:
        """Whether a function is used as a value, not only called."""
        for stmt in self.flow.by_id.values():
            called = {id(n.func) for n in ast.walk(stmt.node) if isinstance(n, ast.Call)}
            for node in ast.walk(stmt.node):
                if isinstance(node, ast.Name) and node.id == name and id(node) not in called:
                    if isinstance(node.ctx, ast.Load):
                        return True
        return False

    def edits(self, extra: dict[int, Build] | None = None) -> Edits:
        """What becomes of the notebook's statements wherever they stand, and `extra` in one function."""
        return replace(self._edits, build={**self._edits.build, **(extra or {})})

    @cached_property
    def _edits(self) -> Edits:
        """The wraps of all sites, what is hidden, `st` handed to staged helpers, paths as settings, and texts
        that are split twice.
        """
        imported = self.types.imports
        build: dict[int, Build] = {id(s.node): wrap(s, imported, self.wraps) for s in self.graph.sites}
        parameter: dict[int, str] = {}
        for stmt_id, stmt in self.floating.items():
            node = stmt.node
            if isinstance(node, ast.FunctionDef) and node.name in self.graph.staged_functions:
                if stmt_id not in self.closures:
                    parameter[id(node)] = "st"
        handed = {
            n.name for i, s in self.floating.items() if id(n := s.node) in parameter and hasattr(n, "name")
        }
        for stmt in self.flow.by_id.values() if handed else ():
            for call in ast.walk(stmt.node):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in handed:
                    build.setdefault(id(call), _hand_over)
        for stmt in self.flow.by_id.values():
            build |= {id(call): _of_objects for call in _split_texts(stmt.node) if id(call) not in build}
        build |= {name: _standing_for(groups) for name, groups in self.graph.written_out.items()}
        for path in self.graph.paths:
            build[id(path.node)] = lambda _, code=path.code: code  # type: ignore[misc]
        nonlocals = frozenset(
            id(inner)
            for c in self.closures
            for inner in ast.walk(self.flow.by_id[c].node)
            if isinstance(inner, ast.Global)
        )
        build = with_parts(self.flow, self.graph, build)
        return Edits(build, self.graph.hidden, parameter, nonlocals)


def _split_texts(node: ast.AST) -> Iterator[ast.Call]:
    """`names.str.split(",")` of `names.str.split(",").str[0]`.

    pandas 3 makes numbers of it where all texts are missing, as that of one row alone may be.
    """
    for inner in ast.walk(node):
        match inner:
            case ast.Attribute(
                attr="str",
                value=ast.Call(func=ast.Attribute(attr=name, value=ast.Attribute(attr="str"))) as call,
            ) if name in LISTS:
                yield call


def _of_objects(text: str) -> str:
    return f"{text}.astype(object)"


def _standing_for(node: ast.expr) -> Build:
    text = ast.unparse(node)
    return lambda _: text


def _hand_over(text: str) -> str:
    inner = text.rstrip()[:-1].rstrip().rstrip(",")
    return f"{inner}{'' if inner.endswith('(') else ', '}st=st)"


def outer_names(node: ast.stmt) -> set[str]:
    """Names that a definition takes from outside of itself."""
    found = events(node)
    names = {event.name for event in found.events if event.kind == "read"}
    for function in found.functions:
        names |= {event.name for event in function.outer_reads()}
        names |= {event.name for event in function.outer_binds()}
    return names - BUILTINS


def assemble(context: Context, functions: list[str], bodies: Iterable[ast.AST], handled: set[str]) -> Module:
    """The module around these functions: the imports, helpers and constants that they use.

    `bodies` are the syntax trees of the functions' text; `handled` names are parameters or bound inside.
    """
    wanted = {n.id for body in bodies for n in ast.walk(body) if isinstance(n, ast.Name)} - handled
    imports: dict[str, str] = {}
    helpers: dict[int, str] = {}
    todo = sorted(wanted)
    seen: set[str] = set()
    edits = context.edits()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        for id, stmt in context.floating.items():
            if name not in context.flow.defined_by(id) or id in context.closures:
                if not (isinstance(stmt.node, ast.ImportFrom) and _is_star(stmt.node)):
                    continue
            if isinstance(stmt.node, (ast.Import, ast.ImportFrom)):
                line = _import_line(stmt.node, name, context.types)
                if line:
                    imports[name] = line
            else:
                helpers[id] = source(stmt, edits)
                todo += sorted(outer_names(stmt.node))
                if (
                    isinstance(stmt.node, ast.FunctionDef)
                    and stmt.node.name in context.graph.staged_functions
                ):
                    imports["Staging"] = ""
    lines = sorted(line for line in imports.values() if line)
    return Module(tuple(dict.fromkeys(lines)), tuple(helpers[id] for id in sorted(helpers)), tuple(functions))


def _is_star(node: ast.ImportFrom) -> bool:
    return any(alias.name == "*" for alias in node.names)


def _import_line(node: ast.Import | ast.ImportFrom, name: str, types: Types) -> str:
    """The part of an import statement that binds `name`; a star import becomes the name itself."""
    for alias in node.names:
        bound = alias.asname or (alias.name.split(".")[0] if isinstance(node, ast.Import) else alias.name)
        if bound == name:
            suffix = f" as {alias.asname}" if alias.asname else ""
            if isinstance(node, ast.Import):
                return f"import {alias.name}{suffix}"
            return f"from {'.' * node.level}{node.module or ''} import {alias.name}{suffix}"
        if alias.name == "*" and isinstance(node, ast.ImportFrom):
            if types.imports.get(name) == f"{node.module}.{name}":
                return f"from {node.module} import {name}"
    return ""


def function(head: str, doc: str, lines: list[str], statements: list[str], tail: list[str]) -> str:
    """The text of a function: signature, docstring, bindings, the notebook's statements, the end."""
    first = ["\n" + text for text in statements[:1]] if lines else statements[:1]
    body = [f'"""{doc}"""', *lines, *first, *statements[1:], *tail]
    return head + "\n" + "\n".join(indented(text) for text in body)


def cells_of(context: Context, stmts: Iterable[int]) -> str:
    """`Cells 3, 5 and 7 of churn.ipynb.`"""
    cells = sorted({context.flow.by_id[id].cell for id in stmts})
    if not cells:
        return f"From {context.name}."
    words = [str(cell) for cell in cells]
    listed = words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]
    return f"Cell{'s' if len(words) > 1 else ''} {listed} of {context.name}."
