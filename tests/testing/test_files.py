"""Files: whole operations on files, over memory and over storage/posix, on a client and as on a brick; errors between steps."""

from __future__ import annotations

import errno
from functools import partial

import glupy
import pytest
from glupy import Files, Translator
from glupy.testing import translator
from translators.filer import DOINGS


class Uses(Translator):
    """Its files are used by the test."""


class Other(Translator):
    def init(self):
        self.first = Files(self, self.children[0])


@pytest.fixture(params=[False, True], ids=["client", "brick"])
def start(request):
    return partial(translator, Uses, brick=request.param)


def number_of(t, doing):
    """The errno that it fails with. The exception, whose traceback keeps what the coroutine had, ends here."""
    with pytest.raises(OSError) as failed:
        t.run(doing)
    return failed.value.errno


@pytest.mark.parametrize("doing", DOINGS)
def test_doings(start, doing):
    with start() as t:
        t.connect()
        t.run(DOINGS[doing](t.translator.files))
        assert t.names("/") == []


def test_what_others_wrote(start):
    with start() as t:
        t.mkdir("/d")
        t.write("/d/file", bytes(range(256)) * 2000)
        t.symlink("/d/file", "/d/link")
        files = t.translator.files
        assert t.run(files.read("/d/file")) == bytes(range(256)) * 2000
        assert t.run(files.read(t.loc("/d/file"))) == bytes(range(256)) * 2000
        for path in ("/d/link", "/d"):
            with pytest.raises(OSError):
                t.run(files.read(path))
        assert t.run(files.stat("/d/link")).is_link()
        t.run(files.remove("/d/link"))
        assert t.names("/d") == ["file"]


def test_short_writes(start):
    with start() as t:
        t.connect()
        short = [lambda frame, call: call.wind(vector=bytes(call["vector"])[:7])] * 3
        t.script(writev=[*short, None])
        data = bytes(range(200))
        t.run(t.translator.files.write("/file", data))
        assert t.stored("/file") == data


def test_atomic_write_that_fails(start):
    with start() as t:
        t.write("/file", b"old")
        t.script(writev=OSError(errno.ENOSPC, ""))
        assert number_of(t, t.translator.files.write("/file", b"new", atomic=True)) == errno.ENOSPC
        assert t.read("/file") == b"old" and t.names("/") == ["file"]


def test_made_between(start):
    """The directory comes after the lookup that missed it, and goes before the one that looks again."""
    with start() as t:
        t.mkdir("/d")
        t.script(lookup=[None, FileNotFoundError, None])
        found = t.run(t.translator.files.mkdir("/d", exist_ok=True))
        assert found.gfid == t.loc("/d").gfid


def test_removed_between(start):
    with start() as t:
        t.mkdir("/d")
        t.write("/d/one", b"")
        t.write("/d/two", b"")
        t.script(unlink=[FileNotFoundError, None], rmdir=[OSError(errno.ENOTEMPTY, ""), None])
        t.run(t.translator.files.remove_tree("/d"))
        assert not t.exists("/d")


def test_stale_directory(start):
    with start() as t:
        t.mkdir("/d")
        t.script(lookup=[None, None, OSError(errno.ESTALE, "")])
        with pytest.raises(FileNotFoundError):
            t.run(t.translator.files.lookup("/d/file"))


def test_another_child(start):
    with translator(Other) as t:
        t.write("/file", b"data")
        assert t.run(t.translator.first.read("/file")) == b"data"


def test_after_the_graph(start):
    with start() as t:
        t.write("/file", b"data")
        files = t.translator.files
    coroutine = files.read("/file")
    with pytest.raises((ReferenceError, glupy.LoadError)):
        coroutine.send(None)
