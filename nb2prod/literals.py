"""How text and values of a notebook are written in each kind of generated file.

Every function here is a template filter.  What comes out is safe where it is named for: a string of the
notebook can end neither the literal, the comment, the table cell nor the line that it stands in.
"""

from __future__ import annotations

import json
import keyword
import math
import re
from collections.abc import Callable, Iterable
from typing import Any

from nb2prod.expectations import expectations, fewest_rows
from nb2prod.ir.project import Column, Project

# What the generated project itself imports, beside what the notebook brought.
SERVICE = (
    "mlflow>=3.17,<4",
    "cloudpickle>=3,<4",
    "fastapi>=0.110,<1",
    "httptools>=0.6",
    "uvicorn>=0.38,<1",
    "uvloop>=0.19; sys_platform != 'win32'",
    "pydantic>=2.7,<3",
    "pyarrow>=14",
    "prometheus-client>=0.20,<1",
    "typer>=0.12,<1",
)
NEEDED = ("joblib", "numpy", "pandas")
# Names that mean something in a pydantic model, or in the class body that holds the fields.
MODEL_NAMES = frozenset(
    "construct copy dict fields from_orm json parse_file parse_obj parse_raw schema schema_json validate "
    "update_forward_refs bool int float str list Row Any Field Flag Integer Moment Number Text".split()
)


def pystr(value: object) -> str:
    """A Python literal: string, number, bool, None, or a tuple or dict of them."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"float({str(value)!r})"
    return repr(value)


def comment(value: str) -> str:
    """Text for one line of a Python, TOML, YAML or shell comment."""
    return " ".join("".join(c if c.isprintable() else " " for c in value).split())


def docstr(value: str) -> str:
    """Text inside a triple-quoted docstring."""
    return comment(value).replace("\\", "\\\\").replace('"', '\\"')


def tomlstr(value: object) -> str:
    """A TOML value; also a YAML flow scalar, as both read JSON's strings."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    text = json.dumps(str(value), ensure_ascii=False)
    return "".join(f"\\u{ord(c):04x}" if c == "\x7f" or 0x80 <= ord(c) < 0xA0 else c for c in text)


def tomlkey(name: str) -> str:
    """A key of a TOML table."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name, re.ASCII) else tomlstr(name)


def mdtext(value: object) -> str:
    """Plain text in Markdown, also in a cell of a table."""
    return re.sub(r"([\\`*_{}\[\]<>#|$~&])", r"\\\1", comment(str(value)))


def mdcode(value: object) -> str:
    """Code in one line of Markdown; a bar would end a cell of a table, so it is written as an entity."""
    text = comment(str(value))
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    if "|" in text:
        escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace("|", "&#124;").replace("`", "&#96;")
        return f"<code>{escaped}</code>"
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def shellword(value: object) -> str:
    """One word of a POSIX shell, on one line."""
    text = comment(str(value))
    plain = re.fullmatch(r"[\w./:=@%+,-]+", text, re.ASCII)
    return text if plain else "'" + text.replace("'", "'\"'\"'") + "'"


def dnslabel(name: str) -> str:
    """A package's name as a name on Kubernetes (RFC 1035): letters, digits and hyphens."""
    text = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return (text if text[:1].isalpha() else f"app-{text}")[:63].strip("-")


def shortened(value: str, width: int = 88) -> str:
    """One line of at most `width` characters."""
    text = comment(value)
    return text if len(text) <= width else text[: width - 1] + "…"


def minor(version: str) -> str:
    """`3.11.7` -> `3.11`."""
    return ".".join(version.split(".")[:2])


def bounds(version: str) -> str:
    """The range of versions that behave like `version`: `1.9.1` -> `>=1.9.1,<1.10`."""
    public = version.partition("+")[0]
    numbers = re.match(r"(\d+)\.(\d+)", public)
    if numbers is None or not re.fullmatch(r"[0-9A-Za-z.!-]+", public):
        return f"=={public}" if re.fullmatch(r"[0-9A-Za-z.!-]+", public) else ""
    return f">={public},<{numbers[1]}.{int(numbers[2]) + 1}"


def requirements(project: Project) -> list[str]:
    """The project's dependencies: what the notebook ran with, bounded, and what the service needs."""
    service = {re.split("[<>=;]", need)[0]: need for need in SERVICE}
    notebooks = {
        name: f"{name}{bounds(version)}"
        for name, version in project.packages
        if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name)
    }
    known = {re.sub(r"[-_.]+", "-", name).lower(): need for name, need in notebooks.items()}
    merged = {name: name for name in NEEDED} | known | service
    return [merged[name] for name in sorted(merged)]


def versioned(project: Project) -> list[str]:
    """Distributions whose version changes what the features are: the notebook's own."""
    names = {re.sub(r"[-_.]+", "-", name).lower() for name, _ in project.packages}
    return sorted(names | set(NEEDED))


def fields(columns: Iterable[Column]) -> list[tuple[str, Column]]:
    """The columns that features read, each with its name in the class `Row`."""
    taken: set[str] = set()
    named = []
    for column in columns:
        if not column.read:
            continue
        name = column.name
        if not _usable(name) or name in taken:
            slug = re.sub(r"[^0-9a-zA-Z]+", "_", name).strip("_").lower() or "column"
            slug = slug if _usable(slug) else f"column_{slug}"
            name = next(n for n in _numbered(slug) if n not in taken and _usable(n))
        taken.add(name)
        named.append((name, column))
    return named


def _usable(name: str) -> bool:
    return (
        name.isidentifier()
        and name.isascii()
        and not keyword.iskeyword(name)
        and name not in MODEL_NAMES
        and not name.startswith(("_", "model_", "pydantic_"))
        and not name.endswith("__")
    )


def _numbered(name: str) -> Iterable[str]:
    yield name
    number = 2
    while True:
        yield f"{name}_{number}"
        number += 1


def example(project: Project) -> dict[str, Any]:
    """One raw row with real values, as a request would hold it."""
    return {
        column.name: None if column.example != column.example else column.example
        for column in project.columns
        if column.read
    }


def dropped(project: Project) -> list[tuple[str, int, list[int]]]:
    """Why statements were dropped, how many, and of which cells."""
    reasons: dict[str, list[int]] = {}
    for entry in project.provenance:
        if not entry.function:
            reasons.setdefault(entry.why, []).append(entry.cell)
    return [(why, len(cells), sorted(set(cells))) for why, cells in reasons.items()]


def json_text(value: Any) -> str:
    """JSON on one line."""
    return json.dumps(value, ensure_ascii=False)


WRITERS = (
    pystr, comment, docstr, tomlstr, tomlkey, mdtext, mdcode, shellword, dnslabel, shortened, minor, json_text
)  # fmt: skip
READERS = (requirements, versioned, fields, example, dropped, expectations, fewest_rows)
FILTERS: dict[str, Callable[..., Any]] = {f.__name__: f for f in (*WRITERS, *READERS)}
