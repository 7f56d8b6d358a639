"""Rendering is strict and escapes what comes from a notebook; writing keeps what a person made."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import resource
import subprocess
import sys
import tomllib
from pathlib import Path

import jinja2
import pytest
from golden_project import churn, churn_notebook, notebook_with, tiny

from nb2prod import emit as emitting
from nb2prod.emit import MANIFEST, EmitError, RenderedFile, emit, write
from nb2prod.ir.project import Column, DataFile, Module, Param, Project, Provenance
from nb2prod.literals import bounds, mdcode, requirements, shellword

NASTY = (
    'quo"te',
    "apo'strophe",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "{# comment #}",
    '"""',
    "back\\slash",
    "new\nline",
    "| bar `tick` |",
    "$(touch x); #",
    "\x7f\x85\u2028é漢😀",
    "",
)


def texts(project: Project) -> dict[str, str]:
    return {file.path: file.text for file in emit(project, notebook_with("x = 1"))}


def nasty_project(text: str) -> Project:
    return tiny(
        title=text,
        notebook=text,
        parameters=(Param("NAME", "str", text, 0), Param("RATE", "float", float("inf"), 0)),
        data_files=(DataFile(text, text, 0),),
        target_columns=(text,),
        columns=(
            Column(text, "str", example=text),
            Column(f"{text} 2", "float", nullable=True, example=1.5),
            Column("class", "int", example=1),
            Column("Class", "bool", example=True),
            Column("model_x", "datetime", example="2024-01-01"),
        ),
        metrics=(text,),
        provenance=(Provenance(0, 1, "", text, text), Provenance(1, 1, text, text, text)),
        assumptions=(text,),
        rewrites=(text,),
    )


@pytest.mark.parametrize("text", NASTY)
def test_text_of_a_notebook_stays_text(text: str) -> None:
    rendered = texts(nasty_project(text))
    config = tomllib.loads(rendered["config.toml"])
    assert config["data"] == {text: text}
    assert config["parameters"]["NAME"] == text
    assert tomllib.loads(rendered["pyproject.toml"])["project"]["description"] == text
    for path, content in rendered.items():
        assert "49" not in content
        if path.endswith(".py"):
            ast.parse(content)
    strings = {
        node.value for node in ast.walk(ast.parse(rendered["src/tiny/schema.py"])) if hasattr(node, "value")
    }
    assert {text, f"{text} 2", "class", "model_x"} <= {value for value in strings if isinstance(value, str)}
    table = [line for line in rendered["PROVENANCE.md"].splitlines() if line.startswith("| ")][1:]
    assert len(table) == 2
    assert all(line.replace("\\|", "").count("|") == 5 for line in table)


def test_fields_of_a_row_are_unique_identifiers() -> None:
    columns = ("a b", "a-b", "a_b", "copy", "class", "_x", "1", "ü", "schema")
    rendered = texts(tiny(columns=tuple(Column(name, "float", example=1.0) for name in columns)))
    (row,) = [
        node for node in ast.parse(rendered["src/tiny/schema.py"]).body if getattr(node, "name", "") == "Row"
    ]
    assert isinstance(row, ast.ClassDef)
    names = [
        node.target.id
        for node in row.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    assert len(names) == len(set(names)) == len(columns)


def test_an_undefined_name_in_a_template_raises(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "pyproject.toml.jinja").write_text("{{ project.nothing }}")
    monkeypatch.setattr(emitting, "templates_dir", lambda: tmp_path)
    with pytest.raises(jinja2.UndefinedError):
        emit(tiny(), b"{}")


def test_an_unknown_target_is_named() -> None:
    with pytest.raises(EmitError, match="sagemaker"):
        emit(tiny(targets=("nowhere",)), b"{}")


def test_names_of_the_notebook_do_not_hide_our_own() -> None:
    helper = Module(helpers=("def predict(x):\n    return x",), functions=tiny().infer.functions)
    with pytest.raises(AssertionError, match="predict"):
        emit(tiny(infer=helper), b"{}")


def test_the_output_never_mentions_the_compiler_and_is_formatted(tmp_path: Path) -> None:
    write(emit(churn(), churn_notebook()), tmp_path / "churn")
    for command in (["check", "--no-cache", "."], ["format", "--no-cache", "--check", "."]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command], cwd=tmp_path / "churn", capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout
    modules = list((tmp_path / "churn").rglob("*.py"))
    assert len(modules) > 15
    for path in modules:
        text = path.read_text()
        assert "nb2prod" not in text
        marked = [line for line in text.splitlines() if "ruff: noqa" in line]
        assert marked == (
            ["# ruff: noqa: RUF059 -- the notebook's own style"] if path.name == "features.py" else []
        )


def test_the_notebook_is_copied_to_the_byte(tmp_path: Path) -> None:
    notebook = b'{"cells": []}\r\n\xff\xfe'
    write(emit(tiny(), notebook), tmp_path / "tiny")
    assert (tmp_path / "tiny" / "notebook.ipynb").read_bytes() == notebook


def test_the_same_project_gives_the_same_bytes(tmp_path: Path) -> None:
    contents = []
    for name in ("a", "b"):
        write(emit(churn(), churn_notebook()), tmp_path / name)
        contents.append(
            {
                p.relative_to(tmp_path / name): p.read_bytes()
                for p in sorted((tmp_path / name).rglob("*"))
                if p.is_file()
            }
        )
    assert contents[0] == contents[1]


def files(**texts: str) -> tuple[RenderedFile, ...]:
    return tuple(RenderedFile(path.replace("__", "."), text) for path, text in texts.items())


def tree(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST and emitting.STAGE not in path.as_posix()
    }


def test_compiled_templates_that_cannot_be_kept_are_made_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = texts(churn())
    (tmp_path / "file").write_text("")
    for place in ("/proc/none", str(tmp_path / "file"), str(tmp_path / "full")):
        monkeypatch.setenv("NB2PROD_CACHE_DIR", place)
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))  # as on a full disk
        try:
            assert texts(churn()) == expected, place
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list((tmp_path / "full").rglob("*.tmp"))


