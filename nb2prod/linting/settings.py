"""Settings: `[tool.nb2prod]` of the nearest pyproject.toml, and which codes are wanted where.

    [tool.nb2prod.lint]
    select = ["NBP1", "NBP3"]
    ignore = ["NBP308"]
    exclude = ["archive/*"]
    strict = true
    baseline = "lint-baseline.json"

    [tool.nb2prod.lint.per-file-ignores]
    "exploration/*" = ["NBP3"]

The keys may also stand in `[tool.nb2prod]` itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from nb2prod.linting.result import UsageError

_KEYS = ("select", "ignore", "exclude", "strict", "baseline", "per-file-ignores")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a project asks for; `root` is the folder of its pyproject.toml."""

    root: Path | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    strict: bool = False
    baseline: str = ""
    per_file: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def excludes(self, path: str) -> bool:
        return any(self._matches(path, pattern) for pattern in self.exclude)

    def ignored(self, path: str) -> set[str]:
        """The codes that are not wanted in one file."""
        found = [codes for pattern, codes in self.per_file.items() if self._matches(path, pattern)]
        return codes_of([code for codes in found for code in codes]) if found else set()

    def _matches(self, path: str, pattern: str) -> bool:
        """A pattern is about the path from the root, or about the file's name."""
        full = Path(path).absolute()
        name = full.as_posix()
        if self.root is not None and full.is_relative_to(self.root):
            name = full.relative_to(self.root).as_posix()
        return (
            fnmatch(name, pattern) or fnmatch(name, pattern.rstrip("/") + "/*") or fnmatch(full.name, pattern)
        )


def settings(start: Path) -> Settings:
    """The settings that hold at a path: those of the nearest pyproject.toml with a table for nb2prod."""
    place = start.absolute()
    for folder in [place, *place.parents]:
        file = folder / "pyproject.toml"
        if file.is_file():
            try:
                text = file.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise UsageError(f"{file} cannot be read: {error}") from error
            if "tool.nb2prod" in text:
                return _read(file, text)
    return Settings()


def wanted(select: Sequence[str], ignore: Sequence[str]) -> frozenset[str] | None:
    """The codes to look for; None are all."""
    if not select and not ignore:
        return None
    from nb2prod import rules

    chosen = codes_of(select) if select else {rule.code for rule in rules.all_rules()}
    return frozenset(chosen - codes_of(ignore))


def codes_of(words: Sequence[str]) -> set[str]:
    """The codes that some codes, names or beginnings of codes mean; words may be joined by commas."""
    from nb2prod import rules

    found: set[str] = set()
    for word in (part.strip() for text in words for part in text.split(",")):
        if word.upper() == "ALL":
            found |= {rule.code for rule in rules.all_rules()}
            continue
        matching = {r.code for r in rules.all_rules() if r.code.startswith(word.upper()) or r.name == word}
        if not word or not matching:
            raise UsageError(f"there is no rule {word!r}")
        found |= matching
    return found


def _read(file: Path, text: str) -> Settings:
    import tomllib

    try:
        table = tomllib.loads(text).get("tool", {}).get("nb2prod", {})
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{file} is not valid TOML: {error}") from error
    own = table.get("lint", {}) if isinstance(table, dict) else None
    if not isinstance(own, dict):
        raise UsageError(f"{file}: [tool.nb2prod.lint] is not a table")
    for key in own:
        if key not in _KEYS:
            raise UsageError(f"{file}: [tool.nb2prod.lint] has no setting {key!r}; it has {', '.join(_KEYS)}")
    given = {**{key: table[key] for key in _KEYS if key in table}, **own}
    per_file = _checked(file, given, "per-file-ignores", dict)
    return Settings(
        file.parent,
        _words(file, given, "select"),
        _words(file, given, "ignore"),
        _words(file, given, "exclude"),
        bool(_checked(file, given, "strict", bool)),
        str(_checked(file, given, "baseline", str) or ""),
        {str(pattern): _words(file, per_file, pattern) for pattern in per_file or {}},
    )


def _words(file: Path, table: dict[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise UsageError(f"{file}: {key} is not a list of texts")
    return tuple(value)


def _checked(file: Path, table: dict[str, Any], key: str, kind: type) -> Any:
    value = table.get(key)
    if value is not None and not isinstance(value, kind):
        raise UsageError(f"{file}: {key} is not a {kind.__name__}")
    return value
