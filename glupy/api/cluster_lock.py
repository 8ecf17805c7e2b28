"""ClusterLock: a part of a file, held against other clients of a volume."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from glupy._core import Flock, Future
from glupy.api.locs import nameless

if TYPE_CHECKING:
    from glupy._core import Child, Inode


def on_client(child: Child) -> bool:
    """Whether what is stored is stored in other processes, which more clients than this one reach."""
    return child.type == "protocol/client" or any(map(on_client, child.children))


class ClusterLock:
    """Bytes of a file, by inodelk (features/locks on the bricks, on all replicas). It goes by the gfid: finodelk on an
    anonymous fd does not get through cluster/replicate. It is taken in the background, by a task of its own: so it has an
    owner, which what an application asks for need not have, and is given back whatever becomes of the request. It is lost
    where the connection to a brick is.

    domain  what of inodelk's is meant: layers that take locks within each other's have different ones
    length  0: to the end, wherever that will be
    alone   nobody else has any of it; else all who do not want it alone may
    """

    def __init__(self, child: Child, inode: Inode, domain: str, start: int, length: int, alone: bool) -> None:
        self._child, self._loc, self._domain = child, nameless(inode), domain
        self._start, self._length = start, length
        self._type = fcntl.F_WRLCK if alone else fcntl.F_RDLCK
        self._granted: Future[None] = Future()
        self._done: Future[None] = Future()

    @asynccontextmanager
    async def held(self, spawn: Callable[[Coroutine[Any, Any, None]], object]) -> AsyncIterator[None]:
        """Wait for it, and hold it. OSError where it cannot be had: ENOTCONN where the graph is going."""
        task = self._hold()
        try:
            spawn(task)
        except (RuntimeError, ReferenceError):
            task.close()
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN)) from None
        try:
            await self._granted
            yield
        finally:
            self._done.set_result(None)

    async def _hold(self) -> None:
        try:
            await self._ask(self._type)
        except BaseException as error:
            self._granted.set_exception(error if isinstance(error, OSError) else OSError(errno.ENOTCONN, "cancelled"))
            if not isinstance(error, OSError):
                raise
            return
        self._granted.set_result(None)
        await self._done
        await self._ask(fcntl.F_UNLCK).or_error()

    def _ask(self, type: int) -> Any:
        flock = Flock(l_type=type, l_start=self._start, l_len=self._length)
        return self._child.inodelk(self._domain, self._loc, fcntl.F_SETLKW, flock)
