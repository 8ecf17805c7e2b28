"""Issue 11, item 1: recursion without end on mounts and bricks: an error for the application, with a traceback; where C
code does it and the process dies, the log says of what."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import test_bricks
import test_failures
from support.attempts import attempt
from support.bricks import Brick
from support.mounts import Mount
from support.volfiles import Layer, layer
from support.waiting import wait_until

PYTHON = layer("recurses", "user/recurses")
THREADS = layer("threads", "performance/io-threads")

#: Where fops come in: FUSE's own threads, io-threads with stacks of 256 KiB, threads of a brick.
PLACES: dict[str, list[Layer]] = {"fuse": [PYTHON], "below io-threads": [PYTHON, THREADS], "above": [THREADS, PYTHON]}
ERROR = "RecursionError: maximum recursion depth exceeded: "
EXPECTED = (*test_failures.FUSE, r"0-recurses: recurses: (?:lookup|task) of '[^']*' failed\n",
            "RuntimeWarning: coroutine ", "has overflowed")
#: What the log of a process that died has at its end.
DEATH = r"pending frames:|signal received: 11"


@contextmanager
def served(place: str, **options: Any) -> Iterator[tuple[Mount, Mount | Brick]]:
    """A mount, and the process whose log counts: its own, or the brick's."""
    if place == "brick":
        with (
            Brick([PYTHON], expected=(*test_bricks.SERVER, *EXPECTED), **options) as brick,
            Mount([], bottom=[brick.client], brick=brick.directory, expected=test_bricks.CLIENT, ends=(0, 15, -9)) as mount,
        ):
            yield mount, brick
    else:
        with Mount(PLACES[place], expected=EXPECTED, **options) as mount:
            yield mount, mount


def tracebacks(process: Mount | Brick, head: str) -> list[str]:
    return [text for _, text in process.entries() if head in text and not text.startswith("The message")]


@pytest.mark.parametrize("place", [*PLACES, "brick"])
def test_recursion_in_awaitables_is_an_error(place: str) -> None:
    with served(place) as (mount, process):
        for name in ("in_gathers", "in_two_at_once", "after_winds", "in_gathers_in_gathers"):
            assert attempt(mount, os.stat, mount.path / name) == "EIO", name
            text = tracebacks(process, f"lookup of '/{name}' failed\n")[0]
            assert ERROR in text
            assert f"in {name}\n" in text
        assert attempt(mount, os.stat, mount.path / "in_tasks") == "ENOENT"
        wait_until(lambda: tracebacks(process, "task of 'in_gathers' failed\n") != [], "the task's end")
        assert ERROR in tracebacks(process, "task of 'in_gathers' failed\n")[0]
        test_failures.serves(mount)
        assert process.alive()


@pytest.mark.parametrize("place", [*PLACES, "brick"])
def test_recursion_in_c_is_in_the_log(place: str) -> None:
    with served(place, ends=(-11,)) as (mount, process):
        assert attempt(mount, os.stat, mount.path / "in_c") in ("ENOTCONN", "ECONNABORTED")
        text = process.text()
        last = re.search(r"^\[[-\d]+ [\d:.]+ \+0000\] C \[MSGID: 0\] \[glupy:0:lookup\] 0-recurses: the C stack of thread "
                         r"(\S+) has overflowed \((its own|one of glupy's), (\d+) KiB\): .*\n", text, re.M)
        assert last, text[-3000:]
        if place == "below io-threads":
            assert last[1].startswith("glfs_iotwr") and last[2] == "one of glupy's", last
        # GlusterFS's own handler comes after it.
        assert re.search(DEATH, text[last.end():]), text[-3000:]
        assert int(last[3]) >= 8192
        if mount is not process:
            mount.process.kill()  # a client whose brick is gone takes its time to end
