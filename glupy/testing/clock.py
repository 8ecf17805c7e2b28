"""The time of a test: it stands still until the test moves it, so that what sleeps for an hour is tested in a moment."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from glupy import _core

#: Real seconds that a test waits for what is to come, before it fails.
PATIENCE = 20.0

#: Real seconds that threads of glupy's are given to finish what a moved time has begun; one of them may block.
_SETTLING = 1.0

_NANO = 10**9


class Clock:
    """glupy.sleep(), every(), and time.time() and time.monotonic() in the translator's module go by it; the log does not."""

    def __init__(self) -> None:
        self.jumps = False  # see jump()
        self._from = 0
        self._wall, self._monotonic = time.time_ns(), time.monotonic_ns()

    def hold(self) -> None:
        _core._clock_hold()
        self._from = _core._clock_now()

    def release(self) -> None:
        _core._clock_release()

    @property
    def now(self) -> float:
        """Seconds that have passed since the test began: those that it was moved by."""
        return self._passed() / _NANO

    def _passed(self) -> int:
        return _core._clock_now() - self._from

    @property
    def sleeping(self) -> list[float]:
        """What sleeps: in how many seconds each sleep is over, the soonest first."""
        now = _core._clock_now()
        return [(due - now) / _NANO for due in _core._clock_due()]

    def wait(self, count: int = 1) -> None:
        """Wait until so many coroutines sleep. Raises TimeoutError."""
        deadline = time.monotonic() + PATIENCE
        while len(sleeping := self.sleeping) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(sleeping)} coroutines sleep after {PATIENCE:.0f} s, not {count}")
            time.sleep(0.001)

    def advance(self, seconds: float) -> None:
        """Let so much time pass: what sleeps goes on in its turn, each when it is due, also what begins to sleep in between.
        On return all of it waits for something else again. ValueError below 0."""
        if not seconds >= 0:
            raise ValueError(f"advance(): expected 0 seconds or more, not {seconds!r}")
        until = _core._clock_now() + round(seconds * _NANO)
        settle()
        while _core._clock_move(until):
            settle()

    def jump(self) -> None:
        """From now on, when the test waits for a call of its own and nothing is at work but something sleeps, the time jumps
        to the end of that sleep."""
        self.jumps = True

    def jump_if_idle(self, waits: Callable[[], bool]) -> None:
        """What a test that waits does now and then; waits() says whether it still does. It is asked last: what has ended by
        then would otherwise find that time went on behind it."""
        if self.jumps and not _core._workers_busy() and (due := _core._clock_due()) and waits():
            _core._clock_move(due[0])

    def asleep(self, seconds: float) -> bool:
        """Whether for so many real seconds nothing was at work, while something sleeps."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if _core._workers_busy() or not _core._clock_due():
                return False
            time.sleep(0.005)
        return True

    def run_out(self, done: Callable[[], bool]) -> None:
        """End one sleep after another until done() says so: as soon as may be, but every() may sleep again and again."""
        deadline = time.monotonic() + PATIENCE
        while not done() and (due := _core._clock_due()) and time.monotonic() < deadline:
            _core._clock_move(due[0])
            settle()

    # The module time

    @contextmanager
    def seen_by(self, modules: Iterable[str]) -> Iterator[None]:
        """While this lasts, the time of these modules is this one, however they have imported it."""
        shown: dict[int, Any] = {id(getattr(time, name)): function for name, function in self._functions().items()}
        shown[id(time)] = _Time(self._functions())
        old = [(vars(sys.modules[module]), name, value) for module in modules
               for name, value in list(vars(sys.modules[module]).items()) if id(value) in shown]
        for names, name, value in old:
            names[name] = shown[id(value)]
        try:
            yield
        finally:
            for names, name, value in old:
                names[name] = value

    def _functions(self) -> dict[str, Callable[[], float]]:
        return {
            "time": lambda: (self._wall + self._passed()) / _NANO, "time_ns": lambda: self._wall + self._passed(),
            "monotonic": lambda: (self._monotonic + self._passed()) / _NANO,
            "monotonic_ns": lambda: self._monotonic + self._passed(),
        }


class _Time(ModuleType):
    """The module time, with some functions replaced."""

    def __init__(self, functions: dict[str, Callable[[], float]]) -> None:
        super().__init__("time", time.__doc__)
        vars(self).update({**vars(time), **functions})


def settle() -> None:
    """Wait until glupy's threads have nothing to do, or wait for something themselves."""
    start = time.monotonic()
    while _core._workers_busy():
        passed = time.monotonic() - start
        if passed > PATIENCE or (passed > _SETTLING and not _something_runs()):
            return
        time.sleep(0.0005)


def _something_runs() -> bool:
    """Whether another thread of this process is at work, or would be if the machine had a processor for it."""
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # it has ended
            state = (task / "stat").read_text().rpartition(") ")[2][0]
            if state in "RD" and int(task.name) != threading.get_native_id():
                return True
    return False
