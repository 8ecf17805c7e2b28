"""Testing translators without a mount: GlusterFS's real request machine in the test's own process.

    from glupy.testing import translator

    def test_limit():
        with translator(Policy, limit=3) as t:
            t.write("/a", b"data")
            with pytest.raises(PermissionError):
                t.user(1000).unlink("/a")

No FUSE, no daemons, no root, some milliseconds a test. See docs/testing.md.

The fixtures `translator`, `real_graph` and `mounted` of pytest's plugin, which is found by itself, are the same functions.

May use: glupy, glupy._core, glupy.loading, glupy.volfiles.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

from glupy import Translator
from glupy.testing.calls import Running
from glupy.testing.client import Client, File
from glupy.testing.clock import Clock
from glupy.testing.directory import Directory
from glupy.testing.failed import Failed
from glupy.testing.given import wish
from glupy.testing.mount import Mount, MountFailed, mounted
from glupy.testing.script import Chaos, Hold, Seen, elsewhere
from glupy.testing.stage import Stage

__all__ = ["Chaos", "Client", "Clock", "Failed", "File", "Hold", "Mount", "MountFailed", "Running", "Seen", "Stage", "elsewhere", "mounted",
           "real_graph", "translator"]

L = TypeVar("L", bound=Translator)


def translator(given: type[L] | str | os.PathLike[str], /, *, volume: str | None = None, expect: Sequence[str] = (),
               keeps: int = 0, patience: float = 20.0, brick: bool = False, **options: object) -> Stage[L]:
    """A translator at work over a file system in memory: `with translator(Policy, limit=3) as t:`.

    given    the class, or the file that it is in
    volume   the volume's name in the graph; else the class's in small letters
    expect   regular expressions of entries at WARNING and worse that are no failure in this test
    keeps    how many inodes the translator may hold when all files are closed
    patience seconds until a request without an answer fails the test, rather than have it hang
    brick    requests come as on a brick: by gfid, through anonymous fds, several at a time, of a client; and none, and
             no inode table, before the first one connects
    options  of the translator, and those that every one has; underscores stand for dashes

    Raises LoadError where GlusterFS's log would have said why it does not load. At the end the test fails with Failed if
    requests were left inside, if something is kept that should have been given up, or if the log has entries at WARNING
    and worse that are not expected.
    """
    return Stage(wish(given, volume, expect, keeps, patience, brick, options))


def real_graph(given: type[L] | str | os.PathLike[str], directory: str | os.PathLike[str] | None = None, /, *,
               volume: str | None = None, expect: Sequence[str] = (), keeps: int = 0, patience: float = 20.0,
               brick: bool = False, **options: object) -> Stage[L]:
    """The same over GlusterFS's own storage, in a directory: storage/posix and features/locks. It takes root.

    directory  a directory whose file system has extended attributes trusted.*; without one, one that goes with the test

    Raises PermissionError for others than root, and OSError where the directory cannot be a brick.
    """
    return Stage(wish(given, volume, expect, keeps, patience, brick, options), Directory(directory))
