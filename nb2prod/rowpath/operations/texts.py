"""The row form of the methods under `.str`; what is missing stays missing.

Which characters are blank, and how case changes, depends on how pandas stores text: only printable ASCII is
covered where that matters.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from nb2prod.rowpath.operations.values import NAN, NotCovered


def text_method(found: Any, method: str, *arguments: Any) -> Any:
    """`.str.lower()` and its like, which give text or a truth value for text."""
    if found is None or found != found:
        if type(found) is float and method not in ("startswith", "endswith"):
            return found
        raise NotCovered(f"{method} of a missing value")
    result = getattr(printable(found), method)(*arguments)
    return np.bool_(result) if type(result) is bool else result


def printable(found: Any) -> str:
    """Text that every way of storing text treats alike."""
    if type(found) is str and found.isascii() and found.isprintable():
        return found
    raise NotCovered(f"{found!r} as text")


def text_length(found: Any) -> Any:
    """`.str.len()` of text."""
    if type(found) is str:
        return np.int64(len(found))
    raise NotCovered(f"the length of {found!r}")


def word_count(found: Any) -> Any:
    """`.str.split().str.len()`: pandas splits with Python's own method."""
    if type(found) is str:
        return np.int64(len(found.split()))
    raise NotCovered(f"the words of {found!r}")


def text_part(found: Any, start: Any, stop: Any) -> Any:
    """`.str[start:stop]`."""
    return found if type(found) is float and found != found else printable(found)[start:stop]


def text_at(found: Any, at: int) -> Any:
    """`.str[at]`, missing where the text is too short."""
    if type(found) is float and found != found:
        return found
    known = printable(found)
    return known[at] if -len(known) <= at < len(known) else NAN


def text_piece(found: Any, separator: Any, at: int) -> Any:
    """`.str.split(separator).str[at]` for a separator of one character."""
    if separator is not None and (type(separator) is not str or len(separator) != 1):
        raise NotCovered("a separator that may be a pattern")
    pieces = printable(found).split(separator)
    return pieces[at] if -len(pieces) <= at < len(pieces) else NAN


def text_extract(found: Any, pattern: str) -> Any:
    """`.str.extract(pattern, expand=False)` of a pattern with one group."""
    if type(found) is float and found != found:
        return found
    compiled = re.compile(pattern)
    if compiled.groups != 1:
        raise NotCovered("a pattern with other than one group")
    match = compiled.search(printable(found))
    group = match[1] if match else None
    return NAN if group is None else group


def text_contains(found: Any, pattern: str, case: bool = True, regex: bool = True) -> Any:
    """`.str.contains` of a word, or of words with `|` between them."""
    words = pattern.split("|") if regex else [pattern]
    if not case or (regex and not all(re.fullmatch(r"[\w ,]+", word, re.ASCII) for word in words)):
        raise NotCovered("a pattern")
    known = printable(found)
    return np.bool_(any(word in known for word in words))


def text_replaced(found: Any, old: str, new: str, regex: bool = False) -> Any:
    """`.str.replace` of a word, which is no pattern."""
    if type(found) is float and found != found:
        return found
    if regex and not re.fullmatch(r"[\w ,]+", old, re.ASCII):
        raise NotCovered("a pattern")
    if regex and "\\" in new:
        raise NotCovered("a replacement with groups")
    return printable(found).replace(old, new)
