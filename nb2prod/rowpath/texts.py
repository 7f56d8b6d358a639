"""The text of definitions of this package, put together for a generated project."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from pathlib import Path


@cache
def definitions(folder: Path, files: tuple[str, ...]) -> dict[str, str]:
    """The text of everything that these files define, by name, in an order in which it can be executed."""
    found: dict[str, str] = {}
    for file in files:
        lines, tree = _read(folder / f"{file}.py")
        for node in tree.body:
            for word in defined(node):  # a definition with decorators begins above its first line
                first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
                found[word] = "\n".join(lines[first - 1 : node.end_lineno])
    return found


def needed(known: dict[str, str], used: Iterable[str]) -> list[str]:
    """The definitions behind these names, with those that they use themselves."""
    todo, wanted = list(used), set()
    while todo:
        word = todo.pop()
        if word in known and word not in wanted:
            wanted.add(word)
            todo += names(known[word])
    return [text for word, text in known.items() if word in wanted]


def names(text: str) -> set[str]:
    return {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}


@cache
def imports(folder: Path) -> tuple[str, ...]:
    """The imports of libraries in a folder; the project drops those that it does not use."""
    lines = {"from collections.abc import Callable, Mapping", "from typing import Any"}
    for file in sorted(folder.glob("*.py")):
        for node in _read(file)[1].body:
            if isinstance(node, ast.Import) or (
                isinstance(node, ast.ImportFrom) and node.module != "__future__"
            ):
                if not (isinstance(node, ast.ImportFrom) and str(node.module).startswith("nb2prod")):
                    lines.add(ast.unparse(node))
    return tuple(sorted(lines))


@cache
def _read(file: Path) -> tuple[list[str], ast.Module]:
    """The lines of a file, and its tree."""
    text = file.read_text(encoding="utf-8")
    return text.split("\n"), ast.parse(text)


def defined(node: ast.stmt) -> list[str]:
    """The names that a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [t.id for t in node.targets if isinstance(t, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []
