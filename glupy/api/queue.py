"""A queue between requests and tasks, of bounded length."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from glupy._core import Semaphore

__all__ = ["Queue"]

T = TypeVar("T")


class Queue(Generic[T]):
    """What some requests and tasks put in and others take out, in that order.

    limit  how many may be in it; who puts in one more waits until there is room
    name   is shown where a request waits at it (statedump)

    Whoever waits is served in the order of coming. A request that is cancelled while it waits leaves the line; nothing has
    been put in or taken out then. Any thread may use it; it belongs to one interpreter. ValueError for a limit below 1.
    """

    # Who has acquired `_room` may append; whoever has acquired `_there` finds something to take. Both give back by themselves
    # what a request got that was cancelled before it could go on, so there is nothing to undo here.

    def __init__(self, limit: int, name: str = "") -> None:
        if limit < 1:
            raise ValueError(f"Queue(): expected a limit of 1 or more, not {limit!r}")
        self.limit, self.name = limit, name
        self._items: deque[T] = deque()
        self._room = Semaphore(limit, f"{name or 'Queue'}: room")
        self._there = Semaphore(0, f"{name or 'Queue'}: items")

    async def put(self, item: T) -> None:
        """Put it in at the end; where the queue is full, when there is room."""
        await self._room.acquire()
        self._append(item)

    def try_put(self, item: T) -> bool:
        """Put it in if there is room and nobody waits for it; whether it is in now."""
        if not self._room.try_acquire():
            return False
        self._append(item)
        return True

    async def get(self) -> T:
        """Take the first one out; where there is none, when there is."""
        await self._there.acquire()
        return self._take()

    def try_get(self, default: T | None = None) -> T | None:
        """The first one, taken out, if there is one and nobody waits for it; else the default."""
        return self._take() if self._there.try_acquire() else default

    def __len__(self) -> int:
        return len(self._items)

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"<Queue{f' {self.name}' if self.name else ''}, {len(self)} of {self.limit}>"

    def _append(self, item: T) -> None:
        self._items.append(item)
        self._there.release()

    def _take(self) -> T:
        item = self._items.popleft()
        self._room.release()
        return item
