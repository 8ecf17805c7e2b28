"""Served by several interpreters: tells which of them does what, where all can read it."""

from __future__ import annotations

import functools
import itertools
import os
import threading
import time
from typing import Any

import glupy
from glupy import Fd, FgetxattrReply, GetxattrReply, Inode, Option, Shared, StatReply, Translator, _core

#: By what was done: the interpreters that did it, in order.
NOTES = Shared("tests.spread")


def note(what: str, interpreter: int) -> None:
    NOTES.change(what, lambda seen: [*seen, interpreter], [])


def meet(mine: int, other: int) -> int:
    """How often two of these, at work at the same time, have waited for each other; 0: one waited in vain.

    It waits inside one call, of C code from beginning to end, which gives its GIL up to nobody: whoever is waited for has
    one of its own."""
    look = functools.partial(_core._shared_get, NOTES.namespace)
    for i in range(1, 51):
        NOTES.set(f"meeting {mine} {i}", True)
        if next(filter(None, map(look, itertools.repeat(f"meeting {other} {i}", 200_000_000))), None) is None:
            return 0
    return i


def stay(how: str) -> None:
    """Inside for a moment, in which the program ends."""
    NOTES.add("inside")
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        if how == "asleep":
            time.sleep(0.1)
    os.write(1, b"left\n")


class Ending:
    """Notes its end."""

    def __init__(self, what: str, interpreter: int) -> None:
        self.what, self.interpreter = what, interpreter

    def __del__(self) -> None:
        note(self.what, self.interpreter)


class Unread(Option[int]):
    """Cannot be read in the interpreter that it names, once this one knows which it is."""

    own = -2

    def parse(self, text: str) -> int:
        value = super().parse(text)
        if value == Unread.own:
            raise ValueError(f"unread in {value}")
        return value


class Spread(Translator):
    limit = Option(int, default=1)
    failing = Option(int, default=-1, help="the interpreter in which init() fails")
    odd = Option(int, default=-1, help="the interpreter in which any_fop handles more than in the others")
    extension = Option(str, default="", help="a module to import")
    unread = Unread(int, default=-1, help="the interpreter that cannot read the options")
    refusing = Option(int, default=-1, help="the interpreter in which reconfigured() refuses")
    later = Option(bool, default=False, help="after it has waited")
    calls = 0  # of this interpreter: the class is its own

    def init(self) -> None:
        note("init", self.interpreter)
        Unread.own = self.interpreter
        self.end = Ending("end", self.interpreter)
        if self.failing == self.interpreter:
            raise ValueError("on purpose")
        self.fops = ["unlink"] if self.odd == self.interpreter else []
        if self.extension:
            __import__(self.extension)
        self.spawn(self.task())

    async def task(self) -> None:
        await glupy.sleep(0.001)
        note(f"task on {threading.current_thread() is not threading.main_thread()}", self.interpreter)
        try:
            await glupy.Future()
        finally:
            note("closed", self.interpreter)

    def fini(self) -> None:
        note("fini", self.interpreter)

    def notify(self, event: Any, data: Any) -> None:
        note(f"event {int(event)}", self.interpreter)

    def reconfigured(self, changed: dict[str, Any]) -> Any:
        note(f"limit {changed['limit']} {self.limit}", self.interpreter)
        return self.refuse_later() if self.later else self.refuse()

    def refuse(self) -> None:
        if self.refusing == self.interpreter:
            raise ValueError(f"refused in {self.interpreter}")

    async def refuse_later(self) -> None:
        await glupy.sleep(0.001 * self.interpreter)
        self.refuse()

    def forget(self, inode: Inode) -> None:
        note(f"forget {inode.ctx[0]}", self.interpreter)

    def release(self, fd: Fd) -> None:
        note(f"release {fd.ctx[0]}", self.interpreter)

    def client_disconnect(self, client: str) -> None:
        note("client", self.interpreter)

    def asked(self, name: str, inode: Inode, thing: Any) -> dict[str, Any]:
        what, _, text = name.partition(" ")
        if what == "set":
            thing.ctx = text, Ending(f"dropped {text}", self.interpreter)
        elif what == "fail":
            raise ValueError(f"on purpose in {self.interpreter}")
        elif what == "count":
            type(self).calls += 1
            self.shared.add("calls")
            for _ in range(2000):
                pass
        elif what == "meet":
            return {"who": self.interpreter, "met": meet(self.interpreter, int(text))}
        elif what == "stay":
            stay(text)
        ctx = thing.ctx
        return {"who": self.interpreter, "ctx": ctx[0] if ctx else "", "calls": self.calls,
                "all": self.shared.get("calls", 0), "limit": self.limit}

    def getxattr(self, frame: Any, loc: Any, name: str, xdata: Any) -> Any:
        return GetxattrReply(self.asked(name, loc.inode, loc.inode))

    def fgetxattr(self, frame: Any, fd: Fd, name: str, xdata: Any) -> Any:
        return FgetxattrReply(self.asked(name, fd.inode, fd))

    def any_fop(self, frame: Any, call: Any) -> None:
        """Passes it on."""

    def create(self, frame: Any, loc: Any, *args: Any) -> None:
        note("create", self.interpreter)

    async def stat(self, frame: Any, loc: Any, xdata: Any) -> StatReply:
        """Goes on on other threads, in the same interpreter."""
        mine = self.interpreter
        reply = await self.child.stat(loc, xdata)
        await glupy.sleep(0)
        first, second = await glupy.gather(self.child.stat(loc, xdata), self.child.stat(loc, xdata))
        thread = await glupy.to_thread(threading.get_ident)
        assert isinstance(thread, int) and mine == self.interpreter
        return reply.replace(xdata={"who": mine})

