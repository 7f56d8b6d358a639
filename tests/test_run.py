"""Notebooks run in real kernels."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pytest

from nb2prod.frontend import parse
from nb2prod.ir.program import Program
from nb2prod.run import Outcome, Tap, run_notebook
from nb2prod.run import kernel as kernel_module
from nb2prod.run import scratch as scratch_module
from nb2prod.run.scratch import scratch_copy
from nb2prod.source import Cell, Notebook, Span

pytest.importorskip("papermill")
pytest.importorskip("ipykernel")

LOAD = """\
import random

import numpy as np
import pandas as pd
df = pd.read_csv("data.csv")"""
FEATURES = """\
# the age
df["age"] = df["age"].fillna(df["age"].median())
for name in ["age", "fare"]:
    df[name] = df[name] * 2
X = df[df["fare"] > 3]
X.head(1)"""
TRAIN = """\
noise = np.random.rand(), random.random()
class Model:
    def predict(self, X): return X["age"].to_numpy()
model = Model()
print(f"mean {X['age'].mean():.3f} {noise}")"""
DATA = "age,fare\n10,1\n,2\n30,3\n"


def program_of(*cells: str | Cell) -> Program:
    made = [
        Cell(index, "code", cell)
        if isinstance(cell, str)
        else Cell(index, cell.kind, cell.text, tags=cell.tags)
        for index, cell in enumerate(cells)
    ]
    return parse(Notebook("test.ipynb", tuple(made)))


def run(program: Program, folder: Path, **options: Any) -> Outcome:
    options.setdefault("timeout", 120)
    return run_notebook(program, python=sys.executable, folder=folder, **options)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A notebook's folder in a home of its own."""
    made = tmp_path / "home" / "project"
    made.mkdir(parents=True)
    (made / "data.csv").write_text(DATA)
    return made


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Every run cleans up, and writes nothing into the user's home."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "home").mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    yield
    monkeypatch.undo()
    assert not list((tmp_path / "tmp").glob("nb2prod-*"))
    hidden = {path.name for path in (tmp_path / "home").iterdir() if path.name.startswith(".")}
    assert hidden <= {".cache", ".config"}, hidden  # matplotlib's


def test_a_traced_run(folder: Path, tmp_path: Path) -> None:
    program = program_of(LOAD, Cell(0, "markdown", "# text"), FEATURES, TRAIN)
    taps = [
        Tap("df_before", Span(2, 5, 1, 5, 23), "before", "df", with_random=True),
        Tap("X_after", Span(2, 5, 1, 5, 23), "after", "X"),
        Tap("mean_age", Span(3, 5, 15, 5, 30), metric=True),
        Tap("model", Span(3, 4, 9, 4, 16)),
        Tap("generator", Span(3, 1, 1, 1, 42), "after", "(x for x in [])"),
    ]
    progress: list[tuple[int, int]] = []
    baseline = tmp_path / "baseline"
    outcome = run(
        program,
        folder,
        trace=True,
        taps=taps,
        baseline=baseline,
        tail="__nb2prod__.save('predictions', lambda: model.predict(X))",
        on_progress=lambda cell, cells: progress.append((cell, cells)),
    )
    assert outcome.ok and outcome.error is None, outcome.error
    assert progress == [(0, 4), (2, 4), (3, 4)]
    assert outcome.outputs[2][0].kind == "result" and "age  fare" in outcome.outputs[2][0].text
    seeded = "mean 50.000 (0.5488135039273248, 0.8444218515250481)\n"
    assert [(out.kind, out.text) for out in outcome.outputs[3]] == [("stdout", seeded)]
    # taps
    assert outcome.load("df_before")["fare"].tolist() == [2, 4, 6]
    assert outcome.load("X_after")["fare"].tolist() == [4, 6]
    assert outcome.values["X_after"].shape == (2, 2)
    assert outcome.metrics == {"mean_age": 50.0}
    assert outcome.load("predictions").tolist() == [40.0, 60.0]
    assert outcome.values["model"].needs_main
    assert "generator" in outcome.values["generator"].error
    assert (baseline / outcome.random["df_before"]).exists()
    # trace
    trace = outcome.trace
    assert trace is not None
    trace.check()
    assert trace.packages == tuple(outcome.packages.items()) and "pandas" in outcome.packages
    assert trace.python == ".".join(map(str, sys.version_info[:3]))
    frame, mask = trace.at(Span(2, 5, 5, 5, 23)), trace.at(Span(2, 5, 8, 5, 22))
    assert frame is not None and (frame.type, frame.shape) == ("pandas.DataFrame", (2, 2))
    assert mask is not None and mask.dtypes == ("bool",)
    assert mask.rows != frame.rows
    column = trace.at(Span(2, 4, 16, 4, 24))
    assert column is not None and (column.hits, column.varies) == (2, ("columns", "dtypes"))
    assert str(tmp_path) not in trace.to_json()
    # the plain run draws the same
    plain = run(program, folder)
    assert plain.ok and plain.trace is None
    assert plain.outputs == outcome.outputs


