"""Project: the modules and facts of the generated project; made by lowering, read by emit.

Everything here is text that templates place, or facts that they print; templates decide nothing about
the notebook's meaning.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Param:
    """A constant of the notebook that became a setting; `type` is int, float, str or bool."""

    name: str
    type: str
    value: int | float | str | bool
    cell: int


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file that `load` reads: its key in config.toml and its path relative to the data root."""

    key: str
    path: str
    cell: int


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a raw row.

    `type` is int, float, bool, str or datetime; `read` says that some feature depends on it; `nullable`
    that training had missing values there; `categories` are the values seen in training where they are
    few; `example` is a real value as JSON; `gaps` that the raw data had missing values there, also in rows
    that training dropped (None: unknown); `minimum` and `maximum` are of all these rows too.
    """

    name: str
    type: str
    read: bool = True
    nullable: bool = False
    categories: tuple[str, ...] | None = None
    minimum: float | None = None
    maximum: float | None = None
    example: str | int | float | bool | None = None
    gaps: bool | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """A function of pandas that reads files with this ending, with options as source text; an empty name
    stands for `read_csv`.
    """

    function: str
    ending: str
    options: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Module:
    """User code for one generated module.

    `imports` are import statements, `constants` and `helpers` module-level statements in notebook order,
    `functions` the stage functions; all are source text without trailing newline.
    """

    imports: tuple[str, ...] = ()
    helpers: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.helpers or self.functions)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a cell of the notebook went: `function` is e.g. `features.features`, or empty if dropped."""

    cell: int
    line: int
    function: str
    why: str
    text: str


@dataclass(frozen=True, slots=True)
class StateEntry:
    """One learned value: its key, how it is learned, and the call that learns it."""

    key: str
    adapter: str
    source: str
    cell: int
    line: int
    evidence: str


@dataclass(frozen=True, slots=True)
class Project:
    """A generated project before it becomes files.

    `task` is classification, regression, clustering or other.  `frames` are the names of the raw frames,
    the main one first; `tables` those of them that are reference tables.  `adapters` are the names of the
    staging adapters used.  `read_csv` are the options, as source text of constants, with which the main frame
    is read (`sep`, `na_values`, `decimal`, ...; not `nrows`): files to predict are read alike.  `packages`
    pins distribution names to the versions the notebook ran with.
    `seed` is where the global random generators start.  `fit_on` says which rows features learn from: all, or
    the training rows of the split.  `targets` are further places to run in, beside Kubernetes.  `guards` are
    the filters that tell of a row alone whether training drops it.  `row_path` is the text of
    `features_row.py`, empty where the features have no row form; `row_path_told` says which, and why.
    `model_row` is the text of `model_row.py`, the forms for single rows of the models that training names.
    """

    name: str
    notebook: str
    title: str
    task: str
    python: str
    load: Module
    features: Module
    target: Module
    train: Module
    infer: Module
    parameters: tuple[Param, ...] = ()
    data_files: tuple[DataFile, ...] = ()
    data_root: str = ".."
    frames: tuple[str, ...] = ("df",)
    tables: tuple[str, ...] = ()
    target_columns: tuple[str, ...] = ()
    columns: tuple[Column, ...] = ()
    adapters: tuple[str, ...] = ()
    state: tuple[StateEntry, ...] = ()
    metrics: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()
    packages: tuple[tuple[str, str], ...] = ()
    provenance: tuple[Provenance, ...] = ()
    assumptions: tuple[str, ...] = ()
    rewrites: tuple[str, ...] = field(default=())
    read_csv: tuple[tuple[str, str], ...] = ()
    reader: Reader | None = None
    seed: int = 0
    fit_on: str = "all"
    targets: tuple[str, ...] = ()
    guards: tuple[str, ...] = ()
    row_path: str = ""
    model_row: str = ""
    row_path_told: str = ""

    @property
    def trains_networks(self) -> bool:
        """Whether training draws from the random stream of PyTorch."""
        return any(line.split()[1].split(".")[0] == "torch" for line in self.train.imports)
