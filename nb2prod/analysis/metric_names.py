"""What a number that judges the model is called.

accuracy_score(y, p)            accuracy_score
np.sqrt(((p - y) ** 2).mean())  rmse, by its form
100 * np.mean(abs(y - p) / y)   mape, where "MAPE:" stands before it
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from nb2prod.analysis.events import root
from nb2prod.analysis.model import calls
from nb2prod.ir.stages import Metric

ROOTS = ("0.5", "1 / 2")
FILLING = frozenset(
    "a about an and are at by final for get gives got have i in is it its model my of on our score the this "
    "to value was we with".split()
)  # words of a label that name nothing
LONGEST = 3  # words that a label gives a name


def metric_name(node: ast.expr, label: str) -> str:
    """By the form of the computation, else by the text before it, else by the function that is called."""
    named = _function_name(node)
    return (
        _form(node)
        or (label_name(label) if named in ("", "mean", "sum", "sqrt") else "")
        or named
        or "metric"
    )


def label_name(text: str) -> str:
    """A text as a name; empty where it has no word that names something."""
    words = [w.lower() for w in re.findall(r"[^\W_]+", text) if w.lower() not in FILLING]
    words = words[:LONGEST]
    return "_".join(words) if words and words[0][0].isalpha() else ""


def unique(metrics: Iterable[tuple[str, Metric]]) -> list[Metric]:
    """Each number once, under its own name: those that would have the same get their labels before it."""
    found = {ast.dump(metric.node) + str(metric.stmt): (label, metric) for label, metric in metrics}
    shared = Counter(metric.name for _, metric in found.values())
    taken: set[str] = set()
    named = []
    for label, metric in found.values():
        name, prefix, number = metric.name, label_name(label), 1
        if shared[name] > 1 and prefix and prefix not in name and f"{prefix}_{name}" not in taken:
            name = f"{prefix}_{name}"
        base = name
        while name in taken:
            number += 1
            name = f"{base}_{number}"
        taken.add(name)
        named.append(replace(metric, name=name))
    return named


def _form(node: ast.expr) -> str:
    """`rmse`, `mse`, `mae`, `accuracy` where the computation has that form."""
    inner = _root_of(node)
    if inner is not None:
        return "rmse" if _form(inner) == "mse" else ""
    averaged = _mean_of(node)
    if isinstance(averaged, ast.Compare) and isinstance(averaged.ops[0], ast.Eq):
        return "accuracy"
    if isinstance(averaged, ast.BinOp) and isinstance(averaged.op, ast.Pow):
        squared = isinstance(averaged.right, ast.Constant) and averaged.right.value == 2
        return "mse" if squared and _is_difference(averaged.left) else ""
    if isinstance(averaged, ast.Call) and _called(averaged) in ("abs", "absolute", "fabs", "square"):
        given = averaged.args[0] if averaged.args else getattr(averaged.func, "value", None)
        if given is not None and _is_difference(given):
            return "mse" if _called(averaged) == "square" else "mae"
    return ""


def _root_of(node: ast.expr) -> ast.expr | None:
    if isinstance(node, ast.Call) and _called(node) == "sqrt" and len(node.args) == 1:
        return node.args[0]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and ast.unparse(node.right) in ROOTS:
        return node.left
    return None


def _mean_of(node: ast.expr) -> ast.expr | None:
    """What is averaged: `np.mean(x)`, `x.mean()`."""
    if not isinstance(node, ast.Call) or _called(node) != "mean":
        return None
    if node.args:
        return node.args[0]
    return node.func.value if isinstance(node.func, ast.Attribute) else None


def _is_difference(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)


def _called(call: ast.Call) -> str:
    return getattr(call.func, "attr", getattr(call.func, "id", ""))


def _function_name(node: ast.expr) -> str:
    """`accuracy_score(...)` is accuracy_score; `scores.mean()` is scores_mean."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        inner = next((c for a in node.args for c in calls(a)), None)
        if node.func.id in ("round", "float", "abs") and inner is not None:
            return _function_name(inner)
        return node.func.id
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return _method_name(node, node.func)
    if isinstance(node, ast.Attribute):
        return f"{root(node)}_{node.attr}".strip("_")
    if isinstance(node, ast.Name):
        return node.id
    if (squared := _root_of(node)) is not None:
        return f"root_{_function_name(squared)}"
    first = next(iter(calls(node)), None)
    return _function_name(first) if first is not None else ""


def _method_name(node: ast.Call, called: ast.Attribute) -> str:
    base = called.value
    if "_score" in called.attr or "_error" in called.attr:
        return called.attr
    if called.attr == "sqrt" and node.args:
        return f"root_{_function_name(node.args[0])}"
    if isinstance(base, ast.Name) and base.id in ("np", "numpy", "math"):
        return called.attr
    owner = root(base) if not isinstance(base, ast.Call) else _function_name(base)
    return f"{owner}_{called.attr}" if owner else called.attr
