"""The end of a translator: its stopping(), when its graph or its process goes."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Coroutine
from typing import Any

from glupy.api.translator import Translator

__all__ = ["stop", "stops"]

#: Seconds that a coroutine has: fewer than stopping.c in the core waits for when a process exits.
LIMIT = 3


def stops(translator: Translator) -> bool:
    """Whether the class has a stopping() of its own."""
    return type(translator).stopping is not Translator.stopping


def stop(translator: Translator) -> None:
    """Call stopping(), and wait for it where it is a coroutine. What it raises, the caller logs."""
    result = translator.stopping()
    if inspect.iscoroutine(result):
        _wait(translator, result)
    elif result is not None:
        raise TypeError(f"stopping() returned {result!r}: expected None")


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
