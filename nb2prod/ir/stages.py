"""StageGraph: the statements of the model's slice, grouped into stages; made by cut, refined by passes,
read by lowering, the graph command and the rules.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from nb2prod.ir.flow import Evidence
from nb2prod.ir.refusal import Refusal
from nb2prod.source import Span


class Role(StrEnum):
    LOAD = "load"
    FEATURES = "features"
    TARGET = "target"
    TRAIN = "train"
    INFER = "infer"


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: its statements in notebook order, the names that come in and those that go out."""

    role: Role
    stmts: tuple[int, ...]
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Sink:
    """The model fit that the compile is for.

    `call` is the fit call in statement `stmt`; `model` the variable that holds the fitted model; `x` and
    `y` the expressions that it is fitted on, `y` None where there is no target.  `data` is the statement that
    reads them, another one than the fit where a Dataset holds them; `made` the one after which `model` is the
    fitted model.  `held` is the expression that holds the model where that is no variable: `models["tree"]`.
    `frame` is the table with features and target whose columns a formula names.  `predicts` are the methods
    by which a class of the notebook predicts, where none of them has an estimator's name.
    """

    stmt: int
    call: ast.Call
    model: str
    x: ast.expr
    y: ast.expr | None
    task: str
    data: int
    made: int
    held: ast.expr | None = None
    frame: str = ""
    predicts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prediction:
    """How the notebook predicts: the statements of `decide`, what they predict on, and the result's name.

    `stmts` is empty where the notebook has no inference cell: then it is `model.predict(X)`.  `value` is the
    expression in the last statement that answers, where it is no variable; `columns` are the texts of columns
    that it reads, each with the value that went into it.  `by_hand` are functions of the notebook that make
    single rows themselves and answer the model's own prediction.
    """

    stmts: tuple[int, ...] = ()
    rows: ast.expr | None = None
    result: str = ""
    given: tuple[str, ...] = ()
    value: ast.expr | None = None
    columns: dict[str, ast.expr] = field(default_factory=dict)
    by_hand: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Arrays:
    """Raw data that are no frame, made by `call` in statement `stmt`: a container with one name, or rows and
    target with two.  `frames` says that they are a DataFrame and a Series already.
    """

    stmt: int
    names: tuple[str, ...]
    call: ast.Call
    frames: bool = False


@dataclass(frozen=True, slots=True)
class Metric:
    """An expression whose number the notebook shows or keeps: `name` is how it is logged.

    Where a function of the notebook shows it, `node` says it in the words of the statement that calls, and
    `seen` is the expression in the function.
    """

    name: str
    stmt: int
    node: ast.expr
    seen: ast.expr | None = None


@dataclass(frozen=True, slots=True)
class Site:
    """A wrapped expression: `kind` is the method of the staging runtime that wraps it.

    `function` is the notebook function whose body it stands in, empty for the stage's own text.  `at`
    are loop variables that belong to the key, `options` further arguments of the wrap, as text.
    """

    node: ast.AST
    kind: str
    key: str
    span: Span
    evidence: Evidence
    why: str
    at: tuple[str, ...] = ()
    function: str = ""
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DataPath:
    """A file that is loaded: the expression that names it, its key in the settings, and its path.

    `scheme` is what stands before the path in the address of a database: `sqlite:///`.
    """

    node: ast.expr
    key: str
    path: str
    stmt: int
    scheme: str = ""

    @property
    def code(self) -> str:
        """What stands for the expression in the project."""
        if self.scheme:
            return f"f\"{self.scheme}{{settings.data_path('{self.key}')}}\""
        return f'settings.data_path("{self.key}")'


@dataclass(frozen=True, slots=True)
class Dropped:
    stmt: int
    reason: str


