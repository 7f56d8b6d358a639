"""Binding times: which expressions of the feature code are constant, which are learned, which are per row.

An abstract interpretation of the features and target statements, in order.  A value is CONST (known from
the text), FIT (a function of the training data: a statistic, a list of columns) or ROW (one entry a row).
Where an operation lowers ROW to FIT, or works differently for one row than for many, there is a site, and
the staging runtime must take over.  See `staging.md`-style classes in `Site.kind`: value, keep, fit_only,
split, fit, fit_transform, or the name of an adapter.

It is long because it has a case for each kind of statement, expression and effect, all on one state.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import IntEnum

from nb2prod import knowledge
from nb2prod.analysis.columns import dropped, inherited, left
from nb2prod.analysis.events import root
from nb2prod.analysis.formulas import by_row
from nb2prod.analysis.keys import Keys
from nb2prod.analysis.leftovers import (
    ENTRY_A_ROW,
    carried,
    changed_by,
    changed_inside,
    kept_between_rows,
    label_of_row,
    names_bound,
    repairs,
)
from nb2prod.analysis.siblings import only_chooses_rows
from nb2prod.analysis.types import GROUPED, TABLES, Types
from nb2prod.ir.flow import Evidence, Flow
from nb2prod.ir.program import Stmt
from nb2prod.ir.refusal import Refusal
from nb2prod.ir.stages import Prediction, Site
from nb2prod.knowledge import Fact
from nb2prod.source import Span


class Time(IntEnum):
    CONST = 0
    FIT = 1
    ROW = 2


@dataclass(frozen=True, slots=True)
class Value:
    """`element` marks a value of one single row; `absent` says why it does not exist when serving;
    `site` is the node that was wrapped to get it; `items` are the parts of a list or tuple display;
    `stacked` is a list of things with one entry a row each, such as the predictions of several models.
    """

    time: Time
    element: bool = False
    absent: Refusal | None = None
    site: ast.AST | None = None
    items: tuple[Value, ...] = ()
    stacked: bool = False


CONST, FIT, ROW, ELEMENT = Value(Time.CONST), Value(Time.FIT), Value(Time.ROW), Value(Time.ROW, element=True)
CASTS = ("int", "float", "str", "list", "tuple", "dict", "set", "round", "sorted", "len", "abs", "bool")
CLOCKS = (
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "datetime.date.today",
    "pandas.Timestamp.now",
    "pandas.Timestamp.today",
    "time.time",
)
GROUPS = (
    "a loop over groups of rows; where these are the rows of the model, tag the cell that makes them load"
)
SALTED = ("hash", "id")  # of Python itself: other numbers in every process
FILLED = ("numpy.ones", "numpy.zeros", "numpy.full", "numpy.empty")  # arrays of a given length
JOINS = ("pandas.concat", "numpy.concatenate", "numpy.vstack")
STACKS = ("numpy.array", "numpy.asarray", "numpy.stack", "numpy.vstack")  # of a list: an array of its columns
ROW_ITERATORS = ("iterrows", "itertuples", "items")


def join(values: Iterable[Value]) -> Value:
    """The value of an operation on these operands, row by row."""
    every = list(values)
    time = max((v.time for v in every), default=Time.CONST)
    rows = [v for v in every if v.time is Time.ROW]
    absent = next((v.absent for v in every if v.absent), None)
    return Value(time, bool(rows) and all(v.element for v in rows), absent)


def refuse_batch_prediction(
    flow: Flow, types: Types, prediction: Prediction, model: str, rows: AbstractSet[str]
) -> tuple[Refusal, ...]:
    """Refusals for predictions of which one depends on the other rows of the batch, or on rows of the
    training data: `rows` are the names that the features leave with an entry for each of these.
    """
    walker, answer = _predicting(flow, types, prediction, {model: FIT})
    detail = "a prediction for one row would depend on the rows beside it"
    found = [replace(answer.absent, detail=detail)] if answer.absent is not None else []
    found += [r for r in walker.refusals if r.code == "NBP402"]
    found += [
        Refusal("NBP402", site.span, ast.unparse(site.node), detail)
        for site in walker.sites.values()
        if site.kind in ("value", "once", "keep") and isinstance(site.node, (ast.Call, ast.Subscript))
    ]
    taken = sorted(rows & set(prediction.given) - _mentioned(prediction.rows))
    if taken and not found:
        span = flow.by_id[prediction.stmts[-1]].span
        why = Refusal("NBP402", span, taken[0], "the rows of the training data are not there when serving")
        given = {model: FIT, **dict.fromkeys(taken, Value(Time.ROW, absent=why))}
        answer = _predicting(flow, types, prediction, given)[1]
        found += [answer.absent] if answer.absent is not None else []
    return tuple(found)


def _predicting(
    flow: Flow, types: Types, prediction: Prediction, given: dict[str, Value]
) -> tuple[_Walker, Value]:
    """The inference statements, interpreted, and their answer."""
    walker, answer = _Walker(flow, types), CONST
    walker.env |= given | dict.fromkeys(_mentioned(prediction.rows), ROW)
    walker.predicted = ast.dump(prediction.rows) if prediction.rows is not None else ""
    for id in prediction.stmts:
        walker.stmt = flow.by_id[id]
        if prediction.value is not None and id == prediction.stmts[-1]:
            answer = walker.expression(prediction.value)
        else:
            walker.statement(walker.stmt.node)
            answer = walker.env.get(prediction.result, CONST)
    return walker, answer


def _mentioned(node: ast.expr | None) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} if node is not None else set()


@dataclass(frozen=True, slots=True)
class Binding:
    """What the interpretation found."""

    sites: tuple[Site, ...]
    refusals: tuple[Refusal, ...]
    staged_functions: tuple[str, ...]
    assumptions: tuple[str, ...] = ()
    rows: frozenset[str] = frozenset()  # the names that hold rows of the training data at the end
    absent: tuple[Refusal, ...] = ()  # why what the model is fitted on does not exist when serving


def bind(
    flow: Flow,
    types: Types,
    body: list[int],
    target: set[int],
    frames: dict[str, Time],
    hidden: AbstractSet[int],
    written_out: Mapping[int, ast.expr],
    x: ast.expr,
    at: int,
) -> Binding:
    """Interprets the statements `body` (features and target, in order) without those in `hidden`; `frames`
    start as given, names in `written_out` stand for an expression, and `x` is what the model is fitted on in
    the statement `at`.
    """
    walker = _Walker(flow, types, hidden)
    walker.written_out = written_out
    walker.env.update({name: Value(time) for name, time in frames.items()})
    walker.frames, walker.body = set(frames), set(body)
    walker.read_back = {file for id in body for file in flow.read_back(id)}
    for id in body:
        stmt = flow.by_id[id]
        walker.stmt = stmt
        walker.context = "target" if id in target else ""
        walker.statement(stmt.node)
    walker.stmt, walker.context = flow.by_id[at], ""
    fitted_on = walker.expression(x)
    drafts = sorted(walker.sites.values(), key=lambda s: (s.function, s.span))
    staged = {s.function for s in drafts if s.function and s.function != "target"}
    return Binding(
        tuple(Keys().named(drafts, types)),
        tuple(walker.refusals),
        tuple(sorted(walker.callers(staged))),
        tuple(dict.fromkeys(walker.assumptions)),
        frozenset(name for name, value in walker.env.items() if value.time is Time.ROW),
        (*walker.absent_in(x), *([fitted_on.absent] if fitted_on.absent is not None else [])),
    )


class _Walker:
    def __init__(self, flow: Flow, types: Types, hidden: AbstractSet[int] = frozenset()) -> None:
        self.flow = flow
        self.types = types
        self.hidden = hidden
        self.written_out: Mapping[int, ast.expr] = {}
        self.body: AbstractSet[int] = frozenset()
        self.each = 0  # how many loops over rows and functions of rows we are in
        self.env: dict[str, Value] = {}
        self.counts: dict[str, ast.expr] = {}  # what variables were made of that may be the number of rows
        self.sites: dict[int, Site] = {}
        self.refusals: list[Refusal] = []
        self.assumptions: list[str] = []
        self.loops: list[str] = []
        self.stmt: Stmt
        self.context = ""
        self.assigned: tuple[str, ast.AST | None] = ("", None)  # the value that is being named
        self.active: dict[tuple[str, tuple[Value, ...]], Value] = {}
        self.calls: set[tuple[str, str]] = set()
        self.returned: list[Value] = []
        self.predicted = ""  # what stands for the rows to predict
        # by frame and column; the frame "" is what a call made
        self.absent_columns: dict[tuple[str, str], Refusal] = {}
        self.without: dict[str, set[str]] = {}  # the absent columns that a frame surely has not
        self.frames: set[str] = set()  # loaded frames that still have the rows of their file
        self.read_back: set[str] = set()  # files that the same statements write and read

    # sites and refusals

    def span(self, node: ast.AST) -> Span:
        text = self.stmt.text
        definition = self.types.functions.get(self.context)
        if definition is not None:
            owner = next((s for s in self.flow.by_id.values() if s.node is definition), None)
            text = owner.text if owner is not None else text
        assert isinstance(node, (ast.expr, ast.stmt))
        return text.span(node)

    def site(self, node: ast.AST, kind: str, why: str, evidence: Evidence = Evidence.PROVED) -> None:
        if kind == "value" and self.each:
            kind = "once"
        if kind in ("value", "once"):
            for call, changed in changed_inside(node, self.types):
                detail = (
                    f"it changes `{changed}` inside of what is learned once; do that in its own statement"
                )
                self.refuse("NBP403", call, ast.unparse(call), detail)
            self.refuse_by_row(node)
        for inner in ast.walk(node):  # the outer wrap takes the inner ones with it
            if kind in ("value", "once") and inner is not node:
                self.sites.pop(id(inner), None)
        names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        at = tuple(name for name in self.loops if name in names)
        hint = self.assigned[0] if node is self.assigned[1] else ""
        self.sites[id(node)] = Site(node, kind, hint, self.span(node), evidence, why, at, self.context)

    def refuse_by_row(self, node: ast.AST) -> None:
        """A statistic of all rows that is another one for each row cannot be learned once."""
        inside = {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
        inside |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        names = [n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id not in inside]
        own = next((name for name in names if self.env.get(name, CONST).element), "")
        if own:
            detail = f"it is another one for each `{own}`; learn them all first, for instance with groupby"
            self.refuse("NBP402", node, ast.unparse(node), detail)

    def value(self, node: ast.AST, why: str, evidence: Evidence = Evidence.PROVED) -> Value:
        self.site(node, "value", why, evidence)
        return Value(Time.FIT, site=node)

    def refuse(self, code: str, node: ast.AST, subject: str, detail: str = "") -> None:
        refusal = Refusal(code, self.span(node), subject, detail)
        if refusal not in self.refusals:
            self.refusals.append(refusal)

    @contextmanager
    def noting_nothing(self) -> Iterator[None]:
        kept = dict(self.sites), list(self.refusals), list(self.assumptions)
        yield
        self.sites, self.refusals, self.assumptions = kept

    # statements

    def statement(self, node: ast.stmt) -> None:
        if id(node) in self.hidden:
            return
        match node:
            case ast.Assign():
                first = node.targets[0]
                self.assigned = (first.id if isinstance(first, ast.Name) else "", node.value)
                value = self.expression(node.value)
                self.assigned = ("", None)
                self.refuse_row_labels(node)
                self.refuse_rows_beside(node)
                unpacked = isinstance(first, (ast.Tuple, ast.List)) and not value.element
                if unpacked and value.time is Time.ROW and self.types.of(node.value) == "pandas.Series":
                    value = self.value(node.value, "entries of a column")
                for target in node.targets:
                    self.inherit(target, node.value)
                    self.assign(target, value)
            case ast.AnnAssign():
                if node.value is not None:
                    self.assign(node.target, self.expression(node.value))
            case ast.AugAssign():
                value = join([self.expression(node.value), self.expression(node.target)])
                self.assign(node.target, value)
            case ast.Expr():
                self.effect_statement(node)
            case ast.For():
                self.loop(node)
            case ast.Return():
                if node.value is not None:
                    self.returned.append(self.expression(node.value))
            case ast.FunctionDef() | ast.ClassDef() | ast.Import() | ast.ImportFrom():
                pass
            case ast.Delete():
                self.forget(node)
            case ast.If() | ast.While():
                test = self.expression(node.test)
                if test.time is Time.ROW and not test.element:
                    self.refuse(
                        "NBP402", node.test, ast.unparse(node.test), "a branch on the rows themselves"
                    )
                self.branches([node.body, node.orelse])
            case ast.Try() if repairs(node) and not self.each and self.of_rows(node.body):
                detail = "whether it fails depends on all rows that come together"
                self.refuse("NBP402", node, "try", detail)
            case _:
                for child in ast.iter_child_nodes(node):
                    if isinstance(child, ast.stmt):
                        self.statement(child)
                    elif isinstance(child, ast.expr):
                        self.expression(child)
                    elif isinstance(child, ast.withitem):
                        self.expression(child.context_expr)
                    elif isinstance(child, ast.ExceptHandler):
                        self.branches([child.body])

    def of_rows(self, body: list[ast.stmt]) -> bool:
        """Whether statements read rows as a whole."""
        names = {n.id for stmt in body for n in ast.walk(stmt) if isinstance(n, ast.Name)}
        return any(self.env.get(name, CONST).time is Time.ROW for name in names)

    def refuse_row_labels(self, node: ast.Assign) -> None:
        """`df["id"] = df.index`: a row that is served has no label of its own."""
        if not isinstance(node.targets[0], ast.Subscript) or not isinstance(node.value, ast.expr):
            return
        named = {
            id(k.value)
            for n in ast.walk(node.value)
            if isinstance(n, ast.Call)
            for k in n.keywords
            if k.arg == "index"
        }
        for inner in ast.walk(node.value):
            if isinstance(inner, ast.Attribute) and inner.attr == "index" and id(inner) not in named:
                if self.expression(inner.value).time is Time.ROW and self.types.of(inner.value) in TABLES:
                    if inner is node.value or isinstance(node.value, ast.BinOp):
                        self.refuse(
                            "NBP402", node, ast.unparse(inner), "row labels are those of the training data"
                        )

    def refuse_rows_beside(self, node: ast.Assign) -> None:
        """`df["x"] = other["x"]`: rows of two files that belong together by their place."""
        target, value = node.targets[0], node.value
        while isinstance(value, (ast.Attribute, ast.Subscript)):
            value = value.value
        if not isinstance(target, ast.Subscript) or not isinstance(value, ast.Name) or value is node.value:
            return
        owner = root(target)
        if {owner, value.id} <= self.frames and owner != value.id:
            detail = "the rows of two tables are put side by side; merge them by a key"
            self.refuse("NBP402", node, ast.unparse(node.value), detail)

    def branches(self, bodies: list[list[ast.stmt]]) -> None:
        """Each branch starts alike; afterwards a name has the later of its times."""
        before = dict(self.env)
        results = []
        for body in bodies:
            self.env = dict(before)
            for stmt in body:
                self.statement(stmt)
            results.append(self.env)
        self.env = before
        for result in results:
            for name, value in result.items():
                known = self.env.get(name)
                self.env[name] = value if known is None or value.time > known.time else known

    def loop(self, node: ast.For) -> None:
        iterated = self.expression(node.iter)
        if self.splits(node.iter) and not only_chooses_rows(node, self.types):
            detail = "what features learn fold by fold, a row to predict cannot have"
            self.refuse("NBP402", node.iter, ast.unparse(node.iter), detail)
        element = self.element(node.iter, iterated)
        before = dict(self.env)
        names = [n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)]
        parts = dict.fromkeys(names, element) | self.parts(node)
        keys = [name for name in names if parts[name].time is not Time.ROW]
        self.loops += keys
        self.each += element.element
        for _ in range(2):  # what one turn leaves, the next one finds
            self.env |= parts
            self.branches([node.body])
        self.each -= element.element
        if element.element:
            self.refuse_carried(node)
            self.refuse_kept(node, before)
            if not self.each:
                self.leave(node)
        del self.loops[len(self.loops) - len(keys) :]
        self.branches([node.orelse])

    def refuse_carried(self, node: ast.For) -> None:
        """A value that one row leaves for the next one: a row alone would not find it."""
        for stmt, name in carried(node):
            if self.env.get(name, CONST).element:
                self.refuse("NBP402", stmt, name, "it carries a value from row to row")

    def leave(self, node: ast.For) -> None:
        """After a loop over rows a variable of it is what the last row left, or counts them all."""
        counted = {name for _, name in carried(node)}
        for stmt in ast.walk(node):
            for name in names_bound(stmt):
                if self.env[name].element or (name in counted and self.env[name].time is Time.CONST):
                    detail = "it is what all rows left in a loop; compute it with one expression"
                    self.env[name] = replace(ROW, absent=Refusal("NBP402", self.span(stmt), name, detail))

    def refuse_kept(self, node: ast.For | ast.FunctionDef | ast.Lambda, before: dict[str, Value]) -> None:
        """What one row leaves for the next ones in a container that is not its own."""
        for inner, name in kept_between_rows(node, self.types):
            if before.get(name, CONST).time is not Time.ROW:
                detail = (
                    f"each row changes `{name}` for the rows after it; count or collect with one expression"
                )
                self.refuse("NBP402", inner, ast.unparse(inner), detail)

    def parts(self, node: ast.For) -> dict[str, Value]:
        """What the variables of a loop are, where the parts of what it yields are different things."""
        target, iterated = node.target, node.iter
        if not isinstance(target, ast.Tuple) or not isinstance(iterated, ast.Call):
            return {}
        values = [self.element(a, self.expression(a)) for a in iterated.args]
        match self.types.api_of(iterated):
            case "pandas.DataFrame.items" if self.expression(iterated.func).time is Time.ROW:
                values = [FIT, ROW]
            case "builtins.enumerate" if values:
                number = values[0] if values[0].element else CONST
                values = [number, values[0]]
            case "builtins.zip":
                pass
            case _:
                return {}
        names = [[n.id for n in ast.walk(part) if isinstance(n, ast.Name)] for part in target.elts]
        return {name: value for group, value in zip(names, values, strict=False) for name in group}

    def element(self, iterated: ast.expr, value: Value) -> Value:
        if value.items:
            return join(value.items) if any(v.time is Time.ROW for v in value.items) else FIT
        if value.stacked:
            return replace(value, stacked=False, site=None)
        if value.time is not Time.ROW:
            return FIT if value.time is Time.FIT else CONST
        if self.splits(iterated):
            return ROW  # the positions of many rows
        kind = self.types.of(iterated)
        if kind == "pandas.DataFrame":
            return FIT  # the names of its columns
        if kind in GROUPED:
            self.refuse("NBP402", iterated, ast.unparse(iterated), GROUPS)
        return replace(ELEMENT, absent=value.absent)

    def splits(self, node: ast.expr) -> bool:
        fact = self.types.fact(node) if isinstance(node, ast.Call) else None
        return fact is not None and fact.effect == "splits"

    def effect_statement(self, node: ast.Expr) -> None:
        """A call for its effect: an in-place filter, a draw that only keeps the stream, a fit, a plot."""
        self.forget(node)
        call = node.value
        fact = self.types.fact(call) if isinstance(call, ast.Call) else None
        effects = [e.kind for e in self.flow.effects_of(self.stmt.id)]
        if not self.context and ("draws" in effects or "seeds" in effects) and node is self.stmt.node:
            self.site(call, "fit_only", "keeps the random stream where the notebook had it")
            changed = changed_by(call, self.types) if isinstance(call, ast.Call) else ""
            if changed and self.env.get(changed, CONST).time is Time.CONST and self.is_read_later(changed):
                self.refuse("NBP401", call, ast.unparse(call), f"it changes `{changed}`, which features read")
            return
        if (
            isinstance(call, ast.Call)
            and fact is not None
            and fact.effect == "filters"
            and "self" in fact.mutates
        ):
            self.operands(call)
            self.site(call, "drop_rows", f"{fact.name} removes rows")
            return
        value = self.expression(call)
        if isinstance(call, ast.Call) and (changed := changed_by(call, self.types)):
            self.collect(call, changed, value)
        if value.site is not None and fact is None:
            self.sites.pop(id(value.site), None)
        elif value.site is call or (isinstance(call, (ast.Attribute, ast.Subscript, ast.Name))):
            self.sites.pop(id(value.site), None)  # nobody reads it

    def forget(self, node: ast.stmt) -> None:
        """`df.drop(columns="a", inplace=True)`, `del df["a"]`: a column that is gone matters to nobody."""
        for key in dropped(node) & self.absent_columns.keys():
            del self.absent_columns[key]

    def is_read_later(self, name: str) -> bool:
        """Whether a later statement of the features reads what this one left in `name`."""
        here = self.stmt.id
        return any(
            u.name == name and here in u.reaches and u.stmt in self.body and u.stmt != here
            for u in self.flow.uses
        )

    def collect(self, call: ast.Call, name: str, value: Value) -> None:
        """A call changes what `name` holds: a list gets a column, an array is sorted or counts rows."""
        known = self.env.get(name, CONST)
        rows = [v for v in self.operands(call) if v.time is Time.ROW and not v.element]
        if value.absent is not None and known.time is Time.ROW:
            self.env[name] = value
        elif known.time is not Time.ROW and self.each and getattr(call.func, "attr", "") in ENTRY_A_ROW:
            if any(v.element for v in self.operands(call)):
                self.env[name] = ROW  # a list with an entry for each row
        elif known.time is not Time.ROW and rows and not self.each:
            if isinstance(call.func, ast.Attribute) and call.func.attr == "append":
                self.env[name] = replace(join(rows), stacked=True)
            elif call.args and root(call.args[0]) == name:
                detail = f"`{name}` collects from all rows; count or collect with one expression"
                self.refuse("NBP402", call, ast.unparse(call), detail)

    def assign(self, target: ast.expr, value: Value) -> None:
        match target:
            case ast.Name():
                self.env[target.id] = replace(value, site=None)
                self.counts.pop(target.id, None)
                if isinstance(value.site, ast.expr):
                    self.counts[target.id] = value.site
            case ast.Tuple() | ast.List():
                for position, inner in enumerate(target.elts):
                    part = (
                        value.items[position]
                        if len(value.items) == len(target.elts)
                        else replace(value, items=(), site=value.site if position == 0 else None)
                    )
                    self.assign(inner, part)
            case ast.Starred():
                self.assign(target.value, value)
            case ast.Subscript() | ast.Attribute():
                self.store(target, value)

    def inherit(self, target: ast.expr, value: ast.expr) -> None:
        """A frame that is made of others has their columns, also those that no row to predict can have."""
        names = {n.id for n in ast.walk(target) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        kept, without = inherited(value, self.absent_columns), self.left_out(value)
        for name in names:
            for key in [k for k in self.absent_columns if k[0] in (name, "")]:
                del self.absent_columns[key]
            self.absent_columns |= {(name, column): why for column, why in kept.items()}
            self.without[name] = without

    def left_out(self, value: ast.expr) -> set[str]:
        """The absent columns that an expression, or a frame that it reads, surely leaves out."""
        columns = {column for _, column in self.absent_columns}
        names = {n.id for n in ast.walk(value) if isinstance(n, ast.Name)}
        return (columns - left(value, columns)).union(*(self.without.get(name, set()) for name in names))

    def absent_in(self, x: ast.expr) -> tuple[Refusal, ...]:
        """Why columns of the rows that the model is fitted on do not exist when serving; where it is not seen
        that they leave such a column out, they may have it.
        """
        without = self.left_out(x) - set(inherited(x, self.absent_columns))
        return tuple(why for (_, column), why in self.absent_columns.items() if column not in without)

    def store(self, target: ast.Subscript | ast.Attribute, value: Value) -> None:
        """Into a frame, a container or an object."""
        if isinstance(target, ast.Subscript):
            self.expression(target.slice)
        owner = root(target)
        known = self.env.get(owner, CONST)
        if known.time is Time.ROW and not known.element and _names_a_row(target):
            self.refuse("NBP402", target, ast.unparse(target), "it names a row of the training data")
        if value.absent is not None and known.time is Time.ROW and not known.element:
            column = _column(target)
            if column:
                self.absent_columns[(owner, column)] = value.absent
            else:
                self.refusals.append(value.absent)
        elif known.time is Time.ROW and isinstance(target, ast.Subscript):
            self.absent_columns.pop((owner, _column(target)), None)
        if known.time < value.time and not value.element:
            self.env[owner] = replace(value, site=None)
        elif value.element and known.time is not Time.ROW:
            self.env[owner] = ROW

    # expressions

    def expression(self, node: ast.AST) -> Value:
        if self.predicted and ast.dump(node) == self.predicted:
            return ROW
        match node:
            case ast.Constant():
                return CONST
            case ast.Name() if id(node) in self.written_out:
                return self.expression(self.written_out[id(node)])
            case ast.Name():
                return self.env.get(node.id, CONST)
            case ast.Attribute():
                return self.attribute(node)
            case ast.Subscript():
                return self.subscript(node)
            case ast.Call():
                return self.call(node)
            case ast.List() | ast.Tuple() | ast.Set():
                items = tuple(self.expression(e) for e in node.elts)
                stacked = bool(items) and all(v.time is Time.ROW and not v.element for v in items)
                return replace(join(items), items=items, stacked=stacked)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
                return self.comprehension(node, [node.elt])
            case ast.DictComp():
                return self.comprehension(node, [node.key, node.value])
            case ast.Lambda():
                return self.lambda_value(node, CONST)
            case ast.Compare(ops=[ast.In() | ast.NotIn()], comparators=[among]):
                return self.membership(node, self.expression(node.left), among)
            case ast.NamedExpr():
                value = self.expression(node.value)
                self.assign(node.target, value)
                return value
            case ast.JoinedStr():
                parts = [p.value for p in node.values if isinstance(p, ast.FormattedValue)]
                return join(self.expression(p) for p in parts)
            case _:
                children = [c for c in ast.iter_child_nodes(node) if isinstance(c, ast.expr)]
                return join(self.expression(c) for c in children)

    def membership(self, node: ast.Compare, one: Value, among: ast.expr) -> Value:
        """`"Oslo" in df["city"].values`: whether a value occurs among all rows."""
        many = self.expression(among)
        if many.time is not Time.ROW or many.element or many.stacked:
            return join([one, many])
        if one.time is Time.ROW:
            return join([one, self.value(among, "all values of a column")])
        return self.value(node, "whether a value is among all rows")

    def chained(self, node: ast.expr, base: Value, others: Iterable[Value]) -> Value:
        """An operation on a learned value is learned with it: `mode()[0]` is one wrap, of the scalar."""
        if base.site is not None and base.time is Time.FIT and id(base.site) in self.sites:
            if all(o.time is not Time.ROW for o in others):
                inner = self.sites[id(base.site)]
                return self.value(node, inner.why, inner.evidence)
        return replace(join([base, *others]), items=())

    def attribute(self, node: ast.Attribute) -> Value:
        base = self.expression(node.value)
        if base.time is not Time.ROW or base.element:
            return self.chained(node, base, [])
        if base.stacked and node.attr == "T":  # np.array([a, b]).T: a row for each row, as np.c_[a, b]
            return replace(base, stacked=False, items=(), site=None)
        fact = self.types.fact(node)
        if fact is not None and fact.effect in ("schema", "aggregates"):
            return self.value(node, f"`{node.attr}` depends on all rows or on the columns")
        return self.column(node, base, node.attr)

    def column(self, node: ast.expr, base: Value, name: str) -> Value:
        absent = self.absent_columns.get((root(node), name))
        return replace(base, site=None, items=(), absent=absent or base.absent)

    def subscript(self, node: ast.Subscript) -> Value:
        base, index = self.expression(node.value), self.expression(node.slice)
        if base.items and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, int):
            position = node.slice.value
            if -len(base.items) <= position < len(base.items):
                return base.items[position]
        if base.stacked and isinstance(node.value, ast.Name):  # an entry of a list, or a part of it
            return replace(base, stacked=isinstance(node.slice, ast.Slice), items=(), site=None)
        if base.time is not Time.ROW or base.element or index.element:
            return self.chained(node, base, [index]) if not index.element else replace(ELEMENT)
        kind = self.types.of(node.value)
        if kind == "pandas.LocIndexer":
            return self.located(node, base)
        if kind == "builtins.list" and isinstance(node.slice, ast.Slice):
            return replace(base, items=(), absent=self.absent("NBP402", node, "a part of all rows"))
        if index.absent is not None:  # a draw or the like chooses the rows
            return self.filtered(node, base, "a row filter")
        chosen = inherited(node, self.absent_columns) if isinstance(node.slice, ast.List) else {}
        if chosen:
            return replace(base, site=None, items=(), absent=next(iter(chosen.values())))
        if _is_mask(node.slice, index, self.types) or (
            isinstance(node.slice, ast.Slice) and kind != "pandas.StringMethods"
        ):
            return self.filtered(node, base, "a row filter")
        if kind in ("pandas.Series", "numpy.ndarray", "builtins.list") and self.one_entry(node):
            return self.value(node, "one entry of a column")
        if isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str):
            return self.column(node, base, node.slice.value)
        if isinstance(node.slice, ast.Tuple) and node.slice.elts and not _is_full(node.slice.elts[0]):
            return self.filtered(node, base, "a choice of rows")
        return replace(join([base, index]), items=(), absent=base.absent)

    def one_entry(self, node: ast.Subscript) -> bool:
        """`column["label"]`, `array[0]`: one entry, which is no longer one for each row."""
        index = node.slice
        scalar = isinstance(index, ast.Constant) and isinstance(index.value, (int, str))
        site = self.types.site(node)
        if site is not None and site.shape is not None:
            base = self.types.site(node.value)
            return bool(scalar and base is not None and base.shape and len(site.shape) < len(base.shape))
        return scalar or (isinstance(index, ast.UnaryOp) and isinstance(index.operand, ast.Constant))

    def located(self, node: ast.Subscript, base: Value) -> Value:
        """`.loc[rows, columns]` and its relatives."""
        rows = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
        if _is_full(rows):
            column = (
                node.slice.elts[1] if isinstance(node.slice, ast.Tuple) and len(node.slice.elts) > 1 else None
            )
            if isinstance(column, ast.Constant) and isinstance(column.value, str):
                return self.column(node, base, column.value)
            return replace(base, items=())
        value = self.expression(rows)
        if value.element:
            return ELEMENT
        chooses = isinstance(rows, ast.Slice) or self.types.of(rows) in TABLES
        if value.absent is not None or value.time is Time.ROW or chooses:
            return self.filtered(node, base, "a row filter")
        if isinstance(rows, (ast.Constant, ast.UnaryOp)):
            return self.value(node, "one row of the frame")
        return self.filtered(node, base, "a choice of rows")

    def filtered(self, node: ast.expr, base: Value, why: str) -> Value:
        self.site(node, "keep", why)
        return Value(Time.ROW, absent=base.absent)

    def comprehension(self, node: ast.expr, results: list[ast.expr]) -> Value:
        assert isinstance(node, (ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp))
        outer, each = dict(self.env), self.each
        times, through = [], []
        for generator in node.generators:
            iterated = self.expression(generator.iter)
            through.append(iterated)
            element = self.element(generator.iter, iterated)
            times.append(element)
            self.each += element.element
            for name in ast.walk(generator.target):
                if isinstance(name, ast.Name):
                    self.env[name.id] = element
            times += [self.expression(test) for test in generator.ifs]
        times += [self.expression(result) for result in results]
        self.env, self.each = outer, each
        whole = join(times)
        inside = [n for n in ast.walk(node) if id(n) in self.sites]
        if whole.time is not Time.ROW and inside:
            return self.value(node, self.sites[id(inside[0])].why)
        of_rows = [v for v in through if v.time is Time.ROW]
        if isinstance(node, (ast.DictComp, ast.SetComp)) and any(not v.element for v in of_rows):
            return self.value(node, "a table of all rows")
        if any(g.ifs and self.numbers_rows(g.iter) for g in node.generators):
            return Value(Time.ROW, absent=whole.absent)  # the numbers of some rows: they choose them
        if of_rows and all(v.element for v in of_rows):  # the words of one text
            return Value(whole.time, element=True, absent=whole.absent)
        columns = isinstance(node, (ast.ListComp, ast.GeneratorExp)) and not whole.element
        return Value(whole.time, absent=whole.absent, stacked=columns and whole.time is Time.ROW)

    def lambda_value(self, node: ast.Lambda, argument: Value) -> Value:
        outer, defaults = dict(self.env), self.defaults_of(node.args)
        for parameter in node.args.args:
            self.env[parameter.arg] = argument
        self.env |= defaults
        value = self.expression(node.body)
        self.env = outer
        return replace(value, items=())

    def defaults_of(self, arguments: ast.arguments) -> dict[str, Value]:
        """The default values of parameters, which are worked out where a function is defined."""
        every = [a.arg for a in [*arguments.posonlyargs, *arguments.args]]
        names = every[len(every) - len(arguments.defaults) :]
        found = dict(zip(names, map(self.expression, arguments.defaults), strict=True))
        for name, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if default is not None:
                found[name.arg] = self.expression(default)
        return {name: replace(value, site=None) for name, value in found.items()}

    # calls

    def operands(self, node: ast.Call) -> list[Value]:
        given = [a.value if isinstance(a, ast.Starred) else a for a in node.args]
        given += [k.value for k in node.keywords]
        return [self.expression(g) for g in given]

    def call(self, node: ast.Call) -> Value:
        function = self.types.api_of(node)
        if function.startswith("notebook:") and function[9:] in self.types.functions:
            return self.notebook_call(node, function[9:])
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if self.numbers_rows(node):
            return replace(ELEMENT, absent=self.absent("NBP402", node, "the number of a row"))
        if function in FILLED and node.args and self.is_row_count(_first(node.args[0])):
            return replace(join([ROW, *map(self.expression, node.args[1:])]), items=())
        is_method = isinstance(node.func, ast.Attribute)
        receiver = self.expression(node.func.value) if isinstance(node.func, ast.Attribute) else CONST
        if is_method and isinstance(node.func, ast.Attribute) and node.func.attr in ROW_ITERATORS:
            if receiver.time is Time.ROW:
                return FIT if node.func.attr == "items" else ROW
        given = [node.args[0]] if node.args else []
        if name in ("list", "tuple") and given and self.types.of(given[0]) == "builtins.set":
            self.operands(node)
            return self.value(node, "the order of a set differs from process to process")
        salted = [a for a in node.args if isinstance(a, ast.Name) and a.id in SALTED]
        if (name in SALTED or salted) and name not in self.env:
            return replace(ELEMENT, absent=self.absent("NBP401", node, "it differs from process to process"))
        fact = self.types.fact(node)
        if fact is not None and fact.calls:
            return self.with_function(node, fact, receiver)
        operands = self.operands(node)
        every = [receiver, *operands]
        rows = [v for v in every if v.time is Time.ROW and not v.element]
        if not rows:
            if name in CASTS and operands and operands[0].site is not None:
                return self.chained(node, operands[0], operands[1:])
            return self.without_rows(node, fact, receiver, operands)
        if fact is None:
            return self.unknown(node, every)
        return self.known(node, fact, every)

    def without_rows(
        self, node: ast.Call, fact: Fact | None, receiver: Value, operands: list[Value]
    ) -> Value:
        if fact is not None and fact.effect == "reads-file":
            if self.env.get(self.file(node), CONST).time is Time.ROW:
                self.site(node, "read_csv", "the dtypes of what comes back from a file")
                return ROW
            return self.value(node, "read from a file")
        drawn = fact is not None and (fact.effect == "draws" or fact.random in ("numpy", "python", "entropy"))
        if fact is not None and drawn and fact.effect not in ("seeds", "constructs"):
            return replace(FIT, absent=self.absent("NBP401", node))
        if self.types.api_of(node) in CLOCKS:
            return replace(FIT, absent=self.absent("NBP401", node, "it depends on when it runs"))
        if isinstance(node.func, ast.Attribute):
            return self.chained(node, receiver, operands)
        return replace(join(operands), items=())

    def file(self, node: ast.Call) -> str:
        """The file that a call reads or writes, as the data flow names it."""
        span = self.span(node)
        files = [e for e in self.flow.effects_of(self.stmt.id) if e.kind == "file" and e.span == span]
        return files[0].target if files else ""

    def absent(self, code: str, node: ast.AST, detail: str = "") -> Refusal:
        return Refusal(code, self.span(node), ast.unparse(node), detail)

    def numbers_rows(self, node: ast.expr) -> bool:
        """`range(len(df))`, `np.arange(0, len(df))`."""
        if not isinstance(node, ast.Call) or self.types.api_of(node) not in (
            "builtins.range",
            "numpy.arange",
        ):
            return False
        begin, *end = node.args[:2] or [node]
        return self.is_row_count(end[0] if end and getattr(begin, "value", None) == 0 else begin)

    def is_row_count(self, node: ast.expr) -> bool:
        """`len(df)` or `df.shape[0]`, or a variable of it, as the length of a loop or array: live."""
        match node:
            case ast.Call(func=ast.Name(id="len"), args=[inner]):
                value = self.expression(inner)
            case ast.Subscript(value=ast.Attribute(value=inner, attr="shape"), slice=ast.Constant(value=0)):
                value = self.expression(inner)
            case ast.Attribute(value=inner, attr="shape"):  # rows, columns = df.shape
                value = self.expression(inner)
            case ast.Name(id=name) if name in self.counts and self.is_row_count(self.counts[name]):
                self.sites.pop(id(self.counts[name]), None)
                return True
            case _:
                return False
        return value.time is Time.ROW

    def known(self, node: ast.Call, fact: Fact, every: list[Value]) -> Value:
        why = fact.learns or f"{fact.api} {fact.effect}"
        if fact.api in JOINS:
            self.note_joined(node)
        match fact.effect:
            case "aggregates" if any(v.stacked for v in every) and _over_the_list(node, fact):
                return join(every)
            case "aggregates":
                return self.value(node, f"{fact.name} of all rows")
            case _ if fact.api == "pandas.concat" and self.repeats_rows(node):
                detail = "rows are added to their own frame: which of them judge the model is not known"
                self.refuse("NBP403", node, "pd.concat", detail)
                return ROW
            case "schema" if fact.returns == "frame":
                self.site(node, "columns", f"{fact.name} chooses columns by what they hold")
                return ROW
            case "schema":
                return self.value(node, f"{fact.name} depends on the columns")
            case "filters" if fact.name == "merge":
                self.site(node, "merge", "rows without a partner fall away")
                return ROW
            case "filters":
                return self.filtered(node, every[0], f"{fact.name} removes rows")
            case "splits":
                folds = getattr(node.func, "attr", "") == "split"
                self.site(node, "folds" if folds else "split", "training and evaluation rows")
                return replace(join(every), items=(), absent=None)
            case "learns" | "fits":
                return self.learned(node, fact, why)
            case "needs-other-rows":
                return replace(ROW, absent=self.absent("NBP402", node))
            case "draws":
                return replace(ROW, absent=self.absent("NBP401", node))
            case "writes-file" if self.file(node) in self.read_back:
                self.site(node, "write_csv", "a file that is read again")
                self.env[self.file(node)] = ROW
                return FIT
            case "displays" | "scores" | "sets-option" | "writes-file":
                return FIT
            case "constructs" if fact.returns == "estimator":
                return FIT
            case _ if fact.random == "numpy" or fact.random == "python":
                return replace(ROW, absent=self.absent("NBP401", node))
            case _ if fact.name == "eval" and not by_row(node):
                detail = "its text calls what may look at all rows; write it as Python"
                return replace(ROW, absent=self.absent("NBP403", node, detail))
            case _:
                return replace(join(every), stacked=fact.api in STACKS and every[1].stacked)

    def note_joined(self, node: ast.Call) -> None:
        """Both sides of a split are put below each other: serving gives the other side no row."""
        parts = node.args[0].elts if node.args and isinstance(node.args[0], (ast.List, ast.Tuple)) else []
        names = {root(part) for part in parts}
        below = not any(k.arg == "axis" for k in node.keywords) and len(node.args) == 1
        if len(names) > 1 and below and all(self.expression(p).time is Time.ROW for p in parts):
            for key, site in self.sites.items():
                if site.kind == "split":
                    self.sites[key] = replace(site, options=("joined=True",))

    def repeats_rows(self, node: ast.Call) -> bool:
        """Whether a frame gets more of its own rows: `concat([df, df[df.rare]])`; serving adds none."""
        frames = node.args[0].elts if node.args and isinstance(node.args[0], (ast.List, ast.Tuple)) else []
        if len(frames) < 2 or any(k.arg == "axis" for k in node.keywords) or len(node.args) > 1:
            return False
        first = frames[0]
        own = isinstance(first, ast.Name) and self.env.get(first.id, CONST).time is Time.ROW
        return own and all(root(frame) == root(first) for frame in frames[1:])

    def learned(self, node: ast.Call, fact: Fact, why: str) -> Value:
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("fit", "fit_transform"):
            if not fact.adapter:
                self.site(node, node.func.attr, why)
                return ROW if node.func.attr == "fit_transform" else FIT
        if not fact.adapter:
            self.refuse("NBP403", node, ast.unparse(node.func), f"it learns {why}")
            return ROW
        unknown = [k.arg for k in node.keywords if k.arg and fact.options and k.arg not in fact.options]
        if unknown:
            self.refuse("NBP403", node, ast.unparse(node.func), f"with the option {', '.join(unknown)}")
        if fact.adapter == "group_transform" and not self.groups_here(node):
            self.refuse(
                "NBP403", node, ast.unparse(node.func), "write groupby and transform in one expression"
            )
            return ROW
        self.site(node, fact.adapter, why)
        if fact.returns == "tuple":  # what it gives each row, and what it learned
            return replace(ROW, items=(ROW, FIT))
        return FIT if fact.name == "fit" else ROW  # an estimator

    def groups_here(self, node: ast.Call) -> bool:
        """`df.groupby(...)["a"].transform(...)` in one expression."""
        grouped = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        while isinstance(grouped, (ast.Subscript, ast.Attribute)):
            grouped = grouped.value
        return isinstance(grouped, ast.Call) or id(grouped) in self.written_out

    def unknown(self, node: ast.Call, every: list[Value]) -> Value:
        """By the run: a result that is not row-aligned is learned, one that is must be row by row."""
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("fit", "fit_transform"):
            self.site(node, node.func.attr, "what it learns from its rows", Evidence.ASSUMED)
            return ROW if node.func.attr == "fit_transform" else FIT
        site = self.types.site(node)
        given = [self.types.site(a) for a in [*node.args, getattr(node.func, "value", None)] if a is not None]
        rows = {s.shape[0] for s in given if s is not None and s.shape}
        if site is not None and rows:
            if site.shape and site.shape[0] in rows:
                return replace(join(every), items=())
            return self.value(node, "not one entry a row", Evidence.TRACED)
        self.assume_row_wise(node)
        return replace(join(every), items=())

    def assume_row_wise(self, node: ast.Call) -> None:
        """Says so where neither the run nor any fact tells what a call does; the checks decide."""
        api, name = self.types.api_of(node), getattr(node.func, "attr", "")
        if api.startswith(("builtins.", "notebook:")) or (
            not api and knowledge.methods(name, extra=self.types.extra)
        ):
            return
        span = self.span(node)
        call = ast.unparse(node.func)
        place = f"cell {span.cell}, line {span.line}"
        self.assumptions.append(f"{place}: {call} is taken to work row by row: nothing is known of it")

    def with_function(self, node: ast.Call, fact: Fact, receiver: Value) -> Value:
        """apply, map, transform, pipe: the effect is that of the function that is called."""
        for given in node.args:
            if isinstance(given, ast.Attribute) and given.attr in ("fit_transform", "fit", "fit_predict"):
                alone = len(node.args) == 1 and not node.keywords and receiver.time is Time.ROW
                if alone and given.attr == "fit_transform" and fact.calls == "column":
                    self.site(node, "fit_transform_each", "what the transformer learns from each column")
                    return ROW
                self.refuse("NBP403", node, ast.unparse(given), "it learns from each column it is given")
        functions = [a for a in [*node.args, *[k.value for k in node.keywords]] if self.is_function(a)]
        others = [a for a in [*node.args, *[k.value for k in node.keywords]] if a not in functions]
        values = [self.expression(o) for o in others]
        if not isinstance(node.func, ast.Attribute) and any(v.time is Time.ROW for v in values):
            receiver = join(values)  # map(f, df["a"])
        if receiver.time is not Time.ROW:
            return self.chained(node, receiver, values)
        method = isinstance(node.func, ast.Attribute)
        if method and fact.name == "map" and [replace(v, site=None) for v in values] == [ROW]:
            values = [self.value(others[0], "a table of all rows")]
        argument = ELEMENT if fact.calls in ("value", "row") else ROW
        if fact.calls == "group":
            if fact.adapter:
                if any(self.keeps_rows(f) and not self.fills(f) for f in functions):
                    detail = "its function works on each row of a group; learn what it needs of a group first"
                    self.refuse("NBP402", node, ast.unparse(node), detail)
                return self.learned(node, fact, fact.learns)
            value = self.value(node, f"{fact.name} over groups of rows")
            if fact.name == "apply" and any(self.keeps_rows(f) for f in functions):
                detail = "its function gives an entry for each row of a group; use transform instead of apply"
                self.refuse("NBP402", node, ast.unparse(node), detail)
            return value
        self.each += argument.element
        results = [self.function_value(f, argument) for f in functions]
        self.each -= argument.element
        for function in functions if argument.element else ():
            body = self.types.functions[function.id] if isinstance(function, ast.Name) else function
            assert isinstance(body, (ast.FunctionDef, ast.Lambda))
            self.refuse_kept(body, self.env)
            label = label_of_row(body) if fact.calls == "row" else None
            if label is not None:
                self.refuse("NBP402", node, ast.unparse(label), "row labels are those of the training data")
        result = (
            join([*results, *values, replace(receiver, items=())]) if results else join([receiver, *values])
        )
        if fact.calls == "column" and results and all(r.time is not Time.ROW for r in results):
            return self.value(node, f"{fact.name} of all rows")
        if fact.calls in ("value", "row"):
            return Value(Time.ROW, absent=result.absent)
        return replace(result, items=(), site=None, time=Time.ROW)

    def keeps_rows(self, function: ast.expr) -> bool:
        """Whether a function of a group of rows gives something for each of them; nothing is noted."""
        with self.noting_nothing():
            result = self.function_value(function, ROW)
        return result.time is Time.ROW and not result.element

    def fills(self, function: ast.expr) -> bool:
        """Whether a function fills in what is missing."""
        body = self.types.functions[function.id] if isinstance(function, ast.Name) else function
        return any(isinstance(n, ast.Attribute) and n.attr == "fillna" for n in ast.walk(body))

    def is_function(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Lambda) or (
            isinstance(node, ast.Name) and node.id in self.types.functions
        )

    def function_value(self, node: ast.expr, argument: Value) -> Value:
        if isinstance(node, ast.Lambda):
            return self.lambda_value(node, argument)
        assert isinstance(node, ast.Name)
        definition = self.types.functions[node.id]
        return self.enter(node.id, definition, [argument], {})

    def notebook_call(self, node: ast.Call, name: str) -> Value:
        arguments = [self.expression(a.value if isinstance(a, ast.Starred) else a) for a in node.args]
        keywords = {k.arg: self.expression(k.value) for k in node.keywords if k.arg}
        return self.enter(name, self.types.functions[name], arguments, keywords)

    def enter(
        self,
        name: str,
        definition: ast.FunctionDef | ast.Lambda,
        arguments: list[Value],
        keywords: dict[str, Value],
    ) -> Value:
        """Interprets a function of the notebook for these arguments."""
        key = (name, (*arguments, *keywords.values()))
        self.calls.add((self.context, name))
        if key in self.active:
            return self.active[key]
        self.active[key] = join(arguments)
        defaults = self.defaults_of(definition.args)
        outer, returned, context, loops = self.env, self.returned, self.context, self.loops
        assigned, self.assigned = self.assigned, ("", None)
        self.env = {**outer, **dict.fromkeys((a.arg for a in definition.args.args), CONST)}
        self.env |= defaults
        self.env |= dict(zip((a.arg for a in definition.args.args), arguments, strict=False)) | keywords
        if definition.args.vararg is not None:
            rest = tuple(arguments[len(definition.args.args) :])
            self.env[definition.args.vararg.arg] = replace(join(rest), items=rest)
        self.returned, self.context, self.loops = [], name, []
        body = (
            definition.body
            if isinstance(definition, ast.FunctionDef)
            else [ast.Return(value=definition.body)]
        )
        for stmt in body:
            self.statement(stmt)
        inside = {k: why for k, why in self.absent_columns.items() if k[0] in self.env.keys() - outer.keys()}
        for (owner, column), why in inside.items():  # of a frame that has another name outside
            del self.absent_columns[owner, column]
            self.absent_columns["", column] = why
        result = join(self.returned)
        if len(self.returned) == 1:
            result = self.returned[0]
        self.env, self.returned, self.context, self.loops, self.assigned = (
            outer,
            returned,
            context,
            loops,
            assigned,
        )
        self.active[key] = replace(result, site=None)
        return self.active[key]

    def callers(self, staged: set[str]) -> set[str]:
        """Functions that call a staged function need the runtime as well."""
        found = set(staged)
        while True:
            more = (
                {caller for caller, callee in self.calls if callee in found and caller} - found - {"target"}
            )
            if not more:
                return found
            found |= more


def _is_mask(node: ast.expr, index: Value, types: Types) -> bool:
    """Whether an index chooses rows: a truth value for each row."""
    if index.time is not Time.ROW:
        return False
    if isinstance(node, (ast.Compare, ast.UnaryOp, ast.BoolOp)):
        return True
    kind = types.of(node)
    return kind in ("pandas.Series", "numpy.ndarray", "") or isinstance(node, ast.BinOp)


def _over_the_list(node: ast.Call, fact: Fact) -> bool:
    """Whether the columns of a list are put together row by row: `sum(columns)`, `np.mean(..., axis=0)`."""
    if fact.api == "builtins.sum":
        return True
    axis = next((k.value for k in node.keywords if k.arg == "axis"), None)
    return isinstance(axis, ast.Constant) and axis.value == 0


def _first(node: ast.expr) -> ast.expr:
    """The number of rows in a shape: `n` of `n` and of `(n, 1)`."""
    return node.elts[0] if isinstance(node, ast.Tuple | ast.List) and node.elts else node


def _names_a_row(target: ast.expr) -> bool:
    """`df.loc[17, "Age"]`: one row, by its label or position."""
    match target:
        case ast.Subscript(value=ast.Attribute(attr="loc" | "iloc" | "at" | "iat"), slice=chosen):
            row = chosen.elts[0] if isinstance(chosen, ast.Tuple) and chosen.elts else chosen
            labels = row.elts if isinstance(row, ast.List) else [row]
            return bool(labels) and all(
                isinstance(label, ast.Constant)
                or (isinstance(label, ast.UnaryOp) and isinstance(label.operand, ast.Constant))
                for label in labels
            )
        case _:
            return False


def _is_full(node: ast.expr) -> bool:
    return isinstance(node, ast.Slice) and node.lower is None and node.upper is None and node.step is None


def _column(target: ast.Subscript | ast.Attribute) -> str:
    if isinstance(target, ast.Attribute):
        return target.attr
    index = target.slice
    if isinstance(index, ast.Tuple) and index.elts:
        index = index.elts[-1]
    return str(index.value) if isinstance(index, ast.Constant) and isinstance(index.value, str) else ""
