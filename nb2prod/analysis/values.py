"""The values of a replayed run, and small facts about how text reads and changes them."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field

from nb2prod.analysis.events import BUILTINS, Function
from nb2prod.analysis.nodes import nodes
from nb2prod.source import Span

# what a fresh kernel knows; a notebook has no `__file__`
KERNEL = (BUILTINS - {"__file__"}) | {
    "__IPYTHON__", "__annotations__", "__builtin__", "__class__", "__loader__", "__module__", "__package__",
    "__qualname__", "__session__", "__spec__", "_dh", "exit", "quit",
}  # fmt: skip
CHANGES_RECEIVER = frozenset(
    [
        "add", "append", "appendleft", "clear", "discard", "extend", "fill", "fit", "fit_transform",
        "insert", "partial_fit", "pop", "popitem", "popleft", "remove", "reverse", "setdefault",
        "shuffle", "sort", "update",
    ]
)  # fmt: skip
# names under which IPython keeps inputs and outputs
HISTORY = re.compile(r"_{1,3}|_i{1,3}|_i?\d+|_oh|_ih|In|Out")


@dataclass(slots=True)
class Value:
    """What a name refers to.  `functions` run when it is called; `methods` are those of its class.

    `writers` are what bound it and what changed it since, with the key of the part that changed
    (`df["age"] = 1`); an empty key is the whole.
    """

    writers: tuple[tuple[Span, str], ...] = ()
    number: int = 0
    functions: tuple[Function, ...] = ()
    methods: dict[str, Function] = field(default_factory=dict)
    is_class: bool = False
    is_import: bool = False
    is_array: bool = False  # NumPy's: its slices are views
    base: Value | None = None  # of a view: what it shows a part of
    shown: int = 0  # ... and how many writers that had when the view was made
    seen: bool = True  # a statement of the text made it
    written: set[tuple[Span, str]] | None = None  # the writers, once one was asked for

    def wrote(self) -> set[tuple[Span, str]]:
        """The writers, to ask whether one is among them."""
        if self.written is None:
            self.written = set(self.writers)
        return self.written


def changes_receiver(node: ast.Call) -> bool:
    """A method that changes its object: by its name, or by `inplace=True`."""
    if not isinstance(node.func, ast.Attribute):
        return False
    if node.func.attr in CHANGES_RECEIVER:
        return True
    return any(
        keyword.arg == "inplace" and isinstance(keyword.value, ast.Constant) and keyword.value.value is True
        for keyword in node.keywords
    )


def column(node: ast.AST) -> str:
    """The part that an assignment or `del` changes: "age" for `df["age"]`; empty where it is not constant."""
    match node:
        case ast.Subscript(value=ast.Name(), slice=ast.Constant(value=str() as key)):
            return key
    return ""


def key_read(stmt: ast.AST, name: ast.AST) -> str:
    """The part of a variable that a read takes, where it is constant."""
    return next(
        (column(node) for node in nodes(stmt) if isinstance(node, ast.Subscript) and node.value is name),
        "",
    )


def imported(node: ast.AST, name: str) -> str:
    """The full name of what an import binds; empty for other nodes."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        prefix = "" if isinstance(node, ast.Import) else "." * node.level + f"{node.module or ''}."
        for alias in node.names:
            if alias.asname == name:
                return prefix + alias.name
            if alias.asname is None and alias.name.partition(".")[0] == name:
                return prefix + name
    return ""
