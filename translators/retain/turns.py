"""Whose turn it is with a file: that of changes, of any number at once, or of who commits it, alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from threading import Lock

from glupy import Cache, Future, Gfid

from .state import State


class Turns:
    """Turns, and the states that are remembered, which a commit makes stale."""

    def __init__(self, remembered: int) -> None:
        self.lock = Lock()  # for whatever changes the next four; never held while anything is awaited
        self.known: Cache[Gfid, State] = Cache(remembered)
        self.inside: Counter[Gfid] = Counter()  # changes on their way
        self.closing: dict[Gfid, tuple[Future[None], Future[None]]] = {}  # being committed: no change is inside; it is over
        self.commits = 0  # counts: what was read while it was another number may be stale

    # Changes

    async def entered(self, gfids: list[Gfid], commits: int) -> bool:
        """Be inside as a change of files whose states were read after so many commits. False: read them anew."""
        with self.lock:
            over = next((self.closing[gfid][1] for gfid in gfids if gfid in self.closing), None)
            if over is None and commits == self.commits:
                self.inside.update(gfids)
                return True
        if over is not None:
            await over
        return False

    def leave(self, gfids: Iterable[Gfid]) -> None:
        ready = []
        with self.lock:
            for gfid in gfids:
                self.inside[gfid] -= 1
                if not self.inside[gfid]:
                    del self.inside[gfid]
                    ready += [self.closing[gfid][0]] if gfid in self.closing else []
        for empty in ready:
            empty.set_result(None)

    # Commits

    @asynccontextmanager
    async def closed(self, gfid: Gfid | None) -> AsyncIterator[None]:
        """No change of a file is inside, nor begins, and its state is read anew afterwards."""
        gfid = gfid or Gfid.null()
        empty: Future[None] = Future()  # glupy: ignore future: whoever leaves settles it, in a finally
        over: Future[None] = Future()  # glupy: ignore future: settled below, in a finally
        while True:
            with self.lock:
                if gfid not in self.closing:
                    self.closing[gfid] = (empty, over)
                    waiting = self.inside[gfid] > 0
                    break
                other = self.closing[gfid][1]
            await other
        try:
            if waiting:
                await empty
            yield
        finally:
            with self.lock:  # both at once: a change that has read its state before must not slip in between
                del self.closing[gfid]
                self._outdate(gfid)
            over.set_result(None)

    # States

    def remember(self, state: State, commits: int) -> None:
        """A state that was read after so many commits, unless there have been more."""
        with self.lock:
            if commits == self.commits and state.gfid:
                self.known[state.gfid] = state

    def forget(self, gfid: Gfid | None) -> None:
        with self.lock:
            self._outdate(gfid)

    def _outdate(self, gfid: Gfid | None) -> None:
        self.commits += 1
        if gfid:
            self.known.pop(gfid)
