"""The end of a translator: its stopping(), when its graph or its process goes, and what is left in its Writers."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Coroutine
from typing import Any

from glupy.api import writer
from glupy.api.translator import Translator

__all__ = ["end", "stop", "stops"]

#: Seconds that a coroutine has: fewer than stopping.c in the core waits for when a process exits.
LIMIT = 3

#: Seconds that Writers have in the end for what they have not written yet.
FINAL = 5


def stops(translator: Translator) -> bool:
    """Whether there is something to be done: the class has a stopping() of its own, or init() has made a Writer."""
    return type(translator).stopping is not Translator.stopping or bool(translator._glupy_writers)


def stop(translator: Translator) -> None:
    """Call stopping(), and wait for it where it is a coroutine; then have what is in the queues of Writers written. What
    stopping() raises, the caller logs."""
    try:
        result = translator.stopping()
        if inspect.iscoroutine(result):
            _wait(translator, result)
        elif result is not None:
            raise TypeError(f"stopping() returned {result!r}: expected None")
    finally:
        writer.drain_all(translator, LIMIT)


def end(translator: Translator) -> None:
    """Call fini(); then close its Writers. What fini() raises, the caller logs."""
    try:
        translator.fini()
    finally:
        writer.close_all(translator, FINAL)


def _wait(translator: Translator, coroutine: Coroutine[Any, Any, Any]) -> None:
    """Run a coroutine on a task of its own, for so long as it may take. A task that is late ends with the graph."""
    ended = threading.Event()
    errors: list[BaseException] = []

    def run() -> None:
        try:
            translator._instance.run(coroutine)
        except BaseException as error:
            errors.append(error)
        finally:
            ended.set()

    threading.Thread(target=run, name="stopping", daemon=True).start()
    if not ended.wait(LIMIT):
        raise TimeoutError(f"stopping() has not ended within {LIMIT} seconds")
    if errors:
        raise errors[0]