def test_a_failing_cell(folder: Path, tmp_path: Path) -> None:
    cell = "if 1:\n    x = len([1])\nfor i in [1]:\n    y = f(i)\nz = 1\n"
    program = program_of("def f(v):\n    return {}[v]", "%%time\nq = f", cell, "print('not reached')")
    taps = [Tap("x", Span(2, 3, 1, 4, 13), "before", "x")]
    outcome = run(program, folder, trace=True, taps=taps, baseline=tmp_path / "baseline")
    assert not outcome.ok and not outcome.died and not outcome.timed_out
    error = outcome.error
    assert error is not None
    assert (error.cell, error.line, error.ename, error.evalue) == (2, 4, "KeyError", "1")
    assert "y = f(i)" in error.traceback and "return {}[v]" in error.traceback
    assert "__nb2prod__" not in error.traceback and "\x1b" not in error.traceback
    assert "line 4" in error.traceback or "----> 4" in error.traceback
    assert outcome.load("x") == 1
    assert 3 not in outcome.outputs
    assert outcome.trace is not None and outcome.trace.sites


def test_a_cell_that_is_not_python_fails_at_its_line(folder: Path) -> None:
    error = run(program_of("a = 1", "b = 2\nc = = 3"), folder).error
    assert error is not None
    assert (error.cell, error.line, error.ename) == (1, 2, "SyntaxError")


def test_an_error_in_a_cell_magic_is_an_error(folder: Path) -> None:
    outcome = run(program_of("%%capture shown\nx = 1 / 0", "import warnings\nwarnings.warn('next')"), folder)
    assert not outcome.ok and outcome.error is not None
    assert (outcome.error.cell, outcome.error.ename) == (0, "ZeroDivisionError")
    assert outcome.outputs[1][0].text.startswith("<cell>:2: UserWarning: next")


def test_time_out(folder: Path) -> None:
    started = time.monotonic()
    outcome = run(program_of("x = 1", "import time\ntime.sleep(60)"), folder, timeout=4)
    assert outcome.timed_out and not outcome.ok
    assert outcome.error is not None and outcome.error.evalue == "not finished after 4 s"
    assert time.monotonic() - started < 20


def test_a_kernel_that_dies(folder: Path) -> None:
    outcome = run(program_of("x = 1", "import os\nos.write(2, b'last words\\n')\nos.abort()"), folder)
    assert outcome.died and not outcome.ok
    assert outcome.error is not None
    assert (outcome.error.cell, outcome.error.ename) == (1, "DeadKernel")
    assert "last words" in outcome.error.traceback


