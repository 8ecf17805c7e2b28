"""Statedumps of graphs in this process: what GlusterFS itself counts."""

from __future__ import annotations

import ctypes
import gc
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from glupy import Xdata
from glupy.testing import gfapi
from support.graph import Graph, settle
from support.waiting import PATIENCE

#: Where GlusterFS writes them.
FOLDER = Path("/run/gluster")

_SECTION = re.compile(r"^\[(.*)\]$", re.M)

sysrq = gfapi.library.glfs_sysrq
sysrq.argtypes = [ctypes.c_void_p, ctypes.c_char]


def text(graph: Graph) -> str:
    """A statedump."""
    FOLDER.mkdir(exist_ok=True)
    # GlusterFS divides by the number of dicts that have been freed so far.
    graph.run(graph.bottom.ipc(0, Xdata(freed=1)))
    before = set(FOLDER.iterdir())
    assert sysrq(graph.fs, b"s") == 0
    (path,) = {path for path in FOLDER.iterdir() if ".dump." in path.name} - before
    found = path.read_text(errors="replace")
    os.unlink(path)
    return found


def sections(dump: str) -> Iterator[tuple[str, str]]:
    """(name, text) of each section."""
    starts = [*_SECTION.finditer(dump)]
    for start, end in zip(starts, [*starts[1:], None]):
        yield start[1], dump[start.end():end.start() if end else len(dump)]


def counts(graph: Graph) -> dict[str, int]:
    """How many there are of what must not become more: calls, inodes, fds, dicts, buffers, what each layer allocated."""
    found: dict[str, int] = {}
    for name, body in sections(text(graph)):
        if name.startswith("mempool"):
            for pool, count in re.findall(r"^pool-name=(.*)\n(?:.*\n)?active-count=(\d+)$", body, re.M):
                found[f"pool {pool}"] = found.get(f"pool {pool}", 0) + int(count)
        elif name.startswith("xlator.tests.sink"):
            found.update({key: int(count) for key, count in re.findall(r"^\S*?([\w-]+)=(\d+)$", body, re.M)})
        elif name == "global.callpool":
            found["calls"] = int(re.findall(r"^callpool.cnt=(\d+)$", body, re.M)[0])
        elif name.startswith("arena."):
            found["iobufs"] = found.get("iobufs", 0) + int(re.findall(r"active_cnt=(\d+)", body)[0])
        elif "usage-type" in name:
            found[name] = int(re.findall(r"num_allocs=(\d+)", body)[0])
    return found


def at_rest(graph: Graph, seconds: float = PATIENCE) -> dict[str, int]:
    """The counts, once no call is under way and two statedumps agree."""
    deadline = time.monotonic() + seconds
    before: dict[str, int] = {}
    while True:
        gc.collect()
        graph.run(settle())
        now = counts(graph)
        if now == before and not now["calls"]:
            return now
        assert time.monotonic() < deadline, f"{now['calls']} calls do not end"
        before = now


def settled(graph: Graph, before: dict[str, int], seconds: float = 60.0) -> dict[str, tuple[int, int]]:
    """What there is more of than before, {} as soon as there is nothing: the last frames end a moment after their
    answers."""
    deadline = time.monotonic() + seconds
    while True:
        gc.collect()
        graph.run(settle())
        now = counts(graph)
        more = {key: (before.get(key, 0), count) for key, count in now.items() if count > before.get(key, 0)}
        if not more or time.monotonic() > deadline:
            return more
        time.sleep(0.05)
