"""Code that runs where one does not expect any: a finalizer, in the garbage collection that making an object starts."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Cycle:
    """Ends in a garbage collection only."""

    def __init__(self, at_end: Callable[[], None]) -> None:
        self.itself, self.at_end = self, at_end

    def __del__(self) -> None:
        self.at_end()


@contextmanager
def collecting(at_end: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Gives a function: after its call, the next object that the collector has to know of starts a collection first, which
    calls `at_end`. (From Python 3.12 on, the collection comes with the next bytecode instead.)"""
    thresholds = gc.get_threshold()
    gc.collect()
    gc.disable()
    gc.set_threshold(1)
    for number in range(8):
        Cycle(at_end if number == 0 else lambda: None)
    try:
        yield gc.enable
    finally:
        gc.set_threshold(*thresholds)
        gc.enable()