def test_a_python_without_ipykernel(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = tmp_path / "bare"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    program = program_of("x = 1")
    error = run_notebook(program, python=str(bare), folder=folder).error
    assert error is not None and error.evalue.endswith(f"{bare} -m pip install ipykernel")
    error = run_notebook(program, python=str(tmp_path / "absent"), folder=folder).error
    assert error is not None and "there is no Python" in error.evalue
    (tmp_path / "false").symlink_to("/bin/false")
    error = run_notebook(program, python=str(tmp_path / "false"), folder=folder).error
    assert error is not None and "does not work" in error.evalue
    monkeypatch.setattr(kernel_module, "EXTRA", "papermill_that_is_not_there")
    error = run_notebook(program, python=sys.executable, folder=folder).error
    assert error is not None and "nb2prod[run]" in error.evalue
    other = parse(Notebook("r.ipynb", (Cell(0, "code", "x <- 1"),), "R"))
    error = run_notebook(other, python=sys.executable, folder=folder).error
    assert error is not None and "R, not Python" in error.evalue


def test_scratch_and_offline(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch_module, "LARGE", 1000)
    (folder / "big.csv").write_text("v\n" + "1\n" * 1000)
    (folder.parent / "shared").mkdir()
    (folder.parent / "shared" / "more.csv").write_text("m")
    cells = [
        "open('data.csv', 'w').write('gone'); open('new.txt', 'w').write('n')",
        "print(len(open('big.csv').read()), open('../shared/more.csv').read())\n"
        "open('../shared/more.csv', 'w').close()",
        Cell(0, "code", "1 / 0", tags=("skip",)),
        "# nb2prod: skip\n1 / 0",
        Cell(0, "code", "1 / 0", tags=("raises-exception",)),
        "import urllib.request\nfor address in ['http://example.com', 'http://127.0.0.1:1']:\n"
        "    try: urllib.request.urlopen(address)\n    except OSError as error: print(error)",
        "%reset -f\nimport matplotlib; print(matplotlib.get_backend())",
        "try: open('big.csv', 'a')\nexcept PermissionError as error: print('read-only' in str(error))",
    ]
    outcome = run(program_of(*cells), folder, offline=True, trace=True)
    assert outcome.ok, outcome.error
    shown = {cell: "".join(out.text for out in outputs) for cell, outputs in outcome.outputs.items()}
    assert shown[1] == "2002 m\n"
    assert "blocked by --offline" in shown[5] and "refused" in shown[5]
    assert shown[6].strip().lower() == "agg" and shown[7] == "True\n"
    assert 2 not in shown and 3 not in shown and "ZeroDivisionError" in shown[4]
    assert (folder / "data.csv").read_text() == DATA and not (folder / "new.txt").exists()
    assert (folder.parent / "shared" / "more.csv").read_text() == "m"
    assert any(note.startswith("linked, not copied") for note in outcome.notes)


def test_interrupt_kills_the_kernel(folder: Path, tmp_path: Path) -> None:
    mark = tmp_path / "pids"
    script = f"""
    import sys
    from pathlib import Path
    sys.path.insert(0, {str(Path(__file__).parent)!r})
    from test_run import program_of, run
    cell = '''
    import os, subprocess, time
    child = subprocess.Popen(["sleep", "60"])
    open({str(mark)!r} + ".new", "w").write(f"{{os.getpid()}} {{child.pid}}")
    os.rename({str(mark)!r} + ".new", {str(mark)!r})
    time.sleep(60)
    '''
    try:
        run(program_of(cell), Path({str(folder)!r}))
    except KeyboardInterrupt:
        print("interrupted")
    """
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (out, err) == ("interrupted\n", "")
    for pid in map(int, mark.read_text().split()):
        assert not alive(pid)


def alive(pid: int) -> bool:
    for _ in range(20):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
        state = Path(f"/proc/{pid}/stat")
        if state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z":
            return False  # dead, and waiting for init
        time.sleep(0.1)
    return True


def test_packages_stay_as_they_are(folder: Path) -> None:
    """A notebook that pins a version would break the Python that runs it, and every notebook after it."""
    program = program_of(
        "!pip install --no-index no-such-package-1",
        "%pip install --no-index no-such-package-2",
        "%%bash\npip3 install --no-index no-such-package-3\necho after > ran.txt",
        "found = !python -m pip uninstall -y no-such-package-4",
        "assert not found and open('ran.txt').read() == 'after\\n'",
        "listed = !pip --version\nassert 'pip' in listed[0]",
    )
    outcome = run(program, folder)
    assert outcome.ok, outcome.error
    said = [output.text for outputs in outcome.outputs.values() for output in outputs]
    assert sum("not run" in text and "no-such-package" in text for text in said) == 4, said


def test_taps_need_a_place(folder: Path) -> None:
    with pytest.raises(ValueError, match="baseline"):
        run(program_of("x = 1"), folder, tail="x")


# the scratch copy


def test_what_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch_module, "ENTRIES", 1)
    folder = tmp_path / "a" / "b"
    for name in (
        "x.csv",
        "sub/y.csv",
        "sub/deep/z.csv",
        "sub/deep/w.csv",
        "venv/lib.py",
        "env/pyvenv.cfg",
        ".git/HEAD",
    ):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    (folder / "loop").symlink_to(folder)
    (folder / "broken").symlink_to(folder / "nowhere")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.csv").write_text("t")
    (tmp_path / "other").mkdir()
    notebook = program_of("import os\nos.path.join('..', '..', 'data', 'train.csv')").notebook
    with scratch_copy(folder, notebook) as scratch:
        names = sorted(str(path.relative_to(scratch.folder)) for path in scratch.folder.rglob("*"))
        assert names == ["sub", "sub/deep", "sub/y.csv", "x.csv"]
        assert (scratch.folder / "sub" / "deep").is_symlink() and scratch.linked == [folder / "sub" / "deep"]
        assert (scratch.folder / ".." / ".." / "data" / "train.csv").read_text() == "t"
        assert not (scratch.folder / ".." / ".." / "other").exists()
        (scratch.folder / "x.csv").write_text("changed")
        (scratch.folder / "sub").chmod(0o500)
    assert not scratch.root.exists()
    assert (folder / "x.csv").read_text() == "x.csv"
