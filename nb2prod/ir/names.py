"""Names: what each name is when the notebook runs; made by the analyses, read by the rules."""

from __future__ import annotations

from dataclasses import dataclass, field

from nb2prod.source import Span


@dataclass(frozen=True, slots=True)
class Missing:
    """A read that fails in a fresh run, from top to bottom.

    `read` is the place in the text.  Where it stands in a function, `call` is the place of the call, at
    module level, at which it fails (None: the function is not seen to be called, but the name is bound
    nowhere).  `deleted` is what took the name away.
    """

    name: str
    read: Span
    call: Span | None = None
    function: str = ""
    deleted: Span | None = None

    @property
    def place(self) -> Span:
        """Where the run stops."""
        return self.call or self.read


@dataclass(frozen=True, slots=True)
class Possible:
    """A read of a name that is bound on some paths only; `decides` is the statement that may not bind it.

    Where a function reads it, `call` is the place of the call at module level, and `read` the same.
    """

    name: str
    read: Span
    decides: Span
    call: Span | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the value that a cell reads comes from.

    `writers` are the binding of the name and the changes in place since.  Two origins with the same
    `number` are the same value: the same texts with the same inputs.
    """

    name: str
    read: Span
    writers: tuple[Span, ...]
    number: int


@dataclass(frozen=True, slots=True)
class Names:
    """`unseen` are reads of names that may exist, but that no statement of the text defines: they come from a
    magic, an unknown star import, `exec`, or a cell that is not Python.

    `bound` are the places that bind each missing name, in document order, whether they run or not.  `moved`
    are the reads whose origin in the order of the text and in that of the recorded counts differ.
    """

    missing: tuple[Missing, ...] = ()
    unseen: tuple[Missing, ...] = ()
    bound: dict[str, tuple[Span, ...]] = field(default_factory=dict)
    moved: tuple[tuple[Origin, Origin], ...] = ()
