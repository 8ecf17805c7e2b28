"""glupy.breakpoint(), and `glupy debug`, which connects to it."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import glupy
import pytest
from glupy import ReadlinkReply, Translator
from glupy.testing import translator

PATIENCE = 60

STOPS = [r"at a breakpoint for somebody to look", r"goes on behind its breakpoint"]


class Stops(Translator):
    wait = PATIENCE

    def readlink(self, frame, loc, size, xdata):
        answer = "before"
        glupy.breakpoint(self.wait)
        return ReadlinkReply(answer if answer == "before" else "changed", None)

    async def statfs(self, frame, loc, xdata):
        glupy.breakpoint(self.wait)
        return await self.child.statfs(loc, xdata)


@pytest.fixture
def folder(trusted, monkeypatch):
    """Where sockets are; glupy.conf names it."""
    (trusted / "glupy.conf").write_text(f"[glupy]\ndebug = {trusted / 'debug'}\n")
    monkeypatch.setenv("GLUPY_CONF", str(trusted / "glupy.conf"))
    return trusted / "debug"


def waits_for(folder):
    until = time.monotonic() + PATIENCE
    while not (folder.is_dir() and any(folder.iterdir())):
        assert time.monotonic() < until, "nothing has stopped"
        time.sleep(0.01)


def debug(*words, said=""):
    """The command: its exit status and what it has written."""
    done = subprocess.run([sys.executable, "-c", "from glupy.command.main import main; main()", "debug", *words], text=True,
                          input=said, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE)
    return done.returncode, done.stdout


def test_looking(folder):
    """Values are seen and statements run; other requests go on meanwhile; c goes on."""
    with translator(Stops, expect=STOPS, patience=PATIENCE) as t:
        t.symlink("there", "/link")
        t.write("/file", b"data")
        reading = t.start(t.readlink, "/link")
        waits_for(folder)
        assert folder.stat().st_mode & 0o777 == 0o700
        assert t.read("/file") == b"data" and not reading.done
        status, said = debug("stops", said="p loc.path\np answer\n!t = 6 * 7\np t\nn\nw\nc\n")
        assert status == 0 and "'/link'" in said and "'before'" in said and "(Pdb) 42" in said
        assert "not at a glupy.breakpoint()" in said and "test_breakpoints.py" in said
        assert reading.result() == "before"
        assert list(folder.iterdir()) == []
        assert f"glupy debug {os.getpid()}" in t.log


def test_the_end_of_the_connection_goes_on(folder):
    with translator(Stops, expect=STOPS, patience=PATIENCE) as t:
        t.symlink("there", "/link")
        reading = t.start(t.readlink, "/link")
        waits_for(folder)
        assert debug(str(os.getpid()), said="p 1\n")[0] == 0
        assert reading.result() == "before"


def test_in_a_coroutine(folder):
    with translator(Stops, expect=STOPS, patience=PATIENCE) as t:
        asking = t.start(t.run, t.child.statfs(t.loc("/")))
        waits_for(folder)
        status, said = debug(said="p self.name\nc\n")
        assert status == 0 and "'stops'" in said and asking.result().op_ret == 0


def test_nobody_comes(folder):
    with translator(Stops, expect=STOPS, patience=PATIENCE) as t:
        t.translator.wait = 0.01
        t.symlink("there", "/link")
        assert t.readlink("/link") == "before"
        assert "nobody has come" in t.log and list(folder.iterdir()) == []


def test_off_by_default(folder):
    folder.parent.joinpath("glupy.conf").write_text("[glupy]\n")
    with translator(Stops) as t:
        t.symlink("there", "/link")
        assert t.readlink("/link") == "before"
        assert "goes on: there is no entry debug in glupy.conf" in t.log and not folder.exists()


def test_a_folder_that_others_may_enter(folder):
    folder.mkdir()
    folder.chmod(0o755)
    with translator(Stops, expect=[*STOPS, "others may look into this folder"], patience=PATIENCE) as t:
        t.symlink("there", "/link")
        assert t.readlink("/link") == "before"
        assert "chmod 700" in t.log


def test_where_none_waits(folder):
    assert debug() == (1, "glupy debug: no request waits at a breakpoint; none does in any process of this machine\n")
    folder.parent.joinpath("glupy.conf").write_text("[glupy]\n")
    status, said = debug("data")
    assert status == 1 and "debug = /run/glupy-debug" in said
