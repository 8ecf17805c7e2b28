"""Exceptions as text: what an author or an administrator wants to read of them, and no more."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

from glupy.logs import owners

_HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def format_traceback(error: BaseException) -> str:
    """The traceback of an exception and of those that led to it, without glupy's own frames and the import system's."""
    report = traceback.TracebackException.from_exception(error, limit=-100)
    seen = set()
    pending: list[traceback.TracebackException | None] = [report]
    while pending:
        part = pending.pop()
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        kept = [frame for frame in part.stack if not _machinery(frame.filename)]
        part.stack[:] = kept or part.stack
        pending += [part.__cause__, part.__context__, *(getattr(part, "exceptions", None) or ())]
    return "".join(report.format())


def _machinery(filename: str) -> bool:
    return filename.startswith((_HERE, "<frozen importlib"))


def last_line(error: BaseException) -> str:
    """An exception in one line, whatever it is."""
    try:
        return traceback.format_exception_only(type(error), error)[-1].strip()
    except BaseException:
        return type(error).__name__


def trace(error: BaseException) -> str:
    """The traceback of what happened in an author's code."""
    return format_traceback(error).rstrip()


def place(error: BaseException) -> str:
    """Where an exception was raised, as "FILE:LINE in FUNCTION": the deepest line that is not glupy's own."""
    found = ""
    for frame, line in traceback.walk_tb(error.__traceback__):
        if not found or not _machinery(frame.f_code.co_filename):
            found = f"{frame.f_code.co_filename}:{line} in {frame.f_code.co_qualname}"
    return found


def deepest_line(error: BaseException, file: Path) -> tuple[str, int | None]:
    """The deepest line of an author's code that an exception passed through."""
    found: tuple[str, int | None] = str(file), None
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_globals.get("__name__", "").startswith(owners.PREFIX):
            found = frame.f_code.co_filename, line
    return found
