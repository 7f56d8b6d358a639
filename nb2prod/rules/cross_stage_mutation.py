"""NBP113."""

from __future__ import annotations

from collections.abc import Iterator

from nb2prod.analysis.objects import objects
from nb2prod.diagnostics import Diagnostic
from nb2prod.rules import Analysis, Label, Rule, Severity


class CrossStageMutation(Rule):
    """A function changes the object that it is given, and that object was made in another stage.

    Why it matters: in production the stages run apart, and what goes between them is a saved copy. The
    change stays in the memory of one stage, and the saved artefact never sees it.

    Instead: return the changed object, and use what is returned.

    Needs stage tags. Calls whose result takes the name of the argument (`df = clean(df)`) are fine.
    """

    code, name, severity = "NBP113", "cross-stage-mutation", Severity.ERROR
    fires = (
        "# %% tags=load\nrows = [1]\n# %% tags=setup\ndef grow(items):\n    items.append(1)\n"
        "# %% tags=features\ngrow(rows)",
    )
    silent = (
        "# %% tags=load\nrows = [1]\ndef grow(items):\n    items.append(1)\ngrow(rows)",
        "# %% tags=load\nrows = [1]\ndef grow(items):\n    return [*items, 1]\n# %% tags=features\n"
        "more = grow(rows)",
        "# %% tags=load\nrows = [1]\ndef grow(items):\n    items.append(1)\n    return items\n"
        "# %% tags=features\nrows = grow(rows)",
        "rows = [1]\ndef grow(items):\n    items.append(1)\n# %%\ngrow(rows)",
    )

    def check(self, a: Analysis) -> Iterator[Diagnostic]:
        tags = a.script.tags
        if not any(tags.allowed.values()):
            return
        every = a.once(objects)
        for action in every.actions:
            for change in action.changes:
                made = every.actions[every.made[change.object]]
                here, there = set(tags.of(action.cell)), set(tags.of(made.cell))
                if not change.callee or not here or not there or here & there or change.name in action.binds:
                    continue
                assert action.stmt is not None and made.stmt is not None
                span = action.stmt.text.head(change.node)
                labels = [
                    Label(span, f"`{change.callee}` changes it here, in stage {'/'.join(sorted(here))}"),
                    Label(made.stmt.text.head(made.node), f"made here, in stage {'/'.join(sorted(there))}"),
                ]
                message = f"`{change.callee}` changes `{change.name}`, which another stage made"
                help = f"let `{change.callee}` return a new object, and use what it returns"
                yield self.found(a, message, span, labels, help)
