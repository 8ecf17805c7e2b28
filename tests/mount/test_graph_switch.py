"""Issue 11, items 2 to 4: a mount that is at work gets another graph, while code of a translator of the old one goes on,
and keeps what it had."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from support.mounts import Mount
from support.volfile_server import VolfileServer
from support.volfiles import layer, posix_again, volfile
from support.waiting import PATIENCE, wait_until

THREADS = layer("threads", "performance/io-threads", thread_count=16)
#: mount/fuse keeps the graph that was, with its translators and inodes: those can be used. What is another in the end:
ENDED = {"spawn": "RuntimeError", "every": "RuntimeError", "frame": "ReferenceError"}


@contextmanager
def loaded(path: Path) -> Iterator[None]:
    """Files written and read meanwhile, also by a descriptor that stays open."""
    stop = threading.Event()

    def load(number: int) -> None:
        with open(path / f"open{number}", "w+b", buffering=0) as file:
            turn = 0
            while not stop.is_set() or not turn:
                name, data = path / f"load{number}-{turn % 10}", os.urandom(10_000)
                name.write_bytes(data)
                name.rename(path / f"renamed{number}")
                assert (path / f"renamed{number}").read_bytes() == data
                assert os.pwrite(file.fileno(), data, 0) == len(data)
                assert os.pread(file.fileno(), len(data), 0) == data
                turn += 1

    with ThreadPoolExecutor(3) as pool:
        working = [pool.submit(load, number) for number in range(3)]
        try:
            yield
        finally:
            stop.set()
        for future in working:
            future.result(PATIENCE)


def switched(mount: Mount) -> bool:
    os.statvfs(mount.path)  # mount/fuse begins with a graph when somebody asks
    return mount.text().count("switched to graph") == 2


def test_what_outlives_the_graph_of_a_mount(trusted: Path) -> None:
    with VolfileServer("") as server:
        mount = Mount(server=server, expected=(r"0-glusterfs: ", r"was never wound"),
                      arguments=["--direct-io-mode=enable"])
        lingers = layer("lingers", "user/lingers", folder=trusted)
        server.give(volfile([*posix_again(mount.brick), lingers, THREADS, layer("busy", "user/busy")]))
        with mount, loaded(mount.path):
            wait_until(lambda: "Started thread with index" in mount.text(), "the end of GlusterFS's start")
            (mount.path / "file").write_bytes(b"")
            with open(mount.path / "file", "rb"):
                pass
            new = layer("talks", "user/talks", greeting="new")
            server.give(volfile([*posix_again(mount.brick), THREADS, new]))
            os.kill(mount.pid, signal.SIGHUP)
            wait_until(lambda: switched(mount), "the new graph")
            wait_until(lambda: "lingers ends" in mount.text() and "busy ends" in mount.text(), "the end of the old one")
            (trusted / "gate").touch()
            for way in ("every", "thread"):
                wait_until((trusted / f"{way}.found").exists, f"the late code of {way}")
                found = json.loads((trusted / f"{way}.found").read_text())
                assert found == {**dict.fromkeys(found, "done"), **ENDED}, (way, found)
            assert json.loads(os.getxattr(mount.path / "file", "user.state"))[3] == "new"
            for text in ("printed late by every", "printed late by thread", "late by its own logger", "late in a library"):
                assert text in mount.text()
