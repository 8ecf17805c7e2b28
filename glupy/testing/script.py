"""The scripted child: between the translator and the file system in memory, it answers as the test says.

What it is not told anything about goes on to the file system. It also notes what was asked for.
"""

from __future__ import annotations

import copy
import errno
import inspect
import random
import threading
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import glupy
from glupy import Call, Frame, Future, Reply, Translator, _core
from glupy.testing.clock import PATIENCE

#: What a script says to a request: an answer, an error, None for the file system's own answer, or what is called with the
#: frame and the call to give one of these, a coroutine also.
Answer = Any


class Seen(NamedTuple):
    """A request that came to the scripted child."""

    fop: str
    path: str | None
    uid: int
    gid: int
    pid: int


class Hold:
    """Requests that wait: each until the test lets it go, in any order."""

    def __init__(self, answer: Answer, never: bool) -> None:
        self.answer = answer
        self.never = never
        self._changed = threading.Condition()
        self._waiting: list[tuple[Seen, Future[None]]] = []
        self._open = False

    @property
    def waiting(self) -> list[Seen]:
        """The requests that wait, the first one first."""
        with self._changed:
            return [seen for seen, _ in self._waiting]

    def wait(self, count: int = 1) -> None:
        """Wait until so many requests wait. Raises TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._waiting) >= count, PATIENCE):
                raise TimeoutError(f"{len(self._waiting)} requests wait here after {PATIENCE:.0f} s, not {count}")

    def release(self, index: int | None = None) -> None:
        """Let the one at an index go, the last one with -1; without one, all, and all that come from now on."""
        with self._changed:
            if index is None:
                self._open = True
                going, self._waiting = self._waiting, []
            else:
                going = [self._waiting.pop(index)]
        for _, future in going:
            future.set_result(None)

    async def passing(self, seen: Seen) -> None:
        future: Future[None] = Future()
        with self._changed:
            if self._open:
                return
            self._waiting.append((seen, future))
            self._changed.notify_all()
        await future


class Chaos:
    """Answers at random, the same for the same seed as long as requests come in the same order: at once, later, from
    another thread, and now and then with an error, before or after it was done."""

    ERRORS = (errno.EIO, errno.ENOTCONN, errno.ENOSPC, errno.ESTALE)

    def __init__(self, seed: int, errors: float) -> None:
        self._random, self._lock, self._errors = random.Random(seed), threading.Lock(), errors

    async def __call__(self, frame: Frame, call: Call) -> Reply:
        with self._lock:
            way, delay = self._random.choice(("at once", "later", "elsewhere")), self._random.random() / 1000
            error = self._random.choice(self.ERRORS) if self._random.random() < self._errors else 0
            before = self._random.random() < 0.5
        if way == "later":
            await _core._pause(delay)
        elif way == "elsewhere":
            await glupy.to_thread(int)
        if error and before:
            raise OSError(error, "chaos")
        reply: Reply = await call.wind()
        if error:
            raise OSError(error, "chaos")
        return reply


class Script(Translator):
    def init(self) -> None:
        self._lock = threading.Lock()
        self._answers: dict[str, Answer] = {}
        self._queues: dict[str, list[Answer]] = {}
        self._inside: dict[int, Seen] = {}
        self._holds: list[Hold] = []
        self._seen: list[Seen] = []

    # The test's side

    def say(self, fops: Iterable[str], answer: Answer) -> None:
        """From now on: a list is used up one by one, then the file system answers."""
        with self._lock:
            for fop in fops:
                self._queues.pop(fop, None)
                self._answers.pop(fop, None)
                if isinstance(answer, (list, tuple)):
                    self._queues[fop] = list(answer)
                elif answer is not None:
                    self._answers[fop] = answer

    def hold(self, fops: Iterable[str], answer: Answer, never: bool) -> Hold:
        hold = Hold(answer, never)
        with self._lock:
            self._holds.append(hold)
        self.say(fops, hold)
        return hold

    def seen(self) -> list[Seen]:
        with self._lock:
            return list(self._seen)

    def forget_seen(self) -> None:
        with self._lock:
            self._seen.clear()

    def inside(self) -> list[Seen]:
        """The requests that have no answer yet, without those that are to have none."""
        with self._lock:
            holds, inside = list(self._holds), list(self._inside.values())
        for hold in holds:
            for seen in hold.waiting if hold.never else ():
                inside.remove(seen)
        return inside

    def end(self) -> None:
        """Nothing is said any more, and whoever waits may go."""
        with self._lock:
            self._answers.clear()
            self._queues.clear()
            holds = list(self._holds)
        for hold in holds:
            hold.release()

    # The graph's side

    def any_fop(self, frame: Frame, call: Call) -> Any:
        seen = Seen(call.name, call.path, frame.uid, frame.gid, frame.pid)
        with self._lock:
            self._seen.append(seen)
            queue = self._queues.get(call.name)
            answer = queue.pop(0) if queue else self._answers.get(call.name)
        return None if answer is None else self._answered(frame, call, seen, answer)

    async def _answered(self, frame: Frame, call: Call, seen: Seen, answer: Answer) -> Any:
        with self._lock:
            self._inside[id(frame)] = seen
        try:
            return await _resolved(frame, call, seen, answer)
        finally:
            with self._lock:
                del self._inside[id(frame)]


async def _resolved(frame: Frame, call: Call, seen: Seen, answer: Answer) -> Any:
    """What a script's answer comes to."""
    if isinstance(answer, Hold):
        await answer.passing(seen)
        if answer.never:
            raise OSError(errno.ENOTCONN, "never answered")
        answer = answer.answer
    if callable(answer) and not _is_error(answer):
        answer = answer(frame, call)
        if inspect.isawaitable(answer):
            answer = await answer
    if _is_error(answer):
        # A copy: with its traceback, the script's own would keep what this request was about.
        raise copy.copy(answer).with_traceback(None) if isinstance(answer, BaseException) else answer
    return await call.wind() if answer is None else answer


def _is_error(answer: Answer) -> bool:
    return isinstance(answer, BaseException) or (isinstance(answer, type) and issubclass(answer, BaseException))


def elsewhere(answer: Answer = None) -> Callable[[Frame, Call], Any]:
    """Answer from another thread than the one that asked."""
    async def answered(frame: Frame, call: Call) -> Any:
        await _core._pause(0.002)  # whoever asked has gone by then, and a thread of glupy's goes on
        return await _resolved(frame, call, Seen(call.name, call.path, frame.uid, frame.gid, frame.pid), answer)
    return answered
