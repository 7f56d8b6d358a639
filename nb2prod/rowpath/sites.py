"""Calls of the staging runtime: what was learned is looked up once, filters and splits keep the row."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from nb2prod.rowpath import calls
from nb2prod.rowpath.kinds import (
    COLUMN,
    EMPTY,
    FRAME,
    LIST,
    MATRIX,
    PLAIN,
    TARGET,
    TRANSFORMER,
    Kind,
    NotUnderstood,
    call,
    constant,
    name,
    shown,
)
from nb2prod.rowpath.table import Form

if TYPE_CHECKING:
    from nb2prod.rowpath.body import Body

Value = tuple[Kind, ast.expr]
NOTHING = ("fit_only", "to_training", "to_inference")


def site(body: Body, node: ast.Call) -> Value:
    """The row form of `st.word(...)`."""
    assert isinstance(node.func, ast.Attribute)
    word = node.func.attr
    match word:
        case "value":
            return _value_kind(node.args[1]), _looked_up(body, node)
        case "parameter":
            return PLAIN, body.hoisted(
                f"parameter {_key(node)}", call("learned", name("state"), constant(f"parameter {_key(node)}"))
            )
        case "frame" | "answers":
            return EMPTY, node
        case "target":
            return TARGET, node
        case "keep":
            return _kept(body, node)
        case "fit" | "fit_transform":
            return _fitted(body, node, word)
        case "fit_transform_each":
            return _fitted_each(body, node)
        case "get_dummies":
            return _dummies(body, node)
        case "write_csv":
            return _written(body, node)
        case "read_csv":
            return _reread(body, node)
        case "group_transform":
            return _by_group(body, node)
        case "cut" | "qcut":
            return _cut(body, node, word)
        case "scaled":
            data = node.args[2]
            return calls.applied_to(body, node, _looked_up(body, node, "Transformer"), data)
    raise NotUnderstood(node, f"st.{word}()")


def _key(node: ast.Call) -> str:
    found = node.args[0]
    if not isinstance(found, ast.Constant):
        raise NotUnderstood(node, shown(node))
    return str(found.value)


def _value_kind(thunk: ast.expr) -> Kind:
    """What a learned value is, from the expression that learned it."""
    inner = thunk.body if isinstance(thunk, ast.Lambda) else thunk
    if isinstance(inner, ast.ListComp | ast.List):
        return LIST
    if isinstance(inner, ast.Attribute) and inner.attr == "columns":
        return LIST
    if (
        isinstance(inner, ast.Subscript)
        and isinstance(inner.value, ast.Attribute)
        and inner.value.attr == "columns"
    ):
        return LIST
    if isinstance(inner, ast.Call):
        word = inner.func.id if isinstance(inner.func, ast.Name) else getattr(inner.func, "attr", "")
        return LIST if word in ("list", "tolist", "sorted") else PLAIN
    if isinstance(inner, ast.Attribute) and inner.attr in ("dtypes",):
        return Kind("plain", "mask")
    return Kind("plain", "mask") if isinstance(inner, ast.Compare) else PLAIN


def _looked_up(body: Body, node: ast.Call, made: str = "", *more: ast.expr) -> ast.expr:
    """What was learned under a site's key; `made` is the function or class that makes its row form."""
    key = _key(node)
    at = next((keyword.value for keyword in node.keywords if keyword.arg == "at"), None)
    state = name("state")
    label = f"{key} {made}"
    if at is not None:
        table = call("learned_each", state, constant(key))
        if made:
            table = _each(made, table, more)
        return ast.Subscript(body.hoisted(label, table, key), body.without_rows(at), ast.Load())
    if body.repeats:
        return call(
            "next", body.turns(label, _all(made, call("learned_in_turn", state, constant(key)), more), key)
        )
    found = call("learned", state, constant(key))
    return body.hoisted(label, call(made, found, *more) if made else found, key)


def _each(made: str, table: ast.expr, more: tuple[ast.expr, ...]) -> ast.expr:
    items = ast.Call(ast.Attribute(table, "items", ast.Load()), [], [])
    target = ast.Tuple([ast.Name("at", ast.Store()), ast.Name("one", ast.Store())], ast.Store())
    return ast.DictComp(name("at"), call(made, name("one"), *more), [ast.comprehension(target, items, [], 0)])


