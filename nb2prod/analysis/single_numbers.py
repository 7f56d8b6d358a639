"""Whether an expression gives one number."""

from __future__ import annotations

import ast

from nb2prod.analysis.model import NUMBERS, calls
from nb2prod.analysis.nodes import method
from nb2prod.analysis.reports import returned
from nb2prod.analysis.types import Types


def is_number(node: ast.expr, types: Types) -> bool:
    """By the run, else by what the knowledge base says the call returns."""
    site = types.site(node)
    if site is not None:
        return all(kind in NUMBERS for kind in site.types)
    if isinstance(node, ast.BinOp):
        return is_number(node.left, types) and is_number(node.right, types)
    if isinstance(node, ast.UnaryOp):
        return is_number(node.operand, types)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (int, float))
    if isinstance(node, ast.Attribute):
        return node.attr in ("best_score_", "inertia_")
    if isinstance(node, ast.Call):
        return _gives_number(node, types)
    return types.of(node) in NUMBERS


def _gives_number(node: ast.Call, types: Types) -> bool:
    fact = types.fact(node)
    if fact is not None and fact.effect == "row-wise" and types.api_of(node).startswith("numpy."):
        return bool(node.args) and all(is_number(a, types) for a in node.args)
    if fact is not None:
        return fact.returns == "scalar" or types.of(node) in NUMBERS
    result = returned(node, types)
    if result is not None and not any(inner is node for inner in calls(result)):
        return types.of(node) in NUMBERS or is_number(result, types)
    return method(node) in ("score", "mean", "std", "max", "min", "sum", "item")
