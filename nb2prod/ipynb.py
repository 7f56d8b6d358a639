"""Reading .ipynb files, nbformat 3 and 4, with `json` alone: importing nbformat costs more than a lint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from nb2prod.source import Cell, Notebook

MAX_BYTES = 256 * 1024 * 1024

_PYTHON_KERNELS = ("python", "ipython", "pypy")
_NOT_OURS = ("node_modules", "__pycache__", "site-packages")


class ReadError(Exception):
    """A file that is not a notebook; `help` says what to do."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = help


def read(path: Path | str) -> Notebook:
    """The notebook in a file."""
    path = Path(path)
    try:
        if path.is_dir():
            raise ReadError(f"{path} is a folder", "give the path of a notebook in it")
        if not path.exists():
            raise ReadError(f"{path} does not exist", "check the path")
        if not path.is_file():
            raise ReadError(f"{path} is not a regular file", "give the path of a notebook")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ReadError(f"{path} is too large ({size >> 20} MB)", "clear the outputs of the notebook")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ReadError(f"{path} cannot be read: {reason}", "check the path and its permissions") from error
    return read_bytes(data, str(path))


def read_bytes(data: bytes, path: str) -> Notebook:
    """The notebook in some bytes, e.g. of standard input; `path` is what findings call it."""
    try:
        stored = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ReadError(
            f"{path} is not UTF-8 text (byte {error.start})", "save the notebook as UTF-8"
        ) from error
    except RecursionError as error:
        raise ReadError(
            f"{path} is nested too deeply", "this is not a notebook that Jupyter wrote"
        ) from error
    except ValueError as error:
        where = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise ReadError(f"{path} is not JSON{where}", "give a .ipynb file, as Jupyter saves it") from error
    return _notebook(stored, path)


def _notebook(stored: Any, path: str) -> Notebook:
    if not isinstance(stored, dict) or not ("cells" in stored or "worksheets" in stored):
        raise ReadError(f"{path} is JSON but not a notebook", "a notebook has a list `cells`")
    version = stored.get("nbformat", 4 if "cells" in stored else 3)
    if not isinstance(version, int) or version < 1:
        raise ReadError(
            f"{path} is not a notebook: nbformat is {str(version)[:40]!r}", "open and save it in Jupyter"
        )
    if version > 4:
        raise ReadError(
            f"{path} has nbformat {version}, which is newer than nb2prod knows (4)",
            "update nb2prod, or save as 4",
        )
    metadata = stored.get("metadata")
    rows = stored.get("cells") if "cells" in stored else _worksheet_cells(stored.get("worksheets"))
    if not isinstance(rows, list):
        raise ReadError(f"{path} is not a notebook: `cells` is not a list", "open and save it in Jupyter")
    cells = tuple(_cell(row, index, path) for index, row in enumerate(rows))
    return Notebook(path, cells, _language(metadata if isinstance(metadata, dict) else {}))


def _worksheet_cells(worksheets: Any) -> list[Any] | None:
    """nbformat 3 keeps cells in worksheets."""
    if not isinstance(worksheets, list):
        return None
    rows: list[Any] = []
    for sheet in worksheets:
        cells = sheet.get("cells", []) if isinstance(sheet, dict) else None
        if not isinstance(cells, list):
            return None
        rows += cells
    return rows


def _cell(row: Any, index: int, path: str) -> Cell:
    if not isinstance(row, dict):
        raise ReadError(
            f"{path} is not a notebook: cell {index} is not an object", "open and save it in Jupyter"
        )
    kind = row.get("cell_type")
    source = row.get("source", row.get("input", ""))
    if isinstance(source, list) and all(isinstance(part, str) for part in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise ReadError(f"{path} is not a notebook: cell {index} has no text", "open and save it in Jupyter")
    run = row.get("execution_count", row.get("prompt_number"))
    metadata = row.get("metadata")
    tags = metadata.get("tags") if isinstance(metadata, dict) else None
    return Cell(
        index,
        kind if kind in ("code", "raw") else "markdown",
        source,
        run if isinstance(run, int) and not isinstance(run, bool) else None,
        tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
    )


def _language(metadata: dict[str, Any]) -> str:
    kernel, info = metadata.get("kernelspec"), metadata.get("language_info")
    kernel, info = (part if isinstance(part, dict) else {} for part in (kernel, info))
    for name in (info.get("name"), kernel.get("language"), kernel.get("name")):
        if isinstance(name, str) and name:
            return "python" if name.lower().startswith(_PYTHON_KERNELS) else name
    return "python"


def find(path: Path | str) -> list[Path]:
    """The notebooks at a path: the file itself, or all in a folder but those in hidden folders."""
    path = Path(path)
    if not path.exists():
        raise ReadError(f"{path} does not exist", "check the path")
    if not path.is_dir():
        return [path]
    found = []
    for inner in path.rglob("*.ipynb"):
        folders = inner.relative_to(path).parts[:-1]
        if not any(part.startswith(".") or part in _NOT_OURS for part in folders):
            found.append(inner)
    return sorted(found)