def _all(made: str, found: ast.expr, more: tuple[ast.expr, ...]) -> ast.expr:
    if not made:
        return found
    one = ast.comprehension(ast.Name("one", ast.Store()), found, [], 0)
    return ast.ListComp(call(made, name("one"), *more), [one])


def asked_for_nothing(body: Body, node: ast.AST) -> None:
    """A site passed with a frame without rows still counts as a passage of its key."""
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
            if isinstance(inner.func.value, ast.Name) and inner.func.value.id == "st" and body.repeats:
                raise NotUnderstood(inner, shown(inner))


def _kept(body: Body, node: ast.Call) -> Value:
    """A filter acts in training only: a row that it would drop is answered like any other.

    Where the filter guards serving, pandas answers such a row, and says which filter it was.
    """
    kind, made = body.expression(node.args[1])
    if _key(node) in body.guards and kind is not EMPTY:
        body.scope.before.append(ast.Expr(call("within", *_condition(body, node.args[2]))))
    if kind is FRAME:
        return FRAME, call("dict", made)
    if kind in (COLUMN, EMPTY, TARGET):
        return kind, made
    raise NotUnderstood(node, shown(node))


def _condition(body: Body, thunk: ast.expr) -> list[ast.expr]:
    """What is true of a row that `lambda: df[mask]` or `lambda: df.dropna()` keeps."""
    inner = thunk.body if isinstance(thunk, ast.Lambda) else thunk
    match inner:
        case ast.Call(func=ast.Attribute(value=frame, attr="copy" | "reset_index")):
            return _condition(body, frame)
        case ast.Call(func=ast.Attribute(value=data, attr="dropna"), args=[]):
            kind, frame = body.expression(data)
            given = Form("", ("subset",), {"axis": 0, "how": "any"}).bound(inner)
            if kind is FRAME:
                names = [body.plain(argument) for argument in given.values()]
                return [call("all_known", frame, *names)]
        case ast.Subscript(value=data, slice=mask):
            of = data.value if isinstance(data, ast.Attribute) and data.attr == "loc" else data
            kinds = [body.expression(one) for one in (of, mask)]
            if kinds[0][0] in (FRAME, COLUMN) and kinds[1][0] is COLUMN:
                return [kinds[1][1]]
    raise NotUnderstood(thunk, f"a filter that guards serving, {shown(inner)},")


def _fitted(body: Body, node: ast.Call, word: str) -> Value:
    """The fitted object takes the place of the unfitted one, and transforms."""
    _, estimator, data = node.args[:3]
    if not isinstance(estimator, ast.Name) and body.rows_in(estimator):
        raise NotUnderstood(node, shown(node))
    if body.expression(data)[0] is EMPTY:
        if body.repeats and not any(k.arg == "at" for k in node.keywords):
            raise NotUnderstood(node, shown(node))
        return EMPTY, node
    found = _looked_up(body, node, "Transformer")
    if isinstance(estimator, ast.Name):
        body.scope.before.append(ast.Assign([ast.Name(estimator.id, ast.Store())], found))
        body.scope.kinds[estimator.id] = TRANSFORMER
        found = name(estimator.id)
    return (TRANSFORMER, found) if word == "fit" else calls.applied_to(body, node, found, data)


def _fitted_each(body: Body, node: ast.Call) -> Value:
    kind, made = body.expression(node.args[2])
    if kind is EMPTY:
        return EMPTY, node
    if kind is not FRAME or len(node.keywords):
        raise NotUnderstood(node, shown(node))
    table = _each("Transformer", call("learned_each", name("state"), constant(_key(node))), ())
    return FRAME, call("each_coded", body.hoisted(f"{_key(node)} Transformer", table, _key(node)), made)


