"""translators/fault.py: which operations are hit, what becomes of them, and that no other is."""

from __future__ import annotations

import errno
import importlib.util
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import control
from support.bricks import Brick
from support.graph import Graph
from support.mounts import Mount, MountFailed
from support.volfiles import layer
from support.waiting import PATIENCE, wait_until

from glupy import Gfid, Loc, OptionError
from glupy.testing import Stage

pytestmark = pytest.mark.once

FILE = Path(__file__).resolve().parents[2] / "translators/fault.py"

#: What it says on purpose.
LOUD = r"faults? (?:are|by)"


@pytest.fixture(scope="module")
def fault() -> ModuleType:
    """The file as a module: what reads rules and counts needs no graph."""
    spec = importlib.util.spec_from_file_location("fault_tested", FILE)
    assert spec and spec.loader
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def faulty(translator: Any, rules: str, **options: Any) -> Iterator[Stage[Any]]:
    with translator(FILE, rules=rules, active=True, expect=[LOUD], **options) as t:
        yield t


def outcomes(t: Stage[Any], count: int, path: str = "/file") -> list[bool]:
    """Which of several stats failed."""
    loc = t.loc(path)
    found = []
    for _ in range(count):
        try:
            t.run(t.child.stat(loc))
            found.append(False)
        except OSError as error:
            assert error.errno == errno.EIO
            found.append(True)
    return found


# What is refused


@pytest.mark.parametrize(("rules", "said"), [
    ("fop=wirtev,fail=EIO", "rule 1, fop=wirtev,fail=EIO: fop: wirtev is no fop and no set of them; did you mean writev?"),
    ("fail=EIO;fop=,hang", "rule 2, fop=,hang: fop needs a value"),
    ("fop=ipc,fail=EIO", "ipc is no fop"),
    ("fop=stat", "rule 1, fop=stat: it does nothing: add fail=EIO"),
    ("fail=EROFSS", "fail: EROFSS is no error; did you mean EROFS?"),
    ("fail", "fail needs a value"), ("hang=1", "hang takes no value"),
    ("fial=EIO", "there is no term fial; did you mean fail?"),
    ("fail=EIO,fail=EIO", "fail is there twice"),
    ("fail=EIO,hang", "two things at once"), ("delay=1,done", "done goes with fail="),
    ("fop=stat,short=1", "short= is for readv and writev only"), ("short=0", "expected a whole number, 1 or more, not 0"),
    ("fail=EIO,chance=1.5", "expected a probability from 0 to 1, not 1.5"), ("fail=EIO,chance=", "chance needs a value"),
    ("delay=soon", "expected seconds such as 2 or 0.5, not soon"), ("fail=EIO,uid=root", "uid: expected a whole number"),
    ("fail=EIO,during=20-10", "expected seconds such as 10-20"), ("fail=EIO,during=0-70/60", "expected seconds such as 10-20"),
    ("fail=EIO,at=24:00-06:00", "expected times of the day"), ("fail=EIO,every=0", "expected a whole number, 1 or more"),
    ("fail=EIO,gfid=none", "gfid: "),
])
def test_rules_that_are_wrong(translator: Any, rules: str, said: str) -> None:
    with pytest.raises(OptionError) as refused:
        translator(FILE, rules=rules).__enter__()
    assert said in str(refused.value)


def test_a_volfile_with_a_wrong_rule_does_not_start() -> None:
    with pytest.raises(MountFailed) as failed:
        with Mount([layer("fault", "features/glupy", module="fault", rules="fop=wirtev,fail=EIO")]):
            pass
    assert "did you mean writev?" in failed.value.log


# Off, on, and off again


def test_off_unless_it_is_switched_on(translator: Any) -> None:
    with translator(FILE, rules="fail=EIO") as t:  # and the log has no warning
        t.write("/file", b"data")
        assert t.read("/file") == b"data"


BELOW = [layer("sink", "glupytest/sink"), layer("control", "glupytest/control")]


def root(graph: Graph) -> Any:
    return Loc.from_inode(graph.probe.itable.root)


def test_switched_live(caplog: pytest.LogCaptureFixture) -> None:
    rules = {"rules": "fop=stat,fail=EIO"}
    with Graph([*BELOW, layer("fault", "user/fault", **rules)], expected=(LOUD,)) as graph:
        graph.run(graph.child.stat(root(graph)))
        for turn in range(2):
            control.reconfigure(graph, "fault", {**rules, "active": "on"})
            with pytest.raises(OSError):
                graph.run(graph.child.stat(root(graph)))
            control.reconfigure(graph, "fault", rules)
            graph.run(graph.child.stat(root(graph)))
        said = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
        for sentence in ("faults are on (seed 0): fop=stat,fail=EIO", "the first fault by rule fop=stat,fail=EIO: stat of /",
                         "faults are off, or begin anew: 1 faults by fop=stat,fail=EIO"):
            assert sum(sentence in text for text in said) == 2, sentence


