"""Shows how far the work is: bars on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

from nb2prod.cli.style import clean, interactive

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from nb2prod.compiler import Event

QUIET_SECONDS = 15.0  # between two lines about the same phase, where there is no terminal
TITLES = {"verify": "checking the project", "emit": "writing the project"}  # of the whole phase
UNITS = {"trace": "cells", "run": "cells", "verify": "checks", "full": "steps"}


class Show:
    """Takes events: `with Show() as show: compile_notebook(..., show)`.  Writes to standard error."""

    def __init__(self) -> None:
        self.bars: Progress | None = None
        self.task: TaskID | None = None
        self.phase = ""
        self.spoke = 0.0

    def __enter__(self) -> Self:
        if interactive(sys.stderr):
            self.bars = _bars()
            self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.bars is not None:
            if error is None:
                self._finish(self.bars)
            self.bars.stop()

    def __call__(self, event: Event) -> None:
        if self.bars is not None:
            self._draw(self.bars, event)
        else:
            self._say(event)
        self.phase = event.phase

    def _draw(self, bars: Progress, event: Event) -> None:
        text = clean(event.text)
        count = _count(event)
        if event.phase != self.phase or self.task is None:
            self._finish(bars)
            self.task = bars.add_task(text, total=event.total or None, count=count)
        bars.update(self.task, description=text, completed=event.done, total=event.total or None, count=count)

    def _finish(self, bars: Progress) -> None:
        if self.task is not None:
            total = bars.tasks[self.task].total or 1
            bars.update(self.task, completed=total, total=total, count="")
            if self.phase in TITLES:
                bars.update(self.task, description=TITLES[self.phase])

    def _say(self, event: Event) -> None:
        now = time.monotonic()
        if event.phase == self.phase and now - self.spoke < QUIET_SECONDS:
            return
        count = _count(event)
        begins = event.phase != self.phase
        said = TITLES.get(event.phase, event.text) if begins else event.text
        text = clean(said) + (f" ({count})" if count else "")
        print(text, file=sys.stderr, flush=True)
        self.spoke = now


def _count(event: Event) -> str:
    if not event.total:
        return ""
    unit = UNITS.get(event.phase, "")  # behind the number: "cell 3" would be the name of a cell
    return f"{min(event.done + 1, event.total)} of {event.total} {unit}".strip()


def _bars() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    return Progress(
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[count]}", markup=False),
        TimeElapsedColumn(),
        console=Console(stderr=True, highlight=False),
    )
