"""The text of definitions of this package, put together for a generated project."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path

from nb2prod.caches import kept


@dataclass(slots=True)
class Definitions:
    """What files define, in an order in which it can be executed: texts, and the names that each mentions.

    `imports` are the imports of libraries; the project drops those that it does not use.
    """

    texts: dict[str, str] = field(default_factory=dict)
    mentions: dict[str, list[str]] = field(default_factory=dict)
    imports: list[str] = field(default_factory=list)

    def needed(self, used: Iterable[str], instead: Mapping[str, str] | None = None) -> list[str]:
        """The definitions behind these names, with those that they use themselves.

        `instead` holds other texts for some of them.
        """
        other = instead or {}
        todo, wanted = list(used), set()
        while todo:
            word = todo.pop()
            if word in self.texts and word not in wanted:
                wanted.add(word)
                todo += names(other[word]) if word in other else self.mentions[word]
        return [other.get(word, text) for word, text in self.texts.items() if word in wanted]


@cache
def definitions(folder: Path, files: tuple[str, ...]) -> Definitions:
    """Everything that these files of a folder define."""
    paths = [folder / f"{file}.py" for file in files]
    ours = [*paths, Path(__file__)]
    return Definitions(**kept(f"definitions-{folder.name}", ours, lambda: asdict(_read(paths))))


def _read(paths: Iterable[Path]) -> Definitions:
    found = Definitions()
    imports = {"from collections.abc import Callable, Mapping", "from typing import Any"}
    for path in paths:
        text = path.read_text(encoding="utf-8")
        lines = text.split("\n")
        for node in ast.parse(text).body:
            if _of_library(node):
                imports.add(ast.unparse(node))
            for word in defined(node):  # a definition begins with its decorators, and with what is said of it
                first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
                while first > 1 and lines[first - 2].startswith("#"):
                    first -= 1
                found.texts[word] = "\n".join(lines[first - 1 : node.end_lineno])
                found.mentions[word] = sorted(names(found.texts[word]))
    found.imports = sorted(imports)
    return found


def _of_library(node: ast.stmt) -> bool:
    if isinstance(node, ast.ImportFrom):
        return node.module != "__future__" and not str(node.module).startswith("nb2prod")
    return isinstance(node, ast.Import)


def names(text: str) -> set[str]:
    return {n.id for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Name)}


def defined(node: ast.stmt) -> list[str]:
    """The names that a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [t.id for t in node.targets if isinstance(t, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []
