"""Brick-like mode: what only bricks show, over memory and over storage/posix, in the test's own process."""

from __future__ import annotations

import os
import threading
import time

import glupy
import pytest
from glupy import Translator
from glupy.testing import Failed, translator
from glupy.testing.clock import PATIENCE
from glupy.testing.door import CLIENT


class Notes(Translator):
    """Notes how requests come, and what the background finds."""

    def init(self):
        self.seen, self.tables, self.clients, self.most, self.inside = {}, [], set(), 0, 0
        self.lock = threading.Lock()
        self.every(10, self.look)

    def look(self):
        self.tables.append(self.itable is not None)

    def any_fop(self, frame, call):
        loc, fd = call.loc, call.fd
        seen = ((loc.path, loc.name, loc.parent and loc.parent.gfid, loc.gfid == (loc.inode and loc.inode.gfid)) if loc
                else fd and fd.anonymous)
        self.seen.setdefault(call.name, []).append(seen)
        self.clients.add(frame.client)

    async def writev(self, frame, fd, vector, offset, flags, xdata):
        with self.lock:
            self.inside += 1
            self.most = max(self.most, self.inside)
        await self.meeting
        try:
            return await self.child.writev(fd, vector, offset, flags, xdata)
        finally:
            with self.lock:
                self.inside -= 1


@pytest.fixture
def t():
    with translator(Notes, brick=True) as t:
        t.translator.meeting = glupy.Future()
        t.translator.meeting.set_result(None)
        yield t


def test_no_table_before_the_first_client(t):
    t.clock.wait()  # until every() has begun, which it does on a thread of its own when the child has come up
    t.clock.advance(10)
    assert t.translator.tables == [False] and t.translator.itable is None
    t.connect()
    t.clock.advance(10)
    assert t.translator.tables == [False, True] and t.translator.seen.keys() <= {"lookup"}
    t.create("/file")
    assert t.translator.clients == {CLIENT}


def test_gfids_alone(t):
    t.mkdir("/d")
    t.write("/d/file", b"data")
    t.chmod("/d/file", 0o600)
    t.rename("/d/file", "/d/new")
    seen = t.translator.seen
    (new,), (changed,) = seen["create"], seen["setattr"]
    gfid = t.loc("/d").inode.gfid
    file = t.loc("/d/new").inode.gfid
    assert new[:3] == (f"<gfid:{gfid}>/file", "file", gfid)
    assert changed == (f"<gfid:{file}>", None, None, True)
    assert seen["rename"][0][:3] == (f"<gfid:{gfid}>/file", "file", gfid) and t.names("/d") == ["new"] and t.read("/d/new") == b"data"


def test_anonymous_fds(t):
    t.write("/file", b"data")
    assert t.read("/file") == b"data"
    assert set(t.translator.seen["readv"]) == {True} and t.translator.seen["flush"] == [False, False]


def test_parallel_writes(t):
    meeting = t.translator.meeting = glupy.Future()
    with t.open("/file", os.O_RDWR | os.O_CREAT) as file:
        for offset in (0, 1 << 20, 2 << 20):
            file.write(bytes(1 << 17), offset)  # answered at once
        deadline = time.perf_counter() + PATIENCE
        while t.translator.most < 2 and time.perf_counter() < deadline:
            time.sleep(0.001)
        assert t.translator.most >= 2
        meeting.set_result(None)
    assert t.stat("/file").st_size == (2 << 20) + (1 << 17)


def test_another_client(t):
    t.user(1000, client="other").exists("/x")
    assert t.translator.clients == {CLIENT, "other"}  # what comes first looks up the root
    t.disconnect("other")


def test_nobody_connects():
    with translator(Notes, brick=True) as t:
        assert t.translator.seen == {}


def test_a_leak_is_found_here_too():
    class Keeps(Translator):
        def create(self, frame, loc, flags, mode, umask, fd, xdata):
            self.kept = loc

    with pytest.raises(Failed, match="leaked: 1 inodes are in use"):
        with translator(Keeps, brick=True) as t:
            t.create("/file")


def test_side(t):
    assert t.translator.side == "brick"
    with translator(Notes) as alone:
        assert alone.translator.side == "client"
