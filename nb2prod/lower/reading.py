"""Files that `load` reads through paths which are not in the settings: in the notebook, its folder is the
working directory, and so it must be here.

def read(path="data/churn.csv"):          with chdir(settings.data_root):
    return pd.read_csv(path)                  df = read()
df = read()
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from nb2prod.analysis.effects import paths_read
from nb2prod.lower.module import Context

LISTS = ("glob.glob", "glob.iglob", "os.listdir", "os.walk", "os.scandir")
LISTING = ("pathlib.Path.glob", "pathlib.Path.rglob", "pathlib.Path.iterdir")


def reads_in_place(context: Context, stmts: Iterable[int]) -> bool:
    """Whether the statements, or functions of the notebook that they call, read by a path of their own."""
    settled = {id(inner) for path in context.graph.paths for inner in ast.walk(path.node)}
    nodes = list(_reached(context, [context.flow.by_id[s].node for s in stmts]))
    opened = {
        item.optional_vars.id
        for node in nodes
        if isinstance(node, ast.With)
        for item in node.items
        if isinstance(item.optional_vars, ast.Name)
    }
    for call in (node for node in nodes if isinstance(node, ast.Call)):
        if context.types.api_of(call) in (*LISTS, *LISTING):
            return True
        for given in paths_read(call, context.types):
            if isinstance(given, ast.Constant) and "://" in str(given.value):
                continue  # an address is the same everywhere
            is_open = isinstance(given, ast.Name) and given.id in opened
            kind = context.types.of(given)
            if id(given) not in settled and not is_open and (not kind or kind == "builtins.str"):
                return True
    return False


def _reached(context: Context, todo: list[ast.AST]) -> Iterator[ast.AST]:
    """The nodes of these statements and of the functions whose names they read."""
    seen: set[str] = set()
    while todo:
        for node in ast.walk(todo.pop()):
            yield node
            name = node.id if isinstance(node, ast.Name) else ""
            definition = context.types.functions.get(name)
            if definition is not None and name not in seen:
                seen.add(name)
                todo.append(definition)