@pytest.mark.parametrize("size", (0, 12, 60))
def test_compiled_templates_that_were_cut_off_are_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setenv("NB2PROD_CACHE_DIR", str(tmp_path))
    expected = texts(churn())
    kept = list(tmp_path.rglob("*.cache"))
    assert kept
    for path in kept:
        os.truncate(path, size)
    assert texts(churn()) == expected


def test_files_as_we_left_them_are_replaced_and_edited_ones_kept(tmp_path: Path) -> None:
    out = tmp_path / "p"
    first = write(files(a__txt="1", b__txt="1", c__txt="1", d__txt="1"), out)
    assert (first.written, first.kept, first.exit_code) == (("a.txt", "b.txt", "c.txt", "d.txt"), (), 0)
    (out / "b.txt").write_text("mine")
    (out / "d.txt").unlink()
    (out / "notes").mkdir()
    (out / "notes" / "own.txt").write_text("own")
    second = write(files(a__txt="2", b__txt="2", d__txt="1"), out)
    assert second.written == ("a.txt", "d.txt")
    assert second.kept == ("b.txt",)
    assert second.removed == ("c.txt",)
    assert second.exit_code == 1
    assert tree(out) == {
        "a.txt": "2",
        "b.txt": "mine",
        "b.txt.new": "2",
        "d.txt": "1",
        "notes/own.txt": "own",
    }


def test_an_edited_file_stays_edited_until_it_is_merged_or_forced(tmp_path: Path) -> None:
    out = tmp_path / "p"
    write(files(a__txt="1"), out)
    (out / "a.txt").write_text("mine")
    for _ in range(2):
        assert write(files(a__txt="1"), out).exit_code == 1
        assert tree(out) == {"a.txt": "mine", "a.txt.new": "1"}
    (out / "a.txt").write_text("1")
    assert write(files(a__txt="1"), out).exit_code == 0
    assert tree(out) == {"a.txt": "1"}
    (out / "a.txt").write_text("mine")
    forced = write(files(a__txt="2"), out, force=True)
    assert (forced.written, forced.exit_code) == (("a.txt",), 0)
    assert tree(out) == {"a.txt": "2"}


def test_a_folder_that_is_not_ours_keeps_its_files(tmp_path: Path) -> None:
    out = tmp_path / "p"
    out.mkdir()
    (out / "a.txt").write_text("theirs")
    (out / MANIFEST).write_text("not json")
    assert write(files(a__txt="1", b__txt="1"), out).kept == ("a.txt",)
    assert tree(out) == {"a.txt": "theirs", "a.txt.new": "1", "b.txt": "1"}


def test_data_of_the_running_project_stay_the_same_files(tmp_path: Path) -> None:
    out = tmp_path / "p"
    write(files(a__txt="1"), out)
    (out / "mlruns" / "empty").mkdir(parents=True)
    (out / "mlflow.db").write_text("rows")
    (out / "latest").symlink_to("mlflow.db")
    (out / "folder").symlink_to("mlruns")
    before = (out / "mlflow.db").stat().st_ino
    with (out / "mlflow.db").open("a") as running:
        write(files(a__txt="2"), out)
        running.write(" more")
    assert (out / "mlflow.db").stat().st_ino == before
    assert (out / "mlflow.db").read_text() == "rows more"
    assert (out / "latest").is_symlink() and (out / "folder").is_symlink()
    assert (out / "mlruns" / "empty").is_dir()
    assert os.listdir(tmp_path) == ["p"]


def test_where_links_are_impossible_files_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise OSError("not supported")

    out = tmp_path / "p"
    write(files(a__txt="1"), out)
    monkeypatch.setattr(os, "link", no_links)
    write(files(a__txt="2"), out)
    assert tree(out) == {"a.txt": "2"}


