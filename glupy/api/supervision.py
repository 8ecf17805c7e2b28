"""Tasks in the background that are begun again when they have failed or ended."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from glupy import _core

if TYPE_CHECKING:
    from glupy._core import Instance

#: When a task is begun again: after it has raised, or after each end.
RESTARTS = ("on-failure", "always")

#: Seconds between an end and the next beginning, at most. One that has run for as long is begun again as soon as at first.
LONGEST = 60.0


def checked(function: Callable[[], Coroutine[Any, Any, Any]], restart: str, delay: float) -> None:
    """TypeError or ValueError for what cannot be supervised."""
    if restart not in RESTARTS:
        raise ValueError(f"spawn(): restart is {restart!r}; it can be 'never', 'on-failure' or 'always'")
    if not callable(function):
        raise TypeError(f"spawn(): a coroutine runs once: with restart={restart!r}, give the function that makes one, not "
                        f"{function!r}")
    if not 0 <= delay <= LONGEST:
        raise ValueError(f"spawn(): expected a delay of 0 to {LONGEST:g} seconds, not {delay!r}")


async def supervise(instance: Instance, function: Callable[[], Coroutine[Any, Any, Any]], restart: str,
                    delay: float) -> None:
    """The task: each failure is logged and counted, and twice as much time passes before the next beginning."""
    name, wait = getattr(function, "__name__", "a task"), delay
    while True:
        began = time.monotonic()
        # In a gather, where a GeneratorExit that the function raises is not taken for the end of this task.
        (error,) = await _core.gather(_attempt(function))
        if error is None and restart == "on-failure":
            return
        if time.monotonic() - began >= LONGEST:
            wait = delay
        if error is not None:
            instance.task_failed(f"{name}, which begins again in {wait:g} s", error)
        await _core.sleep(wait)
        wait = min(2 * wait, LONGEST)


async def _attempt(function: Callable[[], Coroutine[Any, Any, Any]]) -> BaseException | None:
    """Run it; what it has raised."""
    try:
        await function()
    except BaseException as error:
        return error
    return None
