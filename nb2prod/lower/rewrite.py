"""Edits the source of one statement with LibCST, so that comments and layout survive.

An edit is keyed by the node it replaces and is given that node's text, in which inner edits are already
made.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

from nb2prod.ir.program import Stmt
from nb2prod.source import Text

Code = Callable[[cst.CSTNode], str]
Build = Callable[[cst.BaseExpression, Code], str]
Range = tuple[int, int, int, int]
OURS = re.compile(r"#\s*nb2prod\s*:")  # what a comment says to us is of no use in the project


@dataclass(frozen=True, slots=True)
class Edits:
    """What to change: `build` by `id(ast expression)`, statements to remove by `id(ast statement)`,
    parameters to add to a definition by `id(ast definition)`, and `global` statements that become
    `nonlocal`, because the notebook's globals are the variables of a stage function.
    """

    build: Mapping[int, Build]
    remove: frozenset[int]
    parameter: Mapping[int, str]
    nonlocals: frozenset[int] = frozenset()


def source(stmt: Stmt, edits: Edits) -> str:
    """The statement's text with its leading comments, edited."""
    text, first, column = _segment(stmt)
    builds: dict[Range, Build] = {}
    removed: set[Range] = set()
    parameters: dict[Range, str] = {}
    nonlocals: set[Range] = set()
    for node in ast.walk(stmt.node):
        if not isinstance(node, (ast.expr, ast.stmt)):
            continue
        if id(node) in edits.build:
            builds[_range(stmt.text, node, stmt, first, column)] = edits.build[id(node)]
        if id(node) in edits.remove:
            removed.add(_range(stmt.text, node, stmt, first, column))
        if id(node) in edits.nonlocals:
            nonlocals.add(_range(stmt.text, node, stmt, first, column))
        if id(node) in edits.parameter:
            parameters[_range(stmt.text, node, stmt, first, column)] = edits.parameter[id(node)]
    if not builds and not removed and not parameters and not nonlocals:
        return text
    wrapper = MetadataWrapper(cst.parse_module(text + "\n"), unsafe_skip_copy=True)
    return wrapper.visit(_Rewriter(builds, removed, parameters, nonlocals)).code.rstrip()


def _segment(stmt: Stmt) -> tuple[str, int, int]:
    """The statement's own text, the line it begins on and the column (code points) of its first line."""
    lines = stmt.text.lines
    node = stmt.node
    first_line = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
    comments = [line.strip() for line in lines[stmt.first_line - 1 : first_line - 1]]
    end = node.end_lineno or node.lineno
    start_offset = node.col_offset if first_line == node.lineno else 0
    body = list(lines[first_line - 1 : end])
    last = body[-1].encode()
    stop = node.end_col_offset or 0
    rest = last[stop:].decode()
    body[-1] = last[:stop].decode()
    if rest.strip().startswith("#"):
        body[-1] += "  " + rest.strip()
    column = len(body[0].encode()[:start_offset].decode())
    body[0] = body[0][column:]
    comments = [c for c in comments if c and not OURS.match(c)]
    return "".join(f"{c}\n" for c in comments) + "".join(body), first_line - len(comments), column


def _range(text: Text, node: ast.expr | ast.stmt, stmt: Stmt, first: int, column: int) -> Range:
    """Where the node stands in the segment: lines from 1, columns from 0 in code points."""
    start_line = stmt.node.lineno if not getattr(stmt.node, "decorator_list", []) else -1

    def at(line: int, offset: int) -> tuple[int, int]:
        shifted = column if line == start_line else 0
        return line - first + 1, len(text.lines[line - 1].encode()[:offset].decode()) - shifted

    return (
        *at(node.lineno, node.col_offset),
        *at(node.end_lineno or node.lineno, node.end_col_offset or 0),
    )


class _Rewriter(cst.CSTTransformer):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(
        self,
        builds: dict[Range, Build],
        removed: set[Range],
        parameters: dict[Range, str],
        nonlocals: set[Range],
    ) -> None:
        super().__init__()
        self.builds = builds
        self.removed = removed
        self.parameters = parameters
        self.nonlocals = nonlocals
        self.module: cst.Module

    def visit_Module(self, node: cst.Module) -> None:
        self.module = node

    def place(self, node: cst.CSTNode) -> Range:
        at = self.get_metadata(PositionProvider, node)
        assert isinstance(at, CodeRange)
        return at.start.line, at.start.column, at.end.line, at.end.column

    def on_leave(  # type: ignore[override]
        self, original_node: cst.CSTNode, updated_node: cst.CSTNode
    ) -> cst.CSTNode | cst.RemovalSentinel:
        left = updated_node
        if isinstance(original_node, cst.BaseExpression) and isinstance(left, cst.BaseExpression):
            build = self.builds.pop(self.place(original_node), None)
            if build is not None:
                return cst.parse_expression(build(left, self.module.code_for_node))
        if isinstance(original_node, (cst.Expr,)) and self.place(original_node) in self.removed:
            return cst.RemoveFromParent()
        if isinstance(left, cst.Global) and self.place(original_node) in self.nonlocals:
            return cst.Nonlocal(names=left.names)
        if isinstance(left, cst.FunctionDef):
            return self.with_parameter(original_node, left)
        if isinstance(left, cst.IndentedBlock) and not left.body:
            return left.with_changes(body=[cst.SimpleStatementLine([cst.Pass()])])
        return left

    def with_parameter(self, original: cst.CSTNode, left: cst.FunctionDef) -> cst.FunctionDef:
        """`st` becomes the last parameter that can be given by name."""
        start = self.place(original)[:1]
        name = next((p for at, p in self.parameters.items() if at[:1] == start), None)
        if name is None:
            return left
        param = cst.Param(cst.Name(name), annotation=cst.Annotation(cst.Name("Staging")))
        params = left.params
        if params.star_kwarg is None and params.star_arg is cst.MaybeSentinel.DEFAULT:
            keyword = cst.ParamStar(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
            changed = params.with_changes(star_arg=keyword, kwonly_params=[param])
        else:
            changed = params.with_changes(kwonly_params=[*params.kwonly_params, param])
        return left.with_changes(params=changed)


def indented(text: str) -> str:
    """The text one level in; lines inside multi-line strings stay where they are."""
    inside: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Constant, ast.JoinedStr)) and (node.end_lineno or 0) > node.lineno:
            if isinstance(node, ast.JoinedStr) or isinstance(node.value, (str, bytes)):
                inside |= _raw_lines(text, node.lineno, node.end_lineno or node.lineno)
    lines = text.split("\n")
    return "\n".join(
        line if not line.strip() or number in inside else "    " + line
        for number, line in enumerate(lines, 1)
    )


def _raw_lines(text: str, first: int, last: int) -> set[int]:
    """The later lines of a string literal, where it is one token and not several joined ones."""
    segment = "\n".join(text.split("\n")[first - 1 : last])
    return (
        set(range(first + 1, last + 1))
        if '"""' in segment or "'''" in segment or "\\\n" in segment
        else set()
    )
