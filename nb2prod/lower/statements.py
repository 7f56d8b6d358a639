"""Changes whole statements inside of a statement's text with LibCST: removals, parameters, `nonlocal`."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import libcst as cst

if TYPE_CHECKING:
    from nb2prod.lower.rewrite import Edits

_CHANGING = (ast.Expr, ast.Global, ast.FunctionDef, ast.AsyncFunctionDef)


def changed(text: str, statement: ast.stmt, edits: Edits) -> str:
    """The text of the statement, in which its expressions are already edited."""
    statements = [node for node in _in_order(statement) if isinstance(node, _CHANGING)]
    return cst.parse_module(text + "\n").visit(_Changed(statements, edits)).code.rstrip()


def _in_order(statement: ast.AST) -> Iterator[ast.AST]:
    """Statements as they stand in the text, those inside of others included."""
    yield statement
    for node in ast.iter_child_nodes(statement):
        if not isinstance(node, ast.expr):
            yield from _in_order(node)


class _Changed(cst.CSTTransformer):
    """Changes whole statements; LibCST meets them in the order in which `statements` has them."""

    def __init__(self, statements: Iterable[ast.stmt], edits: Edits) -> None:
        super().__init__()
        self.statements = iter(statements)
        self.edits = edits
        self.known: dict[cst.CSTNode, int] = {}

    def visit_Expr(self, node: cst.Expr) -> None:
        self.known[node] = id(next(self.statements))

    def visit_Global(self, node: cst.Global) -> None:
        self.known[node] = id(next(self.statements))

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self.known[node] = id(next(self.statements))

    def leave_Expr(self, original_node: cst.Expr, updated_node: cst.Expr) -> cst.Expr | cst.RemovalSentinel:
        removed = self.known[original_node] in self.edits.remove
        return cst.RemoveFromParent() if removed else updated_node

    def leave_Global(self, original_node: cst.Global, updated_node: cst.Global) -> cst.BaseSmallStatement:
        outer = self.known[original_node] in self.edits.nonlocals
        return cst.Nonlocal(names=updated_node.names) if outer else updated_node

    def leave_IndentedBlock(
        self, original_node: cst.IndentedBlock, updated_node: cst.IndentedBlock
    ) -> cst.IndentedBlock:
        empty = cst.SimpleStatementLine([cst.Pass()])
        return updated_node if updated_node.body else updated_node.with_changes(body=[empty])

    def leave_FunctionDef(
        self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef
    ) -> cst.FunctionDef:
        """A new last parameter that can be given by name."""
        name = self.edits.parameter.get(self.known[original_node])
        if name is None:
            return updated_node
        param = cst.Param(cst.Name(name), annotation=cst.Annotation(cst.Name("Staging")))
        params = updated_node.params
        if params.star_kwarg is None and params.star_arg is cst.MaybeSentinel.DEFAULT:
            keyword = cst.ParamStar(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
            changed = params.with_changes(star_arg=keyword, kwonly_params=[param])
        else:
            changed = params.with_changes(kwonly_params=[*params.kwonly_params, param])
        return updated_node.with_changes(params=changed)
