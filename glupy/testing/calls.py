"""Calls into a graph, each on a thread of its own: a test whose translator never answers fails, and does not hang."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Running(Generic[T]):
    """A call that was begun: t.start(t.read, "/file"). It goes on while the test does something else."""

    _result: T

    def __init__(self, doing: str, function: Callable[[], T], patience: float, why: Callable[[], str]) -> None:
        self.doing, self._function, self._patience, self._why = doing, function, patience, why
        self._until = time.monotonic() + patience
        self._error: BaseException | None = None
        self._ended = threading.Event()

    def __repr__(self) -> str:
        return f"<{self.doing}: {'done' if self.done else 'under way'}>"

    @property
    def done(self) -> bool:
        """Whether it has come back."""
        return self._ended.is_set()

    def waits(self, seconds: float) -> bool:
        """Whether it is to be waited for still, after so many seconds."""
        return not self._ended.wait(seconds) and time.monotonic() < self._until

    def result(self) -> T:
        """What it gives or raises, once it has come back. Raises TimeoutError if it does not."""
        if not self._ended.wait(max(0.0, self._until - time.monotonic())):
            raise TimeoutError(f"{self.doing}: no answer after {self._patience:g} s{self._why()}")
        if self._error is not None:
            raise self._error
        return self._result

    def _run(self) -> None:
        try:
            self._result = self._function()
        except BaseException as error:
            self._error = error


class InProgress:
    """The calls that have not come back."""

    def __init__(self, patience: float, why: Callable[[], str]) -> None:
        self._patience, self._why = patience, why
        self._changed = threading.Condition()
        self._calls: list[Running[Any]] = []

    def start(self, doing: str, function: Callable[[], T]) -> Running[T]:
        """Begin a call."""
        call = Running(doing, function, self._patience, self._why)
        with self._changed:
            self._calls.append(call)
        threading.Thread(target=self._run, args=(call,), name=doing, daemon=True).start()
        return call

    def _run(self, call: Running[Any]) -> None:
        try:
            call._run()
        finally:
            with self._changed:
                self._calls.remove(call)
                self._changed.notify_all()
            call._ended.set()

    def now(self) -> list[str]:
        """What they do."""
        with self._changed:
            return [call.doing for call in self._calls]

    def ended(self, seconds: float) -> bool:
        """Wait until there are none."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._calls, seconds)
