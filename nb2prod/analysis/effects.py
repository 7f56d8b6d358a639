"""What each call of a statement does, by the knowledge base, with the evidence for it.

df.dropna(inplace=True)   ->  filters, mutates df
plt.hist(df["a"])         ->  displays
mylib.clean(df)           ->  unknown: may mutate df (ASSUMED)
"""

from __future__ import annotations

import ast

from nb2prod import knowledge
from nb2prod.analysis.events import root
from nb2prod.analysis.types import Types, call_arguments
from nb2prod.ir.flow import Effect, Evidence
from nb2prod.ir.program import Stmt
from nb2prod.knowledge import Fact

FITS = (
    "fit",
    "fit_transform",
    "fit_predict",
    "transform",
    "predict",
    "predict_proba",
    "score",
    "partial_fit",
)
FORWARD = "forward"  # model.forward(X) of PyTorch is model(X)
SHOWING = ("warnings", "logging", "matplotlib", "seaborn", "plotly", "IPython", "sns", "tqdm")
NUMPY_RANDOM, PYTHON_RANDOM, TORCH_RANDOM = "<numpy random>", "<python random>", "<torch random>"
RESOURCES = {
    "numpy": NUMPY_RANDOM,
    "estimator": NUMPY_RANDOM,
    "advances": NUMPY_RANDOM,
    "python": PYTHON_RANDOM,
    "torch": TORCH_RANDOM,
    "tensorflow": "<tensorflow random>",
}
# Types whose unknown methods are taken to change nothing: their methods return new objects.
IMMUTABLE = (
    "builtins.str",
    "builtins.int",
    "builtins.float",
    "builtins.bool",
    "builtins.tuple",
    "pandas.Index",
)


def call_effects(stmt: Stmt, node: ast.Call, types: Types) -> list[Effect]:
    """The effects of one call; mutation of a name is an effect of kind "mutates"."""
    api, fact = types.api_of(node), types.fact(node)
    span = stmt.text.span(node)

    def effect(kind: str, target: str, evidence: Evidence = Evidence.PROVED) -> Effect:
        return Effect(stmt.id, kind, target, span, api or ast.unparse(node.func), evidence)

    if api.startswith("notebook:"):
        return []  # the body says it
    if fact is None:
        return [effect("mutates", name, Evidence.ASSUMED) for name in _may_change(node, types)]
    arguments = call_arguments(node, types)
    found = [effect(fact.effect, root(node.func))]
    for target in changed(fact, node, types):
        found.append(effect("mutates", target))
    if fact.random in RESOURCES and draws_globally(fact, arguments):
        kind = "seeds" if fact.effect == "seeds" else "draws"
        found.append(effect(kind, RESOURCES[fact.random]))
    if fact.effect in ("reads-file", "writes-file"):
        path = knowledge.argument(arguments, fact.path)
        found.append(effect("file", f"<file {path if isinstance(path, str) else '?'}>"))
    if fact.effect == "sets-option" and not _display_option(api, arguments):
        found.append(effect("option", f"<{api.split('.')[0]} options>"))
    if fact.effect == "env":
        found.append(effect("environment", "<environment>"))
    return found


def paths_read(call: ast.Call, types: Types) -> list[ast.expr]:
    """The arguments that say which file a call reads; a query or the name of a data set is none."""
    fact = types.fact(call)
    if fact is None or fact.effect != "reads-file":
        return []
    places = fact.path.split("|")
    by_position = [arg for at, arg in enumerate(call.args) if str(at) in places]
    return [*by_position, *(k.value for k in call.keywords if k.arg in places)]


def changed(fact: Fact, node: ast.Call, types: Types) -> list[str]:
    """The variables whose objects a call with this fact changes."""
    names = []
    for target in fact.mutates:
        what = target.partition(" if ")[0]
        if what == "self" and isinstance(node.func, ast.Attribute):
            names.append(owner(node.func.value, types))
        elif what.isdigit() and int(what) < len(node.args):
            names.append(owner(node.args[int(what)], types))
        else:
            names += [owner(k.value, types) for k in node.keywords if k.arg == what]
    return [name for name in names if name]


