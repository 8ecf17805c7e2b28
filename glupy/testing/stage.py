"""The graph of a test, in the test's own process: the translator between a scripted child and a client.

    application (libgfapi) -> top -> caller -> the translator -> script -> memory -> ground
"""

from __future__ import annotations

import gc
import inspect
import os
import re
import shutil
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar

from glupy import Child, Fd, Gfid, IaType, Inode, InodeTable, Loc, Translator
from glupy.testing import given, inuse, logs, nodes
from glupy.testing.callers import Callers, Identity
from glupy.testing.calls import InProgress, Running
from glupy.testing.client import Client, File
from glupy.testing.clock import Clock
from glupy.testing.directory import Directory
from glupy.testing.door import CLIENT, Door
from glupy.testing.failed import Failed
from glupy.testing.given import Wish, placed
from glupy.testing.graph import Graph
from glupy.testing.memory import Memory
from glupy.testing.script import Answer, Chaos, Hold, Script, Seen
from glupy.testing.spoken import Spoken
from glupy.volfiles import Layer

T = TypeVar("T")
L = TypeVar("L", bound=Translator)

#: What GlusterFS says of inodes that are in use at the end: counted before, but for those that may be.
_COUNTED = "found during cleanup"

#: Real seconds after which a call that has not come back may be one that sleeps, and between two looks at one that does.
_SOON, _PACE = 2.0, 0.005

#: Options of a layer without any: GlusterFS takes a volume without a line for an error.
_NONE = {"unused": "1"}

#: What features/locks says of its memory in a process that is no glusterfsd.
_OF_STORAGE = (r"gf_mem_set_acct_info",)

#: What glusterd puts above a translator in a brick, as far as it matters to the translator: locks, which want storage/posix
#: below, and that fops come on several threads; and what a client's side does above that: writes go on at once.
_LOCKS = Layer("locks", "features/locks", {})
_THREADS = Layer("io-threads", "performance/io-threads", {})
_CLIENT = Layer("write-behind", "performance/write-behind", {"flush-behind": "off"})


class Top(Translator):
    """Above the translator: what a test winds comes from here."""


