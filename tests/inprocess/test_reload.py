"""A translator's file is loaded anew while its graph is up."""

from __future__ import annotations

import gc
import os
import re
import sys
import threading
import weakref
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import glupy
import pytest
from glupy import Shared
from glupy.lifecycle import reload
from support import calls, control, memory
from support.graph import GraphFailed
from support.reloads import HEAD, NUMBERED, modules, reloads
from support.waiting import wait_until

KEPT = r"one runs on as it is, since its file is not loaded anew"

WAITS = """
class Waits(Translator):
    def init(self):
        self.gate = Future()
        stage.waits = self

    async def getxattr(self, frame, loc, name, xdata):
        stage.told.append("waits")
        await self.gate
        return GetxattrReply({"user.version": b"waited"})

    def fini(self):
        stage.told.append("fini")
"""

NEXT = """
class Next(Translator):
    def reloaded(self, old):
        stage.told.append(("reloaded", old is getattr(stage, "waits", None)))

    async def getxattr(self, frame, loc, name, xdata):
        return GetxattrReply({"user.version": b"next"})

    def fini(self):
        stage.told.append("fini of next")
"""


def test_new_requests_run_new_code_and_those_inside_finish_on_the_old(trusted: Path) -> None:
    with reloads(trusted, WAITS) as one, ThreadPoolExecutor() as pool:
        inside = pool.submit(one.ask)
        one.wait_for("waits")
        one.reload(NEXT)
        assert one.stage.told == ["waits", ("reloaded", True)]
        assert one.ask() == b"next" and not inside.done() and len(modules()) == 2
        one.stage.waits.gate.set_result(None)
        assert inside.result() == b"waited"
        one.wait_for("waits", ("reloaded", True), "fini")
        wait_until(lambda: len(modules()) == 1, "the end of the old module")
        assert one.ask() == b"next"
        assert "one runs its file as it is now: it was loaded anew" in one.text()
    assert one.stage.told[-1] == "fini of next" and one.stage.told.count("fini") == 1


IN_THE_LOOP = """
import asyncio
import glupy

class InTheLoop(Translator):
    def init(self):
        stage.gate = None

    async def waited(self):
        stage.gate = asyncio.Event()
        stage.told.append("waits")
        await stage.gate.wait()
        await asyncio.sleep(0)
        return b"waited"

    async def getxattr(self, frame, loc, name, xdata):
        return GetxattrReply({"user.version": await glupy.asyncio(self.waited())})

    def fini(self):
        stage.told.append("fini")
"""


def test_a_coroutine_in_asyncios_loop_goes_on_in_the_old_version(trusted: Path) -> None:
    """The loop is the interpreter's, and the next version has the same; the old one ends when its coroutine has."""
    with reloads(trusted, IN_THE_LOOP) as one, ThreadPoolExecutor() as pool:
        inside = pool.submit(one.ask)
        one.wait_for("waits")
        gate, loop = one.stage.gate, glupy.asyncio_loop()
        one.reload(IN_THE_LOOP.replace('b"waited"', 'b"next"').replace('"fini"', '"fini of next"'))
        later = pool.submit(one.ask)
        one.wait_for("waits", "waits")
        assert glupy.asyncio_loop() is loop and len(modules()) == 2
        loop.call_soon_threadsafe(one.stage.gate.set)
        assert later.result() == b"next" and not inside.done()
        loop.call_soon_threadsafe(gate.set)
        assert inside.result() == b"waited"
        one.wait_for("waits", "waits", "fini")
        wait_until(lambda: len(modules()) == 1, "the end of the old module")
    assert one.stage.told[-1] == "fini of next"


def test_without_a_request_inside_it_ends_at_once(trusted: Path) -> None:
    with reloads(trusted, WAITS) as one:
        one.reload(NEXT)
        one.wait_for(("reloaded", True), "fini")
        one.reload(NEXT)
        one.wait_for(("reloaded", True), "fini", ("reloaded", False), "fini of next")


