"""What the model learns from rows that judge it: statistics before the split, the target among the features,
rows on both sides, choices made on the test rows.

    X = StandardScaler().fit_transform(X)                    learned from all rows   (scaled)
    X_train, X_test, ... = train_test_split(X, y)            ... and so from the test rows

Text alone, in the order of the text, at module level; it is long because every way to learn is a case.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from nb2prod.analysis.calls import called_name
from nb2prod.analysis.events import bound_names
from nb2prod.analysis.nodes import children, inner_calls, nodes
from nb2prod.analysis.script import Script
from nb2prod.ir.program import Stmt
from nb2prod.source import Located, Span

STATISTICS = (
    "mean", "median", "std", "var", "min", "max", "quantile", "mode", "skew", "describe", "corr", "corrwith",
)  # fmt: skip
# functions of modules that do the same: `np.percentile(X, 99)`
STATISTIC_FUNCTIONS = (
    "average", "percentile", "nanmean", "nanmedian", "nanstd", "nanmin", "nanmax", "nanpercentile",
    *STATISTICS,
)  # fmt: skip
FITS = ("fit", "fit_transform", "fit_resample")
# what a model says about columns
JUDGES_COLUMNS = ("feature_importances_", "coef_", "ranking_", "support_", "scores_", "pvalues_")
# These learn which values exist, not how they are distributed.
CODES = (
    "LabelEncoder",
    "LabelBinarizer",
    "OneHotEncoder",
    "OrdinalEncoder",
    "MultiLabelBinarizer",
    "CountVectorizer",
)
STATELESS = ("Normalizer", "FunctionTransformer", "HashingVectorizer", "PolynomialFeatures", "Binarizer")
LEARNERS = re.compile(
    r"\w*(?:Scaler|Imputer|Transformer|Selector|Vectorizer|PCA|SVD|NMF|SelectKBest|SelectPercentile|RFE|RFECV"
    r"|SelectFromModel|VarianceThreshold|Discretizer|TargetEncoder|LeaveOneOutEncoder|WOEEncoder|TSNE|LDA"
    r"|KMeans|GaussianMixture|IsolationForest|LocalOutlierFactor|DBSCAN)"
)
FOLDS = re.compile(r"\w*(?:KFold|ShuffleSplit|TimeSeriesSplit|LeaveOneOut)")
# one of these stands in every notebook with rows that judge: splits, folds, and what makes its own folds
SPLITS = (
    "train_test_split", "cross_val", "KFold", "ShuffleSplit", "TimeSeriesSplit", "LeaveOneOut", "SearchCV",
)  # fmt: skip
RESAMPLERS = re.compile(r"\w*(?:SMOTE\w*|ADASYN|RandomOverSampler|SMOTENC|SVMSMOTE)")
PIPELINES = ("make_pipeline", "make_column_transformer", "make_union")
CHOSEN = ("support_", "get_support", "ranking_")
# methods that neither add nor remove columns
SAME_COLUMNS = frozenset(
    """abs apply astype bfill clip copy convert_dtypes drop_duplicates dropna ffill fillna head infer_objects
    interpolate query replace reset_index round sample sort_index sort_values tail to_numpy values""".split()
)
# what may keep some columns only: these, and what is not known
_SELECTING = ("", "Pipeline", "ColumnTransformer", "FeatureUnion", *PIPELINES)
_LOOKED_AT = frozenset(  # calls that matter wherever they stand
    [
        "transform", "predict", "cross_val_score", "cross_validate", "cross_val_predict", "split", *FITS,
        "score", "predict_proba", "evaluate", "fillna", "replace", "clip", "max", "min", "argmax", "argmin",
        "idxmax", "idxmin", "sorted", "sort", "drop", "pop",
    ]
)  # fmt: skip
_OF_ALL = ("values", "T", "loc", "iloc", "at", "iat", "columns", "index", "shape", "dtypes")
JOINS = ("concat", "concatenate", "vstack", "append", "r_", "row_stack")
WHOLE = ""


@dataclass(frozen=True, slots=True)
class Leak:
    """A fault of one code at a place, with the place that makes it one; `subject` is the name concerned."""

    code: str
    span: Span
    other: Span | None
    subject: str
    detail: str = ""


@dataclass(slots=True)
class Table:
    """What is known of a table: `learned` are the columns (or the whole) that hold statistics of all rows,
    `columns` those it certainly has, `target` those that are the target or made from it.
    """

    learned: dict[str, Span] = field(default_factory=dict)
    derived: dict[str, Span] = field(default_factory=dict)  # columns made from others: by name, the place
    sources: dict[str, set[str]] = field(default_factory=dict)  # ... and from which columns
    parent: str = ""  # the table that its columns were taken from
    taken: frozenset[str] | None = None  # the columns that were taken; None: all but `without`
    without: frozenset[str] = frozenset()
    doubled: Span | None = None  # rows repeated
    shifted: Span | None = None  # rows that hold values of other rows


def leaks(script: Script) -> tuple[Leak, ...]:
    """All leaks in the order of the text."""
    code = "\n".join(cell.text for cell in script.notebook.code_cells())
    if not any(split in code for split in SPLITS) or not (".fit" in code or "cross_val" in code):
        return ()
    walk = _Walk()
    for stmt, _ in script.stmts():
        walk.stmt = stmt
        walk.statement(stmt.node)
    return tuple(dict.fromkeys(walk.found))


class _Walk:
    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self.statistics: dict[str, tuple[str, Span]] = {}  # names of statistics: of which table
        self.makers: dict[str, str] = {}  # names of transformers and models: their class
        self.fitted: dict[str, tuple[str, Span]] = {}  # transformers fitted on a table of all rows
        self.targets: dict[str, tuple[str, str]] = {}  # y: the table and the column
        self.train: dict[str, str] = {}  # names of training rows -> what was split
        self.test: dict[str, str] = {}
        self.whole: dict[str, Span] = {}  # what was split, and where
        self.overlap: dict[str, Span] = {}  # models fitted on rows of both sides
        self.candidates: dict[str, tuple[set[str], Span]] = {}  # ... or may be, by these scores
        self.chosen: dict[str, Span] = {}  # test rows that a choice was made on
        self.found: list[Leak] = []
        self.lists: dict[str, list[str]] = {}  # lists of column names
        self.other: set[str] = set()  # names that are no tables: modules, functions, models
        self.helpers: dict[str, int] = {}  # functions that learn from one of their arguments
        self.models: dict[str, tuple[str, Span]] = {}  # models fitted on a table of all rows
        self.swapped: set[int] = set()  # fits in the other direction
        self.learners: set[str] = set()  # classes of the notebook that learn in `fit`
        self.stmt: Stmt

    def statement(self, node: ast.stmt) -> None:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self.other.add(node.name)
                self.helpers.pop(node.name, None)
                if isinstance(node, ast.FunctionDef) and (position := _learning_argument(node)) is not None:
                    self.helpers[node.name] = position
                if isinstance(node, ast.ClassDef) and _learns_in_fit(node):
                    self.learners.add(node.name)
            case ast.Import() | ast.ImportFrom():
                self.other |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
            case ast.For() | ast.While():
                self.selection(node)
                self.calls(ast.Expr(value=node.iter if isinstance(node, ast.For) else node.test))
                for inner in [*node.body, *node.orelse]:
                    self.statement(inner)
            case ast.If() | ast.With() | ast.Try():
                for child in children(node):
                    if isinstance(child, ast.stmt):
                        self.statement(child)
            case ast.Assign():
                self.calls(node)
                for target in node.targets:
                    self.assign(target, node.value)
            case _:
                self.calls(node)

    def place(self, node: ast.AST) -> Span:
        assert isinstance(node, Located)
        return self.stmt.text.head(node)

    def leak(
        self, code: str, node: ast.AST | Span, other: Span | None, subject: str, detail: str = ""
    ) -> None:
        span = node if isinstance(node, Span) else self.place(node)
        if not any(leak.code == code and leak.span == span for leak in self.found):
            self.found.append(Leak(code, span, other, subject, detail))

    # assignments

    def assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            self.unpack(target.elts, value)
        elif isinstance(target, ast.Name):
            self.name(target.id, value)
        elif isinstance(target, ast.Subscript) and isinstance(target.value, (ast.Name, ast.Attribute)):
            owner = target.value.value if isinstance(target.value, ast.Attribute) else target.value
            if isinstance(owner, ast.Name):
                self.column(owner.id, target, value)

    def unpack(self, targets: list[ast.expr], value: ast.expr) -> None:
        names = [t.id if isinstance(t, ast.Name) else "" for t in targets]
        if isinstance(value, ast.Call) and called_name(value).endswith("train_test_split"):
            self.split(names, value)
            return
        if isinstance(value, ast.Tuple) and len(value.elts) == len(targets):
            for inner, part in zip(targets, value.elts, strict=True):
                self.assign(inner, part)
            return
        if isinstance(value, ast.Call) and called_name(value) in (
            "fit_resample",
            "fit_sample",
            "resample",
            "shuffle",
        ):
            source = next((n for n in map(_root, value.args) if n), "")
            for name, argument in zip(names, value.args, strict=False):
                self.tables[name] = self.copied(_root(argument))
                if called_name(value) != "shuffle" and source not in self.train:
                    self.tables[name].doubled = self.place(value)
                if _root(argument) in self.train:
                    self.train[name] = self.train[_root(argument)]
                if _root(argument) in self.targets:
                    self.targets[name] = self.targets[_root(argument)]
            return
        statistic = self.is_statistic(value)
        for name in names:
            self.forget(name)
            if statistic:
                self.statistics[name] = statistic

    def forget(self, name: str) -> None:
        for known in (self.tables, self.statistics, self.makers, self.train, self.test, self.targets):
            known.pop(name, None)

    def copied(self, name: str) -> Table:
        old = self.tables.get(name)
        if old is None:
            return Table(parent=name)
        return replace(
            old,
            learned=dict(old.learned),
            derived=dict(old.derived),
            sources=dict(old.sources),
            parent=old.parent or name,
        )

    def name(self, name: str, value: ast.expr) -> None:
        source = self.source(value)
        maker = value
        while (
            isinstance(maker, ast.Call) and isinstance(maker.func, ast.Attribute) and maker.func.attr == "fit"
        ):
            maker = maker.func.value
        if (
            isinstance(maker, ast.Call)
            and (called_name(maker)[:1].isupper() or called_name(maker) in PIPELINES)
            and called_name(maker) != "DataFrame"
        ):
            self.forget(name)
            self.makers[name] = _kind(maker)
            self.other.add(name)
            if maker is not value and isinstance(value, ast.Call):
                self.fit(name, _kind(maker), value)
            return
        if isinstance(value, ast.List) and _constants(value):
            self.lists[name] = _constants(value)
        found = self.learning(value)
        sides = {n.id for n in nodes(value) if isinstance(n, ast.Name)}
        if (
            sides & set(self.train)
            and sides & set(self.test)
            and (called_name(value) if isinstance(value, ast.Call) else "") in JOINS
        ):
            split = self.whole.get(self.train[sorted(sides & set(self.train))[0]])
            self.forget(name)
            self.tables[name] = Table()
            if split is not None:  # both sides again: what is learned from it is learned from the test rows
                self.whole[name] = split
            return
        if isinstance(value, ast.Attribute) and value.attr == "best_estimator_":
            owner = _root(value)
            if owner in self.overlap:
                self.overlap[name] = self.overlap[owner]
        side = {**self.train, **self.test}.get(source)
        table, train = self.taken(value, source), source in self.train
        if name in self.test:
            self.own_statistic(name, value)
        target = self.target_column(value) or self.targets.get(source if isinstance(value, ast.Name) else "")
        statistic = self.is_statistic(value)
        self.forget(name)
        if target is not None:
            self.targets[name] = target
        if statistic and not train:
            self.statistics[name] = statistic
        if side is not None:
            (self.train if train else self.test)[name] = side
            self.late(name, value)
            return
        self.tables[name] = table
        if found is not None:
            table.learned[WHOLE] = found

    def late(self, name: str, value: ast.expr) -> None:
        """Training rows that change by a statistic of all rows, after the split."""
        used = [self.statistics.get(n.id) for n in nodes(value) if isinstance(n, ast.Name)]
        used += [self.is_statistic(call) for call in inner_calls(value) if call is not value]
        used += [
            self.fitted.get(_root(call.func))
            for call in inner_calls(value)
            if called_name(call) == "transform" and isinstance(call.func, ast.Attribute)
        ]
        for found in used:
            if name in self.train and found is not None and found[0] in self.whole:
                self.leak("NBP201", found[1], self.whole[found[0]], name)
                return

    def own_statistic(self, name: str, value: ast.expr) -> None:
        """`X_test = X_test - X_test.mean()`: test rows are changed by what they themselves say."""
        for call in inner_calls(value) if name in self.test else ():
            learns = called_name(call) in STATISTICS and call is not value and not _by_row(call)
            if learns and _root(call.func) == name:
                self.leak("NBP210", call, None, name, called_name(call))
                return

    def column(self, name: str, target: ast.Subscript, value: ast.expr) -> None:
        """`df["a"] = ...`: what the column is made from, and whether that was learned from all rows."""
        if name in self.train or name in self.test:
            self.late(name, value)
            self.own_statistic(name, value)
            return
        table = self.tables.setdefault(name, Table())
        for column in _constants(target.slice) or [WHOLE]:
            found = self.learning(value)
            if found is None and isinstance(value, ast.Name) and value.id in self.tables:
                found = self.tables[value.id].learned.get(WHOLE)
            if found is not None:
                table.learned[column] = found
            elif column in table.learned and column != WHOLE:
                used = _columns_read(value, name)
                if column not in used:
                    table.learned.pop(column)
            if column != WHOLE and isinstance(target.value, ast.Name):
                used = _columns_read(value, name) - {column}
                table.derived[column] = self.place(value)
                table.sources[column] = used | {
                    inner for u in used for inner in table.sources.get(u, ()) if inner != column
                }
            if any(n in ("shift", "rolling", "diff", "pct_change") for n in _methods(value)):
                table.shifted = self.place(value)

    # what a value is

    def source(self, value: ast.expr) -> str:
        """The table that a value is made from."""
        for inner in nodes(value):
            if isinstance(inner, ast.Name) and (inner.id in self.train or inner.id in self.test):
                return inner.id
        for inner in nodes(value):
            if isinstance(inner, ast.Name) and inner.id in self.tables:
                return inner.id
        root = _root(value)
        return "" if root in self.other else root

    def learning(self, value: ast.expr) -> Span | None:
        """Where a value learns from all rows of a table that is not split yet; None where it does not."""
        for inner in nodes(value):
            if isinstance(inner, ast.Call):
                name = called_name(inner)
                owner = inner.func.value if isinstance(inner.func, ast.Attribute) else None
                if (
                    name in ("fit_transform", "fit_predict")
                    and inner.args
                    and not self.is_side(inner.args[0])
                ):
                    if self.learns(owner):
                        return self.place(inner)
                if name == "transform" and isinstance(owner, ast.Name) and owner.id in self.fitted:
                    return self.fitted[owner.id][1]
                if name == "transform" and isinstance(owner, ast.Call) and called_name(owner) == "fit":
                    if owner.args and not self.is_side(owner.args[0]) and self.learns(_maker(owner)):
                        return self.place(owner)
                if name == "interpolate" and owner is not None and not self.is_side(owner):
                    return self.place(inner)
                if name == "cut" and _is_count(inner) and not self.is_side(inner.args[0]):
                    return self.place(inner)  # borders from the smallest to the largest of all rows
                if name in ("zscore", "scale", "minmax_scale", "robust_scale", "qcut", "rank") and inner.args:
                    if not self.is_side(inner.args[0]) and name != "rank":
                        return self.place(inner)
                if name == "rank" and owner is not None and not inner.args and self.source(owner):
                    if not self.is_side(owner) and not _by_row(inner):
                        return self.place(inner)
                given = self.given(inner)
                if given is not None and not self.is_side(given):
                    return self.place(inner)
            if isinstance(inner, ast.Attribute) and inner.attr in CHOSEN and _root(inner) in self.fitted:
                return self.fitted[_root(inner)][1]
            if isinstance(inner, ast.Name) and inner.id in self.statistics:
                return self.statistics[inner.id][1]
        found = self.is_statistic_inside(value)
        return found

    def given(self, node: ast.Call) -> ast.expr | None:
        """What a helper function learns from, at this call."""
        position = self.helpers.get(called_name(node)) if isinstance(node.func, ast.Name) else None
        return node.args[position] if position is not None and position < len(node.args) else None

    def learns(self, owner: ast.expr | None) -> bool:
        """A transformer that learns more than which values exist."""
        maker = owner
        if isinstance(owner, ast.Name):
            kind = self.makers.get(owner.id, "")
        else:
            kind = _kind(maker) if isinstance(maker, ast.Call) else ""
        return self.is_learner(kind)

    def is_learner(self, kind: str) -> bool:
        own = kind in self.learners
        return own or (kind not in (*CODES, *STATELESS) and LEARNERS.fullmatch(kind) is not None)

    def is_side(self, node: ast.expr) -> bool:
        """Rows of one side of the split."""
        return any(isinstance(n, ast.Name) and (n.id in self.train or n.id in self.test) for n in nodes(node))

    def is_statistic(self, value: ast.expr) -> tuple[str, Span] | None:
        """`df["a"].mean()`: a statistic of a table of all rows, and nothing else."""
        inner = value
        while isinstance(inner, ast.Subscript):
            inner = inner.value
        if isinstance(inner, ast.Call) and isinstance(inner.func, ast.Attribute):
            table = self.source(inner.func.value)
            if (
                (inner.func.attr in STATISTICS or _aggregates(inner))
                and table
                and not self.is_side(inner.func.value)
            ):
                if not _by_row(inner):
                    return table, self.place(inner)
            if inner.func.attr in STATISTIC_FUNCTIONS and inner.args and _root(inner.func) in self.other:
                table = self.source(inner.args[0])
                if table and not self.is_side(inner.args[0]) and not _by_row(inner):
                    return table, self.place(inner)
        if isinstance(inner, ast.Attribute) and inner.attr in JUDGES_COLUMNS:
            return self.judged_columns(inner.value)
        return None

    def judged_columns(self, model: ast.expr) -> tuple[str, Span] | None:
        """What a model that was fitted on all rows says about their columns."""
        if isinstance(model, ast.Name):
            return self.models.get(model.id)
        if isinstance(model, ast.Call) and called_name(model) == "fit" and model.args:
            table = self.source(model.args[0])
            if table and not self.is_side(model.args[0]):
                return table, self.place(model)
        return None

    def is_statistic_inside(self, value: ast.expr) -> Span | None:
        """A statistic that goes into a table: `(X - X.mean())`, `df["a"].fillna(df["a"].mean())`."""
        if self.is_statistic(value):
            return None
        for inner in nodes(value):
            judges = isinstance(inner, ast.Attribute) and inner.attr in JUDGES_COLUMNS
            if inner is not value and (judges or isinstance(inner, ast.Call)):
                if found := self.is_statistic(inner):  # type: ignore[arg-type]
                    return found[1]
            if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Div):
                if share := self.total(inner.right):  # a share of all rows
                    return share
            if isinstance(inner, ast.Call) and called_name(inner) == "transform" and inner.args:
                given = inner.args[0]
                if isinstance(given, ast.Constant) and given.value in STATISTICS and not self.is_side(inner):
                    return self.place(inner)
        return None

    def total(self, node: ast.expr) -> Span | None:
        """`X["pay"].sum()`."""
        if isinstance(node, ast.Call) and called_name(node) == "sum" and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if self.source(owner) and not self.is_side(owner) and not _by_row(node):
                return self.place(node)
        return None

    def taken(self, value: ast.expr, source: str) -> Table:
        """A table made from another: some of its columns, or all of it changed."""
        old = self.copied(source)
        match value:
            case ast.Name():
                return old
            case ast.Subscript(value=ast.Name(id=name)):
                columns = _constants(value.slice)
                if isinstance(value.slice, (ast.ListComp, ast.Attribute, ast.Subscript)):
                    computed = isinstance(value.slice, ast.ListComp) or _root(value.slice) != name
                    columns = ["?"] if computed else []
                if isinstance(value.slice, ast.Name):
                    columns = self.lists.get(value.slice.id, ["?"])
                elif isinstance(value.slice, (ast.BinOp, ast.Call)) and not columns:
                    adds = isinstance(value.slice, ast.BinOp) and isinstance(value.slice.op, ast.Add)
                    columns = ["?"] if adds or isinstance(value.slice, ast.Call) else []
                if columns:
                    old.taken = frozenset(columns)
                    if "?" not in columns:
                        old.learned = {c: s for c, s in old.learned.items() if c in columns or c == WHOLE}
                return old
            case ast.Subscript(value=ast.Attribute(attr="loc" | "iloc"), slice=ast.Tuple() as index):
                old.taken = frozenset(_constants(index) or "?")
                return old
            case ast.Call(func=ast.Attribute(attr="drop")):
                dropped = {
                    c.value
                    for a in [
                        *value.args[:1],
                        *[k.value for k in value.keywords if k.arg in ("columns", "labels")],
                    ]
                    for c in nodes(a)
                    if isinstance(c, ast.Constant) and isinstance(c.value, str)
                }
                old.learned = {c: s for c, s in old.learned.items() if c not in dropped}
                if not dropped:
                    old.taken = frozenset("?")  # columns that a variable names, or rows
                if old.taken is not None:
                    old.taken -= dropped
                old.without |= dropped
                return old
            case (
                ast.Call(
                    func=ast.Attribute(
                        value=ast.Subscript() | ast.Call() | ast.Attribute() as owner, attr=name
                    )
                )
                | ast.Attribute(value=ast.Subscript() | ast.Call() as owner, attr=name)
            ) if name in SAME_COLUMNS:
                return self.taken(owner, source)
            case ast.Call(args=[ast.Call() as owner, *_]) if called_name(value) == "get_dummies":
                return self.taken(owner, source)
            case ast.Call() if called_name(value) == "DataFrame" or called_name(value).startswith("read_"):
                return Table()
            case ast.Call() if called_name(value) == "concat" and any(_is_across(k) for k in value.keywords):
                pass  # columns beside each other
            case ast.Call() if called_name(value) == "concat" and value.args:
                names = [n.id for n in nodes(value.args[0]) if isinstance(n, ast.Name)]
                drawn = [self.tables[n].doubled for n in names if n in self.tables]
                if len(names) > len(set(names)) or any(drawn):
                    old.doubled = self.place(value)
            case ast.Call(func=ast.Attribute(attr="sample")) if any(
                k.arg == "replace" for k in value.keywords
            ):
                old.doubled = self.place(value)
            case ast.Call() if called_name(value) == "resample" and value.args and _plain(value.func):
                old.doubled = self.place(value)
        if any(n in ("shift", "rolling", "diff", "pct_change") for n in _methods(value)):
            old.shifted = self.place(value)
        return self.given_to(value, source, old) or old

    def given_to(self, value: ast.expr, source: str, old: Table) -> Table | None:
        """What a call makes of the columns that it is given: `scaler.transform(df.drop(columns="left"))`."""
        parts = _parts(value, source, self.lists)
        if parts is not None:
            learned = {c: s for c, s in old.learned.items() if c in parts or c == WHOLE}
            return replace(old, taken=parts, learned=learned)
        if not isinstance(value, ast.Call) or source in _names(value.func):
            return None
        if called_name(value) in ("transform", "fit_transform") and self.kind_of(value.func) in _SELECTING:
            return replace(old, taken=frozenset("?"))
        every = [*value.args, *[keyword.value for keyword in value.keywords]]
        given = [one for one in every if source in _names(one)]
        if len(given) != 1 or isinstance(given[0], ast.Name):
            return None
        inner = self.taken(given[0], source)
        return replace(old, taken=inner.taken, without=inner.without, learned=inner.learned)

    def target_column(self, value: ast.expr) -> tuple[str, str] | None:
        """`y = df["left"]`, `df.left.values`, `df.pop("left")`: a column by its table and name."""
        inner = value
        while True:
            match inner:
                case ast.Attribute(value=deeper, attr="values" | "T"):
                    inner = deeper
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id=name), attr="pop"),
                    args=[ast.Constant(value=str() as key)],
                ):
                    return name, key
                case ast.Call(
                    func=ast.Attribute(value=deeper, attr="astype" | "copy" | "to_numpy" | "ravel" | "map")
                ):
                    inner = deeper
                case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as key)):
                    return name, key
                case ast.Attribute(value=ast.Name(id=name), attr=key) if name in self.tables:
                    return name, key
                case _:
                    return None

    # the split, and what comes after

    def split(self, names: list[str], node: ast.Call) -> None:
        span = self.place(node)
        for position, argument in enumerate(node.args):
            name = _root(argument)
            table = self.taken(argument, self.source(argument))
            if position == 0:
                learned = None if isinstance(argument, ast.Name) else self.learning(argument)
                if learned is not None:
                    table.learned[WHOLE] = learned
                self.features(argument, table, node, span)
            for offset, side in ((0, self.train), (1, self.test)):
                index = 2 * position + offset
                if index < len(names) and names[index]:
                    known = self.targets.get(name) if position else None
                    self.forget(names[index])
                    if known is not None:
                        self.targets[names[index]] = known
                    side[names[index]] = name
            self.whole.setdefault(name, span)
        if len(node.args) == 1 and names:
            self.whole.setdefault(_root(node.args[0]), span)

    def features(self, argument: ast.expr, table: Table, node: ast.Call, span: Span) -> None:
        """The features as they are split (or cross-validated)."""
        name = _root(argument)
        for where in dict.fromkeys(table.learned.values()):
            self.leak("NBP201", where, span, name)
        if table.doubled is not None:
            self.leak("NBP207", table.doubled, span, name)
        shuffled = not any(
            k.arg == "shuffle" and getattr(k.value, "value", True) is False for k in node.keywords
        )
        if table.shifted is not None and shuffled and called_name(node) == "train_test_split":
            self.leak("NBP209", node, table.shifted, name)
        for other in node.args[1:2]:
            self.target(argument, table, _root(other) or "", self.target_column(other), span)

    def target(
        self, features: ast.expr, table: Table, y: str, column: tuple[str, str] | None, span: Span
    ) -> None:
        """The target, or a column made from it, among the features."""
        known = column or self.targets.get(y)
        if known is None:
            return
        owner, target = known
        related = {owner, self.tables[owner].parent if owner in self.tables else ""} - {""}
        if _root(features) not in related and table.parent not in related:
            return
        whole = self.tables.get(owner, Table())
        tainted = {target} | {c for c, used in {**whole.sources, **table.sources}.items() if target in used}
        if table.taken is not None:
            present = tainted & table.taken
        else:
            popped = "pop" in ast.unparse(self.stmt.node)
            explicit = (
                _root(features) == owner
                or bool(table.without)
                or table.taken is not None
                or table.parent == owner
            )
            present = (tainted - table.without) if explicit and not popped else set()
        if owner in self.tables and target in self.tables[owner].without:
            present -= {target}
        for column_name in sorted(present):
            where = whole.derived.get(column_name) or table.derived.get(column_name) or span
            self.leak("NBP203", where if column_name != target else span, span, column_name, target)

    def calls(self, node: ast.stmt) -> None:
        self.swapped = {  # `m.fit(X2, y2).predict(X1)`: the halves judge each other
            id(call.func.value)
            for call in (inner_calls(node) if self.train else ())
            if isinstance(call.func, ast.Attribute) and call.args and _root(call.args[0]) in self.train
        }
        for inner in inner_calls(node):
            name = called_name(inner)
            if name not in _LOOKED_AT and name not in self.helpers:
                continue
            owner = _root(inner.func.value) if isinstance(inner.func, ast.Attribute) else ""
            given = self.given(inner)
            if given is not None and _root(given) in self.test:
                self.leak("NBP210", inner, None, _root(given), name)
            if name in ("transform", "predict") and inner.args and _root(inner.args[0]) in self.train:
                known, place = self.fitted.get(owner, ("", None))
                if place is not None and known in self.whole:
                    self.leak("NBP201", place, self.whole[known], known)
            if name in ("cross_val_score", "cross_validate", "cross_val_predict") and len(inner.args) > 1:
                table = self.taken(inner.args[1], self.source(inner.args[1]))
                if not self.is_side(inner.args[1]):
                    as_split = ast.Call(func=inner.func, args=inner.args[1:3], keywords=[])
                    self.features(inner.args[1], table, ast.copy_location(as_split, inner), self.place(inner))
            elif name == "split" and inner.args and FOLDS.fullmatch(self.kind_of(inner.func)):
                table = self.taken(inner.args[0], self.source(inner.args[0]))
                of_frame = [self.target_column(a) for a in inner.args[1:2]]
                own = isinstance(inner.args[0], ast.Name) and of_frame and of_frame[0] is not None
                # A frame with its own target chooses rows by their number; features are taken later.
                as_split = ast.Call(func=inner.func, args=inner.args[: 1 if own else 2], keywords=[])
                self.features(inner.args[0], table, ast.copy_location(as_split, inner), self.place(inner))
            elif name in FITS and inner.args and isinstance(inner.func, ast.Attribute):
                kind = self.kind_of(inner.func)
                self.fit(owner, kind, inner)
                if kind.endswith("SearchCV") and not self.is_side(inner.args[0]):
                    table = self.taken(inner.args[0], self.source(inner.args[0]))
                    as_split = ast.Call(func=inner.func, args=inner.args[:2], keywords=[])
                    self.features(inner.args[0], table, ast.copy_location(as_split, inner), self.place(inner))
            elif name in ("score", "predict", "predict_proba", "evaluate") and inner.args:
                self.judged(owner, inner)
            elif name in ("fillna", "replace", "clip") and any(k.arg == "inplace" for k in inner.keywords):
                self.inplace(inner)
            elif name in ("max", "min", "argmax", "argmin", "idxmax", "idxmin", "sorted", "sort"):
                read = {n.id for n in nodes(inner) if isinstance(n, ast.Name)}
                for test, (scores, span) in self.candidates.items():
                    if scores & read:
                        self.chosen.setdefault(test, span)
            elif name == "drop" and any(k.arg == "inplace" for k in inner.keywords) and owner in self.tables:
                gone = {
                    c.value
                    for a in [*inner.args, *[k.value for k in inner.keywords]]
                    for c in nodes(a)
                    if isinstance(c, ast.Constant) and isinstance(c.value, str)
                }
                self.tables[owner].without |= gone
                self.tables[owner].learned = {
                    c: s for c, s in self.tables[owner].learned.items() if c not in gone
                }
            elif (
                name == "pop"
                and owner in self.tables
                and inner.args
                and isinstance(inner.args[0], ast.Constant)
            ):
                self.tables[owner].without |= {str(inner.args[0].value)}

    def inplace(self, node: ast.Call) -> None:
        """`df["a"].fillna(df["a"].median(), inplace=True)`."""
        owner = _root(node.func.value) if isinstance(node.func, ast.Attribute) else ""
        if not owner or owner in self.train or owner in self.test or owner in self.other:
            return
        found = next((span for a in node.args if (span := self.learning(ast.Tuple(elts=[a])))), None)
        if found is not None and isinstance(node.func, ast.Attribute):
            part = node.func.value
            columns = _constants(part.slice) if isinstance(part, ast.Subscript) else []
            table = self.tables.setdefault(owner, Table())
            table.learned |= dict.fromkeys(columns or [WHOLE], found)

    def kind_of(self, function: ast.expr) -> str:
        """The class of the object whose method is called."""
        owner = function.value if isinstance(function, ast.Attribute) else None
        if isinstance(owner, ast.Call):
            return _kind(owner)
        return self.makers.get(owner.id, "") if isinstance(owner, ast.Name) else ""

    def fit(self, owner: str, kind: str, node: ast.Call) -> None:
        given = node.args[0] if node.args else next((k.value for k in node.keywords if k.arg), None)
        if given is None:
            return
        names = {n.id for n in nodes(given) if isinstance(n, ast.Name)}
        learns = self.is_learner(kind) or LEARNERS.fullmatch(kind) is not None
        transforms = learns or called_name(node) == "fit_transform"
        on_test = names & set(self.test)
        on_train = names & set(self.train)
        if RESAMPLERS.fullmatch(kind) or id(node) in self.swapped:
            return
        if on_test and on_train:
            self.leak("NBP201", node, None, sorted(on_test)[0])
        elif on_test and transforms and kind not in STATELESS:
            self.leak("NBP210", node, None, sorted(on_test)[0], owner or kind)
        elif on_test and owner and not on_train and kind not in STATELESS and not kind.endswith("Explainer"):
            self.leak("NBP210", node, None, sorted(on_test)[0], owner)
        elif not on_test and not on_train and owner:
            whole = names & set(self.whole)
            if transforms:
                if self.is_learner(kind) or (LEARNERS.fullmatch(kind) and kind not in CODES):
                    self.fitted[owner] = next(iter(sorted(whole or names)), ""), self.place(node)
            elif len(node.args) > 1:
                self.models[owner] = next(iter(sorted(names)), ""), self.place(node)
                if whole:
                    self.overlap[owner] = self.place(node)
                    return
        self.overlap.pop(owner, None)
        if on_train:
            self.fitted.pop(owner, None)

    def judged(self, owner: str, node: ast.Call) -> None:
        """A model is judged on test rows."""
        tested = [n.id for n in nodes(node.args[0]) if isinstance(n, ast.Name) and n.id in self.test]
        if not tested:
            return
        if owner in self.overlap:
            self.leak("NBP207", self.overlap.pop(owner), self.place(node), tested[0], owner)
        if tested[0] in self.chosen and node.func.attr in ("score", "evaluate"):  # type: ignore[attr-defined]
            self.leak("NBP208", self.chosen.pop(tested[0]), self.place(node), tested[0])

    def selection(self, node: ast.For | ast.While) -> None:
        """A loop that fits models, judges them on the test rows, and keeps the best."""
        fits = any(isinstance(n, ast.Call) and called_name(n) == "fit" for n in nodes(node))
        compares = any(
            isinstance(n, ast.If)
            and any(
                isinstance(c, (ast.Gt, ast.Lt, ast.GtE, ast.LtE))
                for t in nodes(n.test)
                if isinstance(t, ast.Compare)
                for c in t.ops
            )
            for n in nodes(node)
        )
        best = compares and "best" in " ".join(sorted(bound_names(node.body)))
        scores = {
            _root(inner.value if isinstance(inner, ast.Subscript) else inner.func)
            for inner in nodes(node)
            if (isinstance(inner, ast.Subscript) and isinstance(inner.ctx, ast.Store))
            or (isinstance(inner, ast.Call) and called_name(inner) == "append")
        } - {""}
        if not fits or not (best or scores):
            return
        for inner in nodes(node):
            if isinstance(inner, ast.Call) and called_name(inner) in ("score", "predict", "evaluate"):
                for name in nodes(inner.args[0]) if inner.args else ():
                    if isinstance(name, ast.Name) and name.id in self.test:
                        self.candidates.setdefault(name.id, (scores, self.place(inner)))
                        if best:
                            self.chosen.setdefault(name.id, self.place(inner))


def _kind(node: ast.Call) -> str:
    """The class that a call makes; of a pipeline of transformers alone, the first that learns."""
    name = called_name(node)
    if name not in (*PIPELINES, "Pipeline", "ColumnTransformer", "FeatureUnion") or not node.args:
        return name
    steps = node.args[0].elts if isinstance(node.args[0], (ast.List, ast.Tuple)) else node.args
    parts = [next((p for p in nodes(step) if isinstance(p, ast.Call)), None) for step in steps]
    kinds = [_kind(part) if part is not None else "" for part in parts]
    if not all(LEARNERS.fullmatch(kind) or kind in (*CODES, *STATELESS) for kind in kinds):
        return name
    return next((k for k in kinds if LEARNERS.fullmatch(k) and k not in (*CODES, *STATELESS)), kinds[0])


def _learning_argument(node: ast.FunctionDef) -> int | None:
    """The position of the parameter that a function learns from, and gives back transformed."""
    params = [argument.arg for argument in [*node.args.posonlyargs, *node.args.args]]
    made = {
        s.targets[0].id: _kind(s.value)
        for s in nodes(node)
        if isinstance(s, ast.Assign) and isinstance(s.targets[0], ast.Name) and isinstance(s.value, ast.Call)
    }
    tables = {name: name for name in params}  # names of a parameter or of a copy of it
    for s in nodes(node):
        if isinstance(s, ast.Assign) and isinstance(s.targets[0], ast.Name):
            copies = isinstance(s.value, ast.Name) or (
                isinstance(s.value, ast.Call) and called_name(s.value) == "copy"
            )
            if copies and _root(s.value) in tables:
                tables[s.targets[0].id] = tables[_root(s.value)]
    for inner in nodes(node):
        match inner:
            case ast.Call(func=ast.Attribute(value=owner, attr="fit_transform"), args=[given, *_]):
                kind = _kind(owner) if isinstance(owner, ast.Call) else made.get(_root(owner), "")
                learns = LEARNERS.fullmatch(kind) and kind not in (*CODES, *STATELESS)
                if learns and _root(given) in params:
                    return params.index(_root(given))
            case (
                ast.Return(value=ast.expr() as value)  # (table - table.mean()) / table.std()
                | ast.Assign(targets=[ast.Subscript()], value=value)  # table["a"] = table["a"] - ...
            ):
                for call in inner_calls(value):
                    table = tables.get(_root(call.func), "")
                    if called_name(call) in STATISTICS and table and call is not value:
                        if not _by_row(call):
                            return params.index(table)
    return None


def _learns_in_fit(node: ast.ClassDef) -> bool:
    """A class whose `fit` keeps a statistic of what it is given, and which has a `transform`."""
    methods = {m.name: m for m in node.body if isinstance(m, ast.FunctionDef)}
    fit = methods.get("fit")
    if fit is None or "transform" not in methods or len(fit.args.args) < 2:
        return False
    given = fit.args.args[1].arg
    return any(
        called_name(call) in STATISTIC_FUNCTIONS
        and given in {n.id for n in nodes(call) if isinstance(n, ast.Name)}
        for call in inner_calls(fit)
    )


def _maker(fit: ast.Call) -> ast.expr | None:
    """`StandardScaler()` of `StandardScaler().fit(X)`."""
    return fit.func.value if isinstance(fit.func, ast.Attribute) else None


def _is_count(node: ast.Call) -> bool:
    """`pd.cut(X["pay"], 4)`: so many bins, and no borders."""
    bins = (
        node.args[1]
        if len(node.args) > 1
        else next((k.value for k in node.keywords if k.arg == "bins"), None)
    )
    return bool(node.args) and isinstance(bins, ast.Constant) and isinstance(bins.value, int)


def _aggregates(node: ast.Call) -> bool:
    """`X.agg(["mean", "std"])`."""
    given = {inner.value for value in node.args for inner in nodes(value) if isinstance(inner, ast.Constant)}
    return called_name(node) in ("agg", "aggregate") and not given.isdisjoint(STATISTICS)


def _root(node: ast.expr) -> str:
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        if isinstance(node, ast.Call):
            if not isinstance(node.func, ast.Attribute):
                return ""
            node = node.func.value
        else:
            node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _plain(node: ast.expr) -> bool:
    """`resample(...)` of scikit-learn, and not the method of a table."""
    return isinstance(node, ast.Name) or (
        isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute)
    )


def _constants(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Tuple) and len(node.elts) == 2:
        node = node.elts[1]
    if isinstance(node, ast.Constant):
        return [node.value] if isinstance(node.value, str) else []
    if isinstance(node, ast.List):
        return [e.value for e in node.elts if isinstance(e, ast.Constant) and isinstance(e.value, str)]
    return []


def _methods(value: ast.expr) -> Iterator[str]:
    return (inner.attr for inner in nodes(value) if isinstance(inner, ast.Attribute))


def _columns_read(value: ast.expr, name: str) -> set[str]:
    found = set()
    for inner in nodes(value):
        match inner:
            case ast.Subscript(value=owner, slice=ast.Constant(value=str() as key)) if _root(owner) == name:
                found.add(key)
            case ast.Attribute(value=ast.Name(id=owner_name), attr=key) if owner_name == name:
                found.add(key)
    return found


def _names(node: ast.AST) -> set[str]:
    return {inner.id for inner in nodes(node) if isinstance(inner, ast.Name)}


def _parts(value: ast.expr, name: str, lists: Mapping[str, list[str]]) -> frozenset[str] | None:
    """The columns that a value takes of a table: `iris.data`, `fit(df["text"])`; None: maybe all."""
    found: set[str] = set()
    called = {id(call.func) for call in inner_calls(value)}
    places = sum(isinstance(inner, ast.Name) and inner.id == name for inner in nodes(value))
    for inner in nodes(value):
        match inner:
            case ast.Subscript(value=ast.Name(id=owner), slice=key) if owner == name and _constants(key):
                found.update(_constants(key))
            case ast.Subscript(value=ast.Name(id=owner), slice=ast.Name(id=key)) if owner == name:
                found.update(lists.get(key, ["?"]))
            case ast.Attribute(value=ast.Name(id=owner), attr=key) if owner == name:
                if key in _OF_ALL or id(inner) in called:
                    return None
                found.add(key)
            case _:
                continue
        places -= 1
    return frozenset(found) if found and not places else None


def _is_across(keyword: ast.keyword) -> bool:
    return keyword.arg == "axis" and getattr(keyword.value, "value", None) in (1, "columns")


def _by_row(node: ast.Call) -> bool:
    """`axis=1`: a statistic of each row."""
    return any(k.arg == "axis" and getattr(k.value, "value", 0) in (1, "columns") for k in node.keywords) or (
        bool(node.args) and getattr(node.args[0], "value", None) == 1
    )
