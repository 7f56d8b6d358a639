"""What can be linted: notebooks, scripts with cells (`# %%`, as jupytext writes them), plain scripts.

A script with cells has a cell for each mark; what stands before the first one is a cell too. A plain script
is one cell. Lines of a script are counted from the mark, as those of a notebook from the start of the cell;
`script_starts` says where each cell begins in the file.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from nb2prod import ipynb
from nb2prod.ipynb import ReadError
from nb2prod.source import Cell, Notebook

MARK = re.compile(r"^# ?%%(?P<rest>.*)$", re.MULTILINE)
_TAGS = re.compile(r"tags\s*=\s*(\[[^\]]*\])")
_HEADER = re.compile(r"\A# ---\n(?:#.*\n)*?# ---\n")


def find(path: str) -> list[Path]:
    """The files at a path: the file itself; in a folder all notebooks and all scripts with cells."""
    notebooks = ipynb.find(path)
    folder = Path(path)
    if not folder.is_dir():
        return notebooks
    scripts = [
        script for script in folder.rglob("*.py") if _is_visible(script, folder) and _has_cells(script)
    ]
    return sorted([*notebooks, *scripts])


def read(path: Path) -> Notebook:
    """The notebook in a file, by its name."""
    if path.suffix == ".py" and path.is_file():
        try:
            return read_bytes(path.read_bytes(), str(path))
        except OSError as error:
            raise ReadError(f"{path} cannot be read: {error.strerror}", "check the path") from error
    return ipynb.read(path)


def read_bytes(data: bytes, path: str) -> Notebook:
    """The notebook in some bytes: JSON where they begin with a brace, else a script."""
    if path.endswith(".ipynb") or (
        not path.endswith(".py") and data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[", b"")
    ):
        return ipynb.read_bytes(data, path)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReadError(f"{path} is not UTF-8 text (byte {error.start})", "save it as UTF-8") from error
    return script(text, path)


def script(text: str, path: str) -> Notebook:
    """A script as a notebook."""
    text = text.replace("\r\n", "\n")
    cells = [_cell(index, *part) for index, part in enumerate(_parts(text))]
    return Notebook(path, tuple(cells))


def script_starts(text: str) -> list[int]:
    """The line of the file before the first line of each cell."""
    text = text.replace("\r\n", "\n")
    starts, position = [], 0
    for mark, body in _parts(text):
        position = text.index(f"{mark}{body}", position)
        starts.append(text.count("\n", 0, position + len(mark)))
        position += len(mark) + len(body)
    return starts


def _parts(text: str) -> list[tuple[str, str]]:
    """Marks with their line end, and the text below each; the first may have no mark."""
    marks = list(MARK.finditer(text))
    if not marks:
        return [("", text)]
    parts = [("", text[: marks[0].start()])] if text[: marks[0].start()].strip() else []
    for number, mark in enumerate(marks):
        start = min(mark.end() + 1, len(text))
        end = marks[number + 1].start() if number + 1 < len(marks) else len(text)
        parts.append((text[mark.start() : start], text[start:end]))
    return parts


def _cell(index: int, mark: str, body: str) -> Cell:
    header = _HEADER.match(body) if not mark else None
    kind = "markdown" if "[markdown]" in mark or "[md]" in mark else "raw" if "[raw]" in mark else "code"
    if header is not None and not body[header.end() :].strip():
        kind = "raw"  # jupytext keeps the notebook's metadata in a comment
    found = _TAGS.search(mark)
    tags: list[str] = []
    if found is not None:
        try:
            tags = [tag for tag in json.loads(found[1]) if isinstance(tag, str)]
        except ValueError:
            tags = []
    return Cell(index, kind, body.rstrip("\n"), None, tuple(tags))


def _is_visible(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts[:-1]
    return not any(
        part.startswith(".") or part in ("node_modules", "__pycache__", "site-packages") for part in parts
    )


def _has_cells(path: Path) -> bool:
    try:
        return MARK.search(path.read_text(encoding="utf-8", errors="ignore")) is not None
    except OSError:
        return False