def test_each_of_many_that_are_inside_ends_when_its_own_last_leaves(trusted: Path) -> None:
    version = WAITS.replace("stage.waits = self", "stage.gates.append(self.gate)").replace('"fini"', '("fini", %d)')
    with reloads(trusted, WAITS) as one, ThreadPoolExecutor() as pool:
        one.stage.gates, inside = [], []
        for number in range(1, 6):
            one.reload(version % number)
            inside.append(pool.submit(one.ask))
            wait_until(lambda number=number: one.stage.told.count("waits") == number, "the request")
        one.stage.told.clear()
        assert len(modules()) == 5
        for number in (3, 1, 4, 2):
            one.stage.gates[number - 1].set_result(None)
            assert inside[number - 1].result() == b"waited"
            wait_until(lambda number=number: one.stage.told[-1:] == [("fini", number)], "its fini()")
        assert len(one.stage.told) == 4
        one.stage.gates[4].set_result(None)
    assert one.stage.told[4:] == [("fini", 5)]


def test_the_graph_ends_with_an_old_version_inside(trusted: Path) -> None:
    with reloads(trusted, WAITS) as one, ThreadPoolExecutor() as pool:
        inside = pool.submit(one.ask)
        one.wait_for("waits")
        one.reload(NEXT)
        gate = one.stage.waits.gate
        late = threading.Timer(0.3, gate.set_result, (None,))
        late.start()
        inside.add_done_callback(lambda done: one.stage.told.append("answered"))
        del gate
        pool.shutdown(wait=False)
        wait_until(inside.done, "its answer")
    assert Counter(map(str, one.stage.told))["fini"] == 1 and "fini of next" in one.stage.told
    late.join()


# The table of fops

PLAIN = """
class Plain(Translator):
    def %s(self, frame, *arguments):
        stage.told.append((%d, %r))
"""


def test_fops_come_and_go(trusted: Path) -> None:
    with reloads(trusted, PLAIN % ("getxattr", 1, "getxattr")) as one:
        def all_of_them() -> list[object]:
            one.stage.told.clear()
            for fop in ("stat", "access"):
                one.graph.run(getattr(one.graph.child, fop)(one.loc, *([0] if fop == "access" else [])))
            one.ask()
            return list(one.stage.told)

        assert all_of_them() == [(1, "getxattr")]
        one.reload(PLAIN % ("stat", 2, "stat"))
        assert all_of_them() == [(2, "stat")]
        one.reload("""
class Any(Translator, fops=("access", "getxattr")):
    def any_fop(self, frame, call):
        stage.told.append(call.name)
""")
        assert all_of_them() == ["access", "getxattr"]
        one.reload("class Empty(Translator):\n    pass\n")
        assert all_of_them() == []
        one.reload(NUMBERED % 5)
        assert one.ask() == b"5"


BUSY = """
import sys

class Busy(Translator):
    def reloaded(self, old):
        sys.setswitchinterval(60)  # nobody gets in before the change
        stage.begin.set()
        sum(range(%d))

    %s
"""

BLOCKS = """@offload
    def getxattr(self, frame, loc, name, xdata):
        wait(sleep(0.001))
        return GetxattrReply({"user.version": b"blocked"})
"""