@dataclass(frozen=True, slots=True)
class StageGraph:
    """What is compiled.  `frames` are the raw frames, the main one first; `tables` those that are only
    looked up.  `split` is the statement that splits training from evaluation; `y` are the names (or
    expressions) of the target on its two sides, `y_eval_frame` the frame that the second is taken from where
    a frame was split.
    `floating` are imports, definitions and constants, which go where they are used; `hidden`, by `id(node)`,
    nested statements that only show something, and those that are `written_out`; `eval_arguments` what
    training predicts on where that is prepared on the spot.  `crossing` are what else training takes
    from the features, `shared` those that inference needs, `model_extras` those that inference needs from
    training.  `spans` are the places of all kept statements.  `tags` are the stages of the cells, those of
    `inferred` from the data flow, for the reason that stands there.  `candidates` are the graphs of other
    models on the same features, which are compared with the one that is compiled.  `written_out` are the
    expressions that names stand for, by `id(name)`.
    """

    stages: tuple[Stage, ...] = ()
    sink: Sink | None = None
    prediction: Prediction = field(default_factory=Prediction)
    metrics: tuple[Metric, ...] = ()
    frames: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    arrays: Arrays | None = None
    split: int | None = None
    y: tuple[str, str] = ("", "")
    y_eval_frame: str = ""
    train_names: dict[str, str] = field(default_factory=dict)
    eval_arguments: tuple[ast.expr, ...] = ()
    crossing: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    model_extras: tuple[str, ...] = ()
    target_columns: tuple[str, ...] = ()
    parameters: tuple[int, ...] = ()
    paths: tuple[DataPath, ...] = ()
    sites: tuple[Site, ...] = ()
    staged_functions: tuple[str, ...] = ()
    floating: frozenset[int] = frozenset()
    hidden: frozenset[int] = frozenset()
    spans: tuple[Span, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    tags: dict[int, str] = field(default_factory=dict)
    inferred: dict[int, str] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    candidates: tuple[StageGraph, ...] = ()
    written_out: dict[int, ast.expr] = field(default_factory=dict)

    def stage(self, role: Role) -> Stage:
        return next((stage for stage in self.stages if stage.role is role), Stage(role, ()))

    def places(self) -> tuple[Span, ...]:
        """Where the statements stand that the model needs."""
        return self.spans

    def check(self) -> None:
        """A statement belongs to one stage; edges go forward; every input is produced before."""
        seen: set[int] = set()
        for stage in self.stages:
            repeats = stage.role is Role.INFER  # a prediction may be judged by a metric too
            assert repeats or not seen & set(stage.stmts), "a statement in two stages"
            seen |= set(stage.stmts)
            assert list(stage.stmts) == sorted(stage.stmts), "statements out of order"
        assert not seen & {d.stmt for d in self.dropped}, "a dropped statement in a stage"
        keys = [(site.function, site.key) for site in self.sites if not site.at]
        assert len(keys) == len(set(keys)), "state keys repeat"

    def dump(self) -> str:
        lines = []
        for stage in self.stages:
            arrow = f"({', '.join(stage.inputs)}) -> ({', '.join(stage.outputs)})"
            lines.append(f"{stage.role} {arrow}: " + " ".join(f"s{s}" for s in stage.stmts))
        lines += [f"  {name} {text}" for name, text in self._boundaries() if text]
        for site in self.sites:
            at = f" at {', '.join(site.at)}" if site.at else ""
            within = f" in {site.function}" if site.function else ""
            place = f"cell {site.span.cell}:{site.span.line}"
            lines.append(
                f"  {place}  {site.kind}({site.key!r}{at}){within}  {site.evidence.name}  {site.why}"
            )
            lines.append(f"    {' '.join(ast.unparse(site.node).split())}")
        lines += [f"  metric {metric.name}: s{metric.stmt}" for metric in self.metrics]
        lines += [
            f"  candidate {c.sink.model}: s{c.sink.stmt}" for c in self.candidates if c.sink is not None
        ]
        lines += [f"  dropped s{d.stmt}: {d.reason}" for d in self.dropped]
        written = dict.fromkeys(ast.unparse(node) for node in self.written_out.values())
        lines += [f"  written out {text}" for text in written]
        lines += [f"  inferred cell {c}:1  {self.tags[c]}: {why}" for c, why in sorted(self.inferred.items())]
        lines += [f"  assumed {text}" for text in self.assumptions]
        lines += [f"  refused {r.code} {r.subject} {r.detail}".rstrip() for r in self.refusals]
        return "\n".join(lines)

    def _boundaries(self) -> Iterator[tuple[str, str]]:
        """What crosses between the stages, as the dump says it; an empty text where there is nothing."""
        if self.sink is not None:
            given = [ast.unparse(part) for part in (self.sink.x, self.sink.y) if part is not None]
            yield "fits", f"{self.sink.model} in s{self.sink.stmt} to {', '.join(given)} ({self.sink.task})"
        yield "tables", ", ".join(self.tables)
        yield "arrays", ", ".join(self.arrays.names) if self.arrays is not None else ""
        yield "split", f"s{self.split}" if self.split else ""
        yield "target", ", ".join(name for name in self.y if name)
        yield "given", ", ".join(f"{name} is {what}" for name, what in sorted(self.train_names.items()))
        if self.prediction.rows is not None:
            yield "predicts", f"{self.prediction.result or '-'} from {ast.unparse(self.prediction.rows)}"
        yield "floating", " ".join(f"s{s}" for s in sorted(self.floating))
        yield "parameters", " ".join(f"s{s}" for s in self.parameters)
        yield "paths", ", ".join(f"{path.key} is {path.path}" for path in self.paths)
        yield "hidden", str(len(self.hidden)) if self.hidden else ""
        yield "staged", ", ".join(self.staged_functions)
