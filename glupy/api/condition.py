"""Waiting until something that several requests change has become true."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

from glupy._core import Mutex

if TYPE_CHECKING:
    from glupy._core import Turn

__all__ = ["Condition"]

T = TypeVar("T")


class Condition:
    """A Mutex with a line of those who wait for a change of what it guards, as pthread_cond_t is.

    mutex  whose it is; None: one of its own. Several Conditions may share one, and inode.lock() is one
    name   that of its own Mutex, which is shown where a request waits (statedump)

        async with condition:
            await condition.wait_for(lambda: self.free > 0)
            self.free -= 1

    Who waits has let go of the Mutex, and has it again when the wait is over, whatever ended it: a notify(), a time limit.
    Those who wait are woken, and have the Mutex, in the order in which they came. One that is cancelled leaves the line, and
    a notify() that it was given already is the next one's. Its `finally` clauses and the end of its `async with` run all the
    same, while somebody else may have the Mutex: they may release it, and change nothing that it guards. Any thread may
    notify. It belongs to one interpreter.
    """

    # Who waits awaits a turn at the Mutex, which notify() puts into the Mutex's line: so nobody overtakes on the way.
    #
    # Whoever is being closed cannot await its Mutex. It is owed one instead (Mutex._owe in mutex.c), so that its release()
    # takes nothing from whoever has it.

    def __init__(self, mutex: Mutex | None = None, name: str = "") -> None:
        self.mutex = Mutex(name) if mutex is None else mutex
        self._waiting: deque[Turn] = deque()

    async def acquire(self) -> None:
        """Its Mutex is yours."""
        await self.mutex.acquire()

    def release(self) -> None:
        """Let go of the Mutex. RuntimeError where nobody holds it."""
        self.mutex.release()

    def locked(self) -> bool:
        """Does anybody hold it?"""
        return self.mutex.locked()

    async def wait(self) -> None:
        """Let go of the Mutex, wait for a notify(), and have it again: awaited by the coroutine that holds it itself, not by
        another one in a gather(). RuntimeError where nobody holds it."""
        await self._wait(self._stand())

    async def wait_for(self, predicate: Callable[[], T]) -> T:
        """Wait until `predicate` gives something true, which is given. It is called at once, then after each notify(), with
        the Mutex held; what it raises is raised. No notify() is missed, also of those who changed something without the
        Mutex."""
        while True:
            turn = self._stand()  # before the look: what changes after it is heard of
            try:
                result = predicate()
            except BaseException:
                self._leave(turn)
                raise
            if result:
                self._leave(turn)
                return result
            await self._wait(turn)

    def notify(self, n: int = 1) -> None:
        """Wake the first `n` of those who wait, as far as there are so many. They go on one after another, as they get the
        Mutex. Any thread; who calls need not hold the Mutex. ValueError for a number below 0."""
        if n < 0:
            raise ValueError(f"notify(): expected 0 or more, not {n}")
        for _ in range(n):
            try:
                self._waiting.popleft()._admit()
            except IndexError:
                return

    def notify_all(self) -> None:
        """Wake all who wait now."""
        self.notify(len(self._waiting))

    async def __aenter__(self) -> Self:
        await self.mutex.__aenter__()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None,
                        trace: TracebackType | None) -> None:
        self.mutex.release()

    def __repr__(self) -> str:
        return f"<Condition, {len(self._waiting)} waiting, {self.mutex!r}>"

    # The line

    def _stand(self) -> Turn:
        """A place at its end."""
        if not self.mutex.locked():
            raise RuntimeError("wait(): nobody holds this Condition's Mutex: use `async with`")
        turn = self.mutex._hold_back()
        self._waiting.append(turn)
        return turn

    def _leave(self, turn: Turn) -> None:
        """Without having waited. Who was woken all the same has the next one woken."""
        try:
            self._waiting.remove(turn)
        except ValueError:
            self.notify()

    async def _wait(self, turn: Turn) -> None:
        self.mutex.release()
        try:
            await turn
        except GeneratorExit:
            self._leave(turn)
            self.mutex._owe()
            raise
        except BaseException:  # time is over
            self._leave(turn)
            await self._take()
            raise

    async def _take(self) -> None:
        """Have the Mutex again; what is raised meanwhile is raised then."""
        raised: BaseException | None = None
        while True:
            try:
                await self.mutex.acquire()
                break
            except GeneratorExit:
                self.mutex._owe()
                raise
            except BaseException as error:
                raised = error
        if raised is not None:
            raise raised