@pytest.mark.parametrize("step", range(1, 40))
def test_an_interrupt_leaves_the_old_or_the_new_project_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    out = tmp_path / "p"
    write(files(a__txt="1", b__txt="1"), out)
    (out / "b.txt").write_text("mine")
    (out / "own.txt").write_text("own")
    old = tree(out)
    calls = 0

    def interrupted(name: str) -> None:
        original = getattr(os, name)

        def call(*args: object, **options: object) -> object:
            nonlocal calls
            calls += 1
            if calls == step:
                raise KeyboardInterrupt
            return original(*args, **options)

        monkeypatch.setattr(os, name, call)

    for name in ("rename", "link", "replace", "mkdir", "unlink", "rmdir"):
        interrupted(name)
    try:
        write(files(a__txt="2", b__txt="2"), out)
    except KeyboardInterrupt:
        pass
    monkeypatch.undo()
    new = {"a.txt": "2", "b.txt": "mine", "b.txt.new": "2", "own.txt": "own"}
    assert tree(out) in (old, new)
    write(files(a__txt="2", b__txt="2"), out)
    assert tree(out) == new
    assert os.listdir(tmp_path) == ["p"]


KILLED = """
import os, sys
from pathlib import Path
from nb2prod.emit import RenderedFile, write
left = [int(sys.argv[2])]
def dying(original):
    def call(*args, **options):
        left[0] -= 1
        if left[0] == 0:
            os._exit(9)
        return original(*args, **options)
    return call
for name in ("rename", "replace", "unlink"):
    setattr(os, name, dying(getattr(os, name)))
write((RenderedFile("a.txt", "2"), RenderedFile("sub/new.txt", "2")), Path(sys.argv[1]))
"""


@pytest.mark.parametrize("step", (1, 2, 3, 4, 5, 6))
def test_what_a_killed_process_left_is_undone(tmp_path: Path, step: int) -> None:
    out = tmp_path / "p"
    write(files(a__txt="1", b__txt="1"), out)
    (out / "own.txt").write_text("own")
    old = tree(out)
    done = subprocess.run([sys.executable, "-c", KILLED, str(out), str(step)], check=False)
    assert done.returncode == 9
    emitting._recover(out)
    assert tree(out) in (old, {"a.txt": "2", "own.txt": "own", "sub/new.txt": "2"})
    write(files(a__txt="3"), out)
    assert tree(out) == {"a.txt": "3", "own.txt": "own"}
    assert os.listdir(tmp_path) == ["p"]


def test_records_that_point_outside_are_not_believed(tmp_path: Path) -> None:
    out, outside = tmp_path / "p", tmp_path / "outside"
    outside.write_text("precious")
    (out / f"{emitting.STAGE}0").mkdir(parents=True)
    journal = {"created": ["../outside"], "replaced": []}
    (out / f"{emitting.STAGE}0" / emitting.UNDO).write_text(json.dumps(journal))
    sha = hashlib.sha256(b"precious").hexdigest()
    (out / MANIFEST).write_text(json.dumps({"files": {"../outside": sha}, "new": {}}))
    write(files(a__txt="1"), out)
    assert outside.read_text() == "precious"


def test_the_folder_itself_stays(tmp_path: Path) -> None:
    """Shells and servers that stand in it must not find themselves in a removed one."""
    out = tmp_path / "p"
    write(files(a__txt="1"), out)
    before = out.stat().st_ino
    write(files(a__txt="2"), out)
    assert out.stat().st_ino == before


def test_the_output_may_not_be_a_file(tmp_path: Path) -> None:
    (tmp_path / "p").write_text("")
    with pytest.raises(EmitError, match="not a folder"):
        write(files(a__txt="1"), tmp_path / "p")


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EmitError, match="cannot write"):
        write(files(a__txt="1"), tmp_path / "file" / "p")


def test_a_compile_from_inside_the_project_stays_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "p"
    write(files(a__txt="1"), out)
    (out / "sub").mkdir()
    monkeypatch.chdir(out / "sub")
    write(files(a__txt="2"), Path(".."))
    assert Path.cwd() == out / "sub"
    assert Path("../a.txt").read_text() == "2"


def test_requirements_are_bounded_by_what_the_notebook_ran_with() -> None:
    assert bounds("1.9.1") == ">=1.9.1,<1.10"
    assert bounds("2.0.0+cpu") == ">=2.0.0,<2.1"
    assert bounds("1.2; os_name") == ""
    needs = requirements(tiny(packages=(("scikit-learn", "1.9.1"), ("Pandas", "3.1.1"), ("evil; x", "1"))))
    assert "scikit-learn>=1.9.1,<1.10" in needs
    assert "Pandas>=3.1.1,<3.2" in needs
    assert "numpy" in needs
    assert not any("evil" in need for need in needs)


def test_words_and_code_are_quoted() -> None:
    assert shellword("a b'; rm") == "'a b'\"'\"'; rm'"
    assert shellword("a/b.csv") == "a/b.csv"
    assert mdcode("a `b`") == "`` a `b` ``"
    assert mdcode("a | b") == "<code>a &#124; b</code>"


def test_the_manifest_is_stable(tmp_path: Path) -> None:
    write(files(b__txt="1", a__txt="1"), tmp_path / "p")
    stored = json.loads((tmp_path / "p" / MANIFEST).read_text())
    assert list(stored["files"]) == ["a.txt", "b.txt"]
    assert stored["new"] == {}
