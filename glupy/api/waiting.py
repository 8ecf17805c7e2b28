"""Waiting for one thing, for so long."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TypeVar

from glupy._core import timeout

__all__ = ["wait_for"]

T = TypeVar("T")


async def wait_for(awaitable: Awaitable[T], seconds: float | None) -> T:
    """What the awaitable gives (a wind, a gather, a Future, a Task, a coroutine, a turn at a lock), if it comes within so many
    seconds; else TimeoutError, and it is given up, as in timeout(). A Task that is awaited goes on. None: no limit. ValueError
    for seconds below 0."""
    async with timeout(seconds):
        return await awaitable
