"""The text of `features_row.py`: the operations that are used, and the translated body."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nb2prod.ir.project import Module
from nb2prod.rowpath import texts
from nb2prod.rowpath.body import Body
from nb2prod.rowpath.kinds import FRAME, NotUnderstood
from nb2prod.tree import bodies

OPERATIONS = Path(__file__).parent / "operations"
FILES = ("values", "columns", "texts", "frames", "learned")
PLACES = tuple[tuple[str, int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class RowPath:
    """The row form of the features, or why there is none: the operation at fault and where it stands."""

    text: str = ""
    reason: str = ""
    cell: int | None = None
    line: int | None = None
    source: str = ""

    def told(self) -> str:
        """The reason in one line."""
        if self.text:
            return "rows are computed one by one by features_row.py"
        place = f"cell {self.cell}, line {self.line}: " if self.cell is not None else ""
        return f"{place}{self.reason} has no row form"

    def dump(self) -> str:
        """The translated body without the operations, or why there is none."""
        return self.text[self.text.index("def bind(") :] if self.text else self.told()


def row_path(
    features: Module, places: PLACES = (), pandas: str = "", guards: tuple[str, ...] = ()
) -> RowPath:
    """The row form of the staged body; `places` says where its statements come from.

    A row that a filter of `guards` would drop is left to pandas.
    """
    tree = ast.parse("\n".join((*features.helpers, *features.functions)))
    function = next(n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "features")
    helpers = {n.name: n for n in tree.body if isinstance(n, ast.FunctionDef) and n is not function}
    known = {n for stmt in tree.body for n in texts.defined(stmt)}
    statements = [s for s in function.body if not _is_text(s)]
    body = Body(
        imports=_imports(features.imports),
        helpers=helpers,
        names=frozenset(known),
        chained=int(pandas.split(".")[0]) < 3 if pandas[:1].isdigit() else None,
        taken={n.id for n in ast.walk(tree) if isinstance(n, ast.Name)}
        | _operations().texts.keys()
        | {"state", "row"},
        unfitted=frozenset(_unfitted(function)),
        once=frozenset(_assigned_once(function)),
        guards=frozenset(guards),
    )
    body.scope.kinds[function.args.args[0].arg] = FRAME
    rows: list[str] = []
    cell = None
    for at, statement in enumerate(statements):
        place = places[at] if at < len(places) else None
        try:
            made = body.statement(statement)
        except NotUnderstood as found:
            return _refused(found, statement, place)
        if made and place is not None and place[1] != cell:
            cell = place[1]
            rows.append(f"# cell {cell}")
        rows += [_unparsed(one) for one in made]
    begun = {f"{word} = {{}}" for word in body.rowless}  # frames that have no rows while serving
    return RowPath(_text(features, body, function, [line for line in rows if line not in begun]))


def _refused(found: NotUnderstood, statement: ast.stmt, place: tuple[str, int, int] | None) -> RowPath:
    if place is None:
        return RowPath(reason=str(found), source=ast.unparse(statement))
    text, cell, line = place
    return RowPath("", str(found), cell, line, text)


def _text(features: Module, body: Body, function: ast.FunctionDef, rows: list[str]) -> str:
    """The module around the translated statements."""
    frame = function.args.args[0].arg
    constants = [_unparsed(one) for one in body.constants]
    starts = [f"{frame} = read(row)"]
    starts += [f"{turns} = iter({held})" for held, turns in body.iterated.items()]
    functions = [_unparsed(one) for one in body.functions.values()]
    inner = _indented("\n".join([*starts, *functions, *rows]))
    lines = "\n".join(["read = reader(state)", *constants])
    bind = (
        f"def bind(state: State) -> Callable[[Mapping[str, Any]], Any]:\n"
        f'    """The features of one raw row, with what was learned in training looked up once."""\n'
        f"{_indented(lines)}\n\n    def features_row(row: Mapping[str, Any]) -> Any:\n{_indented(inner)}\n\n"
        f"    return features_row"
    )
    used = texts.names(bind)
    operations = _operations().needed(used)
    imports = [line for line in features.imports if _names_of_import(line) & used]
    mine = sorted((used & set(body.used)) - {"features"})
    heads = ["from .state import State", *([f"from .features import {', '.join(mine)}"] if mine else [])]
    return "\n\n\n".join(["\n".join([*_operations().imports, *imports, *heads]), *operations, bind])


def _unparsed(statement: ast.stmt) -> str:
    """The text of a statement that was made here; `unparse` wants to know the lines of statements only."""
    todo = [statement]
    while todo:
        one = todo.pop()
        one.lineno = 0
        todo += [inner for body in bodies(one) for inner in body]
    return ast.unparse(statement)


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else line for line in text.split("\n"))


def _operations() -> texts.Definitions:
    return texts.definitions(OPERATIONS, FILES)


def _imports(lines: Iterable[str]) -> dict[str, str]:
    found = {}
    for line in lines:
        for node in ast.parse(line).body:
            if isinstance(node, ast.Import):
                found.update(
                    {
                        a.asname or a.name.split(".")[0]: a.name if a.asname else a.name.split(".")[0]
                        for a in node.names
                    }
                )
            elif isinstance(node, ast.ImportFrom):
                found.update({a.asname or a.name: f"{node.module}.{a.name}" for a in node.names})
    return found


def _names_of_import(line: str) -> set[str]:
    return set(_imports([line]))


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _unfitted(function: ast.FunctionDef) -> set[str]:
    """Variables that hold an object to be fitted: training gives it back fitted."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "st.fit",
            "st.fit_transform",
            "st.fit_transform_each",
        ):
            if len(node.args) > 1 and isinstance(node.args[1], ast.Name):
                found.add(node.args[1].id)
    return found


def _assigned_once(function: ast.FunctionDef) -> set[str]:
    """Variables that are assigned once and never changed in place."""
    stores = [n.id for n in ast.walk(function) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    changed = set()
    for node in ast.walk(function):
        if (
            isinstance(node, ast.Subscript)
            and not isinstance(node.ctx, ast.Load)
            and isinstance(node.value, ast.Name)
        ):
            changed.add(node.value.id)
        if (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and isinstance(node.value.func, ast.Attribute)
        ):
            if isinstance(node.value.func.value, ast.Name):
                changed.add(node.value.func.value.id)
    return {word for word in stores if stores.count(word) == 1} - changed
