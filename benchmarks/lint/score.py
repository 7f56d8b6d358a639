"""Scores `nb2prod lint` against execution: precision, recall and F1 by kind of fault.

    python benchmarks/lint/score.py [--notebooks FILE...] [--seed N] [--show KIND]

Mutants of notebooks that run (`mutate.py`) are run afresh (`runner.py`); what the run does decides whether
there is a fault.  A mutant whose run fails for another reason is thrown away.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import written
from mutate import Case, bases, later, mutants, standalone
from oracle import Oracle

from nb2prod import lint
from nb2prod.diagnostics import Diagnostic
from nb2prod.source import Cell, Notebook

FAMILIES = {
    "names": ("NBP101", "NBP102", "NBP103", "NBP104"),
    "order": ("NBP106",),
    "history": ("NBP108",),
    "rerun": ("NBP111",),
    "late": ("NBP112", "NBP113"),
    "random": ("NBP310", "NBP311", "NBP312", "NBP313"),
    "leakage": ("NBP201", "NBP203", "NBP207", "NBP208", "NBP209", "NBP210"),
}


@dataclass
class Score:
    """Counts of one kind; `wrong` are the cases to look at."""

    hit: int = 0
    missed: int = 0
    false: int = 0
    clean: int = 0
    wrong: list[str] = field(default_factory=list)

    def line(self, kind: str) -> str:
        precision = self.hit / (self.hit + self.false) if self.hit + self.false else 1.0
        recall = self.hit / (self.hit + self.missed) if self.hit + self.missed else 1.0
        f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
        counts = f"{self.hit + self.missed:4d} faults, {self.clean:4d} clean"
        return f"{kind:10} P {precision:.3f}  R {recall:.3f}  F1 {f1:.3f}   {counts}"


def main() -> None:
    """Makes the cases, runs them, prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--notebooks", nargs="*", type=Path, default=[])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "nb2prod-lint-runs")
    parser.add_argument("--python", default=sys.executable, help="runs the cases; with IPython and libraries")
    parser.add_argument("--show", nargs="*", default=[])
    parser.add_argument("--only", nargs="*", default=list(FAMILIES))
    parser.add_argument(
        "--set", choices=("own", "unseen", "third", "fourth", "fifth", "sixth"), default="own"
    )
    options = parser.parse_args()
    here = Path(__file__).parent
    first, second = (Oracle(options.cache, options.python, seed) for seed in (0, 1))
    judge = Judge(first, second)
    for base in bases(here / "bases" if options.set == "own" else None, options.notebooks):
        if judge.first(base.cells, None, base.folder)["error"] is None:
            judge.base(base, options.only)
            rng = random.Random(f"{options.seed} {base.id}")
            for case in mutants(base, rng):
                if case.kind in options.only:
                    judge.case(case)
        else:
            print(f"{base.id} does not run: left out")
    judge.tables = written.tables(options.cache / "tables")
    sets: dict[str, Callable[[], Iterator[Case]]] = {"own": standalone, "unseen": later}
    for case in sets.get(options.set, partial(mixed, options.set))():
        if case.kind in options.only:
            judge.case(case)
    for kind in options.only:
        print(judge.scores[kind].line(kind))
    for kind in options.show:
        print("\n".join(judge.scores[kind].wrong))


WRITTEN = ("third/", "fourth/", "fifth/", "sixth/")
SHOWN = "987654"  # a cell that shows a value, for the history
KEEP = "kept_ = {name: value for name, value in globals().items() if name[:1] != '_'}"
BACK = "globals().update(kept_)"


def mixed(name: str) -> Iterator[Case]:
    """The cases of a written set; what happens, happens in the last cell."""
    for number, (kind, cells, counts) in enumerate(written.cases(name)):
        yield Case(f"{name}/{kind}/{number}", kind, cells, counts, cell=len(cells) - 1)


