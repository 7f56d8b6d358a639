"""NBP116."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2prod.analysis.objects import Action, Objects, objects
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Edit, Fix, Label, Rule, Severity
from nb2prod.source import Span


class AliasedDataframe(Rule):
    """A table is changed through a second name or a selection: `b = a` and `b["x"] = 0`, `df[mask]["x"] = 0`,
    `part = df[mask]` and `part["x"] = 0`.

    Why it matters: whether the first table changes too depends on the version of pandas.  From 3.0 on a
    selection never changes its table; before, it sometimes did.

    Instead: `.copy()` where a second table is meant, `df.loc[mask, "x"] = 0` where the first one is.

    A second name counts where the first one is read afterwards.
    """

    code, name, severity = "NBP116", "aliased-dataframe", Severity.WARNING
    fires = (
        "import pandas as pd\ndf = pd.read_csv('a')\ndf[df.x > 0]['y'] = 1",
        "import pandas as pd\ndf = pd.read_csv('a')\npart = df[df.x > 0]\npart['y'] = 1",
        "import pandas as pd\na = pd.read_csv('a')\nb = a\nb['y'] = 1\nprint(a)",
    )
    silent = (
        "import pandas as pd\ndf = pd.read_csv('a')\ndf.loc[df.x > 0, 'y'] = 1",
        "import pandas as pd\ndf = pd.read_csv('a')\npart = df[df.x > 0].copy()\npart['y'] = 1",
        "import pandas as pd\na = pd.read_csv('a')\nb = a.copy()\nb['y'] = 1\nprint(a)",
        "import pandas as pd\ndf = pd.read_csv('a')\ndf = df[df.x > 0]\ndf['y'] = 1",
        "d = {'a': {}}\nd['a']['b'] = 1",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        every = a.once(objects)
        selections: dict[int, Action] = {}
        for action in every.actions:
            if (name := _selected(action.node)) and _is_frame(every, action, name):
                selections[action.id] = action
            if (target := _chained(action.node)) and _is_frame(every, action, target):
                yield self.one(a, action, action, f"this may change `{target}`, or a copy of it", target)
                continue
            for change in action.changes:
                made = every.made[change.object]
                if every.kinds[change.object] != "frame" or change.callee or made == action.id:
                    continue
                if made in selections and not isinstance(action.node, ast.Expr):
                    source = selections.pop(made)
                    message = f"`{change.name}` is a selection of another table, and is changed"
                    yield self.one(a, action, source, message, change.name)
                elif _second_name(every, action, change.name, change.object):
                    message = f"`{change.name}` is a second name of a table that is read later"
                    yield self.one(a, action, every.actions[made], message, change.name)
                    break

    def one(self, a: Analysis, action: Action, source: Action, message: str, name: str) -> Diagnostic:
        assert action.stmt is not None and source.stmt is not None
        span = action.stmt.text.head(action.node)
        labels = [Label(span, f"changed here{a.ran(span.cell)}")]
        if source is not action:
            labels.append(Label(source.stmt.text.head(source.node), "made here"))
        help = "add `.copy()` where a second table is meant, or use `.loc` on the first one"
        fix = _fix(source) if source is not action else None
        return self.found(a, message, span, labels, help, fix=fix)


def _fix(source: Action) -> Fix | None:
    """`.copy()` after the selection that made the second table."""
    if not isinstance(source.node, ast.Assign) or source.stmt is None:
        return None
    end = source.stmt.text.span(source.node.value)
    place = Span(end.cell, end.end_line, end.end_column, end.end_line, end.end_column)
    return Fix("make it a copy", False, (Edit(place, ".copy()"),))


def _selected(node: ast.stmt) -> str:
    """`part = df[mask]`: the table that rows are selected from; its own name does not count."""
    match node:
        case ast.Assign(
            targets=[ast.Name(id=target)],
            value=ast.Subscript(value=ast.Name(id=name), slice=ast.Compare() | ast.BinOp()),
        ) if name != target:
            return name
    return ""


def _chained(node: ast.stmt) -> str:
    """`df[mask]["x"] = 0`."""
    match node:
        case ast.Assign(
            targets=[
                ast.Subscript(
                    value=ast.Subscript(value=ast.Name(id=name), slice=ast.Compare() | ast.BinOp()),
                    slice=ast.Constant(value=str()),
                )
            ]
        ):
            return name
    return ""


def _is_frame(every: Objects, action: Action, name: str) -> bool:
    return any(t.name == name and every.kinds[t.object] == "frame" for t in [*action.reads, *action.changes])


def _second_name(every: Objects, action: Action, name: str, one: int) -> bool:
    """Another name had the object before, by `b = a`, and is read after the change."""
    shared = {
        other.node.value.id
        for other in every.actions[every.made[one] : action.id]
        if isinstance(other.node, ast.Assign)
        and isinstance(other.node.value, ast.Name)
        and name in other.binds
        and any(read.object == one for read in other.reads)
    }
    later = every.actions[action.id + 1 :]
    return any(read.object == one and read.name in shared for other in later for read in other.reads)
