"""What the core, in C, asks of Python. Nothing else belongs here."""

from __future__ import annotations

import atexit
import traceback
import warnings
from collections.abc import Callable, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any

from glupy import _core
from glupy.api import asyncio_calls, debugging
from glupy.api.actors import actor
from glupy.api.client import Client
from glupy.api.events import Event
from glupy.api.translator import FACTORIES, OPTIONAL, Translator
from glupy.errors import LoadError
from glupy.lifecycle import changes, ends, reload
from glupy.loading import debug_place, fopcheck, importing, making
from glupy.logs import loggers, streams, tracebacks
from glupy.processes import children

if TYPE_CHECKING:
    from glupy._core import Child, Instance, Version

__all__ = ["Client", "actor", "alone", "brief", "contexts", "decided", "describe", "fini", "going", "hears", "linger", "load",
           "notify", "reconfigure", "stack", "started", "stopping", "stops"]

_LONGEST = 32768  # characters of a traceback in the log
_BRIEF = 400  # of a text in a statedump


def started(embedded: bool) -> None:
    """Python runs in a process of GlusterFS's: its own (embedded), or the program's that uses libgfapi.

    In our own, logging and output go to GlusterFS's log, processes are started without what is GlusterFS's, and a virtual
    environment is taken from the local configuration. A program's Python will be finalised by the program.
    """
    debugging.where = debug_place.folder
    if embedded:
        loggers.install_logging()
        streams.install_streams()
        children.install()
        making.owns_interpreter = True
    else:
        atexit.register(_going)


def _going() -> None:
    """The program's Python is about to be finalised."""
    _core._python_going()
    if _core._interpreters() > 1:
        # It finalises our other interpreters as well, which is what they wait for; Python 3.14 takes them for forgotten.
        warnings.filterwarnings("ignore", "remaining subinterpreters", RuntimeWarning)


def load(instance: Instance) -> tuple[Translator, dict[str, Callable[..., Any] | None]]:
    """The translator for an instance, after its init(), and its bound fops by name. Raises LoadError only."""
    try:
        translator, methods = making.load(instance)
        changes.announce(translator)
        return translator, methods
    except LoadError:
        raise
    except BaseException as error:
        raise LoadError(f"glupy itself failed: {tracebacks.last_line(error)}\n{tracebacks.trace(error)}") from error


def alone(translator: Translator) -> None:
    """The other interpreters that were to serve the translator could not load it, for reasons that the log has."""
    translator._glupy_alone(f"option interpreters is {translator.common.interpreters}, and another interpreter did not load "
                            "it")
    changes.announce(translator)


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
        text = tracebacks.format_traceback(error).rstrip()
    except BaseException as second:  # not only Exception: this also runs when memory or the stack is short
        text = f"{type(error).__name__} (no traceback: {type(second).__name__})"
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST // 4]}\n  [...]\n{text[-3 * _LONGEST // 4:]}"
    return f"{head}\n{text}".replace("\0", "\\0")  # the log is C's


def brief(error: BaseException) -> tuple[str, str]:
    """What a statedump says of an exception: itself in one line, and where in an author's code it was raised."""
    return tracebacks.last_line(error)[:_BRIEF], tracebacks.place(error)[-_BRIEF:]


def reconfigure(translator: Translator, options: Mapping[str, str]) -> None:
    """New options came with a new volfile: put all in force, or none. What is wrong with them is logged."""
    changes.of(translator).make(translator, options)


def linger(instance: Instance, version: Version) -> None:
    """Only tasks are left of a version of the file that was replaced: let them have some time."""
    reload.linger(instance, version)


def decided(translator: Translator, objection: str | None) -> None:
    """All interpreters that serve the translator have voted on a step of a change of its options."""
    changes.of(translator).decided(objection)


def going(instance: Instance) -> None:
    """The graph goes: background tasks are cancelled, and what runs for fops on asyncio's loop ends as well."""
    asyncio_calls.graph_goes(instance)


def hears(translator: Translator) -> bool:
    """Whether the class has a notify() of its own."""
    return type(translator).notify is not Translator.notify


def notify(translator: Translator, event: int, data: Child | None) -> bool:
    """An event has reached the translator: False when it keeps it. What notify() raises, the caller logs."""
    kind = Event(event) if event in Event._value2member_map_ else event
    result = translator.notify(kind, data)
    if result is False and event == Event.PARENT_DOWN:
        raise ValueError("notify() returned False for PARENT_DOWN, which cannot be kept: the graph goes")
    if result is not None and not isinstance(result, bool):
        raise TypeError(f"notify() returned {result!r}: expected None, or False to keep the event")
    return result is not False


def stack(frame: FrameType | None, path: str | None) -> str:
    """Where a thread is in Python, for the log: what it works on, and its stack."""
    lines = traceback.format_stack(frame) if frame is not None else []
    text = f"{f', about {path!r}' if path else ''}\nStack (most recent call last):\n{''.join(lines)}".rstrip()
    return text[-_LONGEST:].replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()


def stops(translator: Translator) -> bool:
    """Whether its end has something to be done before anything else ends."""
    return ends.stops(translator)


def stopping(translator: Translator) -> None:
    """The graph or the process is about to end. What its stopping() raises, the caller logs."""
    ends.stop(translator)


def fini(translator: Translator) -> None:
    """The graph is going: let the translator end, and drop its module. What its fini() raises, the caller logs."""
    try:
        ends.end(translator)
    finally:
        importing.forget(making.module_of(translator))
