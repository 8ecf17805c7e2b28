"""glupy.asyncio(): coroutines for asyncio, such as those of aiohttp, awaited in a fop or task."""

from __future__ import annotations

import errno
import inspect
from collections.abc import Coroutine
from contextvars import Context, ContextVar
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from glupy import _core
from glupy._core import Future
from glupy.api import asyncio_thread
from glupy.logs import loggers

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task

    from glupy._core import Instance

__all__ = ["AsyncioRequest", "asyncio", "asyncio_loop", "asyncio_request"]

T = TypeVar("T")


class AsyncioRequest(NamedTuple):
    """For whom a coroutine runs on asyncio's loop: plain values, which stay as they are when the request has ended.

    layer   the name of the translator's volume, as the log has it
    op      the fop's name; None for a background task
    path    the path that it is about, where one is known
    unique  GlusterFS's number of the call (frame.unique); None for a background task
    """

    layer: str
    op: str | None
    path: str | None
    unique: int | None


_request: ContextVar[AsyncioRequest | None] = ContextVar("glupy.asyncio_request", default=None)


def asyncio_request() -> AsyncioRequest | None:
    """In a coroutine that glupy.asyncio() runs, and in all that it begins (create_task(), asyncio.to_thread()): for which
    request. None elsewhere. A context variable of Python's carries it."""
    return _request.get()


def asyncio_loop() -> AbstractEventLoop:
    """The loop on which glupy.asyncio() runs coroutines: one for each interpreter, on a thread of glupy's, begun by the first
    call. For libraries that ask for a loop, and for asyncio.run_coroutine_threadsafe(). The calling thread blocks until it has
    begun. What is begun on it past glupy.asyncio() is nobody's: it goes on when its graph goes. RuntimeError in a child of
    os.fork(), and where it cannot begin."""
    return asyncio_thread.here().loop()


async def asyncio(coroutine: Coroutine[Any, Any, T]) -> T:
    """Awaited in a fop or background task: what a coroutine for asyncio comes to, or its exception raised. It runs on
    asyncio_loop(), beside others; the request waits for it as for a wind, and holds no thread.

    It is cancelled, and nobody waits for it any more, when who awaits it is cancelled or closed, or a timeout() around is
    over. When the graph goes it is cancelled, too, and OSError(ECANCELED) raised. What it raises then is logged. In it one
    awaits what is asyncio's: winds, glupy.sleep() and the like cannot be awaited there.

    TypeError for what is no coroutine; RuntimeError where no request or task of glupy's awaits it; asyncio.CancelledError
    where it was cancelled from within asyncio.
    """
    if not inspect.iscoroutine(coroutine):
        raise TypeError(f"glupy.asyncio(): expected a coroutine, not {coroutine!r}")
    call: _Call[T] | None = None
    try:
        instance, request = _asking()
        loop = await asyncio_thread.here().begun
        call = _Call(instance, coroutine, loop, request)
        _calls.add(call)
        if instance.going:  # looked at once it is among those that graph_goes() ends
            raise _gone()
        loop.call_soon_threadsafe(call.begin)
        return await call.outcome
    except BaseException:
        if call is not None:
            call.give_up()
        elif inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
            coroutine.close()
        raise
    finally:
        if call is not None:
            _calls.discard(call)


def graph_goes(instance: Instance) -> None:
    """All that runs for an instance ends now, in whatever state its coroutine or the loop is."""
    for call in list(_calls):
        if call.instance is instance and call.settles():
            call.outcome.set_exception(_gone())


def _asking() -> tuple[Instance, AsyncioRequest]:
    instance, op, path, unique = _core._request()
    return instance, AsyncioRequest(instance.name, op, path, unique)


def _gone() -> OSError:
    return OSError(errno.ECANCELED, "glupy.asyncio(): the graph of this translator goes")


class _Call(Generic[T]):
    """One coroutine, on its way through the loop."""

    def __init__(self, instance: Instance, coroutine: Coroutine[Any, Any, T], loop: AbstractEventLoop,
                 request: AsyncioRequest) -> None:
        self.instance, self.coroutine, self.loop, self.request = instance, coroutine, loop, request
        self.outcome: Future[T] = Future()
        self._open = [True]  # until it has its outcome: whoever pops this gives it
        self._given_up = False
        self._task: Task[T] | None = None

    def settles(self) -> bool:
        """Whether it is the caller who settles the outcome. Any thread; true once."""
        try:
            return self._open.pop()
        except IndexError:
            return False

    def begin(self) -> None:
        """On the loop's thread."""
        if self._given_up:
            self.coroutine.close()
            return
        context = Context()  # not a copy: a thread of GlusterFS's has what some other request has left there
        context.run(_request.set, self.request)
        self._task = self.loop.create_task(self.coroutine, name=f"{self.request.layer}: {self.request.op or 'task'}",
                                           context=context)
        self._task.add_done_callback(self._ended)

    def give_up(self) -> None:
        """Nobody waits for it any more. Any thread; nothing where it has ended."""
        self.settles()
        self._given_up = True
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self._cancel)

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()
        elif inspect.getcoroutinestate(self.coroutine) == inspect.CORO_CREATED:
            self.coroutine.close()

    def _ended(self, task: Task[T]) -> None:
        error = None if task.cancelled() else task.exception()
        if not self.settles():
            if error is not None:
                loggers.logger_for(self.instance).error(
                    "%s of %r: what asyncio ran for it, given up by who awaited it, failed", self.request.op or "a task",
                    self.request.path, exc_info=error)
        elif task.cancelled():
            self.outcome.set_exception(_cancelled(task))
        elif error is not None:
            self.outcome.set_exception(error)
        else:
            self.outcome.set_result(task.result())


def _cancelled(task: Task[Any]) -> BaseException:
    """With what cancel() was told."""
    try:
        task.result()
    except BaseException as error:
        return error
    raise AssertionError("a cancelled task has a result")


#: All that has not ended. Of graphs that go, and of requests.
_calls: set[_Call[Any]] = set()
