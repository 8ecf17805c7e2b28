"""What the core, in C, asks of Python. Nothing else belongs here."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from glupy import _core, fopcheck, loading, names
from glupy.errors import LoadError
from glupy.logs import install_logging
from glupy.translator import FACTORIES, OPTIONAL, Translator

if TYPE_CHECKING:
    from glupy._core import Instance

__all__ = ["contexts", "describe", "fini", "load", "reconfigure", "started"]

_LONGEST = 32768  # characters of a traceback in the log


def started(embedded: bool) -> None:
    """Python runs in a process of GlusterFS's: its own (embedded), or the program's that uses libgfapi.

    In our own, logging and output go to GlusterFS's log, and a virtual environment is taken from the local
    configuration. A program's Python will be finalised by the program.
    """
    if embedded:
        install_logging()
        loading.owns_interpreter = True
    else:
        atexit.register(_core._python_going)


def load(instance: Instance) -> tuple[Translator, dict[str, Callable[..., Any]]]:
    """The translator for an instance, after its init(), and its bound fops by name. Raises LoadError only."""
    try:
        return loading.load(instance)
    except LoadError:
        raise
    except BaseException as error:
        raise LoadError(f"glupy itself failed: {loading.last_line(error)}\n{loading.trace(error)}") from error


def contexts(translator: Translator) -> dict[str, Callable[..., Any]]:
    """The hooks that a translator's class defines, bound, and what makes its contexts, by name."""
    cls = type(translator)
    found = {name: fopcheck.factory(cls, name) for name in FACTORIES}
    found |= {name: getattr(translator, name) for name in OPTIONAL if getattr(cls, name) is not getattr(Translator, name)}
    return {name: function for name, function in found.items() if function is not None}


def describe(error: BaseException, translator: str, fop: str | None, path: str | None) -> str:
    """The log text for an exception that a fop did not handle, or for what kept a translator from loading.

    Never raises.
    """
    if issubclass(type(error), LoadError):  # isinstance would ask the exception for its class
        return f"{translator} is not loaded: {error}"
    head = f"{translator}: {fop or 'background task'}{f' of {path!r}' if path else ''} failed"
    try:
        text = names.format_traceback(error).rstrip()
    except BaseException as second:  # not only Exception: this also runs when memory or the stack is short
        text = f"{type(error).__name__} (no traceback: {type(second).__name__})"
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST // 4]}\n  [...]\n{text[-3 * _LONGEST // 4:]}"
    return f"{head}\n{text}".replace("\0", "\\0")  # the log is C's


def reconfigure(translator: Translator, options: Mapping[str, str]) -> None:
    """New options came with a new volfile: keep their texts. Values read at the start stay as they are."""
    translator.options = dict(options)


def fini(translator: Translator) -> None:
    """The graph is going: let the translator end, and drop its module. What its fini() raises, the caller logs."""
    try:
        ended = translator.fini()
        if ended is not None:
            translator._instance.run(ended)
    finally:
        loading.forget(".".join(type(translator).__module__.split(".", 3)[:3]))
