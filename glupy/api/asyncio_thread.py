"""The one event loop of asyncio's that an interpreter has: on a thread of its own, begun when it is first wanted.

asyncio itself is imported there, too, so that no thread of GlusterFS's waits for that.
"""

from __future__ import annotations

import atexit
import os
import threading
from typing import TYPE_CHECKING

from glupy._core import Future

if TYPE_CHECKING:
    import asyncio

#: Seconds that what is under way has at the end of a program that is itself Python, once it has been cancelled.
_LAST = 5.0


class LoopThread:
    """A loop that runs, or is about to, until the interpreter ends.

    begun  settled by the loop, once it runs; or fails, if it does not
    """

    def __init__(self) -> None:
        self.process = os.getpid()
        self.begun: Future[asyncio.AbstractEventLoop] = Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._failed: BaseException | None = None
        self._known = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._run, name="glupy.asyncio", daemon=True)
        self._thread.start()
        atexit.register(self._end)  # GlusterFS's processes never finalise Python; programs that are Python do

    @property
    def failed(self) -> bool:
        """It could not begin: the next one may."""
        return self._failed is not None

    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop, waited for with the thread blocked. Raises what kept it from beginning."""
        self._known.wait()
        if self._loop is None:
            raise RuntimeError(f"asyncio's loop did not begin: {self._failed}") from self._failed
        return self._loop

    def _run(self) -> None:
        try:
            import asyncio
            loop = asyncio.new_event_loop()
        except BaseException as error:
            self._failed = error
            self._known.set()
            self.begun.set_exception(error)
            return
        self._loop = loop
        loop.call_soon(self._begins, loop)
        while not self._ending:
            _run_once(loop)
        _cancel_all(loop)

    def _begins(self, loop: asyncio.AbstractEventLoop) -> None:
        self._known.set()
        self.begun.set_result(loop)

    def _end(self) -> None:
        if os.getpid() != self.process:
            return  # a child of fork() has the loop, and shares what wakes it, but not the thread
        self._ending = True
        if self._known.wait(_LAST) and self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_LAST)


def _run_once(loop: asyncio.AbstractEventLoop) -> None:
    """Until stop(), which any code may call, or an exception that ends programs (SystemExit): neither is to end the loop, on
    which others wait."""
    try:
        loop.run_forever()
    except BaseException as error:
        loop.call_exception_handler({"message": "an exception that would end the loop", "exception": error})


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    import asyncio
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks, timeout=_LAST))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()


_lock = threading.Lock()
_here: LoopThread | None = None


def here() -> LoopThread:
    """This interpreter's. RuntimeError in a child of os.fork()."""
    global _here
    found = _here
    if found is None or found.failed:
        with _lock:
            found = _here
            if found is None or found.failed:
                found = _here = LoopThread()
    if found.process != os.getpid():
        raise RuntimeError("this process was forked from one that asyncio's loop of glupy's is in, and has not its thread: "
                           "use asyncio.run() here")
    return found