class Judge:
    """Compares findings with runs."""

    def __init__(
        self, first: Oracle, second: Oracle, find: Callable[[Case], list[Diagnostic]] | None = None
    ) -> None:
        self.first, self.second, self.find = first, second, find or linted
        self.scores: defaultdict[str, Score] = defaultdict(Score)
        self.tables: tuple[Path, ...] = ()

    def base(self, base: Case, kinds: list[str]) -> None:
        """A notebook that runs: nothing about names, order or history; re-runs as they turn out."""
        found = self.find(base)
        for kind in kinds:
            if kind in ("names", "order", "history", "late"):
                self.count(kind, base, None, of(found, kind))
        if "rerun" in kinds:
            for cell in range(len(base.cells)):
                if re.search(r"rng|random", base.cells[cell]):
                    continue  # a stream of numbers goes on: that is another fault
                changed = self.changes_again(base, cell)
                if changed is not None:
                    here = [d for d in of(found, "rerun") if d.span and d.span.cell == cell]
                    self.count("rerun", base, cell if changed else None, here)

    def case(self, case: Case) -> None:
        found = of(self.find(case), case.kind)
        if case.id.startswith(WRITTEN):
            return self.unlabelled(case, found)
        match case.kind:
            case "names":
                self.names(case, found)
            case "order":
                self.order(case, found)
            case "rerun":
                changed = self.changes_again(case, case.cell)
                if changed is not None:
                    here = [d for d in found if case.cell in places(d)[:1]]
                    self.count("rerun", case, case.cell if changed else None, here)
            case "late":
                run = self.first(case.cells, None, case.folder)
                if run["error"] is None and self.confirmed(case):
                    here = [d for d in found if case.cell in places(d)]
                    self.count("late", case, None if case.clean else case.cell, here)
            case "random":
                one, two = self.first(case.cells), self.second(case.cells)
                if one["error"] is None:
                    differ = one["values"] != two["values"]
                    if differ is not case.clean:  # else the run does not confirm what it was made for
                        self.count("random", case, -1 if differ else None, found)
            case _:
                self.count(case.kind, case, None if case.clean else case.cell, found)

    def unlabelled(self, case: Case, found: list[Diagnostic]) -> None:
        """A case of the third set: only the run says whether there is a fault."""
        cell = case.cell
        if case.kind == "rerun":
            changed = self.changes_again(case, cell)
            assert changed is not None, case.id
            self.count("rerun", case, cell if changed else None, [d for d in found if cell in places(d)[:1]])
        elif case.kind == "late":
            keep, back = cell + 1, cell + 2  # names that were bound anew get their old objects back
            order = [*range(cell), keep, cell, back, cell - 1]
            run = self.first([*case.cells, KEEP, BACK], order)
            before, after = run["values"][cell - 1], run["values"][-1]
            made = {name for name in before if name and before[name] != run["values"][cell - 2].get(name)}
            failed = run["error"] is not None
            assert not failed or run["error"][0] == len(order) - 1, (case.id, run["error"])
            differ = failed or any(before[name] != after.get(name) for name in made)
            self.count("late", case, cell if differ else None, [d for d in found if cell in places(d)])
        elif case.kind == "random":
            one, two = self.first(case.cells), self.second(case.cells)
            assert one["error"] is None and two["error"] is None, (case.id, one["error"], two["error"])
            self.count("random", case, -1 if one["values"] != two["values"] else None, found)
        elif case.kind == "leakage":
            ends = [self.first([*case.cells, written.REST], None, folder) for folder in self.tables]
            assert not any(end["error"] for end in ends), (case.id, ends[0]["error"])
            one, other, half = (end["values"][-1] for end in ends)
            differ = (
                any(one[name] != other[name] for name in written.TRAINED) or one["rest_"] != half["rest_"]
            )
            self.count("leakage", case, -1 if differ else None, found)
        elif case.kind == "history":
            one = self.first(case.cells)
            more = self.first([SHOWN, *case.cells[:-1], SHOWN, case.cells[-1]])
            assert one["error"] is None, (case.id, one["error"])
            differ = more["error"] is not None or one["values"][-1] != more["values"][-1]
            self.count("history", case, -1 if differ else None, found)
        elif case.kind == "order":
            self.order(case, found)
        else:
            self.names(replace(case, clean=False), found)

    def confirmed(self, case: Case) -> bool:
        """The second of three cells gives something else after the third, just if that is the label."""
        if not case.id.startswith("unseen"):
            return True
        run = self.first(case.cells, [0, 1, 2, 1], case.folder)
        if run["error"] is not None:
            return not case.clean
        made = changes([run["values"][0], run["values"][1]])
        names = [name for values in list(made)[1:] for name in values if name]
        differ = any(run["values"][3].get(name) != run["values"][1].get(name) for name in names)
        return differ is not case.clean

    def names(self, case: Case, found: list[Diagnostic]) -> None:
        run = self.first(case.cells, None, case.folder)
        if run["error"] is None:
            self.count("names", case, None, found)
        elif run["error"][1] in ("NameError", "UnboundLocalError") and not case.clean:
            name = re.search(r"'(\w+)'", run["error"][2])
            cell = run["cell"]
            right = [d for d in found if name and f"`{name[1]}`" in d.message and cell in places(d)]
            others = [d for d in found if d not in right and not self.absent(d, run)]
            self.count("names", case, cell, right, others, str(run["error"][2]))
        elif case.clean:
            print(f"{case.id} fails: {run['error']}")

    @staticmethod
    def absent(found: Diagnostic, run: dict[str, Any]) -> bool:
        """The name is not there when the run comes to the cell of a finding (or one before it failed)."""
        name = re.search(r"`(\w+)`", found.message)
        cells = [cell for cell in places(found) if cell < len(run["values"])]
        return bool(name) and any(cell == 0 or name[1] not in run["values"][cell - 1] for cell in cells)

    def order(self, case: Case, found: list[Diagnostic]) -> None:
        counts = case.recorded()
        order = sorted(range(len(case.cells)), key=lambda position: counts[position] or 0)
        text = self.first(case.cells, None, case.folder)
        counted = self.first(case.cells, order, case.folder)
        if text["error"] or counted["error"]:
            return
        one = dict(enumerate(changes(text["values"])))
        two = dict(zip(order, changes(counted["values"]), strict=True))
        differ = {cell for cell in one if differs(one[cell], two[cell])}
        if not differ and self.other_inputs(case, order, text["values"], counted["values"]):
            return  # other values, the same outcome: nobody can tell from the text
        right = [d for d in found if differ & set(places(d))]
        others = [d for d in found if d not in right]
        self.count("order", case, min(differ) if differ else None, right or others, others)

    @staticmethod
    def other_inputs(
        case: Case, order: list[int], text: list[dict[str, str]], counted: list[dict[str, str]]
    ) -> bool:
        """Whether a cell finds another value in a variable that it mentions."""
        for cell, source in enumerate(case.cells):
            step = order.index(cell)
            one, two = text[cell - 1] if cell else {}, counted[step - 1] if step else {}
            if any(
                one.get(name) != two.get(name)
                for name in re.findall(r"\w+", source)
                if name in one and name in two
            ):
                return True
        return False

    def changes_again(self, case: Case, cell: int) -> bool | None:
        """Whether running a cell a second time changes a variable; None where it fails."""
        order = [*range(cell + 1), cell]
        run = self.first(case.cells, order, case.folder)
        if run["error"] is not None:
            failed_again = run["error"][0] == len(order) - 1
            return True if failed_again else None
        before, after = ({k: v for k, v in values.items() if k} for values in run["values"][-2:])
        return before != after

    def count(
        self,
        kind: str,
        case: Case,
        cell: int | None,
        found: list[Diagnostic],
        others: list[Diagnostic] | None = None,
        why: str = "",
    ) -> None:
        score = self.scores[kind]
        if cell is None:
            score.clean += 1
            wrong = found
        else:
            score.hit += bool(found)
            score.missed += not found
            wrong = others or []
            if not found:
                score.wrong.append(
                    f"MISSED {case.id} cell {cell} {why} {case.counts or ''}\n{shown(case, cell)}"
                )
        score.false += len(wrong)
        for d in wrong:
            cell_of = d.span.cell if d.span else -1
            where = f"FALSE {case.id} {d.code} cell {cell_of}"
            score.wrong.append(f"{where}: {d.message}\n{shown(case, cell_of)}")


