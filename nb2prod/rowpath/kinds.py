"""What an expression of the staged body is, as far as its row form needs to know."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kind:
    """`name` is one of the words below; `text` says more of a plain value: "list", "mask" or nothing.

    frame        a dict from column to value     column       one value
    matrix       an array of one row             plain        the same for every row
    empty        has no rows while serving       target       exists in training only
    transformer  a fitted object                 frames       a list of the variables in `parts`
    fresh        a frame without columns so far  collected    a list of one Python value a row
    scalar       a Python value of one row, which only the loop that made it may read
    """

    name: str
    text: str = ""
    parts: tuple[str, ...] = ()


FRAME, COLUMN, MATRIX = Kind("frame"), Kind("column"), Kind("matrix")
PLAIN, EMPTY, TARGET, TRANSFORMER = Kind("plain"), Kind("empty"), Kind("target"), Kind("transformer")
FRESH, COLLECTED, SCALAR = Kind("fresh"), Kind("collected"), Kind("scalar")
LIST = Kind("plain", "list")
ROWS = ("frame", "column", "matrix", "empty", "target", "fresh", "collected", "scalar")


class NotUnderstood(Exception):
    """An operation has no row form; `node` is where, and the message names it."""

    def __init__(self, node: ast.AST, what: str) -> None:
        super().__init__(what)
        self.node = node


@dataclass(slots=True)
class Scope:
    """The variables of a function, and what its statements need before them."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    before: list[ast.stmt] = field(default_factory=list)


def call(function: str, *arguments: ast.expr) -> ast.expr:
    return ast.Call(ast.Name(function, ast.Load()), list(arguments), [])


def name(text: str) -> ast.expr:
    return ast.Name(text, ast.Load())


def constant(found: object) -> ast.expr:
    return ast.Constant(found)  # type: ignore[arg-type]


def dotted(node: ast.AST) -> str:
    """`pd.DataFrame` of a chain of names; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


def shown(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 60 else text[:57] + "..."
