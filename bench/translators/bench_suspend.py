"""Suspends each stat until the bench lets it go on."""

from __future__ import annotations

from threading import Event

from glupy import Frame, Future, Loc, StatReply, Translator, Xdata


class Suspend(Translator):
    def init(self) -> None:
        self.waiting: list[Future[None]] = []
        self.expected = 0
        self.all_here = Event()

    async def stat(self, frame: Frame, loc: Loc, xdata: Xdata) -> StatReply:
        gate: Future[None] = Future()
        self.waiting.append(gate)
        if len(self.waiting) == self.expected:
            self.all_here.set()
        await gate
        return await self.child.stat(loc, xdata)
