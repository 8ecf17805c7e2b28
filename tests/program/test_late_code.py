"""Issue 11, item 2: code of an author's that runs after its graph has gone, on whatever thread and for whatever reason.

The process is a program in C with libgfapi, so that what is printed goes to GlusterFS's log. A pipe holds the code until the
graph has gone: opening it for writing waits until somebody reads.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from support.programs import Program
from support.volfiles import Layer, layer
from support.waiting import wait_until

SOURCE = """
import gc, json, logging, threading
import glupy
from glupy import Fd, Loc, Translator

FOLDER = {folder!r}


def pass_gate(name):
    with open(f"{{FOLDER}}/{{name}}.gate") as gate:
        gate.read()


def tried(function):
    try:
        return repr(function())
    except BaseException as error:
        return type(error).__name__


class Author(Translator):
    async def lookup(self, frame, loc, xdata):
        reply = await self.child.lookup(loc, xdata)
        if not hasattr(self, "things"):
            self.things = loc, loc.inode, Fd.create(loc.inode), loc.inode.table, reply, frame, self.child.stat(loc)
            self.begin()
        return reply

    def begin(self):
        self.every(0.001, lambda: self.late("every"))
        self.spawn(self.task())
        threading.Thread(target=self.late, args=["thread"], daemon=True).start()
        threading.Thread(target=self.collect, daemon=True).start()
        threading.Thread(target=self.settle, daemon=True).start()

    async def task(self):
        await glupy.to_thread(self.late, "to_thread")

    def collect(self):
        class Cycle:
            def __del__(this):
                self.late("del", wait=False)
        Cycle.__call__ = Cycle()
        pass_gate("del")
        del Cycle  # not before: Python collects by itself, too
        gc.collect()

    def settle(self):
        future = glupy.Future()
        self.spawn(self.wait(future))
        pass_gate("future")
        future.set_result(1)
        self.late("future", wait=False)

    async def wait(self, future):
        try:
            await future
        finally:
            print("the task that waited for a Future has ended")

    def late(self, name, wait=True):
        if wait:
            pass_gate(name)
        print("printed late by", name)
        logging.getLogger("library").warning("late in a library")
        self.log.error("late by its own logger")
        loc, inode, fd, table, reply, frame, wind = self.things
        found = {{what: tried(function) for what, function in {{
            "name": lambda: self._instance.name, "itable": lambda: self.itable, "child": lambda: self.child.name,
            "stat": lambda: self.child.stat(loc), "gfid": lambda: inode.gfid, "loc": lambda: loc.inode, "fd": lambda: fd.inode,
            "table": lambda: table.root, "reply": lambda: reply.inode.gfid, "frame": lambda: frame.uid,
            "ctx": lambda: inode.ctx, "child of loc": lambda: loc.child("x"), "find": lambda: table.find(loc.gfid),
            "path": lambda: Loc.from_path(table, "/"), "notify": lambda: self.notify_up(5),
            "run": lambda: self._instance.run(wind), "spawn": lambda: self.spawn(wind),
        }}.items()}}
        found["path kept"] = loc.path
        with open(f"{{FOLDER}}/{{name}}.part", "w") as file:
            json.dump(found, file)
        import os
        os.rename(f"{{FOLDER}}/{{name}}.part", f"{{FOLDER}}/{{name}}.found")
"""

WAYS = ("every", "to_thread", "thread", "del", "future")


def layers(folder: Path) -> list[Layer]:
    (folder / "author.py").write_text(SOURCE.format(folder=str(folder)))
    for way in WAYS:
        os.mkfifo(folder / f"{way}.gate")
    return [layer("sink", "glupytest/sink"), layer("author", "features/glupy", module="author")]


def test_code_that_outlives_its_graph(trusted: Path) -> None:
    with Program(folder=trusted, expected=(r"0-author: .* failed", "was never wound")) as program:
        assert program.start("volume", layers(trusted)) == "done"
        assert program.ask("stat", "volume", "/file") == "done"
        gates = {way: os.open(trusted / f"{way}.gate", os.O_WRONLY) for way in WAYS}
        assert program.ask("stop", "volume") == "done"
        for way, gate in gates.items():
            os.close(gate)
            wait_until(lambda: (trusted / f"{way}.found").exists(), f"the late code of {way}")
            found = json.loads((trusted / f"{way}.found").read_text())
            assert found.pop("path kept") == "/"
            assert set(found.values()) == {"ReferenceError"}, (way, found)
        # And the process goes on.
        again = [layer("sink", "glupytest/sink"), layer("talks", "user/talks")]
        assert program.start("another", again) == "done"
        assert program.ask("stat", "another", "/file") == "done"
        assert program.ask("stop", "another") == "done"


UPPER = """
import json, threading
from glupy import Translator

FOLDER = {folder!r}


class Upper(Translator):
    def init(self):
        threading.Thread(target=self.late, daemon=True).start()

    def late(self):
        with open(FOLDER + "/late.gate") as gate:
            gate.read()
        print("printed late")
        self.log.error("late")
        found = []
        for look in (lambda: self.child.name, lambda: self.itable, lambda: self._instance.name, lambda: self.every(1, print)):
            try:
                found.append(repr(look()))
            except Exception as error:
                found.append(type(error).__name__)
        with open(FOLDER + "/part", "w") as file:
            json.dump(found, file)
        import os
        os.rename(FOLDER + "/part", FOLDER + "/found")
"""


def test_a_graph_that_does_not_come_up(trusted: Path) -> None:
    """What the upper layer's init() has begun finds that its graph is gone, when that of a lower one fails."""
    (trusted / "upper.py").write_text(UPPER.format(folder=str(trusted)))
    (trusted / "lower.py").write_text("from glupy import Translator\n\n\nclass Lower(Translator):\n    def init(self):\n        1 / 0\n")
    os.mkfifo(trusted / "late.gate")
    stack = [layer("sink", "glupytest/sink"), layer("lower", "features/glupy", module="lower"),
             layer("upper", "features/glupy", module="upper")]
    expected = (r"lower is not loaded", r"nitializ|activat|0-gfapi|0-glusterfs|graph\.c|xlator\.c|glfs", r"0-program", "0-upper: late")
    with Program(folder=trusted, expected=expected) as program:
        assert program.start("volume", stack).startswith("failed")
        os.close(os.open(trusted / "late.gate", os.O_WRONLY))
        wait_until(lambda: (trusted / "found").exists(), "the late code")
        assert set(json.loads((trusted / "found").read_text())) == {"ReferenceError"}
        again = [layer("sink", "glupytest/sink"), layer("talks", "user/talks")]
        assert program.start("another", again) == "done"
        assert program.ask("stop", "another") == "done"
