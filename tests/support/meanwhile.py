"""Work that goes on beside a test and has to go well."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from support.waiting import PATIENCE


@contextmanager
def meanwhile(work: Callable[[], object], pause: float = 0.0) -> Iterator[None]:
    """Call work() again and again on another thread, with so many seconds in between. What it raises fails the test."""
    stop = threading.Event()

    def go_on() -> None:
        while not stop.is_set():
            work()
            stop.wait(pause)

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(go_on)
        try:
            yield
        finally:
            stop.set()
        working.result(PATIENCE)
