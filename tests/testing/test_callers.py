"""Who asks: all that a frame says of it can be set, for calls of an application and for winds."""

from __future__ import annotations

import os

import pytest
from glupy import Translator
from glupy.testing import translator
from support.waiting import wait_until


class Who(Translator):
    """Notes who asks, and which clients go."""

    def init(self):
        self.seen, self.gone = [], []

    def note(self, frame):
        self.seen.append((frame.pid, frame.uid, frame.gid, frame.groups, bytes(frame.lk_owner), frame.client))

    def unlink(self, frame, loc, xflags, xdata):
        self.note(frame)

    def statfs(self, frame, loc, xdata):
        self.note(frame)

    def client_disconnect(self, client):
        self.gone.append(("disconnect", client))

    def client_destroy(self, client):
        self.gone.append(("destroy", client))


@pytest.fixture
def t():
    with translator(Who) as t:
        yield t


SOMEBODY = dict(pid=4711, uid=1000, gid=1001, groups=[5, 6], lk_owner=b"owner", client="host-1")
SEEN = (4711, 1000, 1001, (5, 6), b"owner", "host-1")


def remove(t, client):
    """Its last request of a file that anybody may remove."""
    t.mkdir("/d")
    t.chmod("/d", 0o777)
    t.create("/d/file")
    client.unlink("/d/file")
    t.rmdir("/d")
    return t.translator.seen[-1]


def test_an_application(t):
    assert remove(t, t)[:4] == (os.getpid(), 0, 0, ()) and t.translator.seen[-1][5] is None
    assert remove(t, t.user(7))[:4] == (os.getpid(), 7, 7, ())
    assert remove(t, t.user(**SOMEBODY)) == SEEN
    assert remove(t, t.user(client="other"))[1:] == (0, 0, (), b"", "other")
    assert remove(t, t)[5] is None


def test_a_wind(t):
    t.run(t.child.statfs(t.loc("/")))
    t.run(t.child.statfs(t.loc("/")), **SOMEBODY)
    t.run(t.child.statfs(t.loc("/")), uid=7)
    assert t.translator.seen == [(0, 0, 0, (), b"", None), SEEN, (0, 7, 7, (), b"", None)]


def test_winds_of_a_coroutine(t):
    """All of them, also those that begin after it has waited."""
    async def several():
        await t.child.statfs(loc)
        await t.translator.itable_ready()
        await t.child.access(loc, 0)
        await t.child.statfs(loc)

    loc = t.loc("/")
    t.run(several(), **SOMEBODY)
    assert t.translator.seen == [SEEN, SEEN]


def test_the_memory_goes_by_it(t):
    t.user(1000).open  # nobody has asked yet
    t.mkdir("/home", 0o700)
    t.chown("/home", 1000, 1000)
    t.run(t.child.mkdir(t.loc("/home/a"), 0o755, 0, t.new()), uid=1000, client="c")
    with pytest.raises(PermissionError):
        t.run(t.child.mkdir(t.loc("/home/b"), 0o755, 0, t.new()), uid=1001, client="c")
    assert t.stat("/home/a").st_uid == 1000


def test_a_client_that_goes(t):
    t.run(t.child.statfs(t.loc("/")), client="one")
    t.run(t.child.statfs(t.loc("/")), client="one", uid=7)
    t.run(t.child.statfs(t.loc("/")), client="two")
    t.disconnect("one")
    wait_until(lambda: len(t.translator.gone) == 2, "the hooks, which are called on a thread of glupy's")
    assert t.translator.gone == [("disconnect", "one"), ("destroy", "one")]
    with pytest.raises(ValueError, match="no client has the name 'one'"):
        t.disconnect("one")
    t.run(t.child.statfs(t.loc("/")), client="one")
    assert [seen[5] for seen in t.translator.seen] == ["one", "one", "two", "one"]


def test_what_cannot_be(t):
    with pytest.raises(OSError, match="more than 1024 bytes"):
        t.run(t.child.statfs(t.loc("/")), lk_owner=bytes(1025))
    with pytest.raises(TypeError, match="lock_owner"):
        t.run(t.child.statfs(t.loc("/")), lock_owner=b"")
