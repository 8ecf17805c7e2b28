"""Methods that are neither fop nor hook, and whether they were meant to be one: nobody would ever call them.

By its arguments a method is that of another name, too; a helper `write(self, line)` is not. They are looked at first: a class
has dozens of helpers and GlusterFS dozens of fops, and how alike two words are takes long to find out.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import CodeType
from typing import Any

#: How alike names are that may be meant for each other, as difflib counts it.
_LIKE = 0.75


def meant(cls: type, name: str, known: Mapping[str, tuple[str, ...]]) -> str | None:
    """The one of those known names, each with its arguments, that a method of a class was meant to have."""
    function = inspect.getattr_static(cls, name)
    function = inspect.unwrap(getattr(function, "__func__", function))
    code = getattr(function, "__code__", None)
    if code is None:
        return None
    like = [near for near, arguments in known.items()
            if _like_in_length(name, near) and _like_in_arguments(function, code, arguments)]
    if not like:
        return None
    import difflib  # for mistakes alone: see glupy/api/naming.py

    for near in difflib.get_close_matches(name, like, 3, _LIKE):
        if "frame" in known[near] or _one_slip(name, near):
            return near
    return None


def _like_in_length(name: str, near: str) -> bool:
    """Names that differ more than that are not alike whatever their letters are."""
    return 2 * min(len(name), len(near)) >= _LIKE * (len(name) + len(near))


def _like_in_arguments(function: Any, code: CodeType, arguments: tuple[str, ...]) -> bool:
    """Fops begin with the frame. Hooks have few arguments, so there must be just as many."""
    named = code.co_varnames[1:code.co_argcount]
    variable = bool(code.co_flags & inspect.CO_VARARGS)
    if "frame" in arguments:
        if named[:1] == ("frame",):
            return variable or abs(len(named) - len(arguments)) <= 1
        return not variable and _takes(function, code, len(arguments))
    return _takes(function, code, len(arguments))


def _takes(function: Any, code: CodeType, count: int) -> bool:
    """Whether it can be called with so many values by position besides self."""
    most = code.co_argcount - 1
    required = set(code.co_varnames[code.co_argcount:][:code.co_kwonlyargcount]) - set(function.__kwdefaults__ or ())
    return (most - len(function.__defaults__ or ()) <= count and not required
            and (count <= most or bool(code.co_flags & inspect.CO_VARARGS)))


def _one_slip(name: str, other: str) -> bool:
    """One letter is missing, too much, another one, or has changed places with its neighbour."""
    shorter, others = ({word[:at] + word[at + 1:] for at in range(len(word))} for word in (name, other))
    return other in shorter or name in others or len(name) == len(other) and bool(shorter & others)
