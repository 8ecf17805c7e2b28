"""Spans: who reads and who changes which blocks of a file, so that nobody meets a block half changed."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable

from glupy._core import Future

#: Behind every block.
END = sys.maxsize


class Span:
    """Blocks from `first` up to `stop`, which is not among them, for one request."""

    def __init__(self, first: int, stop: int, alone: bool) -> None:
        self.first, self.stop, self.alone = first, stop, alone
        self.granted: Future[None] | None = None  # of one that has to wait

    def hinders(self, other: Span) -> bool:
        return (self.alone or other.alone) and self.first < other.stop and other.first < self.stop


class Spans:
    """The spans of one file: those of readers overlap, one that is to be changed is held alone. Who waits is served in the
    order of coming, and overtaken by nobody who wants some of the same blocks. For any thread; of one interpreter."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # never held while anything is awaited
        self._held: list[Span] = []
        self._waiting: list[Span] = []

    async def take(self, first: int, stop: int, alone: bool) -> Span:
        """Wait for blocks. Each span that is given has to be given back."""
        span = Span(first, stop, alone)
        with self._lock:
            if _free(span, self._held) and _free(span, self._waiting):
                self._held.append(span)
                return span
            granted = span.granted = Future()
            self._waiting.append(span)
        try:
            await granted
        except BaseException:  # whoever waited has been cancelled
            self.give_back(span)
            raise
        return span

    def narrow(self, span: Span, first: int, stop: int) -> None:
        """Keep some of the blocks only."""
        with self._lock:
            span.first, span.stop = first, stop
            ready = self._next()
        _go_on(ready)

    def give_back(self, span: Span) -> None:
        """Let go of blocks, or leave the line; who can go on then does."""
        with self._lock:
            (self._held if span in self._held else self._waiting).remove(span)
            ready = self._next()
        _go_on(ready)

    def _next(self) -> list[Span]:
        """Those that need not wait any more."""
        ready: list[Span] = []
        still: list[Span] = []
        for span in self._waiting:
            if _free(span, self._held) and _free(span, still):
                self._held.append(span)
                ready.append(span)
            else:
                still.append(span)
        self._waiting = still
        return ready


def _go_on(ready: Iterable[Span]) -> None:
    for span in ready:
        assert span.granted is not None
        span.granted.set_result(None)


def _free(span: Span, others: Iterable[Span]) -> bool:
    return not any(other.hinders(span) for other in others)
