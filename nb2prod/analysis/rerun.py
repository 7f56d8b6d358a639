"""Whether computing a new value from the old one a second time changes it: `x.dropna()` not, `x + 1` does.

The old value is known by its text: `df` in `df = df.dropna()`, `df['age']` in `df['age'] = df['age'] * 2`.
"""

from __future__ import annotations

import ast
import re

from nb2prod.analysis.calls import called_name
from nb2prod.analysis.nodes import children, inner_calls, nodes
from nb2prod.tree import LEAVES

# Methods whose result they do not change any more.  What is not listed may change it every time.
SETTLED_METHODS = frozenset(
    [
        "abs", "astype", "bfill", "bool", "capitalize", "casefold", "clip", "clip_lower", "clip_upper",
        "convert_dtypes", "copy", "cpu", "cuda", "deepcopy", "detach", "difference", "drop_duplicates",
        "dropna", "eval", "ffill", "fillna", "filter", "fit", "flatten", "float", "head",
        "infer_objects", "interpolate", "intersection", "isin", "lower", "lstrip", "mask", "nlargest",
        "nsmallest", "query", "ravel", "reindex", "rename", "replace", "reshape", "round", "rstrip",
        "set_axis", "sort_index", "sort_values", "squeeze", "strip", "tail", "title", "to", "to_dense",
        "truncate", "union", "upper", "where",
    ]
)  # fmt: skip
SETTLED_FUNCTIONS = frozenset(
    [
        "Counter", "DataFrame", "Index", "OrderedDict", "Path", "Series", "abs", "array", "asarray",
        "bool", "clip", "copy", "deepcopy", "dict", "float", "float32", "float64", "frozenset", "int",
        "list", "max", "min", "nan_to_num", "ravel", "round", "set", "sort", "sorted", "squeeze", "str",
        "to_datetime", "to_numeric", "to_timedelta", "tuple", "unique",
    ]
)  # fmt: skip


_SPELLED = "_nb2prod_spelled"
_NAMES = "_nb2prod_names"
_FIRST = re.compile(r"[^\W\d]\w*")


def settled(node: ast.expr, old: str) -> bool:
    """Computing `node` again, with its own result as the old value, gives the same."""
    if _is(node, old):
        return True
    match node:
        case ast.Call(
            func=ast.Name(id="dict"),
            args=[
                ast.Call(func=ast.Name(id="sorted"), args=[ast.Call(func=ast.Attribute(attr="items") as f)])
            ],
        ):
            return settled(f.value, old)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str() as mark), attr="join"), args=[made]):
            return _split_by(made, mark, old)
        case ast.Call():
            return _call(node, old)
        case ast.Dict(keys=[None, *keys], values=[first, *others]):  # {**old, "b": 2}
            return settled(first, old) and not any(
                key is None or mentions(key, old) or mentions(value, old)
                for key, value in zip(keys, others, strict=True)
            )
        case ast.Subscript():
            if _settled_part(node):
                return settled(_text(node.value), old)
            return (
                settled(_frame(node.value), old)
                and _selects_again(node.slice)
                and not _measures(node.slice, old)
            )
        case ast.BinOp(op=ast.Div() | ast.Sub()) if _scales(node, old):
            return True
        case ast.Attribute(value=ast.Attribute(attr="cat", value=owner), attr="codes"):
            return settled(owner, old)
        case ast.Attribute(value=ast.Attribute(attr="dt", value=ast.Call() as made), attr="date"):
            return called_name(made) == "to_datetime" and settled(made, old)
        case ast.BoolOp(op=ast.Or(), values=[first, *_]):
            return settled(first, old)
        case ast.BinOp(op=ast.BitOr() | ast.BitAnd() | ast.Mod()):
            return settled(node.left, old) or settled(node.right, old)
        case ast.IfExp():
            return all(settled(part, old) or not mentions(part, old) for part in (node.body, node.orelse))
        case ast.ListComp(elt=elt, generators=[one]) | ast.SetComp(elt=elt, generators=[one]):
            return isinstance(one.target, ast.Name) and settled(one.iter, old) and settled(elt, one.target.id)
    return False


STATISTICS = frozenset(
    ["mean", "median", "std", "var", "quantile", "mode", "nlargest", "describe", "percentile"]
)
ENCODERS = ("LabelEncoder", "OrdinalEncoder", "LabelBinarizer", "MinMaxScaler")
_PARTS = ("split", "rsplit", "partition", "rpartition")


def measures(node: ast.AST) -> bool:
    """A statistic is taken somewhere in it: of what was filtered by it, it is another one."""
    return any(called_name(call) in STATISTICS for call in inner_calls(node))


def _measures(node: ast.AST, old: str) -> bool:
    """`df[df.a < df.a.quantile(.9)]`: the next threshold is that of the rows that are left."""
    return mentions(node, old) and any(
        called_name(call) in STATISTICS and mentions(call, old) for call in inner_calls(node)
    )


