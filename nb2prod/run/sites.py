"""Which expressions of a statement the recorder looks at."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nb2prod.source import Text

CALL = "__nb2prod__"

_RECORDED = (
    ast.Call, ast.Attribute, ast.Subscript, ast.Name, ast.BinOp, ast.UnaryOp, ast.BoolOp, ast.Compare,
    ast.IfExp, ast.List, ast.Dict, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp,
)  # fmt: skip
# A decorator may compile the body or read its source (numba, torch.jit, tf.function); these are known not to.
_PLAIN_DECORATORS = {
    "property", "staticmethod", "classmethod", "contextmanager", "cache", "lru_cache", "cached_property",
    "wraps", "abstractmethod", "setter", "getter",
}  # fmt: skip
_SECRET = re.compile(r"passw|pwd|secret|api_?key|auth_?token|access_?token|credential", re.I)
_UNRECORDED_NAMES = frozenset({"self", "cls", "__name__", "__file__", "__class__"})

Found = Iterator[tuple[ast.expr, bool]]


def sites(stmt: ast.stmt, text: Text, modules: frozenset[str]) -> Found:
    """The expressions to record, each with whether it stands in an f-string."""
    return _Walk(text, modules).visit(stmt, False)


class _Walk:
    """Context of one walk: `modules` are names of imports, which say nothing that the text does not."""

    def __init__(self, text: Text, modules: frozenset[str]) -> None:
        self.text = text
        self.modules = modules

    def visit(self, node: ast.AST, in_string: bool) -> Found:
        if self.recorded(node) and (not in_string or self.found_at_its_place(node)):
            assert isinstance(node, ast.expr)
            yield node, in_string
        if isinstance(node, ast.JoinedStr):
            children: list[ast.AST] = [part for part in node.values if not self.is_debug(part)]
            in_string = True
        else:
            children = list(self.children(node))
        for child in children:
            yield from self.visit(child, in_string)

    def recorded(self, node: ast.AST) -> bool:
        if not isinstance(node, _RECORDED) or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            return False
        if isinstance(node, ast.UnaryOp):
            return not isinstance(node.operand, ast.Constant)
        name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
        if _SECRET.search(name):
            return False
        return name not in self.modules | _UNRECORDED_NAMES if isinstance(node, ast.Name) else True

    def children(self, node: ast.AST) -> Iterator[ast.AST]:
        """The parts to look into."""
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if all(_is_plain(decorator) for decorator in node.decorator_list):
                yield from node.body
        elif isinstance(node, ast.ClassDef):
            yield from node.body
        elif isinstance(node, ast.Lambda):
            yield node.body
        elif isinstance(node, ast.AnnAssign):
            yield node.target
            if node.value is not None:
                yield node.value
        elif isinstance(node, ast.Call):
            yield from self.callee(node.func)
            yield from node.args
            yield from (keyword.value for keyword in node.keywords)
        elif isinstance(node, ast.Attribute) and self.is_module(node):
            return
        elif isinstance(node, ast.ExceptHandler):
            yield from node.body
        elif isinstance(node, ast.match_case):
            yield from [node.guard] if node.guard is not None else []
            yield from node.body
        elif not isinstance(node, ast.arguments | ast.pattern) and type(node).__name__ != "TypeAlias":
            yield from ast.iter_child_nodes(node)

    def callee(self, func: ast.expr) -> Iterator[ast.AST]:
        """What is called says little; what a method is called on says much."""
        if isinstance(func, ast.Attribute):
            if not self.is_module(func.value):
                yield func.value
        elif not isinstance(func, ast.Name):
            yield func

    def is_module(self, node: ast.expr) -> bool:
        """Whether an attribute chain starts at an imported name."""
        while isinstance(node, ast.Attribute):
            node = node.value
        return isinstance(node, ast.Name) and node.id in self.modules

    def is_debug(self, part: ast.expr) -> bool:
        """`{x=}` shows its own text, which must stay."""
        if not isinstance(part, ast.FormattedValue) or part.value.end_lineno is None:
            return False
        line = self.text.lines[part.value.end_lineno - 1].encode()
        rest = line[part.value.end_col_offset or 0 :].lstrip(b" )")
        return rest.startswith(b"=")

    def found_at_its_place(self, node: ast.AST) -> bool:
        """Before Python 3.12 the positions inside f-strings are not always right."""
        segment = ast.get_source_segment(self.text.code, node)
        try:
            return segment is not None and ast.dump(ast.parse(segment, mode="eval").body) == ast.dump(node)
        except (SyntaxError, ValueError):
            return False


def _is_plain(decorator: ast.expr) -> bool:
    if isinstance(decorator, ast.Call):
        decorator = decorator.func
    name = decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")
    return name in _PLAIN_DECORATORS