def changes(values: list[dict[str, str]]) -> Iterator[dict[str, str | None]]:
    """What each step changed, and what it showed."""
    before: dict[str, str] = {}
    for after in values:
        yield {name: value for name, value in after.items() if not name or before.get(name) != value}
        before = after


def differs(one: dict[str, str | None], two: dict[str, str | None]) -> bool:
    """A name that both changed, or what both showed, differs."""
    return any(two[name] != value for name, value in one.items() if name in two)


def linted(case: Case) -> list[Diagnostic]:
    cells = tuple(
        Cell(index, "code", text, count)
        for index, (text, count) in enumerate(zip(case.cells, case.recorded(), strict=True))
    )
    return lint.lint_notebook(Notebook(f"{case.id}.ipynb", cells))


def of(found: list[Diagnostic], kind: str) -> list[Diagnostic]:
    return [d for d in found if d.code in FAMILIES[kind]]


def places(found: Diagnostic) -> list[int]:
    """The cells that a finding speaks of, its own first."""
    spans = [found.span, *(label.span for label in found.labels)]
    return [span.cell for span in spans if span is not None]


def shown(case: Case, cell: int) -> str:
    if not 0 <= cell < len(case.cells):
        return "\n".join("    | " + line for text in case.cells for line in text.splitlines()[-8:])
    return "\n".join("    | " + line for line in case.cells[cell].splitlines()[:12])


if __name__ == "__main__":
    main()
