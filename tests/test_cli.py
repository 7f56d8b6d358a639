"""The command line: exit codes, what goes to which stream, and what a person reads at the end."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from percent import notebook as cells
from typer.testing import CliRunner, Result

from nb2prod import __version__, compiler, frontend
from nb2prod.cli import app, progress, style
from nb2prod.cli.summary import summary
from nb2prod.compiler import Event, Failure, Outcome
from nb2prod.emit import WriteResult
from nb2prod.ir.project import Column
from nb2prod.verify import Check, Report

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples" / "notebooks"

WORKS = """\
# %% tags=load
import pandas as pd
df = pd.DataFrame({"age": [1.0, None, 3.0, 4.0] * 30, "y": [0, 1, 0, 1] * 30})
df.head()
# %% tags=features
df["age"] = df["age"].fillna(df["age"].median())
X = df[["age"]]
y = df["y"]
# %% tags=train
from sklearn.linear_model import LogisticRegression
model = LogisticRegression().fit(X, y)
score = model.score(X, y)
"""


TRAIN_TEST_SPLIT = "from sklearn.model_selection import train_test_split\n"


def save(path: Path, text: str, **metadata: Any) -> Path:
    """A notebook file from the percent format."""
    rows = [
        {
            "cell_type": "code",
            "metadata": {"tags": list(cell.tags)},
            "source": cell.text,
            "outputs": [],
            "execution_count": cell.run,
            "id": f"c{cell.index}",
        }
        for cell in cells(text).cells
    ]
    stored = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": rows}
    path.write_text(json.dumps(stored), encoding="utf-8")
    return path


def nb2prod(*arguments: object, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)


def start(*arguments: object, **options: Any) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "nb2prod", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "110"}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=environment, **{**pipes, **options})


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# what every command does


def test_version_and_help() -> None:
    assert nb2prod("--version").stdout == f"nb2prod {__version__}\n"
    for command in ("compile", "lint", "graph", "show", "verify", "explain"):
        assert command in nb2prod("--help").stdout
        said = nb2prod(command, "--help")
        assert said.exit_code == 0 and len(said.stdout) > 300


def test_training_rows_alone_need_a_split(tmp_path: Path) -> None:
    path = save(tmp_path / "works.ipynb", WORKS)
    ran = nb2prod("compile", path, "-o", tmp_path / "out", "--static", "--fit-on", "train")
    assert ran.exit_code == 2 and "splits off no rows" in ran.stderr and not (tmp_path / "out").exists()
    ran = nb2prod("compile", path, "--fit-on", "some")
    assert ran.exit_code == 2 and "must be all or train" in " ".join(ran.stderr.split())


def test_the_project_remembers_which_rows_teach(tmp_path: Path) -> None:
    split = "X, X_test, y, y_test = train_test_split(df[['age']], df['y'], random_state=0)\n"
    text = WORKS.replace('X = df[["age"]]\ny = df["y"]\n', "").replace("model = Log", split + "model = Log")
    text = text.replace("import LogisticRegression\n", "import LogisticRegression\n" + TRAIN_TEST_SPLIT)
    path = save(tmp_path / "works.ipynb", text)
    for rows in ("all", "train"):
        ran = nb2prod("compile", path, "-o", tmp_path / rows, "--static", "--fit-on", rows)
        assert ran.exit_code == 0, ran.stderr
        assert f'fit_on = "{rows}"' in (tmp_path / rows / "config.toml").read_text()


SECRET = "s3cr8t-Pw9"


def test_a_secret_is_not_copied_from_cells_that_the_model_does_not_need(tmp_path: Path) -> None:
    text = WORKS.replace("df.head()", f"password = '{SECRET}'\nprint(password)")
    path = save(tmp_path / "works.ipynb", text)
    ran = nb2prod("compile", path, "-o", tmp_path / "out", "--static")
    assert ran.exit_code == 0 and "NBP306" in ran.stdout
    assert not [name for name, data in tree(tmp_path / "out").items() if SECRET.encode() in data]
    assert SECRET not in ran.stdout + ran.stderr
    copy = frontend.read(tmp_path / "out" / "notebook.ipynb")
    assert "password = '***'\nprint(password)" in copy.cells[0].text


def test_a_secret_that_the_project_would_need_is_refused(tmp_path: Path) -> None:
    used = WORKS.replace("df.head()", f"password = '{SECRET}'\ndf['age'] += len(password)")
    ran = nb2prod("compile", save(tmp_path / "works.ipynb", used), "-o", tmp_path / "out", "--static")
    assert ran.exit_code == 1 and "NBP410" in ran.stdout + ran.stderr and not (tmp_path / "out").exists()


def test_an_unknown_command_is_wrong_usage() -> None:
    assert nb2prod("frobnicate").exit_code == 2
    assert nb2prod("compile").exit_code == 2
    assert nb2prod("compile", "x.ipynb", "--frobnicate").exit_code == 2


@pytest.mark.parametrize("command", [["compile"], ["graph"], ["show", "--after", "cut"], ["lint"]])
def test_a_missing_file_is_wrong_usage(command: list[str], tmp_path: Path) -> None:
    ran = nb2prod(*command, tmp_path / "missing.ipynb")
    assert ran.exit_code == 2 and ran.stdout == "" and "does not exist" in " ".join(ran.stderr.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["compile"], ["graph"], ["show", "--after", "cut"]])
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("hello", "is not JSON"),
        ('{"nbformat": 9, "cells": [], "metadata": {}}', "newer than nb2prod knows"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "not a notebook"),
    ],
)
def test_what_is_no_notebook_is_refused(command: list[str], text: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text(text)
    ran = nb2prod(*command, path)
    assert (
        ran.exit_code == 1 and "NBP300" in ran.stderr and why in ran.stderr and "Traceback" not in ran.stderr
    )
    assert [p.name for p in tmp_path.iterdir()] == ["x.ipynb"]


def test_a_fault_of_ours_is_said_to_be_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(compiler, "compile_notebook", fail)
    ran = nb2prod("compile", save(tmp_path / "a.ipynb", WORKS), "--json")
    assert ran.exit_code == 4 and "a fault of nb2prod" in ran.stderr and "ZeroDivisionError" in ran.stderr
    assert json.loads(ran.stdout)["status"] == "differs"


def test_a_full_disk_is_no_fault_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device", "/there")

    monkeypatch.setattr(compiler, "compile_notebook", fail)
    ran = nb2prod("compile", save(tmp_path / "a.ipynb", WORKS))
    assert ran.exit_code == 1 and "/there: No space left on device" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_an_interrupt_is_130(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(compiler, "compile_notebook", fail)
    ran = nb2prod("compile", save(tmp_path / "a.ipynb", WORKS))
    assert ran.exit_code == 130 and "nothing was changed" in ran.stderr


# compile


def test_static_compile(tmp_path: Path) -> None:
    out = tmp_path / "out"
    ran = nb2prod("compile", save(tmp_path / "Works 1.ipynb", WORKS), "--static", "-o", out)
    assert ran.exit_code == 0, ran.stderr
    assert (out / "src" / "works_1" / "features.py").is_file()
    assert (
        "nothing is verified" in ran.stdout
        and "age_median" in ran.stdout
        and "only shows something" in ran.stdout
    )
    assert "python -m works_1 train" in ran.stdout
    assert "reading" in ran.stderr and "reading" not in ran.stdout


def test_name_of_the_package(tmp_path: Path) -> None:
    path = save(tmp_path / "works.ipynb", WORKS)
    assert nb2prod("compile", path, "--static", "-o", tmp_path / "a", "--name", "Mine").exit_code == 0
    assert (tmp_path / "a" / "src" / "Mine").is_dir()
    for name in ("class", "../../x", "pandas", "my-name"):
        ran = nb2prod("compile", path, "--static", "-o", tmp_path / "b", "--name", name)
        assert ran.exit_code == 2 and not (tmp_path / "b").exists()


def test_json_and_nothing_else(tmp_path: Path) -> None:
    path = save(tmp_path / "works.ipynb", WORKS)
    ran = nb2prod("compile", path, "--static", "-o", tmp_path / "out", "--json")
    report = json.loads(ran.stdout)
    assert report["notebook"] == "works.ipynb" and report["nb2prod_version"] == __version__
    assert {check["status"] for check in report["checks"]} == {"skipped"}
    assert "compiled: works.ipynb" in ran.stderr

    ran = nb2prod("compile", save(tmp_path / "none.ipynb", "# %%\nx = 1\n"), "-o", tmp_path / "no", "--json")
    report = json.loads(ran.stdout)
    assert ran.exit_code == 1 and report["status"] == "refused"
    assert [found["code"] for found in report["findings"]] == ["NBP505"]

    (tmp_path / "bad.ipynb").write_text("hello")
    report = json.loads(nb2prod("compile", tmp_path / "bad.ipynb", "--json").stdout)
    assert report["status"] == "refused" and report["findings"][0]["code"] == "NBP300"


def test_a_refusal_says_where_why_and_what_to_do(tmp_path: Path) -> None:
    ran = nb2prod("compile", EXAMPLES / "hidden_state.ipynb", "-o", tmp_path / "out")
    assert ran.exit_code == 1 and ran.stdout == ""
    assert "refused: hidden_state.ipynb" in ran.stderr
    assert "error[NBP101 undefined-name]: `channel_cost` is not defined anywhere" in ran.stderr
    assert '6:1  df["cost"] = df["channel"].map(channel_cost)' in ran.stderr and "help: " in ran.stderr
    assert not (tmp_path / "out").exists()


def test_hand_edits_stay(tmp_path: Path) -> None:
    path, out = save(tmp_path / "works.ipynb", WORKS), tmp_path / "out"
    nb2prod("compile", path, "--static", "-o", out)
    edited = out / "README.md"
    edited.write_text("mine")
    ran = nb2prod("compile", path, "--static", "-o", out)
    assert ran.exit_code == 1 and edited.read_text() == "mine" and (out / "README.md.new").is_file()
    assert "README.md" in ran.stdout and "FILE.new" in ran.stdout
    assert nb2prod("compile", path, "--static", "-o", out, "--force").exit_code == 0
    assert edited.read_text() != "mine"


def test_a_failing_notebook_is_shown_well(tmp_path: Path) -> None:
    text = WORKS.replace("X = df", "def ratio(x):\n    return x['Age']\nratio(df)\nX = df")
    with start("compile", save(tmp_path / "fails.ipynb", text), "-o", tmp_path / "out") as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 1 and out == "" and not (tmp_path / "out").exists()
    assert "refused: fails.ipynb does not run" in err and "KeyError: 'Age'" in err
    assert "cell 1, line 3" in err and "  >    3      return x['Age']" in err
    assert "| in the notebook, line 4" in err and "help: " in err
    assert err.count("\n") < 40


def test_an_interrupt_leaves_the_previous_project(tmp_path: Path) -> None:
    path, out = save(tmp_path / "works.ipynb", WORKS), tmp_path / "out"
    assert nb2prod("compile", path, "--static", "-o", out).exit_code == 0
    before = tree(out)
    save(path, WORKS.replace("X = df", "import time\nopen('begun', 'w').close()\ntime.sleep(60)\nX = df"))
    with start("compile", path, "-o", out, "--offline", start_new_session=True) as process:
        assert process.stderr is not None
        while "cell 2" not in (line := process.stderr.readline()) and line:
            if "running" in line:
                break
        time.sleep(1.0)
        os.kill(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "interrupted: nothing was changed" in err
    assert tree(out) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "works.ipynb"]


@pytest.mark.slow
def test_a_whole_compile_ends_verified(tmp_path: Path) -> None:
    with start("compile", save(tmp_path / "works.ipynb", WORKS), "-o", tmp_path / "out") as process:
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert out.startswith("verified: works.ipynb -> ") and "+ V1" in out and "score" in out
    with start("verify", tmp_path / "out", "--json") as process:
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert json.loads(out)["status"] == "verified"


# the other commands


@pytest.mark.parametrize("format", ["text", "mermaid", "json", "html"])
def test_graph(format: str) -> None:
    ran = nb2prod("graph", EXAMPLES / "churn.ipynb", "--format", format)
    assert ran.exit_code == 0 and "features" in ran.stdout and ran.stderr == ""
    if format == "json":
        assert json.loads(ran.stdout)["stages"][0]["stage"] == "load"


def test_graph_of_nothing_and_in_an_unknown_format(tmp_path: Path) -> None:
    path = save(tmp_path / "none.ipynb", "# %%\nx = 1\n")
    ran = nb2prod("graph", path)
    assert ran.exit_code == 1 and "NBP505 no cell is tagged train" in ran.stdout
    ran = nb2prod("graph", path, "--format", "dot")
    assert ran.exit_code == 2 and "mermaid" in ran.stderr


def test_standard_input() -> None:
    text = (EXAMPLES / "churn.ipynb").read_text(encoding="utf-8")
    assert nb2prod("graph", "-", stdin=text).stdout.startswith("-: 5 stages")
    assert nb2prod("show", "-", "--after", "cut", stdin=text).exit_code == 0
    assert nb2prod("lint", "-", stdin=text).exit_code == 0


@pytest.mark.parametrize("step", compiler.FORMS)
def test_show(step: str) -> None:
    ran = nb2prod("show", EXAMPLES / "churn.ipynb", "--after", step)
    assert ran.exit_code == 0 and ran.stdout.count("\n") > 5


def test_show_lists_the_steps() -> None:
    ran = nb2prod("show", EXAMPLES / "churn.ipynb", "--after", "frob")
    assert ran.exit_code == 2
    assert all(
        step in " ".join(ran.stderr.split()) for step in ("parse", "defuse", "stage_features", "lower")
    )


def test_lint_exit_codes(tmp_path: Path) -> None:
    clean, bad = save(tmp_path / "a.ipynb", "# %%\nx = 1\n"), save(tmp_path / "b.ipynb", "# %%\nprint(x)\n")
    assert nb2prod("lint", clean).exit_code == 0
    ran = nb2prod("lint", clean, bad)
    assert ran.exit_code == 1 and "NBP101" in ran.stdout and "1 error in 2 notebooks" in ran.stdout
    assert nb2prod("lint", bad, "--ignore", "NBP101").exit_code == 0
    assert nb2prod("lint", bad, "--select", "NBP9").exit_code == 2
    assert nb2prod("lint", bad, "--format", "xml").exit_code == 2
    found = json.loads(nb2prod("lint", tmp_path, "--format", "json").stdout)
    assert [(one["code"], one["cell"], one["line"], one["column"]) for one in found] == [("NBP101", 0, 1, 7)]


def test_lint_strict(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ipynb", "# %%\nimport numpy as np\nx = np.random.rand(3)\n")
    assert nb2prod("lint", path).exit_code == 0
    assert nb2prod("lint", path, "--strict").exit_code == 1


def test_explain() -> None:
    ran = nb2prod("explain", "NBP102")
    assert ran.exit_code == 0 and ran.stdout.startswith("NBP102 use-before-definition")
    ran = nb2prod("explain", "NBP999")
    assert ran.exit_code == 2 and "NBP102" in ran.stderr


def test_verify_wants_a_project(tmp_path: Path) -> None:
    assert nb2prod("verify", tmp_path / "none").exit_code == 2
    ran = nb2prod("verify", tmp_path)
    assert ran.exit_code == 2 and "not a project" in ran.stderr


# what people see


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_colours_only_where_they_are_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert style.painter(Terminal())("bad", "x") == "\x1b[31mx\x1b[0m"
    assert style.painter(io.StringIO())("bad", "x") == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert style.painter(Terminal())("bad", "x") == "x"
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert style.painter(Terminal())("bad", "x") == "x"


def test_text_of_a_notebook_cannot_command_the_terminal(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ipynb", "# %%\nprint(x, '\x1b[2J\x9b2J\u202e')\n")
    for command in (["lint"], ["graph"], ["show", "--after", "defuse"], ["compile", "-o", tmp_path / "a"]):
        ran = nb2prod(*command, path)
        assert not set("\x1b\x9b\u202e") & set(ran.stdout + ran.stderr), command


def test_progress_without_a_terminal_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with progress.Show() as show:
        show(Event("read", "reading a.ipynb"))
        for cell in range(20):
            now[0] += 2
            show(Event("run", "running the notebook", cell, 20))
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "reading a.ipynb",
        "running the notebook (1 of 20 cells)",
        "running the notebook (9 of 20 cells)",
        "running the notebook (17 of 20 cells)",
    ]


def test_progress_on_a_terminal_is_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress.Show() as show:
        show(Event("run", "running [bold]the\x1b[2J notebook", 3, 20))
        show(Event("verify", "check V1", 1, 8))
        show(Event("verify", "check V2, 5 of 30", 2, 8))
    said = terminal.getvalue()
    assert "running [bold]the[2J notebook" in said, "markup of a notebook is text"
    assert "checking the project" in said and "V" in said


def outcome(status: str, **fields: Any) -> Outcome:
    """An outcome of WORKS, as a compile would give it."""
    notebook = cells(WORKS)
    compiled = compiler.analyse(notebook)
    lowering = compiler.lowered(
        compiled,
        Path("works.ipynb"),
        "works",
        Path.cwd() / "out",
        None,
        (Column("age", "float", example=3.5),),
    )
    checks = (
        Check("V0", "passed", "120 rows equal"),
        Check("V1", "failed" if status == "differs" else "passed", "cell 1, line 1: 3 values differ"),
        Check("V8", "skipped" if status == "unverified" else "passed", "no joblib"),
        Check("metrics", "passed", "score 0.5"),
    )
    report = Report(status, checks, (), "works.ipynb", __version__, "V1: cell 1, line 1: 3 values differ")
    codes = {"verified": 0, "unverified": 3, "differs": 4, "refused": 1}
    written = WriteResult(Path.cwd() / "out", ("README.md",))
    given: dict[str, Any] = {
        "metrics": {"score": 0.5083333333333333},
        "written": written,
        "lowering": lowering,
    }
    given |= {"out": Path.cwd() / "out", "compiled": compiled, **fields}
    return Outcome(status, codes[status], report, **given)


def test_summary_of_a_verified_project() -> None:
    learned = ({"key": "age_median", "kind": "value", "value": "3.0"},)
    text = summary(outcome("verified", learned=learned), Path("works.ipynb"), lambda _, text: text)
    lines = text.splitlines()
    assert lines[0] == f"verified: works.ipynb -> out{os.sep}"
    assert "  age_median  3.0  median of all rows  cell 1, line 1" in lines
    assert "  score  0.5083333333333333  the same in the project" in lines
    assert any(line.startswith("  + V0") and line.endswith("120 rows equal") for line in lines)
    assert "  cd out" in lines and "  python -m works serve   # answers on localhost:8000" in lines
    assert lines[-1].endswith("""-d '{"age": 3.5}'""")


def test_summary_says_first_that_edited_files_stayed() -> None:
    kept = WriteResult(Path.cwd() / "out", ("README.md",), kept=("config.toml",))
    text = summary(outcome("verified", written=kept), Path("works.ipynb"), lambda _, text: text)
    assert text.splitlines()[1].startswith("  not all written: 1 file that you had edited stayed")
    assert "  config.toml" in text.splitlines()


def test_summary_of_a_project_that_differs() -> None:
    text = summary(outcome("differs"), Path("works.ipynb"), lambda _, text: text)
    assert "a fault of nb2prod, not of the notebook: V1: cell 1, line 1: 3 values differ" in text
    assert "\n  x V1" in text and "pip install" not in text


def test_summary_of_what_could_not_be_verified() -> None:
    text = summary(outcome("unverified"), Path("works.ipynb"), lambda _, text: text)
    assert "could not verify: " in text and "- V8" in text and "skipped: no joblib" in text


@pytest.mark.parametrize(
    ("ename", "hint"),
    [
        ("ModuleNotFoundError", "--python"),
        ("Timeout", "--timeout"),
        ("DeadKernel", "memory"),
        ("FileNotFoundError", "notebook's folder"),
        ("ValueError", "from top to bottom"),
    ],
)
def test_failures_come_with_a_hint(ename: str, hint: str) -> None:
    failure = Failure(ename, "what happened", 1, 2, "the last\nlines")
    text = summary(outcome("refused", failure=failure, out=None), Path("works.ipynb"), lambda _, text: text)
    assert text.startswith("refused: works.ipynb does not run")
    assert f"cell 1, line 2: {ename}: what happened" in text and '  >    2  X = df[["age"]]' in text
    assert hint in text.split("help: ")[1]
