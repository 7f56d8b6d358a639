"""The layout of generated modules: the same whether ruff made it now or in an earlier run."""

from __future__ import annotations

from pathlib import Path

import pytest

from nb2prod import formatting
from nb2prod.formatting import FUTURE, format_modules

UNTIDY = f"{FUTURE}\nimport os, sys\nimport ast\ndef f( x ):\n  return ast.dump(x),sys\n"
TIDY = f"{FUTURE}\nimport ast\nimport sys\n\n\ndef f(x):\n    return ast.dump(x), sys\n"
STYLE = f"{FUTURE}\ndef f(g):\n  a, b = g()\n  return a\n"


def formatted(folder: Path, **modules: str) -> dict[str, str]:
    folder.mkdir()
    for name, text in modules.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    format_modules(folder)
    return {name: (folder / f"{name}.py").read_text(encoding="utf-8") for name in modules}


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The modules that ruff was given, by call."""
    monkeypatch.setenv("NB2PROD_CACHE_DIR", str(tmp_path / "cache"))
    calls: list[list[str]] = []
    run = formatting._format
    monkeypatch.setattr(
        formatting, "_format", lambda folder, new: (calls.append([p.name for p in new]), run(folder, new))
    )
    return calls


def test_only_new_modules_go_to_ruff(tmp_path: Path, seen: list[list[str]]) -> None:
    first = formatted(tmp_path / "one", a=UNTIDY, b=STYLE)
    again = formatted(tmp_path / "two", a=UNTIDY, b=STYLE, c=UNTIDY.replace("f(", "g("))
    assert first["a"] == TIDY
    assert first["b"].startswith("# ruff: noqa: RUF059 -- the notebook's own style\n")
    assert {name: again[name] for name in first} == first
    assert seen == [["a.py", "b.py"], ["c.py"]]


def test_a_module_elsewhere_is_another(tmp_path: Path, seen: list[list[str]]) -> None:
    formatted(tmp_path / "one", a=UNTIDY)
    formatted(tmp_path / "two", b=UNTIDY)
    assert seen == [["a.py"], ["b.py"]]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"of": 1, "texts": {}}', "\udcff"])
def test_what_was_kept_may_be_broken(tmp_path: Path, seen: list[list[str]], text: str) -> None:
    formatted(tmp_path / "one", a=UNTIDY)
    (tmp_path / "cache" / "formatted.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert formatted(tmp_path / "two", a=UNTIDY) == {"a": TIDY}
