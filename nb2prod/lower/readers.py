"""How the main frame's file is read, so that a file with rows to predict is read alike.

pd.read_csv("a.tsv", sep="\t")            sep
pd.read_excel("a.xlsx", header=2)         pandas.read_excel, for .xlsx, with header
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from nb2prod.ir.project import Reader
from nb2prod.ir.stages import Role
from nb2prod.lower.module import Context

# Options of read_csv that say how a file is written, not which columns it has.
FORMAT = (
    "sep", "delimiter", "decimal", "thousands", "encoding", "quotechar", "escapechar", "comment", "na_values",
    "keep_default_na", "true_values", "false_values", "skipinitialspace", "skiprows", "compression",
    "parse_dates", "date_format", "dayfirst",
)  # fmt: skip
OTHER = {
    "pandas.read_excel": ("sheet_name", "header", "names", "skiprows", "usecols", "na_values", "decimal"),
    "pandas.read_json": ("orient", "lines", "convert_dates"),
}  # the options that say how such a file is written


def csv_options(context: Context) -> tuple[tuple[str, str], ...]:
    """The constant options with which the main frame's file is read by read_csv or read_table."""
    for call, api in _calls(context):
        if api in ("pandas.read_csv", "pandas.read_table"):
            named = {k.arg: _constant(k.value, context) for k in call.keywords if k.arg}
            header = named.get("header")
            bare = isinstance(header, ast.Constant) and header.value is None
            wanted = (*FORMAT, "header", "names") if bare or named.get("names") is not None else FORMAT
            found = [(name, ast.unparse(v)) for name, v in named.items() if name in wanted and v is not None]
            tabs = api == "pandas.read_table" and not {"sep", "delimiter"} & {*named}
            return (*([("sep", "'\\t'")] if tabs else []), *found)
    return ()


def other_reader(context: Context) -> Reader | None:
    """The function of pandas that reads the main frame's file where that is none for text with separators,
    or reads such text from a file of another ending.
    """
    for call, api in _calls(context):
        files = {id(path.node): path.path for path in context.graph.paths}
        endings = [PurePosixPath(files[id(a)]).suffix.lower() for a in ast.walk(call) if id(a) in files]
        if len(endings) != 1 or endings[0] in ("", ".csv", ".parquet"):
            continue
        if api in ("pandas.read_csv", "pandas.read_table") and not endings[0].endswith(
            ("gz", "zip", "bz2", "xz")
        ):
            return Reader("", endings[0])
        if api in OTHER:
            named = {k.arg: _constant(k.value, context) for k in call.keywords if k.arg in OTHER[api]}
            if len(call.args) > 1 or any(value is None for value in named.values()):
                return None
            options = tuple((name or "", ast.unparse(v)) for name, v in named.items() if v is not None)
            return Reader(api.removeprefix("pandas."), endings[0], options)
    return None


def _calls(context: Context) -> Iterator[tuple[ast.Call, str]]:
    """The calls of the statements that make the main frame, each with what it calls."""
    graph = context.graph
    for id_ in graph.stage(Role.LOAD).stmts if graph.frames else ():
        if graph.frames[0] in context.flow.defined_by(id_):
            for node in ast.walk(context.flow.by_id[id_].node):
                if isinstance(node, ast.Call):
                    yield node, context.types.api_of(node)


def _constant(node: ast.expr, context: Context) -> ast.expr | None:
    """The literal that an expression is, or that the variable holds which it names."""
    if isinstance(node, ast.Name):
        stmts = {d.stmt for d in context.flow.defs if d.name == node.id}
        values = [getattr(context.flow.by_id[s].node, "value", None) for s in stmts]
        node = values[0] if len(values) == 1 and isinstance(values[0], ast.expr) else node
    return node if _is_literal(node) else None


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return False
    return True