def _dummies(body: Body, node: ast.Call) -> Value:
    kind, made = body.expression(node.args[1])
    options = {}
    for keyword in node.keywords:
        if keyword.arg in ("drop_first", "dummy_na", "dtype"):
            options[keyword.arg] = body.without_rows(keyword.value)
        elif keyword.arg not in ("columns", "prefix", "prefix_sep", "at"):
            raise NotUnderstood(node, f"{keyword.arg}= of {shown(node)}")
    given = ast.Dict([constant(word) for word in options], list(options.values()))
    if kind not in (FRAME, COLUMN, EMPTY):
        raise NotUnderstood(node, shown(node))
    found = _looked_up(body, node, "dummies", given, constant(kind is FRAME))
    if kind is EMPTY:
        if isinstance(found, ast.Call):  # one passage of the site
            body.scope.before.append(ast.Expr(found))
        return EMPTY, node
    return FRAME, ast.Call(found, [made], [])


def _written(body: Body, node: ast.Call) -> Value:
    """`st.write_csv(frame, path, index=False)`: what a later read of the file gives back."""
    match node:
        case ast.Call(
            args=[data, ast.Constant(value=str(path))],
            keywords=[ast.keyword("index", ast.Constant(value=False))],
        ):
            kind, made = body.expression(data)
            if kind is FRAME and not body.repeats:
                word = variable(f"file {path}", body.taken)
                body.taken.add(word)
                body.files[path] = word
                body.scope.before.append(ast.Assign([ast.Name(word, ast.Store())], call("written", made)))
                return EMPTY, node
    raise NotUnderstood(node, shown(node))


def _reread(body: Body, node: ast.Call) -> Value:
    match node:
        case ast.Call(args=[ast.Constant(value=str(path))], keywords=[]) if path in body.files:
            key = f"file {path}"
            found = call("rereader", call("learned", name("state"), constant(key)))
            return FRAME, ast.Call(body.hoisted(key, found, key), [name(body.files[path])], [])
    raise NotUnderstood(node, shown(node))


def _by_group(body: Body, node: ast.Call) -> Value:
    """`st.group_transform(key, frame, by, column, function)`."""
    _, data, by, column, _function = node.args
    kind, frame = body.expression(data)
    if kind is EMPTY:
        return EMPTY, node
    if any(keyword.arg not in ("at",) for keyword in node.keywords):
        raise NotUnderstood(node, shown(node))
    if kind is FRAME and isinstance(column, ast.Constant) and column.value is not None:
        own: ast.expr = ast.Subscript(frame, column, ast.Load())
    elif kind is COLUMN:
        own = frame
    else:
        raise NotUnderstood(node, shown(node))
    keys = []
    for one in by.elts if isinstance(by, ast.List) else [by]:
        inner, made = body.expression(one)
        if inner is not COLUMN and kind is not FRAME:
            raise NotUnderstood(node, shown(node))
        keys.append(made if inner is COLUMN else ast.Subscript(frame, made, ast.Load()))
    return COLUMN, ast.Call(_looked_up(body, node, "by_group"), [own, *keys], [])


def _cut(body: Body, node: ast.Call, word: str) -> Value:
    """`st.cut` and `st.qcut`: the edges are those of training."""
    kind, made = body.expression(node.args[1])
    if kind is EMPTY:
        return EMPTY, node
    known = ("at", "bins", "q", "duplicates")  # the edges of training are all different
    given = {str(keyword.arg): keyword.value for keyword in node.keywords if keyword.arg not in known}
    if kind is not COLUMN or not set(given) <= {"labels", "right", "include_lowest"}:
        raise NotUnderstood(node, shown(node))
    words = {word: body.plain(value) for word, value in given.items()}
    if word == "qcut":
        words["include_lowest"] = constant(True)
    return COLUMN, calls.cut_at(body, node, made, _looked_up(body, node), words)


def result(body: Body, node: ast.Call) -> ast.expr:
    """What `return st.result(X, ...)` gives: the features as a list, or as the array that they are."""
    kind, made = body.expression(node.args[0])
    if kind is FRAME:
        columns = ast.Subscript(
            ast.Attribute(name("state"), "outputs", ast.Load()), constant("columns"), ast.Load()
        )
        return call("outputs", body.hoisted("columns", columns), made)
    if kind in (MATRIX, COLUMN):
        return made
    raise NotUnderstood(node, shown(node))


def variable(label: str, taken: set[str]) -> str:
    """A name for what was learned under a key."""
    made = re.sub(r"\W+", "_", label.removeprefix("parameter ")).strip("_").lower() or "learned"
    made = f"_{made}" if made[0].isdigit() else made
    while made in taken:
        made += "_"
    return made
