"""Code and objects that outlive their graph, in every way at once: a function of every() that is at work, threads that go
on, inodes and fds that are kept in cycles, contexts and globals, and garbage collections all the time.

It begins at the first open. What waits, waits for the file FOLDER/gate; then, and when a thread has met the end of its
graph, FOLDER/NAME.found says what came of each thing that was tried.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from glupy import Dirent, Dirents, Fd, Loc, Option, Translator, gather, sleep, to_thread

PATIENCE = 300.0

kept: list[Any] = []


class Cycle:
    """Goes by a garbage collection only."""

    def __init__(self, *things: Any) -> None:
        self.me, self.things = self, things


def tried(function: Callable[[], Any]) -> str:
    try:
        function()
    except BaseException as error:
        return type(error).__name__
    return "done"


class Lingers(Translator):
    folder = Option(Path, help="where the gate is, and what is found")

    inode_ctx = fd_ctx = dict

    def init(self) -> None:
        self.begun = threading.Event()
        self.log.info("%s begins", self.name)

    def fini(self) -> None:
        self.log.info("%s ends", self.name)

    async def open(self, frame: Any, loc: Any, flags: int, fd: Any, xdata: Any) -> Any:
        reply = await self.child.open(loc, flags, fd, xdata)
        self.keep(loc, fd, reply)
        if not self.begun.is_set():
            self.begun.set()
            self.things = loc, loc.inode, fd, loc.inode.table, reply, self.child.stat(loc), frame
            self.begin()
        return reply

    def keep(self, loc: Any, fd: Any, reply: Any) -> None:
        inode = loc.inode.table.new()
        fd.ctx["cycle"] = loc.inode.ctx["cycle"] = Cycle(fd, loc.inode)
        Cycle(loc, fd, reply, inode, Fd.create(inode), Dirents([Dirent("x", inode=inode)]), Loc("/x", inode=inode))
        kept.append((loc, fd, reply))
        del kept[:-50]

    def begin(self) -> None:
        self.every(0.001, self.work)
        self.every(0.01, self.ask)
        self.spawn(self.task())
        for function in (self.collect, self.use, self.late):
            threading.Thread(target=function, daemon=True).start()

    # What is at work when the graph ends

    async def ask(self) -> None:
        await gather(self.child.stat(self.things[0]), sleep(0.02), return_exceptions=True)

    async def task(self) -> None:
        await to_thread(self.pass_gate)
        self.log.error("a task has gone on")  # it is cancelled meanwhile

    def pass_gate(self) -> None:
        end = time.monotonic() + PATIENCE
        while not (self.folder / "gate").exists() and time.monotonic() < end:
            time.sleep(0.01)

    def collect(self) -> None:
        while not (self.folder / "thread.found").exists():
            gc.collect()
            time.sleep(0.02)

    def work(self) -> None:
        self.look_late("every")

    def late(self) -> None:
        self.look_late("thread")

    def use(self) -> None:
        """Makes and drops things of the inode table for as long as there is one."""
        end = time.monotonic() + PATIENCE
        try:
            while time.monotonic() < end:
                inode = self.things[3].new()
                Cycle(inode, Fd.create(inode), self.things[0].child("x", inode))
                self.itable.find(self.things[1].gfid)
                time.sleep(0.005)
        except ReferenceError:
            self.tell("use", {})

    # What it finds then

    def look_late(self, way: str) -> None:
        self.pass_gate()
        if (self.folder / f"{way}.found").exists():  # another turn of every()
            return
        print("printed late by", way)
        logging.getLogger("library").info("late in a library")
        self.log.info("late by its own logger")
        gc.collect()
        loc, inode, fd, table, reply, wind, frame = self.things
        self.tell(way, {what: tried(function) for what, function in {
            # Of the translator.
            "child": lambda: self.child.name, "stat": lambda: self.child.stat(loc), "itable": lambda: self.itable.root,
            "spawn": lambda: self.spawn(wind), "every": lambda: self.every(1, print), "frame": lambda: frame.uid,
            "notify": lambda: self.notify_up(5),
            # Of the inode table.
            "gfid": lambda: inode.gfid, "loc": lambda: loc.inode, "fd": lambda: fd.inode, "table": lambda: table.root,
            "reply": lambda: reply.fd.inode, "child of loc": lambda: loc.child("x"), "find": lambda: table.find(loc.gfid),
            "path": lambda: Loc.from_path(table, "/"), "fd of": lambda: Fd.of(inode), "refs": lambda: inode.refs,
            # Of both.
            "ctx": lambda: inode.ctx, "fd.ctx": lambda: fd.ctx,
        }.items()})

    def tell(self, way: str, found: dict[str, str]) -> None:
        part = self.folder / f"{way}.part"
        part.write_text(json.dumps(found))
        os.rename(part, self.folder / f"{way}.found")
