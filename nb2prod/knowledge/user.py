"""The user's own facts: the files that `[tool.nb2prod] knowledge` of a pyproject.toml names.

[tool.nb2prod]
knowledge = ["ours.toml"]           # relative to this pyproject.toml
"""

from __future__ import annotations

import tomllib
from pathlib import Path

from nb2prod.knowledge.read import KnowledgeError, Tables, line_of

PYPROJECT = "pyproject.toml"


def user_files(folder: Path) -> tuple[Path, ...]:
    """The files of facts that hold for the notebooks in a folder.

    They are named by the nearest pyproject.toml, in the folder or above, that has a table `[tool.nb2prod]`.
    Raises KnowledgeError where that table or file cannot be read.
    """
    folder = folder.absolute()
    for place in (folder, *folder.parents):
        settings = _settings(place / PYPROJECT)
        if settings is not None:
            return _named(place / PYPROJECT, settings.get("knowledge", []))
    return ()


def check_user_file(tables: Tables) -> None:
    """What a user's file may not say: an adapter is code of nb2prod's that stands in for one known call."""
    for number, entry in enumerate(tables.entries):
        if "adapter" in entry:
            line = line_of(tables.path.read_text(encoding="utf-8"), number, "adapter")
            raise KnowledgeError(
                f"{tables.path}:{line}: fact {number + 1} ({entry['api']}): adapter is not for users"
            )


def _settings(path: Path) -> dict[str, object] | None:
    """The table `[tool.nb2prod]`, or None where the file or the table is missing."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None  # not there, or not ours to judge
    if "nb2prod" not in text:
        return None
    try:
        found = tomllib.loads(text).get("tool", {}).get("nb2prod")
    except (tomllib.TOMLDecodeError, AttributeError) as error:
        raise KnowledgeError(f"{path}: {error}") from error
    if found is not None and not isinstance(found, dict):
        raise KnowledgeError(f"{path}: tool.nb2prod must be a table")
    return found


def _named(path: Path, names: object) -> tuple[Path, ...]:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise KnowledgeError(f"{path}: tool.nb2prod.knowledge must be a list of file names")
    files = tuple(path.parent / name for name in names)
    for file in files:
        if not file.is_file():
            raise KnowledgeError(f"{path}: tool.nb2prod.knowledge: {file} is not a file")
    return files