def draws_globally(fact: Fact, arguments: dict[str, object]) -> bool:
    """Whether a call with this fact takes numbers from a global stream."""
    seed = arguments.get("random_state", arguments.get("seed"))
    if fact.random in ("estimator", "advances") or "random_state" in arguments:
        return seed is None
    return True


def _may_change(node: ast.Call, types: Types) -> list[str]:
    """Unknown calls may change what they are given; immutable things they cannot."""
    given: list[ast.expr] = [*node.args, *[k.value for k in node.keywords]]
    if isinstance(node.func, ast.Attribute):
        receiver = types.of(node.func.value)
        if _harmless_method(receiver, node, types) or node.func.attr == FORWARD:
            return []
        if node.func.attr in FITS:
            given = []  # whatever the estimator is, it does not change its data
        if not receiver.startswith(("module:", "api:")):
            given.insert(0, node.func.value)
    names = [owner(g, types) for g in given if types.of(g) not in IMMUTABLE]
    return sorted({name for name in names if name and not types.imports.get(name)})


def owner(node: ast.expr, types: Types) -> str:
    """The variable whose object the expression is (part of); empty where a known call makes a new one."""
    inner: ast.expr = node
    while isinstance(inner, (ast.Attribute, ast.Subscript, ast.Call, ast.Starred)):
        if isinstance(inner, ast.Call):
            fact = types.fact(inner)
            if fact is not None and fact.effect not in ("fits", "mutates") and not fact.mutates:
                return ""
            if not isinstance(inner.func, ast.Attribute):
                return ""
            inner = inner.func.value
        else:
            inner = inner.value
    return root(inner)


def _harmless_method(receiver: str, node: ast.Call, types: Types) -> bool:
    """A method on a value of unknown type that no known class with that method changes itself by."""
    if receiver in IMMUTABLE:
        return True
    definition = types.classes.get(receiver.removeprefix("notebook:"))
    if definition is not None and isinstance(node.func, ast.Attribute):
        return _only_reads(definition, node.func.attr, ())
    if receiver:
        return False
    assert isinstance(node.func, ast.Attribute)
    facts = knowledge.methods(node.func.attr, call_arguments(node, types), types.extra)
    return bool(facts) and not any("self" in fact.mutates for fact in facts)


def _only_reads(definition: ast.ClassDef, name: str, within: tuple[str, ...]) -> bool:
    """Whether a method of a class of the notebook changes neither its object nor what it is given."""
    methods = {m.name: m for m in definition.body if isinstance(m, ast.FunctionDef)}
    body = methods.get(name)
    if body is None or body.decorator_list:
        return False
    if name in within:
        return True
    given = {a.arg for a in body.args.args}
    for node in ast.walk(body):
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            return False
        if isinstance(node, (ast.Attribute, ast.Subscript)) and not isinstance(node.ctx, ast.Load):
            if root(node) in given:
                return False
        if isinstance(node, ast.AugAssign) and root(node.target) in given:
            return False
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and root(node.func) in given:
            own = isinstance(node.func.value, ast.Name) and node.func.value.id == body.args.args[0].arg
            facts = knowledge.methods(node.func.attr)
            changes = not facts or any("self" in fact.mutates for fact in facts)
            if own and node.func.attr in methods:
                changes = not _only_reads(definition, node.func.attr, (*within, name))
            if changes:
                return False
    return True


def _display_option(api: str, arguments: dict[str, object]) -> bool:
    """An option that changes how things are shown, not what they are."""
    if api.split(".")[0] in SHOWING or "print" in api:
        return True
    option = arguments.get("0")
    return isinstance(option, str) and (option.startswith(("display", "max_", "precision", "io", "plotting")))
