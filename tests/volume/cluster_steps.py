"""What cases on three nodes are made of: our command, clients, files with known sums, and what all has to be like."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import itertools
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support.glusterd import run
from support.meanwhile import meanwhile
from support.nodes import Cluster, Node
from support.waiting import wait_until

#: Seconds between two looks that take a process.
PAUSE = 0.2

TALKS = (Path(__file__).resolve().parents[1] / "translators/talks.py").read_text()


def glupy(node: Node, *arguments: str, status: int = 0) -> str:
    """Run our command; all that it says."""
    done = node.glupy(*arguments)
    assert done.returncode == status, f"glupy {' '.join(arguments)}: {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout + done.stderr


@contextlib.contextmanager
def mounted(cluster: Cluster, volume: str) -> Iterator[Path]:
    """A client that is no node."""
    path = cluster.top / f"mnt-{volume}"
    path.mkdir()
    servers = [part for node in cluster.nodes for part in ("-s", node.address)]
    run("glusterfs", *servers, "--volfile-id", volume, "-l", cluster.top / f"mnt-{volume}.log", path)
    try:
        wait_until(lambda: os.path.ismount(path), "the mount")
        os.stat(path)
        yield path
    finally:
        run("umount", "-l", path)


def seen(path: Path) -> list[str] | None:
    """What the translator talks says of itself: its volume's name, ..., its option; None where it is not in the way."""
    try:
        found: list[str] = json.loads(os.getxattr(path, "user.state"))
        return found
    except OSError as error:
        assert error.errno == errno.ENODATA
        return None


@contextlib.contextmanager
def written(folder: Path, over: bool = True) -> Iterator[None]:
    """Files with known sums are written there meanwhile, and all of them are what they were at the end. With `over` new
    versions are renamed over old ones, as editors do."""
    folder.mkdir()
    numbers, sums = itertools.count(), {}

    def write() -> None:
        number = next(numbers)
        data = os.urandom(5_000) * (number % 5 + 1)
        path = folder / f"f{number % 200 if over else number}"
        fresh = Path(f"{path}.new") if over else path
        fresh.write_bytes(data)
        if over:
            fresh.rename(path)
        sums[path] = hashlib.sha256(data).digest()
        if number % 7 == 0:
            assert hashlib.sha256(path.read_bytes()).digest() == sums[path]

    with meanwhile(write, 0.2):
        yield
    assert sums and set(os.listdir(folder)) == {path.name for path in sums}
    for path, digest in sums.items():
        assert hashlib.sha256(path.read_bytes()).digest() == digest, path


def healed(cluster: Cluster, volume: str) -> None:
    """Wait until all of a volume's bricks are online and nothing is left to heal."""
    count = len(list(cluster.first.xml("volume", "info", volume).iter("brick")))
    wait_until(lambda: len(cluster.first.bricks(volume)) == count, "all bricks", pause=PAUSE)
    wait_until(lambda: cluster.first.to_heal(volume) == 0 or cluster.first.urge(volume), "all to be healed", pause=1)


def half_made(node: Node) -> None:
    """Remove what a killed brick may have left: storage/posix makes a file before it gives it its gfid, and GlusterFS's heal
    asks for one without a gfid again and again, but does not remove it."""
    for file in (node.top / "vol").glob("work/*"):
        try:
            os.getxattr(file, "trusted.gfid", follow_symlinks=False)
        except OSError as error:
            assert error.errno == errno.ENODATA
            file.unlink()


@contextlib.contextmanager
def without_brick(cluster: Cluster, node: Node, volume: str) -> Iterator[None]:
    """A node's brick has been killed; afterwards it is back, and has what was written meanwhile."""
    bricks = node.bricks(volume)
    pid = next(pid for name, pid in bricks.items() if name.startswith(f"{node.address}:"))
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(node.bricks(volume)) == len(bricks) - 1, "glusterd to see that it has gone", pause=PAUSE)
    half_made(node)
    yield
    # glusterd starts it again only when it has seen its end.
    wait_until(lambda: node.gluster("volume", "start", volume, "force") and len(node.bricks(volume)) == len(bricks), "the brick",
               pause=PAUSE)
    healed(cluster, volume)


def as_asked(cluster: Cluster, volume: str, layers: int) -> list[dict[str, Any]]:
    """The layers that `glupy status` shows, so many, all as the volume's options say."""
    shown = cluster.status(volume)
    assert shown["differences"] == [] and len(shown["layers"]) == layers, shown
    found: list[dict[str, Any]] = shown["layers"]
    return found


def told(path: Path, what: str) -> None:
    """Wait until the translator has an option."""
    wait_until(lambda: (seen(path) or [""] * 4)[3] == what, f"the option to be {what}")


def check_logs(cluster: Cluster) -> None:
    """No brick, client or glusterd has crashed, nothing in Python has failed, and no brick tried a second graph."""
    for log in cluster.top.rglob("*.log"):
        text = log.read_text(errors="replace")
        assert "Traceback (most recent call last)" not in text, log
        assert "signal received" not in text, log
        assert "creation of listener failed" not in text, log
