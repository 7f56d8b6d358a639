"""Which operation of pandas, NumPy and scikit-learn has which row form.

`takes` are the arguments that the row form knows, under their names and in their order in the library; a call
with any other is not understood.  `fixed` are arguments that may be given with just this value, which changes
nothing.  What a row form does with each kind of value is said in `operations/`, by the function `row`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from nb2prod.rowpath.kinds import NotUnderstood, shown


@dataclass(frozen=True, slots=True)
class Form:
    """One line of the table."""

    row: str
    takes: tuple[str, ...] = ()
    fixed: Mapping[str, object] = field(default_factory=dict)

    def bound(self, node: ast.Call, skip: int = 0) -> dict[str, ast.expr]:
        """The arguments of a call after the first `skip`, by name."""
        given: dict[str, ast.expr] = {}
        positional = node.args[skip:]
        if len(positional) > len(self.takes) or any(isinstance(one, ast.Starred) for one in positional):
            raise NotUnderstood(node, shown(node))
        given.update(zip(self.takes, positional, strict=False))
        for keyword in node.keywords:
            word = keyword.arg or "**"
            if word in self.fixed:
                if isinstance(keyword.value, ast.Constant) and keyword.value.value == self.fixed[word]:
                    continue
                raise NotUnderstood(node, f"{word}= of {shown(node)}")
            if word not in self.takes or word in given:
                raise NotUnderstood(node, f"{word}= of {shown(node)}")
            given[word] = keyword.value
        return given


BINARY: dict[type[ast.operator], str] = {
    ast.Add: "plus", ast.Sub: "minus", ast.Mult: "times", ast.Div: "over", ast.FloorDiv: "floor_over",
    ast.Mod: "rest", ast.Pow: "power", ast.BitAnd: "both", ast.BitOr: "either",
}  # fmt: skip
# The operator, and whether its operands change places.
COMPARED: dict[type[ast.cmpop], tuple[str, bool]] = {
    ast.Eq: ("same", False), ast.NotEq: ("other", False), ast.Lt: ("less", False),
    ast.LtE: ("at_most", False), ast.Gt: ("less", True), ast.GtE: ("at_most", True),
}  # fmt: skip
UNARY: dict[type[ast.unaryop], str] = {ast.Invert: "negated", ast.USub: "opposite"}

# Methods of a column that give a column.
COLUMN_METHODS: dict[str, Form] = {
    "fillna": Form("filled", ("value",), {"inplace": False}),
    "map": Form("mapped", ("arg",), {"na_action": None}),
    "apply": Form("applied", ("func",), {"convert_dtype": True}),
    "clip": Form("clipped", ("lower", "upper")),
    "isin": Form("is_in", ("values",)),
    "between": Form("is_between", ("left", "right"), {"inclusive": "both"}),
    "isna": Form("is_missing"),
    "isnull": Form("is_missing"),
    "notna": Form("is_known"),
    "notnull": Form("is_known"),
    "round": Form("rounded", ("decimals",)),
    "abs": Form("size"),
    "copy": Form("", (), {"deep": True}),
    "add": Form("plus", ("other",)),
    "sub": Form("minus", ("other",)),
    "mul": Form("times", ("other",)),
    "div": Form("over", ("other",)),
    "eq": Form("same", ("other",)),
    "ne": Form("other", ("other",)),
    "lt": Form("less", ("other",)),
    "le": Form("at_most", ("other",)),
    "infer_objects": Form(""),
    "reset_index": Form("", (), {"drop": True}),
}
# Methods under `.str`; those with a `method` are the text's own.
TEXT_METHODS: dict[str, Form] = {
    **{word: Form(f"text_method:{word}") for word in ("lower", "upper", "title", "capitalize")},
    **{word: Form(f"text_method:{word}", ("to_strip",)) for word in ("strip", "lstrip", "rstrip")},
    **{word: Form(f"text_method:{word}", ("pat",)) for word in ("startswith", "endswith")},
    "len": Form("text_length"),
    "contains": Form("text_contains", ("pat", "case"), {"regex": True, "na": False}),
    "replace": Form("text_replaced", ("pat", "repl"), {"regex": False}),
    "extract": Form("text_extract", ("pat",), {"expand": False}),
}
TIME_PARTS = (
    "year", "month", "day", "hour", "minute", "second", "dayofweek", "weekday", "day_of_week", "dayofyear",
    "quarter", "days",
)  # fmt: skip
UFUNCS = (
    "log", "log1p", "log2", "log10", "exp", "expm1", "sqrt", "square", "abs", "absolute", "floor", "ceil",
    "sin", "cos", "tanh", "cbrt",
)  # fmt: skip
# Functions of pandas and NumPy whose first argument is a column.
FUNCTIONS: dict[str, Form] = {
    **{f"numpy.{word}": Form(f"through:{word}") for word in UFUNCS},
    "numpy.where": Form("chosen", ("x", "y")),
    "numpy.isnan": Form("is_missing"),
    "pandas.isna": Form("is_missing"),
    "pandas.isnull": Form("is_missing"),
    "pandas.notna": Form("is_known"),
    "pandas.notnull": Form("is_known"),
    "pandas.to_numeric": Form("as_number", ("errors",)),
    "pandas.to_datetime": Form("as_time", ("format",), {"errors": "raise"}),
    "pandas.cut": Form("cut", ("bins", "right", "labels", "include_lowest")),
}
# Methods of a frame that give a frame.
FRAME_METHODS: dict[str, Form] = {
    "copy": Form("dict", (), {"deep": True}),
    "drop": Form("dropped", ("labels", "axis", "columns"), {"inplace": False}),
    "rename": Form("renamed", ("columns",), {"axis": 1, "inplace": False}),
    "fillna": Form("filled_frame", ("value",), {"inplace": False}),
    "replace": Form("replaced_frame", ("to_replace",), {"inplace": False}),
    "reset_index": Form("dict", (), {"drop": True, "inplace": False}),
    "infer_objects": Form("dict"),
}
TYPES = {"int": "as_int", "int64": "as_int", "float": "as_float", "float64": "as_float", "str": "as_text"}
