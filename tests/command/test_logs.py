"""Reading GlusterFS's log while it grows, in the forms that its series have."""

from __future__ import annotations

import pytest

from glupy.command.logs import Follower

STAMP = "[2026-11-27 01:11:27.841460 +0000]"


@pytest.fixture
def log(tmp_path):
    return tmp_path / "log"


def said(follower, ended=False):
    return [(entry.level, entry.name, entry.text) for entry in follower.entries(ended)]


@pytest.mark.parametrize("line,level,name,text", [
    ("E [MSGID: 0] [glupy:0:init] 0-shout: shout is not loaded ", "E", "shout", "shout is not loaded"),
    ("I [fuse-bridge.c:7065:fini] 0-fuse: Unmounting '/m'.", "I", "fuse", "Unmounting '/m'."),
    ("W [glusterfsd.c:1458:cleanup_and_exit] (-->/lib/c.so.6(+0x89) [0x7f] -->glusterfs(x+0x57) [0x56] ) 0-: received",
     "W", "", "received"),
    ("W [posix-common.c:1003:posix_init] 0-brick: [MSGID:101256] Failed to set maximum number of open file descriptors "
     "<{low=1048576}>", "W", "brick", "Failed to set maximum number of open file descriptors <{low=1048576}>"),
])
def test_entry(log, line, level, name, text):
    log.write_text(f"{STAMP} {line}\n")
    assert said(Follower(log), ended=True) == [(level, name, text)]


@pytest.mark.parametrize("text,usual", [
    ("Failed to set 'ulimit -n  1048576' [Operation not permitted]", True),
    ("Failed to set maximum allowed open file descriptors to 64k [Operation not permitted]", True),
    ("Failed to set max open fd to 64k [{errno=Operation not permitted}]", True),
    ("[MSGID:101256] Failed to set maximum number of open file descriptors <{low=1048576}, {high=65536}>", True),
    ("remote operation failed. [{errno=5}]", False),
])
def test_what_every_run_says(log, text, usual):
    log.write_text(f"{STAMP} W [x.c:1:f] 0-brick: {text}\n")
    entry, = Follower(log).entries(ended=True)
    assert entry.usual == usual and entry.serious


def test_lines_that_belong_to_an_entry(log):
    follower = Follower(log)
    assert said(follower) == []
    with open(log, "w", buffering=1) as file:
        file.write(f"{STAMP} E [m.py:1:f] 0-a: failed\nTrace")
        assert said(follower) == []
        file.write(f"back\n  File\n{STAMP} I [m.py:1:f] 0-a: next\n")
        assert said(follower) == [("E", "a", "failed\nTraceback\n  File")]
        assert said(follower) == [("I", "a", "next")]
        file.write(f"{STAMP} I [m.py:1:f] 0-a: before\nFinal graph:\n+--+\n  1: volume a\n+--+\n"
                   f"{STAMP} I [m.py:1:f] 0-a: end\n")
        assert said(follower, ended=True) == [("I", "a", "before"), ("I", "a", "end")]
        assert follower.graph_is_up
