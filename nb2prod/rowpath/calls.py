"""Calls of the staged body: methods of frames and columns, functions of pandas and NumPy, helpers."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from nb2prod.rowpath import sites
from nb2prod.rowpath.kinds import (
    COLUMN,
    EMPTY,
    FRAME,
    FRESH,
    MATRIX,
    PLAIN,
    TRANSFORMER,
    Kind,
    NotUnderstood,
    call,
    constant,
    name,
    shown,
)
from nb2prod.rowpath.table import (
    COLUMN_METHODS,
    FRAME_METHODS,
    FUNCTIONS,
    TEXT_METHODS,
    TIME_PARTS,
    TYPES,
    Form,
)

if TYPE_CHECKING:
    from nb2prod.rowpath.body import Body

Value = tuple[Kind, ast.expr]


def called(body: Body, node: ast.Call) -> Value:
    """The row form of a call."""
    function = node.func
    if isinstance(function, ast.Attribute):
        if isinstance(function.value, ast.Name) and function.value.id == "st":
            return sites.site(body, node)
        api = body.imported(function)
        if api:
            return _function(body, node, api)
        accessor = function.value
        if isinstance(accessor, ast.Attribute) and accessor.attr in ("str", "dt"):
            words = _words(body, node, accessor)
            if words is not None:
                return COLUMN, words
            kind, made = body.expression(accessor.value)
            if kind is EMPTY:
                return EMPTY, node
            if kind is COLUMN:
                return _accessor(body, node, accessor.attr, function.attr, made)
        kind, made = body.expression(accessor)
        if kind is EMPTY:
            return EMPTY, node
        if kind is FRAME:
            return _of_frame(body, node, function.attr, made)
        if kind is COLUMN:
            return COLUMN, of_column(body, node, function.attr, made)
        if kind is TRANSFORMER:
            return _transformed(body, node, function.attr, made)
        if kind.name == "plain":
            return _plain_call(body, node)
        raise NotUnderstood(node, shown(node))
    if isinstance(function, ast.Name):
        api = body.imported(function)
        if api in FUNCTIONS:
            return _function(body, node, api)
        if body.is_helper(function.id) and _takes_rows(body, node):
            return body.helper(node)
        return _plain_call(body, node)
    raise NotUnderstood(node, shown(node))


def _takes_rows(body: Body, node: ast.Call) -> bool:
    return body.rows_in(node) or any(keyword.arg == "st" for keyword in node.keywords)


def _plain_call(body: Body, node: ast.Call) -> Value:
    if body.rows_in(node):
        raise NotUnderstood(node, f"{shown(node.func)}(...) of a row")
    listed = isinstance(node.func, ast.Name) and node.func.id in ("list", "sorted")
    listed = listed or (isinstance(node.func, ast.Attribute) and node.func.attr in ("tolist", "split"))
    return Kind("plain", "list") if listed else PLAIN, body.without_rows(node)


def arguments(body: Body, node: ast.Call, form: Form, skip: int = 0) -> list[ast.expr]:
    """The arguments by position, as far as they are given; a gap is filled with None."""
    given = form.bound(node, skip)
    last = max((at for at, word in enumerate(form.takes) if word in given), default=-1)
    made = []
    for word in form.takes[: last + 1]:
        if word not in given:
            made.append(constant(None))
            continue
        kind, argument = body.expression(given[word])
        if kind.name not in ("plain", "column"):
            raise NotUnderstood(node, shown(node))
        made.append(argument)
    return made


def of_column(body: Body, node: ast.Call, method: str, made: ast.expr) -> ast.expr:
    """A method of a column."""
    if method == "astype" and len(node.args) == 1 and not node.keywords:
        return _as_type(node, node.args[0], made)
    if method == "replace":
        return _replaced(body, node, made)
    form = COLUMN_METHODS.get(method)
    if form is None:
        raise NotUnderstood(node, f".{method}()")
    if method in ("map", "apply"):
        return _mapped(body, node, form, made)
    if not form.row:
        form.bound(node)
        return made
    return call(form.row, made, *arguments(body, node, form))


def _mapped(body: Body, node: ast.Call, form: Form, made: ast.expr) -> ast.expr:
    given = list(form.bound(node).values())
    if len(given) != 1:
        raise NotUnderstood(node, shown(node))
    (function,) = given
    table = _own(body, node, function)
    if isinstance(function, ast.Lambda) or (isinstance(function, ast.Name) and body.is_helper(function.id)):
        return call("applied", made, table)
    return call(form.row, made, body.at_bind(table, "table_of"))


def _as_type(node: ast.Call, kind: ast.expr, made: ast.expr) -> ast.expr:
    word = kind.value if isinstance(kind, ast.Constant) else kind.id if isinstance(kind, ast.Name) else ""
    if isinstance(kind, ast.Attribute) and kind.attr in ("int64", "float64"):
        word = kind.attr
    if word == "object":  # what is in a column stays as it is
        return made
    if word not in TYPES:
        raise NotUnderstood(node, f".astype({shown(kind)})")
    return call(TYPES[str(word)], made)


def _replaced(body: Body, node: ast.Call, made: ast.expr) -> ast.expr:
    given = Form("", ("to_replace", "value"), {"inplace": False, "regex": False}).bound(node)
    table = [body.plain(given[word]) for word in ("to_replace", "value") if word in given]
    if "to_replace" not in given:
        raise NotUnderstood(node, shown(node))
    if len(table) == 1 and not isinstance(given["to_replace"], ast.Dict | ast.Name):
        raise NotUnderstood(node, shown(node))
    return call("replaced", made, table[0] if len(table) == 1 else call("old_and_new", *table))


def _accessor(body: Body, node: ast.Call, accessor: str, method: str, made: ast.expr) -> Value:
    if accessor == "dt":
        if method == "day_name" and not node.args and not node.keywords:
            return COLUMN, call("day_name", made)
        raise NotUnderstood(node, f".dt.{method}()")
    form = TEXT_METHODS.get(method)
    if form is None:
        raise NotUnderstood(node, f".str.{method}()")
    function, _, own = form.row.partition(":")
    given = arguments(body, node, form)
    return COLUMN, call(function, made, *([constant(own)] if own else []), *given)


def _words(body: Body, node: ast.Call, accessor: ast.Attribute) -> ast.expr | None:
    """`column.str.split().str.len()`: the number of words."""
    match _of_any_dtype(accessor.value):
        case ast.Call(
            func=ast.Attribute(value=ast.Attribute(value=column, attr="str"), attr="split"),
            args=[],
            keywords=[],
        ):
            kind, made = body.expression(column)
            if (
                kind is COLUMN
                and isinstance(node.func, ast.Attribute)
                and node.func.attr == "len"
                and not node.args
            ):
                return call("word_count", made)
    return None


def _of_any_dtype(node: ast.expr) -> ast.expr:
    """The texts of `column.str.split().astype(object)`, as lowering writes it (`lower/module.py`)."""
    match node:
        case ast.Call(func=ast.Attribute(value=inner, attr="astype"), args=[ast.Name("object")], keywords=[]):
            return inner
    return node


def time_part(body: Body, node: ast.Attribute) -> ast.expr | None:
    """`column.dt.year`."""
    match node.value:
        case ast.Attribute(value=column, attr="dt") if node.attr in TIME_PARTS:
            kind, made = body.expression(column)
            if kind is COLUMN:
                return call("part_of_time", made, constant(node.attr))
    return None


def text_place(body: Body, node: ast.Subscript) -> ast.expr | None:
    """`column.str[0]`, `column.str[:3]` and `column.str.split(" ").str[0]`."""
    match _of_any_dtype(node.value.value) if isinstance(node.value, ast.Attribute) else None:
        case (
            ast.Call(func=ast.Attribute(value=ast.Attribute(value=column, attr="str"), attr="split")) as split
        ) if not isinstance(node.slice, ast.Slice):
            kind, made = body.expression(column)
            if kind is COLUMN:
                given = arguments(body, split, Form("", ("pat",))) or [constant(None)]
                return call("text_piece", made, *given, body.plain(node.slice))
    match node.value:
        case ast.Attribute(value=column, attr="str"):
            kind, made = body.expression(column)
            if kind is not COLUMN:
                return None
            if isinstance(node.slice, ast.Slice) and node.slice.step is None:
                ends = [
                    constant(None) if end is None else body.plain(end)
                    for end in (node.slice.lower, node.slice.upper)
                ]
                return call("text_part", made, *ends)
            if not isinstance(node.slice, ast.Slice):
                return call("text_at", made, body.plain(node.slice))
    return None


def _function(body: Body, node: ast.Call, api: str) -> Value:
    """A function of pandas or NumPy."""
    if api == "pandas.DataFrame":
        if not node.args and not node.keywords:
            return FRESH, ast.Dict([], [])
        match node:
            case ast.Call(args=[], keywords=[ast.keyword("index", ast.Attribute(value=like, attr="index"))]):
                kind, _ = body.expression(like)
                return (EMPTY, node) if kind is EMPTY else (FRAME, ast.Dict([], []))
    if not body.rows_in(node):
        return _plain_call(body, node)
    if api in ("pandas.concat", "numpy.array", "numpy.asarray", "pandas.DataFrame"):
        return _assembled(body, node, api)
    form = FUNCTIONS.get(api)
    if form is None or not node.args:
        raise NotUnderstood(node, f"{shown(node.func)}()")
    kind, made = body.expression(node.args[0])
    if kind is EMPTY:
        return EMPTY, node
    function, _, own = form.row.partition(":")
    if kind is FRAME and function == "through" and len(node.args) == 1:
        return FRAME, call("through_each", ast.Attribute(name(body.numpy(node)), own, ast.Load()), made)
    if kind is not COLUMN:
        raise NotUnderstood(node, shown(node))
    if function == "through":
        form.bound(node, 1)
        return COLUMN, call("through", ast.Attribute(name(body.numpy(node)), own, ast.Load()), made)
    if function == "cut":
        return COLUMN, _cut(body, node, form, made)
    given = arguments(body, node, form, 1)
    if function == "as_number" and given:
        coerce = given[0].value if isinstance(given[0], ast.Constant) else None
        if coerce not in ("coerce", "raise"):
            raise NotUnderstood(node, shown(node))
        given = [constant(coerce == "coerce")]
    return COLUMN, call(function, made, *given)


def _cut(body: Body, node: ast.Call, form: Form, made: ast.expr) -> ast.expr:
    """`pd.cut(column, bins, ...)`."""
    given = {word: body.plain(argument) for word, argument in form.bound(node, 1).items()}
    if "bins" not in given:
        raise NotUnderstood(node, f"{shown(node.func)}() without edges")
    return cut_at(body, node, made, given.pop("bins"), given)


def cut_at(
    body: Body, node: ast.AST, made: ast.expr, edges: ast.expr, options: dict[str, ast.expr]
) -> ast.expr:
    """A column cut at edges; without labels the values are intervals, which are made once."""
    labels = options.pop("labels", None)
    keywords = [ast.keyword(word, argument) for word, argument in options.items()]
    if labels is None or (isinstance(labels, ast.Constant) and labels.value is None):
        once = ast.Call(name("intervals"), [edges], keywords)
        if not all(body.same_for_all(one) for one in (edges, *options.values())):
            raise NotUnderstood(node, "cut without labels at edges that change")
        word = f"{edges.id} intervals" if isinstance(edges, ast.Name) else "intervals"
        labels = body.hoisted(ast.unparse(once), once, word)
    return ast.Call(name("cut"), [made, edges, labels], keywords)


def _assembled(body: Body, node: ast.Call, api: str) -> Value:
    """Frames side by side, a frame as an array, an array as a frame."""
    first = node.args[0] if node.args else None
    if api == "pandas.concat" and isinstance(first, ast.List | ast.Tuple):
        Form("", ("objs", "axis"), {"axis": 1}).bound(ast.Call(node.func, node.args[:1], node.keywords))
        if not any(k.arg == "axis" for k in node.keywords) and not _is_one(node.args[1:]):
            raise NotUnderstood(node, shown(node))
        parts = [body.expression(part) for part in first.elts]
        if all(kind is FRAME for kind, _ in parts):
            return FRAME, call("joined", *(made for _, made in parts))
        if EMPTY in [kind for kind, _ in parts] and all(kind in (FRAME, EMPTY) for kind, _ in parts):
            if not any(kind is FRAME for kind, _ in parts):
                return EMPTY, node
        raise NotUnderstood(node, shown(node))
    if first is None:
        raise NotUnderstood(node, shown(node))
    kind, made = body.expression(first)
    if kind is EMPTY:
        return EMPTY, node
    if api == "pandas.DataFrame":
        given = Form("", ("data", "columns")).bound(node)
        if kind is MATRIX and "columns" in given:
            return FRAME, call("named", body.plain(given["columns"]), made)
        raise NotUnderstood(node, shown(node))
    if len(node.args) == 1 and not node.keywords and kind in (FRAME, MATRIX):
        return MATRIX, call("matrix", made) if kind is FRAME else made
    raise NotUnderstood(node, shown(node))


def _is_one(given: list[ast.expr]) -> bool:
    return len(given) == 1 and isinstance(given[0], ast.Constant) and given[0].value == 1


def _of_frame(body: Body, node: ast.Call, method: str, made: ast.expr) -> Value:
    """A method of a frame."""
    if method in ("to_numpy",) and not node.args and not node.keywords:
        return MATRIX, call("matrix", made)
    if method == "pop" and len(node.args) == 1:
        return COLUMN, ast.Call(ast.Attribute(made, "pop", ast.Load()), [body.plain(node.args[0])], [])
    if method == "apply":
        return COLUMN, _row_by_row(body, node, made)
    form = FRAME_METHODS.get(method)
    if form is None:
        raise NotUnderstood(node, f".{method}() of a frame")
    given = form.bound(node)
    if method == "drop":
        return FRAME, call("dropped", made, _names_to_drop(body, node, given))
    if len(given) != len(form.takes):
        raise NotUnderstood(node, shown(node))
    return FRAME, call(form.row, made, *(body.plain(argument) for argument in given.values()))


def _row_by_row(body: Body, node: ast.Call, made: ast.expr) -> ast.expr:
    """`frame.apply(function, axis=1)`."""
    given = Form("", ("func", "axis")).bound(node)
    function, axis = given.get("func"), given.get("axis")
    if function is None or not isinstance(axis, ast.Constant) or axis.value not in (1, "columns"):
        raise NotUnderstood(node, shown(node))
    return call("applied", call("Row", made), _own(body, node, function))


def _own(body: Body, node: ast.AST, function: ast.expr) -> ast.expr:
    """A function of the notebook that is given one value after the other, and knows no other row."""
    if body.rows_in(function) or any(isinstance(n, ast.Name) and n.id == "st" for n in ast.walk(function)):
        raise NotUnderstood(node, f"a function that reads other columns, {shown(function)},")
    if isinstance(function, ast.Name) and body.is_helper(function.id):
        body.uses_helper(function)
        return function
    return body.without_rows(function)


def _names_to_drop(body: Body, node: ast.Call, given: dict[str, ast.expr]) -> ast.expr:
    axis = given.get("axis")
    across = isinstance(axis, ast.Constant) and axis.value in (1, "columns")
    if "columns" in given and "labels" not in given:
        return body.plain(given["columns"])
    if "labels" in given and "columns" not in given and across:
        return body.plain(given["labels"])
    raise NotUnderstood(node, shown(node))


def _transformed(body: Body, node: ast.Call, method: str, made: ast.expr) -> Value:
    """`scaler.transform(frame)` of what training fitted."""
    if method != "transform" or len(node.args) != 1 or node.keywords:
        raise NotUnderstood(node, f".{method}() of a fitted object")
    return applied_to(body, node, made, node.args[0])


def applied_to(body: Body, node: ast.AST, transformer: ast.expr, data: ast.expr) -> Value:
    """A fitted object's `transform` of a frame, an array or a column."""
    kind, made = body.expression(data)
    if kind is EMPTY:
        return EMPTY, data
    if kind is COLUMN:
        return COLUMN, ast.Call(ast.Attribute(transformer, "column", ast.Load()), [made], [])
    if kind in (FRAME, MATRIX):
        return MATRIX, ast.Call(ast.Attribute(transformer, "transform", ast.Load()), [made], [])
    raise NotUnderstood(node, shown(node))
