"""The README is in step with the code: its rule table, and the commands that CI reads from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nb2prod.rules import all_rules

README = Path(__file__).resolve().parents[1] / "README.md"
HEAD = "| code | name | severity | stops compile |\n|---|---|---|---|\n"


def test_the_table_of_rules_is_current(update: bool) -> None:
    rows = "".join(
        f"| {r.code} | {r.name} | {r.severity} | {'yes' if r.blocks_compile else ''} |\n" for r in all_rules()
    )
    text = README.read_text(encoding="utf-8")
    before, mark, table = text.partition("<!-- rules -->\n")
    assert mark
    if update:
        README.write_text(before + mark + HEAD + rows, encoding="utf-8")
        table = HEAD + rows
    assert table == HEAD + rows


@pytest.mark.parametrize("name", ["example", "tests"])
def test_ci_finds_its_commands(name: str) -> None:
    text = README.read_text(encoding="utf-8")
    assert f"<!-- ci: {name} -->\n```bash\n" in text
