"""What the generated project says about itself: settings, data, schema, state, versions, provenance."""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import replace
from pathlib import PurePosixPath

from nb2prod.ir.project import Column, DataFile, Module, Param, Project, Provenance, StateEntry
from nb2prod.ir.stages import Role, Site
from nb2prod.ir.trace import Trace
from nb2prod.lower.module import Context
from nb2prod.lower.readers import csv_options, other_reader
from nb2prod.lower.targets import raw_targets

ALWAYS = {"numpy", "pandas", "scipy", "sklearn", "joblib"}  # what every generated project uses itself
CORE = {"value", "keep", "result", "fitting"}
FUNCTIONS = {
    Role.LOAD: "load.load",
    Role.FEATURES: "features.features",
    Role.TARGET: "target.target",
    Role.TRAIN: "train.fit_model",
    Role.INFER: "infer.decide",
}


def project(
    context: Context,
    modules: dict[str, Module],
    trace: Trace | None,
    columns: tuple[Column, ...],
    *,
    name: str,
    notebook: str,
    data_root: str,
) -> Project:
    """The project: its modules and all that is known about it."""
    graph = context.graph
    assert graph.sink is not None
    text = "\n".join(t for m in modules.values() for t in (*m.helpers, *m.functions))
    targets = raw_targets(context, trace, columns)
    # Serving does not ask for the target, though the one body of the features may compute it again.
    columns = tuple(replace(c, read=c.read and c.name not in targets) for c in columns)
    return Project(
        name=name,
        notebook=notebook,
        title=PurePosixPath(notebook).stem,
        task=graph.sink.task,
        python=".".join((trace.python if trace else sys.version.split()[0]).split(".")[:2]),
        parameters=tuple(_parameters(context)),
        data_files=tuple(_data_files(context)),
        data_root=data_root,
        frames=graph.frames,
        tables=graph.tables,
        target_columns=targets,
        columns=columns,
        guards=trace.guards if trace else (),
        read_csv=csv_options(context),
        reader=other_reader(context),
        adapters=tuple(sorted(set(re.findall(r"\bst\.(\w+)\(", text)) - CORE)),
        state=tuple(_state(context)),
        metrics=tuple(metric.name for metric in graph.metrics),
        packages=tuple(_packages(trace, modules)),
        provenance=tuple(_provenance(context, modules)),
        assumptions=tuple(graph.assumptions),
        rewrites=tuple(_rewrites(context)),
        load=modules["load"],
        features=modules["features"],
        target=modules["target"],
        train=modules["train"],
        infer=modules["infer"],
    )


def _packages(trace: Trace | None, modules: dict[str, Module]) -> list[tuple[str, str]]:
    """The versions of what the project imports, of all that the notebook ran with."""
    if trace is None:
        return []
    lines = [line for module in modules.values() for line in module.imports]
    imported = {line.split()[1].split(".")[0] for line in lines} | ALWAYS
    distributions = {name for module, name in trace.modules if module in imported}
    return [(name, version) for name, version in trace.packages if name in distributions]


def _parameters(context: Context) -> list[Param]:
    found = []
    for id in context.graph.parameters:
        stmt = context.flow.by_id[id]
        assert isinstance(stmt.node, ast.Assign) and isinstance(stmt.node.targets[0], ast.Name)
        assert isinstance(stmt.node.value, ast.Constant)
        value = stmt.node.value.value
        assert isinstance(value, (int, float, str, bool))
        name = stmt.node.targets[0].id.lower()
        found.append(Param(name, type(value).__name__, value, stmt.cell))
    return found


def _data_files(context: Context) -> list[DataFile]:
    return [DataFile(p.key, p.path, context.flow.by_id[p.stmt].cell) for p in context.graph.paths]


def _state(context: Context) -> list[StateEntry]:
    return [
        StateEntry(s.key, s.kind, _shown(s), s.span.cell, s.span.line, s.evidence.name)
        for s in context.graph.sites
    ]


def _shown(site: Site) -> str:
    text = " ".join(ast.unparse(site.node).split())
    return text if len(text) <= 100 else text[:97] + "..."


def _provenance(context: Context, modules: dict[str, Module]) -> list[Provenance]:
    graph, flow = context.graph, context.flow
    place = _users(context, modules) | {s: FUNCTIONS[t.role] for t in graph.stages for s in t.stmts}
    reasons = {d.stmt: d.reason for d in graph.dropped}
    found = []
    for id, stmt in flow.by_id.items():
        where = place.get(id, "")
        if not where and id not in reasons:
            continue  # imports, and what nothing uses
        lines = ast.unparse(stmt.node).strip().split("\n")
        text = lines[0] + (" ..." if len(lines) > 1 else "")
        found.append(Provenance(stmt.cell, stmt.span.line, where, reasons.get(id, ""), text[:100]))
    return found


def _users(context: Context, modules: dict[str, Module]) -> dict[int, str]:
    """Where the helpers and constants went: to the settings, or to each module that uses them."""
    used = {}
    for role, module in modules.items():
        nodes = ast.walk(ast.parse("\n".join((*module.helpers, *module.functions))))
        defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        used[role] = {
            getattr(n, "id", getattr(n, "name", "")) for n in nodes if isinstance(n, (ast.Name, *defined))
        }
    found = {}
    for id, stmt in context.floating.items():
        names = context.flow.defined_by(id)
        if names & set(context.parameters):
            found[id] = "config.toml"
        elif not isinstance(stmt.node, (ast.Import, ast.ImportFrom)):
            found[id] = ", ".join(role for role, mentioned in used.items() if names & mentioned)
    return found


def _rewrites(context: Context) -> list[str]:
    return [
        f"cell {m.span.cell}, line {m.span.line}: `{m.text.strip()[:60]}` fell away"
        for m in context.flow.program.magics
        if not m.binds
    ]
