"""Names for learned values: readable, unique, and free of line numbers, which a comment would change.

df["Age"].median()                  -> age_median
le.fit_transform(df["Sex"])         -> sex_label_encoder
pd.get_dummies(df, columns=cat)     -> dummies
"""

from __future__ import annotations

import ast
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace

from nb2prod.analysis.events import root
from nb2prod.analysis.types import Types
from nb2prod.ir.stages import Site

SHORT = {"get_dummies": "dummies", "group_transform": "by_group", "category_codes": "codes", "split": "split"}


class Keys:
    """Gives each site its key; a second one of the same name gets `_2`."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def named(self, sites: list[Site], types: Types) -> Iterator[Site]:
        for site in sorted(sites, key=lambda s: s.span):
            base = _base(site, types)
            key, number = base, 1
            while key in self.taken:
                number += 1
                key = f"{base}_{number}"
            self.taken.add(key)
            yield replace(site, key=key)


def _base(site: Site, types: Types) -> str:
    """`site.key` still holds the name that the value is assigned to."""
    node, assigned = site.node, site.key
    column = snake(_column(node, site.at, types))
    match site.kind:
        case "fit" | "fit_transform" | "fit_transform_each":
            assert isinstance(node, ast.Call)
            method = node.args[0] if site.kind == "fit_transform_each" else node.func
            assert isinstance(method, ast.Attribute)
            owner = types.of(method.value).rpartition(".")[2].rpartition(":")[2]
            return _joined(column, snake(owner) or snake(root(method)) or "estimator")
        case "split" | "folds":
            return "split"
        case "value" | "once":
            operation = snake(_operation(node))
            name = _joined(column, operation) if column else operation
            generic = (
                not column or not operation or isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp))
            )
            return snake(assigned) if generic and assigned else (name or "value")
        case "keep" | "fit_only" | "drop_rows" | "columns":
            operation = "" if isinstance(node, ast.Subscript) else snake(_operation(node))
            return _joined(column, operation or "filter")
        case kind:
            return _joined(column, SHORT.get(kind, kind))


def snake(name: str) -> str:
    """`StandardScaler` is standard_scaler, `Größe (cm)` grosse_cm."""
    text = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", text)
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:40]


def _joined(*parts: str) -> str:
    return "_".join(p for p in parts if p)


def _column(node: ast.AST, loops: tuple[str, ...], types: Types) -> str:
    """The column that the expression is about: the first one that it names, loop variables aside."""
    columns: list[str] = []
    for inner in ast.walk(node):
        match inner:
            case ast.Subscript(slice=ast.Constant(value=str() as name)):
                columns.append(name)
            case ast.Subscript(slice=ast.Name(id=name), value=ast.Name()) if name not in loops:
                columns.append(name)
            case ast.Attribute(value=owner, attr=name) if types.fact(inner) is None and ":" not in types.of(
                owner
            ):
                grouped = types.of(owner) == "pandas.DataFrameGroupBy"
                if (grouped or isinstance(owner, ast.Name)) and not _is_called(node, inner):
                    columns.append(name)
    return columns[0] if columns and len(set(columns)) <= 2 else ""


def _is_called(tree: ast.AST, node: ast.Attribute) -> bool:
    return any(isinstance(n, ast.Call) and n.func is node for n in ast.walk(tree))


def _operation(node: ast.AST) -> str:
    """The method or function that makes the value."""
    match node:
        case ast.Call(func=ast.Attribute(attr=name)):
            inner = node.func.value if isinstance(node.func, ast.Attribute) else None
            return _operation(inner) if name in ("item", "tolist", "to_dict") and inner is not None else name
        case ast.Call(func=ast.Name(id=name), args=[first, *_]) if name in (
            "int",
            "float",
            "list",
            "round",
            "len",
        ):
            return _operation(first) or ("count" if name == "len" else name)
        case ast.Call(func=ast.Name(id=name)):
            return name
        case ast.Subscript(value=inner):
            return _operation(inner)
        case ast.Attribute(attr=name):
            return name
        case ast.ListComp() | ast.SetComp() | ast.DictComp():
            return _operation(node.generators[0].iter)
        case _:
            return ""
