"""The translators that come with glupy, tested as their authors would test their own."""

from __future__ import annotations

import errno
import json
import threading
from pathlib import Path

import pytest

from glupy import LoadError, Loc

TRANSLATORS = Path(__file__).resolve().parents[2] / "translators"


# negative_lookup


def missing(t, path="/none", times=1):
    for _ in range(times):
        with pytest.raises(FileNotFoundError):
            t.stat(path)


@pytest.fixture
def fast(translator):
    with translator(TRANSLATORS / "negative_lookup.py") as t:
        yield t


def test_a_missing_name_is_asked_for_once(fast):
    missing(fast, times=5)
    assert fast.asked("lookup", "/none") == 1 and fast.translator.missing.hits >= 4


@pytest.mark.parametrize("make", [
    lambda t: t.create("/none"), lambda t: t.mkdir("/none"), lambda t: t.mknod("/none"), lambda t: t.symlink("x", "/none"),
    lambda t: t.link("/file", "/none"), lambda t: t.rename("/file", "/none"),
])
def test_a_name_that_is_made_is_there(fast, make):
    fast.create("/file")
    missing(fast)
    make(fast)
    fast.lstat("/none")


def test_only_so_many_names(translator):
    with translator(TRANSLATORS / "negative_lookup.py", limit=2) as t:
        for name in ("/a", "/b", "/c", "/c", "/b", "/a"):
            missing(t, name)
        assert [t.asked("lookup", name) for name in ("/a", "/b", "/c")] == [2, 1, 1]


def test_other_errors_are_not_remembered(fast):
    fast.script(lookup=[OSError(errno.EIO, "")])
    with pytest.raises(OSError):
        fast.stat("/none")
    missing(fast, times=2)
    assert fast.asked("lookup", "/none") == 2


def test_a_lookup_that_a_create_overtakes(fast):
    """Its ENOENT is stale by the time it comes, and says nothing of the name any more."""
    hold = fast.hold("lookup", answer=FileNotFoundError())
    thread = threading.Thread(target=missing, args=(fast,))
    thread.start()
    hold.wait()
    fast.run(fast.child.mknod(located(fast, "/none"), 0o100644, 0, 0, fast.new()))
    hold.release()
    thread.join()
    fast.script("lookup")
    fast.stat("/none")


def located(t, path):
    """Where something is to be made, without a lookup."""
    return Loc(path, inode=t.root.table.new(), parent=t.root)


# audit


def lines(file):
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_who_changed_what(translator, tmp_path):
    file = tmp_path / "record"
    with translator(TRANSLATORS / "audit.py", file=file) as t:
        t.mkdir("/home")
        t.chown("/home", 1000, 1000)
        t.user(1000, 1001, pid=4711).write("/home/draft", b"data")
        with pytest.raises(PermissionError):
            t.user(7).unlink("/home/draft")
        t.rename("/home/draft", "/home/final")
        t.script(truncate=OSError(errno.ENOSPC, ""))
        with pytest.raises(OSError):
            t.truncate("/home/final", 0)
        gfid = str(t.loc("/home/final").inode.gfid)
    found = lines(file)
    assert [(line["fop"], line["uid"], line["result"]) for line in found] == [
        ("mkdir", 0, "ok"), ("setattr", 0, "ok"), ("create", 1000, "ok"), ("writev", 1000, "ok"), ("unlink", 7, "EACCES"),
        ("rename", 0, "ok"), ("truncate", 0, "ENOSPC"),
    ]
    written = found[3]
    assert (written["bytes"], written["gid"], written["pid"], written["gfid"]) == (4, 1001, 4711, gfid)
    assert (found[5]["path"], found[5]["newpath"]) == ("/home/draft", "/home/final")


def test_reads_are_recorded_where_they_shall_be(translator, tmp_path):
    for reads in (False, True):
        file = tmp_path / f"record{reads}"
        with translator(TRANSLATORS / "audit.py", file=file, reads=reads) as t:
            t.write("/file", b"data")
            t.read("/file")
        assert ("readv" in [line["fop"] for line in lines(file)]) == reads


def test_a_file_that_cannot_be_opened(translator, tmp_path):
    with pytest.raises(LoadError, match="option file: .* cannot be opened: No such file"):
        translator(TRANSLATORS / "audit.py", file=tmp_path / "none/record").__enter__()