def test_rules_that_are_wrong_leave_the_old_ones() -> None:
    """In a volume that glusterd made."""
    with Graph([*BELOW, layer("fault", "user/fault", rules="fop=stat,fail=EIO", active="on")],
               expected=(LOUD, "option rules is")) as graph:
        control.reconfigure(graph, "fault", {"rules": "fop=stat,fail=EROFSS", "active": "on"})
        with pytest.raises(OSError) as failed:
            graph.run(graph.child.stat(root(graph)))
        assert failed.value.errno == errno.EIO
        assert "fail: EROFSS is no error; did you mean EROFS?" in graph.text()


@pytest.mark.parametrize("after", [{"rules": "fop=stat,hang"}, {"rules": "", "active": "on"},
                                   {"rules": "fop=stat,hang", "active": "on", "seed": 1, "reload": "1"}])
def test_what_hangs_goes_on(after: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    """When faults are switched off or changed, or another version of the file takes over."""
    with Graph([*BELOW, layer("fault", "user/fault", rules="fop=stat,hang", active="on")], expected=(LOUD,)) as graph:
        answers: list[Any] = []
        thread = threading.Thread(target=lambda: answers.append(graph.run(graph.child.stat(root(graph)))))
        thread.start()
        wait_until(lambda: "the first fault" in caplog.text, "the operation to hang")
        assert not answers
        control.reconfigure(graph, "fault", after)
        thread.join()
        assert len(answers) == 1


def test_it_reminds_of_itself(translator: Any) -> None:
    with faulty(translator, "fop=statfs,fail=EIO") as t:
        t.clock.advance(2 * 3600)
        assert t.log.count("faults are still on: 0 faults by fop=statfs,fail=EIO") == 2


# Which operations


@pytest.mark.parametrize(("term", "hits"), [
    ("path=/a*", True), ("path=*le", True), ("path=/b*|/a/file", True), ("path=/a", False), ("path=/A/*", False),
    ("uid=1000", True), ("uid=0|1000", True), ("uid=0", False), ("gid=1001", True), ("gid=1000", False),
    ("client=host*", True), ("client=other*", False), ("fop=reading,uid=1000", True),
    ("fop=changing|stat", True), ("fop=changing", False), ("host=*", True), ("host=no.such.machine", False),
])
def test_which(translator: Any, term: str, hits: bool) -> None:
    fop = "" if "fop=" in term else "fop=stat,"
    with faulty(translator, f"{fop}{term},fail=EIO") as t:
        loc = located(t)
        if hits:
            with pytest.raises(OSError):
                t.run(t.child.stat(loc), uid=1000, gid=1001, client="host-1")
        else:
            t.run(t.child.stat(loc), uid=1000, gid=1001, client="host-1")


def located(t: Stage[Any]) -> Any:
    """Of /a/file, without an operation: a lookup is one, too."""
    return Loc("/a/file", inode=t.root, gfid=t.root.gfid)


def test_by_gfid(translator: Any) -> None:
    with faulty(translator, f"fop=stat,gfid={Gfid.random()}|{Gfid.root()},fail=EIO") as t:
        t.create("/file")
        assert outcomes(t, 1, "/") == [True]
        assert outcomes(t, 1) == [False]


def test_both_paths_of_a_rename(translator: Any) -> None:
    with faulty(translator, "fop=rename,path=/new*,fail=EROFS") as t:
        t.create("/file")
        t.rename("/file", "/other")
        for old, new in (("/other", "/new"),):
            with pytest.raises(OSError) as failed:
                t.rename(old, new)
            assert failed.value.errno == errno.EROFS


@pytest.mark.parametrize("pid", [-3, -6, -1])
def test_heal_and_rebalance_are_left_alone(translator: Any, pid: int) -> None:
    for word, spared in (("", True), (",internal", False)):
        with faulty(translator, f"fop=stat{word},fail=EIO") as t:
            loc = Loc("/", inode=t.root)
            if spared:
                t.run(t.child.stat(loc), pid=pid)
            else:
                with pytest.raises(OSError):
                    t.run(t.child.stat(loc), pid=pid)


def test_without_fop_all_but_locking(translator: Any, fault: ModuleType) -> None:
    rule, = fault.parsed("fail=EIO")
    assert "lookup" in rule.fop and "writev" in rule.fop
    assert not {"inodelk", "entrylk", "lk", "ipc"} & rule.fop
    assert "inodelk" in fault.parsed("fop=locking,fail=EIO")[0].fop


def test_the_first_rule_that_hits(translator: Any) -> None:
    with faulty(translator, "fop=stat,every=2,fail=EIO;fop=stat,after=1,times=1,fail=EIO") as t:
        t.create("/file")
        assert outcomes(t, 6) == [False, True, True, True, False, True]  # the second rule saw 1, 3: it hits once


# How many of them


@given(after=st.integers(0, 6), every=st.integers(1, 5), times=st.integers(0, 4))
def test_counting_as_the_page_says(fault: ModuleType, after: int, every: int, times: int) -> None:
    rule, = fault.parsed(f"fail=EIO,after={after},every={every}" + (f",times={times}" if times else ""))
    expected = islice((number for number in range(40) if number >= after and (number - after) % every == every - 1),
                      times or None)
    assert [number for number in range(40) if rule.chosen()] == list(expected)


def test_the_same_seed_the_same_faults(translator: Any) -> None:
    found = []
    for seed in (7, 7, 8):
        with faulty(translator, "fop=stat,chance=0.5,fail=EIO", seed=seed) as t:
            t.create("/file")
            found.append(outcomes(t, 64))
    assert found[0] == found[1] != found[2]
    assert 10 < sum(found[0]) < 54


def test_never_and_always(translator: Any) -> None:
    for chance, hits in (("0", 0), ("1", 20), ("1.0", 20)):
        with faulty(translator, f"fop=stat,chance={chance},fail=EIO") as t:
            t.create("/file")
            assert sum(outcomes(t, 20)) == hits


# When


def test_by_schedule(translator: Any) -> None:
    with faulty(translator, "fop=stat,during=10-20/60,fail=EIO") as t:
        t.create("/file")
        found = []
        for _ in range(14):
            found += outcomes(t, 1)
            t.clock.advance(9)
    assert found == [False, False, True, False, False, False, False, False, True, False, False, False, False, False][:14]


def test_once(translator: Any) -> None:
    with faulty(translator, "fop=stat,during=10-20,fail=EIO") as t:
        t.create("/file")
        for hits in (False, True, False, False):
            assert outcomes(t, 1) == [hits]
            t.clock.advance(10)


def test_by_the_time_of_the_day(fault: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    rule, = fault.parsed("fail=EIO,at=22:00-06:00")
    other, = fault.parsed("fail=EIO,at=06:00-22:00")
    for hour, night in ((0, True), (5, True), (6, False), (21, False), (22, True)):
        monkeypatch.setattr(fault, "time", Local(hour))
        assert rule.is_time(0) == night != other.is_time(0)


class Local:
    """A module time in which it is some hour of the day."""

    def __init__(self, hour: int) -> None:
        self.hour = hour

    def time(self) -> float:
        return 0.0

    def localtime(self, now: float) -> Any:
        return type("Local", (), {"tm_hour": self.hour, "tm_min": 0})


# What is done to them


def test_fail_before_and_after(translator: Any) -> None:
    for done in (False, True):
        with faulty(translator, f"fop=mkdir,fail=ENOSPC{',done' if done else ''}") as t:
            with pytest.raises(OSError) as failed:
                t.mkdir("/new")
            assert failed.value.errno == errno.ENOSPC
            assert t.asked("mkdir") == done


def test_delay(translator: Any) -> None:
    with faulty(translator, "fop=stat,delay=5,fail=EIO") as t:
        t.create("/file")
        loc = t.loc("/file")
        asking = t.start(t.run, t.child.stat(loc))
        wait_until(lambda: 5.0 in t.clock.sleeping, "the operation to be delayed")
        t.clock.advance(4)
        assert not asking.done
        t.clock.advance(1)
        with pytest.raises(OSError) as failed:
            asking.result()
        assert failed.value.errno == errno.EIO


def test_short(translator: Any) -> None:
    with faulty(translator, "short=3") as t:
        t.create("/file")
        fd = t.fd("/file")
        assert t.run(t.child.writev(fd, b"abcdefgh", 0, 0)).op_ret == 3
        assert t.run(t.child.writev(fd, b"de", 3, 0)).op_ret == 2
        assert t.stored("/file") == b"abcde"
        assert bytes(t.run(t.child.readv(fd, 100, 0, 0)).data) == b"abc"
        assert bytes(t.run(t.child.readv(fd, 2, 0, 0)).data) == b"ab"
        del fd


# On a mount and in a brick


def use(path: Path) -> None:
    (path / "file").write_bytes(b"data")
    with pytest.raises(OSError) as failed:
        (path / "other.db").write_bytes(b"data")
    assert failed.value.errno == errno.EDQUOT
    assert (path / "file").read_bytes() == b"data"


RULES = "fop=create|open,path=*.db,fail=EDQUOT"


def test_on_a_mount() -> None:
    with Mount([layer("fault", "user/fault", rules=RULES, active="on")], expected=(LOUD, "0-glusterfs-fuse: ")) as mount:
        use(mount.path)


def test_in_a_brick() -> None:
    with (
        Brick([layer("fault", "user/fault", rules=RULES, active="on")], expected=(LOUD, r" 0-server: ")) as brick,
        Mount(bottom=[brick.client], expected=(r"0-client", "0-glusterfs-fuse: ")) as mount,
    ):
        use(mount.path)


def test_a_mount_that_hangs_ends() -> None:
    with Mount([layer("fault", "user/fault", rules="fop=create,hang", active="on")],
               expected=(LOUD, "0-glusterfs-fuse: ", "0-fuse: ")) as mount:
        with subprocess.Popen(["touch", mount.path / "file"], stderr=subprocess.DEVNULL) as touching:
            wait_until(lambda: "the first fault" in mount.text(), "the operation to hang")
            os.kill(mount.pid, signal.SIGTERM)
            assert mount.process and mount.process.wait(PATIENCE) in (0, 15)
            touching.wait(PATIENCE)