@pytest.mark.parametrize("method", ["offloaded", "gone"])
def test_what_was_on_its_way_in(trusted: Path, method: str, scale: int) -> None:
    """A fop that has come in by the old table, and has to be served by the new version."""
    expected = b"blocked" if method == "offloaded" else b"passed"
    with reloads(trusted, NUMBERED % 1) as one, ThreadPoolExecutor() as pool:
        one.stage.begin = threading.Event()

        def ask() -> bytes:
            one.stage.begin.wait()
            return one.ask()

        asked = [pool.submit(ask) for _ in range(4)]
        interval = sys.getswitchinterval()
        try:
            one.reload(BUSY % (10 ** 7 // scale, BLOCKS if method == "offloaded" else "pass"))
        finally:
            sys.setswitchinterval(interval)
        answers = {each.result() for each in asked}
        assert answers <= {b"1", expected}
        assert one.ask() == expected


def test_enabled_off_stays_off(trusted: Path) -> None:
    with reloads(trusted, NUMBERED % 1) as one:
        one.reload(NUMBERED % 2, enabled="off")
        assert one.ask() == b"passed"
        one.reload(NUMBERED % 3, enabled="off")
        assert one.ask() == b"passed"
        one.reload(NUMBERED % 4)
        assert one.ask() == b"4"


# What does not load

BROKEN = {
    "syntax": ("class One(Translator:\n", r"one.py:3: SyntaxError"),
    "import": ("import nothing_of_that_name\n", r"one.py:3: importing it failed: ModuleNotFoundError"),
    "class": ("x = 1\n", r"one.py: no Translator class"),
    "fop": ("class One(Translator):\n    async def stat(self):\n        pass\n", r"one.py:4: One.stat does not take"),
    "init": ("class One(Translator):\n    def init(self):\n        raise ValueError('not so')\n",
             r"one.py:5: One.init failed: ValueError: not so"),
    "late-init": ("class One(Translator):\n    async def init(self):\n        await sleep(0)\n"
                  "        raise ValueError('late')\n",
                  r"one.py:6: One.init failed: ValueError: late"),
    "option": ("class One(Translator):\n    limit = Option(int)\n", r"one.py:3: option limit is missing"),
    "classic": ("from gluster.glupy import *\nclass xlator(Translator):\n    def __init__(self, c_this):\n"
                "        Translator.__init__(self, c_this)\n", r"one.py: (importing it failed|a script that is written)"),
    "reloaded": ("class One(Translator):\n    def reloaded(self, old):\n        raise ValueError('no thanks')\n"
                 "    def fini(self):\n        stage.told.append('fini of the refused')\n",
                 r"reloaded\(\) of the new version failed"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_version_that_does_not_load_changes_nothing(trusted: Path, how: str) -> None:
    source, why = BROKEN[how]
    with reloads(trusted, WAITS, KEPT, "reloaded failed") as one:
        before = one.stage.waits
        one.stage.waits.gate.set_result(None)
        one.reload(source)
        assert any(level == "E" and re.search(why, text) for level, text in one.graph.entries()), one.text()[-3000:]
        assert one.ask() == b"waited" and len(modules()) == 1
        assert one.stage.told == ["fini of the refused"] * (how == "reloaded") + ["waits"]
        assert before.common.reload == "1"  # it is tried once
        assert [one.counts()[name] for name in ("taken", "refused", "replaced_inside")] == [0, 1, 0]
        one.stage.told.clear()
        one.reload(NEXT)
        assert one.ask() == b"next"
        one.wait_for(("reloaded", True), "fini")


def test_a_file_that_is_not_trusted_is_not_loaded(trusted: Path) -> None:
    with reloads(trusted, NUMBERED % 1, KEPT) as one:
        one.write(NUMBERED % 2)
        os.chmod(one.file, 0o666)
        one.reload()
        assert one.ask() == b"1" and "writable" in one.text()
        os.chmod(one.file, 0o644)
        one.reload()
        assert one.ask() == b"2"
        one.file.unlink()
        one.reload()
        assert one.ask() == b"2"


def test_tracebacks_of_what_runs_show_its_own_lines(trusted: Path) -> None:
    fails = "class Fails(Translator):\n    def getxattr(self, *arguments):\n        raise ValueError('as written')\n"
    with reloads(trusted, fails, KEPT, "getxattr of", "failed") as one:
        one.reload("# another line\nclass One(Translator:\n    pass\n")
        with pytest.raises(OSError):
            one.ask()
        assert "raise ValueError('as written')" in one.text()


# Options

def test_options_are_those_of_the_new_version(trusted: Path) -> None:
    numbers = NUMBERED + ("\n    limit = Option(int, default=%d)\n    def init(self):\n"
                          "        stage.told.append(self.limit)\n")
    with reloads(trusted, numbers % (1, 10), KEPT, "keeps the options") as one:
        one.reload(numbers % (2, 20), limit=5)
        one.reload(numbers.replace("limit", "most") % (3, 30), most=7)
        assert one.stage.told == [10, 5, 7]
        one.reload(numbers % (4, 40), most=8)  # it declares no such option any more
        assert one.ask() == b"3" and one.stage.told == [10, 5, 7]
        assert "option most is not declared by Numbered" in one.text()
        one.reload(numbers % (5, 50))
        assert one.ask() == b"5" and one.stage.told == [10, 5, 7, 50]


def test_an_option_that_changes_and_one_that_goes_reload_nothing(trusted: Path) -> None:
    with reloads(trusted, NUMBERED % 1) as one:
        one.reload()
        wait_until(lambda: len(modules()) == 1, "the end of the version before")
        before = modules()
        control.reconfigure(one.graph, "one", {"module": "one", "reload": "1", "on-error": "pass"})
        control.reconfigure(one.graph, "one", {"module": "one"})
        assert modules() == before and before != []


def test_what_a_graph_was_built_with_stays(trusted: Path) -> None:
    with reloads(trusted, NUMBERED % 1, KEPT, "keeps the options") as one:
        one.write(NUMBERED % 2)
        control.reconfigure(one.graph, "one", {"module": "one", "reload": "x", "interpreters": "2"})
        assert one.ask() == b"1" and 'option interpreters is "2", and was "1"' in one.text()


# Contexts, tasks, helpers

CONTEXT = """
class Context(Translator):
    inode_ctx = %s

    async def getxattr(self, frame, loc, name, xdata):
        return GetxattrReply({"user.version": repr(loc.inode.ctx).encode()})

    async def access(self, frame, loc, mask, xdata):
        loc.inode.ctx.append(%d)
        return await self.child.access(loc, mask, xdata)

    def forget(self, inode):
        stage.told.append((%d, inode.ctx))
"""


def test_contexts_stay(trusted: Path) -> None:
    with reloads(trusted, CONTEXT % ("list", 1, 1)) as one:
        kept = one.loc
        one.graph.run(one.graph.child.access(one.loc, 0))
        one.reload(CONTEXT % ("dict", 2, 2))
        assert one.ask() == b"[1]"
        one.graph.run(one.graph.child.access(one.loc, 0))
        assert one.ask() == b"[1, 2]"
        one.reload("class Nothing(Translator):\n    def forget(self, inode):\n        stage.told.append(inode.ctx)\n")
        del kept
        one.wait_for([1, 2])  # the version of now hears of what earlier ones have set


TASKS = """
class Tasks(Translator):
    def init(self):
        self.gate = Future()
        stage.tasks = self
        self.every(0.01, self.tick)
        self.begun = self.spawn(self.work())

    def tick(self):
        stage.ticks[%d] = stage.ticks.get(%d, 0) + 1

    async def work(self):
        try:
            stage.told.append("works %d")
            await self.gate
            stage.told.append("worked %d")
        finally:
            stage.told.append("end %d")

    def fini(self):
        stage.told.append("fini %d")
"""


def tasks(number: int) -> str:
    return TASKS.replace("%d", str(number))


def ticking(one: Any, number: int) -> bool:
    before = one.stage.ticks.get(number, 0)
    try:
        wait_until(lambda: one.stage.ticks.get(number, 0) > before, "a tick", seconds=1)
    except AssertionError:
        return False
    return True


def test_every_ends_and_spawned_work_goes_on(trusted: Path) -> None:
    with reloads(trusted, NUMBERED % 0) as one:
        one.stage.ticks = {}
        one.reload(tasks(1))
        one.wait_for("works 1")
        wait_until(lambda: one.stage.ticks.get(1), "a tick")
        first = one.stage.tasks
        one.reload(tasks(2))
        one.wait_for("works 1", "works 2")
        wait_until(lambda: one.stage.ticks.get(2), "a tick")
        ticks = one.stage.ticks[1]
        wait_until(lambda: one.stage.ticks[2] > 5, "ticks")
        assert one.stage.ticks[1] <= ticks + 1 and first.begun.done() is False
        assert one.counts()["replaced_inside"] == 1
        first.gate.set_result(None)
        one.wait_for("works 1", "works 2", "worked 1", "end 1", "fini 1")
        with pytest.raises(RuntimeError, match="this one has ended: no new tasks"):
            first.every(1, print)
        del first
    assert one.stage.told[5:] == ["end 2", "fini 2"]


def test_a_task_that_does_not_end_is_ended(trusted: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reload, "LIMIT", 0.05)
    with reloads(trusted, NUMBERED % 0) as one:
        one.stage.ticks = {}
        one.reload(tasks(1))
        one.wait_for("works 1")
        one.reload(NUMBERED % 2)
        one.wait_for("works 1", "end 1", "fini 1")
        assert one.ask() == b"2"


def test_tasks_of_a_version_that_is_not_taken_never_begin(trusted: Path) -> None:
    refused = tasks(1) + "\n    def reloaded(self, old):\n        raise ValueError\n"
    with reloads(trusted, NUMBERED % 0, KEPT, "reloaded failed") as one:
        one.stage.ticks = {}
        one.reload(refused)
        one.wait_for("fini 1")
        assert one.ask() == b"0"
        wait_until(lambda: len(modules()) == 1, "the end of the module")
        one.reload(NUMBERED % 1)
        assert one.stage.ticks == {} and one.stage.told == ["fini 1"]


def test_a_hook_may_be_a_coroutine_that_winds(trusted: Path) -> None:
    winds = NEXT.replace("def reloaded(self, old):", """async def init(self):
        await sleep(0.001)

    async def reloaded(self, old):
        await self.child.stat(stage.loc)""")
    with reloads(trusted, WAITS) as one:
        one.stage.loc = one.loc
        one.reload(winds)
        assert one.ask() == b"next"
        del one.stage.loc


def test_helpers_in_a_package_are_loaded_anew(trusted: Path) -> None:
    package = HEAD + "from .helper import WORD\n" + NUMBERED.removeprefix(HEAD).replace('b"%d"', "WORD")
    (trusted / "one").mkdir()
    (trusted / "one" / "helper.py").write_text("WORD = b'first'\n")
    with reloads(trusted, package, file="one/__init__.py") as one:
        assert one.ask() == b"first"
        (trusted / "one" / "helper.py").write_text("WORD = b'second'\n")
        one.reload()
        assert one.ask() == b"second"
        wait_until(lambda: sum(name.startswith("glupy.user.one#") for name in sys.modules) == 2, "the end of the old")


# Many

@pytest.mark.long
def test_a_thousand_reloads_under_load(trusted: Path, scale: int) -> None:
    """No request is lost, none answered twice or by two versions, and nothing of a version stays."""
    count = 1000 // scale
    source = """
class One(Translator):
    def init(self):
        stage.made.append(stage.weakref.ref(self))
        stage.made.append(stage.weakref.ref(type(self)))
        self.every(3600, self.fini)

    async def getxattr(self, frame, loc, name, xdata):
        await self.child.stat(loc)
        await sleep(0)
        return GetxattrReply({"user.version": b"%d"})

    def fini(self):
        stage.ended[%d] += 1
"""
    with reloads(trusted, NUMBERED % 0) as one, ThreadPoolExecutor() as pool:
        one.stage.weakref, one.stage.made, one.stage.ended = weakref, [], Counter()
        stop = threading.Event()

        def load() -> int:
            """How often it asked. What was answered is not kept: memory is measured."""
            asked = latest = 0
            while not stop.is_set():
                version = int(one.ask())
                assert version >= latest, "an old version answered after a new one"
                latest = version
                asked += 1
            return asked

        workers = [pool.submit(load) for _ in range(4)]
        sizes = []
        try:
            for number in range(1, count + 1):
                one.reload(source % (number, number))
                assert one.ask() == b"%d" % number
                if number in (count // 2, count):
                    wait_until(lambda number=number: sum(one.stage.ended.values()) >= number - 8, "their fini()")
                    gc.collect()
                    memory.trim()
                    sizes.append((memory.resident(), len(gc.get_objects())))
        finally:
            stop.set()
        asked = sum(worker.result() for worker in workers)
        wait_until(lambda: sum(one.stage.ended.values()) == count - 1, "fini() of all but the last")
        assert set(one.stage.ended.values()) == {1} and one.stage.ended[count] == 0
        gc.collect()
        wait_until(lambda: len(modules()) == 1, "the end of the modules")
        report = one.report()
        fop = report["fops"]["getxattr"]
        assert fop["calls"] == fop["succeeded"] + fop["in_flight"] and fop["failed"] == 0 and fop["exceptions"] == 0
        assert fop["calls"] >= asked + count and report["reloads"]["taken"] == count
        gc.collect()
        alive = [made() for made in one.stage.made if made() is not None]
        assert len(alive) == 2, alive[:6]
        del alive
        (half, objects), (full, more) = sizes
        assert more - objects < 2000 and (scale > 1 or full - half < 8 << 20), sizes


# Several interpreters, which Python has from 3.12 on

SPREAD = """
# reload_stage is in the first interpreter alone
from glupy import GetxattrReply, Shared, Translator

class Spread(Translator):
    def reloaded(self, old):
        if %d == self.interpreter:
            raise ValueError("not here")
        Shared("tests.reload").add(f"reloaded in {self.interpreter}")

    if %d:
        def access(self, frame, loc, mask, xdata):
            pass

    async def getxattr(self, frame, loc, name, xdata):
        return GetxattrReply({"user.version": b"%d %%d" %% self.interpreter})

    def fini(self):
        Shared("tests.reload").add("ended")
"""


async def asked_everywhere(one: Any, files: list[Any]) -> set[tuple[int, ...]]:
    """What each of many files is answered: version and interpreter."""
    replies = [await one.graph.child.getxattr(loc, "user.version") for loc in files]
    return {tuple(map(int, bytes(reply.dict["user.version"]).split())) for reply in replies}


def test_all_interpreters_take_a_version_or_none_does(trusted: Path) -> None:
    if sys.version_info < (3, 12):
        with pytest.raises(GraphFailed, match="option interpreters"):
            with reloads(trusted, SPREAD % (9, 0, 0), interpreters=3):
                pass
        return
    notes = Shared("tests.reload")
    for name in notes.keys():
        notes.pop(name)
    with reloads(trusted, SPREAD % (9, 0, 0), KEPT, "reloaded failed", interpreters=3) as one:
        files = [calls.loc_of(one.graph.probe.itable, f"file{number}") for number in range(60)]

        def everywhere() -> set[tuple[int, ...]]:
            found: set[tuple[int, ...]] = one.graph.run(asked_everywhere(one, files))
            return found

        assert everywhere() == {(0, 0), (0, 1), (0, 2)}
        one.reload(SPREAD % (9, 0, 1), interpreters=3)
        wait_until(lambda: everywhere() == {(1, 0), (1, 1), (1, 2)}, "the new version everywhere")
        wait_until(lambda: notes.get("ended") == 3, "the end of the old ones")
        assert [notes.get(f"reloaded in {number}") for number in range(3)] == [1, 1, 1]
        one.reload(SPREAD % (2, 0, 2), interpreters=3)  # interpreter 2 refuses
        wait_until(lambda: notes.get("ended") == 6, "the end of those that were not taken")
        assert everywhere() == {(1, 0), (1, 1), (1, 2)}
        one.reload((SPREAD % (9, 0, 3)).replace("if 0:", "if 'pytest' in __import__('sys').modules:"), interpreters=3)
        wait_until(lambda: "must not depend on where it is loaded" in one.text(), "the refusal")
        assert everywhere() == {(1, 0), (1, 1), (1, 2)}
        one.reload(SPREAD % (9, 1, 4), interpreters=3)
        wait_until(lambda: everywhere() == {(4, 0), (4, 1), (4, 2)}, "the new version everywhere")
        files.clear()