class Stage(Client, Generic[L]):
    """A translator at work, and all that a test does to it. Made by glupy.testing.translator().

    translator  the translator's object
    child       it, as the layer above winds to it: t.run(t.child.stat(t.loc("/x")))
    directory   where storage/posix keeps what is written, if that is below; else None
    """

    translator: L

    def __init__(self, wish: Wish, over: Directory | None = None) -> None:
        super().__init__(self, Identity.of(pid=os.getpid()))
        self._wish = wish
        self._over = over
        self.directory: Path | None = None
        self._expected = list(wish.expect)
        self._files: list[File] = []
        self._calls = InProgress(wish.patience, self._why)
        self._connecting = threading.RLock()
        self._shown: set[Gfid] = set()
        self._opened: Counter[str] = Counter()  # by gfid: what the test was given
        self._memory: list[Memory] = []
        self._held = ExitStack()

    # Up and down

    def __enter__(self) -> Stage[L]:
        self._folder = Path(tempfile.mkdtemp(prefix="glupy-test."))
        self._spoken = Spoken(self._wish.name)
        self._spoken.attach()
        self.clock = Clock()
        self.clock.hold()
        self._held.callback(shutil.rmtree, self._folder, ignore_errors=True)
        self._held.callback(self._spoken.detach)
        self._held.enter_context(self.clock.seen_by({*given.modules_of(self._wish.cls), nodes.__name__}))
        try:
            if self._over:
                self.directory = self._over.ready(self._folder)
                self._held.callback(os.umask, os.umask(0))  # storage/posix sets its own for the whole process
            self._start()
        except BaseException:
            # No glfs_fini(): it would free what threads that go on running work with.
            self.clock.release()
            self._held.close()
            raise
        return self

    def _start(self) -> None:
        script: list[Script] = []
        top: list[Top] = []
        mine: list[L] = []
        door: list[Door] = []
        graph = self._graph_here = Graph(self._folder, self._held)
        above = [
            *([_LOCKS] if self._wish.brick and self.directory else []),
            *([_THREADS, graph.layer("door", placed(Door, door))] if self._wish.brick else []),
            Layer("caller", "features/glupy-ground", {**_NONE, **({"client": CLIENT} if self._wish.brick else {}),
                                                      **({"storage": "on"} if self.directory else {})}),
            *([_CLIENT] if self._wish.brick else []), graph.layer("top", placed(Top, top)),
        ]
        graph.begin([*self._bottom(), graph.layer("script", placed(Script, script)),
                     graph.layer(self._wish.name, placed(self._wish.cls, mine), self._wish.options), *above],
                    aside=self._wish.brick)
        graph.comes_up(lambda: bool(door) and door[0].child_is_up.is_set())
        (self.translator,), (self._script,), (self._top,) = mine, script, top
        self.child: Child = self._top.child
        self._callers = Callers(self._ask)
        self._door = door[0] if door else None
        if not door:
            self._count()

    def connect(self) -> None:
        """In brick-like mode: let the first client in, as the test's first request does by itself. There is no inode table
        before that."""
        with self._connecting:
            door, self._door = self._door, None
            if door is not None:
                door.let_in()
                self._graph_here.comes_up()
                self._count()

    def _count(self) -> None:
        self._before = self._table.counts()["active"]

    @property
    def _table(self) -> InodeTable:
        table = self._top.itable
        assert table is not None
        return table

    @property
    def root(self) -> Inode:
        """The inode of /."""
        self.connect()
        return self._table.root

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        wrong: list[str] = []
        try:
            wrong += self._left_inside()
            for file in list(self._files):
                file.close()
            traceback.clear_frames(trace)
            if not self._calls.now():
                self.connect()
                self._callers.disconnect()
            if kind is None and not wrong:
                wrong += self._leaked()
            self.clock.release()
            self._end()
            if kind is None:
                wrong += self._logged()
            else:
                self._show()
        finally:
            self._held.close()
        if wrong and kind is None:
            raise Failed("\n".join(wrong))

    def _left_inside(self) -> list[str]:
        """Requests without an answer: they are given one now, or the graph could not go."""
        inside = [f"request left inside: {seen.fop} of {seen.path} waits in the scripted child, which holds it"
                  for seen in self._script.inside()]
        self._script.end()
        if not self._calls.ended(_SOON) and self.clock.asleep(_SOON):
            inside += [f"request left inside: {doing} sleeps, and the test has not moved the time" for doing in self._calls.now()]
            self.clock.run_out(lambda: self._calls.ended(_PACE))
        if not self._calls.ended(self._wish.patience):
            inside += [f"request left inside: {doing} has no answer after {self._wish.patience:g} s, and its graph stays"
                       for doing in self._calls.now()]
        return inside

    def _leaked(self) -> list[str]:
        """What GlusterFS's inode table knows to be in use, though nobody uses anything. A context goes with its inode or fd,
        so this is about all three."""
        allowed = self._before + self._wish.keeps + len(self._shown)
        deadline = time.monotonic() + 2
        while found := self._in_use(allowed):
            if time.monotonic() > deadline:
                return found
            time.sleep(0.002)
        return []

    def _in_use(self, allowed: int) -> list[str]:
        """What is said of it, once the table has forgotten those inodes that it merely remembers: these keep the directories
        that they are in."""
        gc.collect()
        self._wound(_settle(), 0)  # what this thread gives up, a worker releases
        self._wound(self.child.ipc(inuse.FORGET), 0)
        active = self._table.counts()["active"]
        listed = inuse.listed(self._wound(self.child.ipc(inuse.INVENTORY), 0).xdata)
        found = []
        if active > allowed:
            most = active - allowed
            found.append(f"leaked: {most} inodes are in use though all files are closed: something keeps an "
                         f"Inode, a Loc or an Fd that it was given (if it means to: translator(..., keeps={most})); in use "
                         f"are {inuse.named(listed, {str(gfid) for gfid in self._shown})}")
        return found + [f"leaked: {inode.what} is open {inode.fds - self._opened[inode.gfid]} times, though all files are "
                        "closed: something keeps the Fd" for inode in listed
                        if active <= allowed and inode.fds > self._opened[inode.gfid] and not self._wish.keeps]

    def _end(self) -> None:
        for name in ("child", "_memory", "_top", "_script", "_callers", "_door", "translator"):
            vars(self).pop(name, None)
        if not self._calls.now():  # or glfs_fini() would wait for ever
            self._graph_here.end()

    def _logged(self) -> list[str]:
        expected = (*self._expected, _COUNTED, *(_OF_STORAGE if self.directory else ()))
        wrong = self._spoken.unexpected(expected) + logs.unexpected(self._graph_here.log, expected)
        return [f"in the log: {entry}" for entry in wrong[:20]]

    def _show(self) -> None:
        """For pytest to show when a test has failed."""
        for level, entry in logs.entries(self._graph_here.log):
            if level in "AECWM" or "Traceback" in entry:
                print(entry, file=sys.stderr)

    # What it stands on

    def _bottom(self) -> list[Layer]:
        """The layers below the scripted child, from the lowest one."""
        if self.directory is not None:
            return [Layer("brick", "storage/posix", {"directory": str(self.directory)}),
                    *([] if self._wish.brick else [_LOCKS])]
        return [Layer("ground", "features/glupy-ground", _NONE), self._graph_here.layer("memory", placed(Memory, self._memory))]

    # What Client needs of it

    @property
    def fs(self) -> int:
        return self._graph_here.fs

    def call(self, doing: str, function: Callable[[], T]) -> T:
        self.connect()
        running = self._calls.start(doing, function)
        while self.clock.jumps and running.waits(_PACE):
            self.clock.jump_if_idle(lambda: running.waits(0))
        return running.result()

    def start(self, function: Callable[..., T], *arguments: Any, **named: Any) -> Running[T]:
        """Begin a call and go on: `reading = t.start(t.read, "/file")`, later `reading.result()`."""
        doing = f"{getattr(function, '__name__', 'a call')}{arguments}"
        return self._calls.start(doing, lambda: function(*arguments, **named))

    def _why(self) -> str:
        """Why a call may not have come back."""
        if sleeping := self.clock.sleeping:
            return (f"; {len(sleeping)} coroutines sleep, and time stands still unless the test moves it (t.clock.advance, "
                    "t.clock.jump)")
        return ""

    def number(self, identity: Identity) -> int:
        """The pid by which requests are somebody's."""
        return self._callers.number(identity)

    def _ask(self, number: int, xdata: dict[str, Any]) -> int:
        return int(self._wound(self.child.ipc(number, xdata), 0).op_ret)

    def disconnect(self, client: str) -> None:
        """A client of a brick is gone: client_disconnect() and client_destroy() hear of it. ValueError where there is none."""
        if not self._callers.disconnect(client):
            raise ValueError(f"no client has the name {client!r}: none has asked for anything")

    def opened(self, file: File) -> None:
        self._files.append(file)

    def closed(self, file: File) -> None:
        self._files.remove(file)

    # Winding

    def run(self, what: Awaitable[T], **who: Any) -> T:
        """Run a coroutine, or a wind, in the graph, above the translator, and give what it comes to. It is root's, of pid 0,
        unless keywords say whose: pid, uid, gid, groups, lk_owner (bytes), client (as in frame.client)."""
        return self._wound(what, self.number(Identity.of(**who)) if who else 0)

    def _wound(self, what: Awaitable[T], number: int) -> T:
        coroutine: Any = what if inspect.iscoroutine(what) else _awaited(what)
        instance = self._top._instance

        def call() -> T:
            result: T = instance.run(coroutine, number)
            return result
        return self.call("a wind", call)

    def loc(self, path: str) -> Loc:
        """Where a path leads, looked up through the translator. The last part need not be there."""
        loc = self.run(self._located(path))
        if loc.inode is not None and loc.inode.gfid and not loc.inode.is_root:
            self._shown.add(loc.inode.gfid)  # the test may keep it as long as it likes
        return loc

    async def _located(self, path: str) -> Loc:
        table = self._table
        parent, inode, so_far = table.root, table.root, ""
        parts = [part for part in path.split("/") if part]
        for index, part in enumerate(parts):
            parent, so_far = inode, f"{so_far}/{part}"
            loc = Loc(so_far, inode=table.grep(parent, part) or table.new(), parent=parent)
            try:
                reply = await self.child.lookup(loc)
            except FileNotFoundError:
                if index < len(parts) - 1:
                    raise
                return loc
            inode = loc.inode.link(parent, part, reply.buf) if loc.inode else parent
        return Loc(path, inode=inode, parent=parent) if parts else Loc("/", inode=inode)

    def fd(self, path: str, flags: int = os.O_RDWR) -> Fd:
        """An open file, for winds: opened through the translator, closed when it is given up."""
        async def opened() -> Fd:
            loc = await self._located(path)
            assert loc.inode is not None
            if not loc.inode.gfid:
                raise FileNotFoundError(path)
            self._shown.add(loc.inode.gfid)
            self._opened[str(loc.inode.gfid)] += 1
            fd = Fd.create(loc.inode, os.getpid())
            await (self.child.opendir(loc, fd) if loc.inode.ia_type == IaType.IFDIR else self.child.open(loc, flags, fd))
            return fd
        return self.run(opened())

    def new(self, **xdata: Any) -> dict[str, Any]:
        """xdata for what makes something: it has a new gfid in `gfid-req`."""
        return {"gfid-req": Gfid.random(), **xdata}

    # The scripted child

    def script(self, *fops: str, answer: Answer = None, **answers: Answer) -> None:
        """From now on the child answers like this: t.script(unlink=OSError(errno.EIO)). An answer is an error to raise, a
        reply, None (what the file system says: as before), a list of these (one after another, then as before), or a
        function that is called with frame and call, and may be a coroutine function.

        Fops that are given by name without a keyword all get `answer`; without any, all fops do.
        """
        named = fops or (() if answers else _all_fops())
        self._script.say(named, answer)
        for fop, each in answers.items():
            self._script.say((fop,), each)

    def chaos(self, seed: int, *fops: str, errors: float = 0.1) -> None:
        """From now on the child answers at random: at once, later, from another thread, and some with an error."""
        self._script.say(fops or _all_fops(), Chaos(seed, errors))

    def hold(self, *fops: str, answer: Answer = None) -> Hold:
        """From now on these requests wait in the child until they are let go: hold.wait(2), hold.release(1)."""
        return self._script.hold(fops or _all_fops(), answer, never=False)

    def never(self, *fops: str) -> Hold:
        """From now on the child answers these only when the test ends: with ENOTCONN, as a brick that is lost."""
        return self._script.hold(fops or _all_fops(), None, never=True)

    @property
    def seen(self) -> list[Seen]:
        """What the child was asked, the first first."""
        return self._script.seen()

    def asked(self, fop: str, path: str | None = None) -> int:
        """How often the child was asked for a fop, or for that of one path."""
        return sum(seen.fop == fop and path in (None, seen.path) for seen in self.seen)

    def stored(self, path: str) -> bytes:
        """What a file contains below the translator. Raises FileNotFoundError."""
        if self.directory is not None:
            return (self.directory / path.lstrip("/")).read_bytes()
        (memory,) = self._memory
        return memory.content(path)

    def forget(self) -> None:
        """Count anew what the child is asked."""
        self._script.forget_seen()

    # The log

    @property
    def log(self) -> str:
        """What the translator has logged so far, and behind it GlusterFS's log."""
        path = self._graph_here.log
        return self._spoken.text() + (path.read_text(errors="replace") if path.exists() else "")

    def expect(self, *patterns: str) -> None:
        """Entries at WARNING and worse that this test is about, as regular expressions."""
        for pattern in patterns:
            re.compile(pattern)
        self._expected += patterns


async def _awaited(what: Awaitable[T]) -> T:
    return await what


async def _settle() -> None:
    """Nothing, on a thread of glupy's."""


def _all_fops() -> Iterable[str]:
    from glupy._core import FOPS
    return FOPS