def _settled_part(node: ast.Subscript) -> bool:
    """One part of a split text, or its start: `.str.split().str[0]`, `name.split()[-1]`, `.str[:3]`."""
    match node:
        case ast.Subscript(
            value=ast.Attribute(attr="str", value=ast.Call(func=ast.Attribute(attr=name)))
            | ast.Call(func=ast.Attribute(attr=name)),
            slice=ast.Constant() | ast.UnaryOp(),
        ) if name in _PARTS:
            return True
        case ast.Subscript(
            value=ast.Attribute(attr="str"), slice=ast.Slice(lower=None) | ast.Constant(value=0)
        ):
            return True
    return False


def _text(node: ast.expr) -> ast.expr:
    """What a text was taken from: without `.str` and the split."""
    if isinstance(node, ast.Attribute) and node.attr == "str":
        node = node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _PARTS:
        node = node.func.value
    return node.value if isinstance(node, ast.Attribute) and node.attr == "str" else node


def _split_by(node: ast.expr, mark: str, old: str) -> bool:
    """`" ".join(text.split())`: what is split again at the same mark."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="split"), args=[]) if mark == " ":
            return settled(owner, old)
        case ast.Call(func=ast.Attribute(value=owner, attr="split"), args=[ast.Constant(value=other)]):
            return other == mark and settled(owner, old)
    return False


def _scales(node: ast.BinOp, old: str) -> bool:
    """`x / x.max()`, `x - x.min()`, `(x - x.min()) / (x.max() - x.min())`: so already the second time."""
    extreme = "max" if isinstance(node.op, ast.Div) else "min"
    match node.right:
        case ast.Call(func=ast.Attribute(value=owner, attr=name), args=args) if name == extreme:
            if _is(node.left, old):
                return any(_is(one, old) for one in [owner, *args])
    match node:
        case ast.BinOp(
            left=ast.BinOp(left=value, op=ast.Sub(), right=ast.Call(func=ast.Attribute(attr="min"))),
            right=ast.BinOp(
                left=ast.Call(func=ast.Attribute(attr="max")),
                op=ast.Sub(),
                right=ast.Call(func=ast.Attribute(attr="min")),
            ),
        ):
            return _is(value, old)
    return False


def settled_method(node: ast.Call) -> bool:
    """A method that changes its object in place does so only the first time."""
    return isinstance(node.func, ast.Attribute) and _settled_name(node, node.func.attr)


def mentions(node: ast.AST, old: str) -> bool:
    """The old value is read; a comprehension or a lambda may have a variable of its own of that name."""
    if node.__class__ in LEAVES and not isinstance(node, ast.Name):
        return False
    first = _FIRST.match(old)
    return (first is None or first[0] in _names(node)) and _mentions(node, old)


def _names(node: ast.AST) -> frozenset[str]:
    """All variables below a node: most questions end here."""
    kept: frozenset[str] | None = node.__dict__.get(_NAMES)
    if kept is None:
        kept = frozenset(inner.id for inner in nodes(node) if isinstance(inner, ast.Name))
        node.__dict__[_NAMES] = kept
    return kept


def _mentions(node: ast.AST, old: str) -> bool:
    if isinstance(node, ast.expr) and _is(node, old):
        return True
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="get"), args=[ast.Constant() as key, *_]):
            if f"{ast.unparse(owner)}[{key.value!r}]" == old:  # counts.get("a", 0)
                return True
        case ast.Lambda():
            own = {argument.arg for argument in nodes(node.args) if isinstance(argument, ast.arg)}
            return old not in own and _mentions(node.body, old)
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            targets = {n.id for g in node.generators for n in nodes(g.target) if isinstance(n, ast.Name)}
            if old in targets:
                return _mentions(node.generators[0].iter, old)
    return any(_mentions(child, old) for child in children(node))


def spelled(node: ast.expr) -> str:
    """The text of a target or a read; `df.age`, `df['age']` and `df.loc[:, 'age']` are the same."""
    if isinstance(node, ast.Name):
        return node.id
    kept: str | None = node.__dict__.get(_SPELLED)
    if kept is None:
        kept = node.__dict__[_SPELLED] = _spelled(node)
    return kept


def _spelled(node: ast.expr) -> str:
    match node:
        case ast.Subscript(
            value=ast.Attribute(value=owner, attr="loc"), slice=ast.Tuple(elts=[rows, ast.Constant() as key])
        ) if isinstance(rows, ast.Slice) and not (rows.lower or rows.upper or rows.step):
            return f"{ast.unparse(owner)}[{key.value!r}]"
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}[{node.attr!r}]"
    return ast.unparse(node)


def _is(node: ast.expr, old: str) -> bool:
    return isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) and spelled(node) == old


def _call(node: ast.Call, old: str) -> bool:
    if _retyped(node, old):
        return False
    if (grouped := _grouped(node)) is not None:
        return settled(grouped, old)
    match node.func:
        case ast.Attribute(value=owner, attr="fit_transform") if node.args and not mentions(owner, old):
            return _encodes(owner) and settled(node.args[0], old)
        case ast.Attribute(value=owner, attr="apply" | "map" | "transform") if settled(_frame(owner), old):
            given = node.args[0] if len(node.args) == 1 else None
            if isinstance(given, ast.Name):  # .map(str)
                return given.id in SETTLED_FUNCTIONS
            params = given.args.args if isinstance(given, ast.Lambda) else []
            return isinstance(given, ast.Lambda) and len(params) == 1 and settled(given.body, params[0].arg)
        case ast.Attribute(value=owner, attr=name) if settled(_frame(owner), old):
            if name in ("clip", "where", "mask", "query"):
                limits = [*node.args, *[keyword.value for keyword in node.keywords]]
                if any(_measures(limit, old) for limit in limits):
                    return False
            return _settled_name(node, name)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            own = [argument for argument in node.args if mentions(argument, old)]
            if name == "get_dummies":
                return len(own) == 1 and settled(own[0], old) and _settled_name(node, name)
            return name in SETTLED_FUNCTIONS and bool(own) and all(settled(argument, old) for argument in own)
    return False


def _grouped(node: ast.Call) -> ast.expr | None:
    """The table of `df.groupby("k").sum()`, with `.reset_index()` or without: one row a group already."""
    match node:
        case ast.Call(func=ast.Attribute(attr="reset_index", value=ast.Call() as made), args=[], keywords=[]):
            node = made
    match node.func:
        case ast.Attribute(
            value=ast.Call(func=ast.Attribute(value=table, attr="groupby")),
            attr="sum" | "mean" | "median" | "min" | "max" | "first" | "last",
        ):
            return table
    return None


def _settled_name(node: ast.Call, name: str) -> bool:
    options = {k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)}
    if name == "reset_index":
        return options.get("drop") is True
    if name == "get_dummies":  # what it has encoded is no text any more
        return len(node.args) == 1 and not {"columns", "drop_first"} & {k.arg for k in node.keywords}
    if name == "drop":
        return options.get("errors") == "ignore"
    if name == "rename" and any(isinstance(k.value, ast.Lambda) for k in node.keywords):
        return False
    if name == "replace" and node.args and isinstance(node.args[0], ast.Dict):
        return not _chained(node.args[0])
    if name == "replace" and len(node.args) > 1 and _contains(node.args[1], node.args[0]):
        return False
    if name == "assign":
        return not any(_reads_column(k.value, k.arg or "") for k in node.keywords)
    return name in SETTLED_METHODS


def _encodes(owner: ast.expr) -> bool:
    """An encoder that is made there; what a variable holds, `settles` of the rule says."""
    return isinstance(owner, ast.Call) and called_name(owner) in ENCODERS


def _retyped(node: ast.Call, old: str) -> bool:
    """`x.str.strip().astype(float)`: what has become numbers has no `.str` any more."""
    made = ast.unparse(node)
    if ".str." not in made or not mentions(node, old):
        return False
    match node:
        case ast.Call(
            func=ast.Attribute(attr="astype"),
            args=[ast.Name(id="str") | ast.Constant(value="str" | "category")],
        ):
            return False
        case ast.Call(func=ast.Attribute(attr="astype" | "to_numeric" | "to_datetime" | "len")):
            return True
    return False


def _contains(new: ast.expr, gone: ast.expr) -> bool:
    """`text.replace("a", "aa")` finds its own result again."""
    texts = [n.value for n in (new, gone) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return len(texts) == 2 and texts[1] in texts[0] and texts[0] != texts[1]


def _chained(node: ast.Dict) -> bool:
    """`{1: 2, 2: 3}`: what one key becomes is another key."""
    keys, values = (
        {part.value for part in parts if isinstance(part, ast.Constant)} for parts in (node.keys, node.values)
    )
    same = {
        k.value
        for k, v in zip(node.keys, node.values, strict=True)
        if isinstance(k, ast.Constant) and isinstance(v, ast.Constant) and k.value == v.value
    }
    return bool((keys & values) - same)


def _reads_column(node: ast.AST, name: str) -> bool:
    for inner in nodes(node):
        if isinstance(inner, ast.Constant) and inner.value == name:
            return True
        if isinstance(inner, ast.Attribute) and inner.attr == name:
            return True
    return False


def _frame(node: ast.expr) -> ast.expr:
    """What `.str`, `.cat`, `.loc` and `.iloc` belong to."""
    if isinstance(node, ast.Attribute) and node.attr in ("str", "cat", "loc", "iloc"):
        return node.value
    return node


def _selects_again(index: ast.expr) -> bool:
    """A selection that takes everything of its own result: a mask, a list of columns, `[:5]`."""
    match index:
        case ast.Slice(lower=None | ast.Constant(value=0), upper=upper, step=None):
            return not isinstance(upper, ast.UnaryOp)
        case ast.Slice(lower=ast.UnaryOp(op=ast.USub()), upper=None, step=None):
            return True
        case ast.Slice(lower=ast.Constant(value=str()), step=None):  # labels: from "a" to "c"
            return True
        case ast.Slice() | ast.Constant():
            return False
        case ast.Tuple():
            return all(_selects_again(part) for part in index.elts)
    return True
