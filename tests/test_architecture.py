"""The shape of the package: imports point down, modules are small and documented, commands start light."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "nb2prod"

# From the top: a unit may import units of the rows below its own, and itself.
LAYERS = (
    ("__main__",),
    ("cli",),
    ("lint_command",),
    ("compiler", "lint", "tagging"),
    ("linting",),
    ("verification",),
    ("fresh", "measured"),
    ("baseline",),
    ("static",),
    ("verify", "secrecy"),
    ("rules", "run", "emit", "graph"),
    ("lower", "literals", "rowpath", "formatting"),
    ("expectations",),
    ("passes",),
    ("analysis",),
    ("frontend", "ipynb_tags"),
    ("knowledge",),
    ("ipynb", "ipython"),
    ("magics",),
    ("diagnostics",),
    ("ir", "names"),
    ("source", "tree", "caches"),
    ("__init__",),
)
# `diagnostics` stands at the side: passes record facts, rules write sentences.
SPEAKERS = (
    "rules",
    "lint",
    "lint_command",
    "linting",
    "static",
    "measured",
    "verification",
    "compiler",
    "cli",
)
MAX_LINES = 400


def modules() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "injected" not in path.parts)


def unit(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported(path: Path) -> set[str]:
    """The units of nb2prod that a module imports: anywhere in it, also under TYPE_CHECKING."""
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "nb2prod":
                first = rest.partition(".")[0]
                known = (PACKAGE / first).is_dir() or (PACKAGE / f"{first}.py").is_file()
                found.add(first if known else "__init__")
    return found


def test_every_unit_has_a_place() -> None:
    placed = {name for row in LAYERS for name in row}
    assert {unit(path) for path in modules()} == placed


def checked(paths: list[Path], gaps: dict[str, str]) -> list[Any]:
    """Paths as parameters; `gaps` are known, with what is to be done."""
    params = []
    for path in paths:
        name = path.relative_to(PACKAGE).as_posix()
        marks = [pytest.mark.xfail(reason=gaps[name])] if name in gaps else []
        params.append(pytest.param(path, id=name, marks=marks))
    return params


@pytest.mark.parametrize("path", checked(modules(), {}))
def test_imports_point_down(path: Path) -> None:
    rank = {name: row for row, names in enumerate(LAYERS) for name in names}
    own = unit(path)
    wrong = [name for name in imported(path) if name != own and rank[name] <= rank[own]]
    assert not wrong, f"{own} imports {wrong}"
    if "diagnostics" in imported(path):
        assert own in SPEAKERS


def test_what_runs_beside_the_notebook_stands_alone() -> None:
    """These files run in the user's Python, which has no nb2prod."""
    allowed = set(sys.stdlib_module_names) | {"numpy", "pandas", "IPython", "ipykernel"}
    allowed |= {path.stem for path in (PACKAGE / "injected").glob("*.py")}
    for path in (PACKAGE / "injected").glob("*.py"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Import):
                assert {alias.name.split(".")[0] for alias in node.names} <= allowed, path
            elif isinstance(node, ast.ImportFrom):
                assert node.level < 2 and str(node.module).split(".")[0] in allowed, path


def test_what_is_generated_never_imports_nb2prod() -> None:
    for path in sorted((ROOT / "templates").rglob("*")):
        if path.is_file() and (path.suffix == ".py" or path.name.endswith(".py.jinja")):
            for line in path.read_text(encoding="utf-8").splitlines():
                words = line.split()
                assert not (words[:1] in (["import"], ["from"]) and words[1].startswith("nb2prod")), path


@pytest.mark.parametrize("path", checked(sorted(PACKAGE.rglob("*.py")), {}))
def test_every_module_says_what_it_is(path: Path) -> None:
    said = ast.get_docstring(tree(path))
    assert said, "no docstring"
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_LINES or "long" in said.split(), f"{lines} lines: why so long?"


def test_the_usual_module_is_short() -> None:
    sizes = sorted(len(path.read_text(encoding="utf-8").splitlines()) for path in modules())
    assert sizes[len(sizes) // 2] <= 150


HEAVY = ["pandas", "numpy", "mlflow", "papermill", "IPython", "nbformat", "nbclient", "sklearn", "pytest"]
START = """
import sys
sys.argv = ["nb2prod", *{arguments!r}]
from nb2prod.cli import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
print("loaded", sorted(set({heavy!r}) & set(sys.modules)))
"""


@pytest.mark.parametrize("command", ["--version", "lint", "tag", "graph", "show", "explain", "compile"])
def test_commands_start_light(command: str, tmp_path: Path) -> None:
    notebook = str(ROOT / "examples" / "notebooks" / "churn.ipynb")
    arguments = {
        "lint": [notebook],
        "tag": [notebook],
        "graph": [notebook],
        "show": [notebook, "--after", "stage_features"],
        "explain": ["NBP102"],
        "compile": [notebook, "--static", "--out", str(tmp_path / "churn")],
    }.get(command, [])
    heavy = HEAVY + (
        ["libcst", "jinja2", "rich"] if command in ("--version", "lint", "tag", "explain") else []
    )
    script = START.format(arguments=[command, *arguments], heavy=heavy)
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1] == "loaded []"
