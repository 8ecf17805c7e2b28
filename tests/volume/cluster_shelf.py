"""The translators of the shelf in all bricks of one volume at once: replica 3, a brick that is killed and healed, then 2 x 3 bricks
that are balanced. Each keeps its promise, and GlusterFS's own work is left alone and counted once."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from cluster_shapes import balance
from cluster_steps import PAUSE, glupy, healed, mounted, without_brick
from support.meanwhile import meanwhile
from support.nodes import Cluster
from support.waiting import wait_until

from glupy_filter.layers import PREFIX, Layer

#: Who meets faults: what this user changes fails on one node.
UNLUCKY = 4242
KEPT, HELD = 8, "held"
LIMIT, USAGE = "user.quota.limit", "user.quota.usage"
#: Files that end with a hole, of which data has so many bytes.
HOLES, DATA, SIZE = 12, 40_000, 300_000
#: What gets a rebalance past them.
LAST_HOLE = Path(__file__).resolve().parents[2] / "examples/last_hole.py"
RULES = """\
deny fop=create|rename|link name=*.exe
deny name=*.txt content=MZ
"""


class Shelf:
    """The volume, its mount, and what has been done to it so far."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster, self.first = cluster, cluster.first
        self.key, self.rules, self.feeds = (cluster.top / name for name in ("key", "rules", "feeds"))
        self.removed: Counter[str] = Counter()
        self.cursor: str | None = "start"
        self.made: Counter[str] = Counter()
        self.number = 0
        self.path = Path()

    # Setting up

    def layers(self) -> dict[str, tuple[str, str]]:
        """Each in its place, with its options."""
        return {
            "audit": ("posix", "file=/var/log/glusterfs/audit.json chain=on"),
            "watch": ("posix", f"directory={self.feeds}"),
            "trace": ("posix", "file=/var/log/glusterfs/trace.json only=changing-names internal=off"),
            "fault": ("posix", f"rules=host=n1,uid={UNLUCKY},fop=setattr,fail=EIO"),
            "retain": ("locks", ""),
            "policy": ("io-threads", f"file={self.rules}"),
            "quota": ("io-threads", f"key={self.key}"),
            "trash": ("index", "at-once=*.tmp"),
            "qos": ("io-threads", "by=user"),
            "last_hole": ("posix", ""),
        }

    def attach(self) -> None:
        self.key.write_text("a secret of some length\n")
        self.key.chmod(0o600)
        self.rules.write_text(RULES)
        self.feeds.mkdir(mode=0o700)
        self.cluster.install(LAST_HOLE.stem, LAST_HOLE.read_text())
        for node in self.cluster.nodes:
            node.configure(f"store = {node.top}/store")
        # One step for most of them, as `glupy attach` would have glusterd store each by a command of its own.
        stored = [word for name, (place, options) in self.layers().items()
                  for word in (PREFIX + name, Layer(name, place, dict(pair.split("=", 1) for pair in options.split())).value)]
        self.first.gluster("volume", "set", "vol", *stored)
        glupy(self.first, "attach", "vol", "quota_exchange", "--client", "-o", f"key={self.key}", "-o", "interval=1")

    def bricks(self) -> list[Path]:
        return [path for node in self.cluster.nodes for path in (node.top / "vol", node.top / "vol-more") if path.is_dir()]

    # Work of users

    def make(self, path: Path, data: bytes) -> None:
        path.write_bytes(data)
        self.made[path.name] += 1

    def remove(self, path: Path) -> None:
        path.unlink()
        self.removed[path.name] += 1

    @contextmanager
    def worked(self, over: bool = True) -> Iterator[None]:
        """Files come meanwhile; each third one goes again, and with `over` each third is renamed over the one before."""
        def work() -> None:
            number, self.number = self.number, self.number + 1
            path = self.path / f"work/w{number}"
            self.make(path, b"%d\n" % number * 500)
            if number % 3 == 1:
                self.remove(path)
            elif number % 3 == 2 and over:
                before = path.with_name(f"w{number - 2}")
                path.rename(before)
                self.removed[before.name] += 1

        with meanwhile(work, 1):
            yield

    def told(self) -> list[dict[str, Any]]:
        """What the merged feed has since the last time."""
        said = glupy(self.first, "watch", str(self.feeds / "vol"), "--from", self.cursor or "", "--json", "--no-wait")
        lines: list[dict[str, Any]] = [json.loads(line) for line in said.splitlines()]
        if lines:
            self.cursor = lines[-1]["cursor"]
        return lines

    def kept(self) -> Counter[str]:
        """The names of what is in root's bin, as the mount has it."""
        return Counter(name[:-37] for name in os.listdir(self.path / ".trash/0"))

    def holes(self) -> list[Path]:
        return [self.path / f"holes/h{number}" for number in range(HOLES)]

    def box(self) -> list[Path]:
        return sorted((self.path / "box").iterdir())

    def used(self) -> int:
        return int(os.getxattr(self.path / "box", USAGE).decode().split()[0].removeprefix("bytes="))


def refused(number: int, call: Callable[..., object], *arguments: object) -> None:
    try:
        call(*arguments)
    except OSError as error:
        assert error.errno == number, (error, arguments)
    else:
        raise AssertionError(f"{call.__name__}{arguments} was not refused")


def synced(path: Path, data: bytes) -> None:
    """Write to a file in place. A client answers the open by itself (performance.open-behind)."""
    fd = os.open(path, os.O_WRONLY | os.O_DSYNC)
    try:
        os.write(fd, data)
    finally:
        os.close(fd)


def fill(path: Path, block: int = 65536) -> None:
    """Write until quota refuses it."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_DSYNC, 0o644)
    try:
        while True:
            os.write(fd, b"full" * (block // 4))
    except OSError as error:
        assert error.errno == errno.EDQUOT, error
    finally:
        os.close(fd)


# What each promises, at any time


def retained(shelf: Shelf) -> None:
    """No way into a kept file or one under a hold, nor out of the world."""
    other = shelf.path / "other"
    shelf.make(other, b"other")
    for path in shelf.path.glob("keep/*"):
        refused(errno.EPERM, path.unlink)
        refused(errno.EPERM, os.truncate, path, 0)
        refused(errno.EPERM, path.write_bytes, b"new")
        refused(errno.EPERM, synced, path, b"new")
        refused(errno.EPERM, os.chmod, path, 0o777)
        refused(errno.EPERM, os.link, path, path.with_name("second"))
        refused(errno.EPERM, os.rename, other, path)
        assert path.read_bytes() == path.name.encode()
        if path.name != HELD:
            refused(errno.EPERM, os.setxattr, path, "user.retain.until", b"2040-01-01")
            assert os.getxattr(path, "user.retain.until") == b"4102444800"
    shelf.remove(other)


def limited(shelf: Shelf) -> None:
    """Files are filled up to the limit, no byte beyond; what is said of it is what there is."""
    wait_until(lambda: shelf.used() == sum(path.stat().st_size for path in shelf.box()), "the total", pause=PAUSE)
    first = shelf.box()[0]
    fill(first)
    os.truncate(first, first.stat().st_size + (1 << 20) - sum(path.stat().st_size for path in shelf.box()))
    wait_until(lambda: shelf.used() == 1 << 20, "all bricks to know of it", pause=PAUSE)
    for path in shelf.box():
        refused(errno.EDQUOT, os.truncate, path, path.stat().st_size + 1)
    found = os.statvfs(shelf.path / "box")
    assert (found.f_blocks * found.f_frsize, found.f_bfree) == (1 << 20, 0)
    refused(errno.EDQUOT, os.chown, shelf.box()[0], UNLUCKY, -1)


def ruled(shelf: Shelf) -> None:
    refused(errno.EACCES, (shelf.path / "virus.exe").touch)
    text = shelf.path / "text.txt"
    shelf.make(text, b"text")
    refused(errno.EACCES, text.rename, shelf.path / "text.exe")
    refused(errno.EACCES, synced, text, b"MZ")
    assert text.read_bytes() == b"text"
    shelf.remove(text)


def shared(shelf: Shelf) -> dict[str, Any]:
    """The classes that one of the bricks serves; nobody has been forgotten in a queue."""
    told = json.loads(os.getxattr(shelf.path, "trusted.qos.stats"))
    assert told["metadata"]["classes"]["0"]["served"] > 0
    assert not told["data"]["classes"].get("0", {}).get("outside")
    classes: dict[str, Any] = told["data"]["classes"] | told["metadata"]["classes"]
    return classes


def binned(shelf: Shelf) -> None:
    """All that was removed is there, once, and can be read. Meanwhile a file may be removed and not counted yet, or not seen yet."""
    wait_until(lambda: shelf.kept() == shelf.removed, "what was removed and nothing else in the bin", pause=PAUSE)
    for path in (shelf.path / ".trash/0").iterdir():
        path.read_bytes()


def fed(shelf: Shelf) -> None:
    """Each file that was made since it was asked the last time is in the merged feed, once."""
    lines = shelf.told()
    made = Counter(line["name"] for line in lines if line.get("fop") == "create" and not line.get("uncertain"))
    assert made == shelf.made, (made - shelf.made, shelf.made - made)
    shelf.made.clear()
    assert not any(line.get("internal") or "missing" in line or "lost" in line for line in lines)


# Its life


def began(shelf: Shelf) -> None:
    path = shelf.path
    for name in ("box", "keep", "work", "open", "holes"):
        (path / name).mkdir()
    os.chmod(path / "open", 0o777)
    os.setxattr(path / "box", LIMIT, b"bytes=1MB")
    os.setxattr(path, f"{LIMIT}.user.{UNLUCKY}", b"bytes=100KB")
    for number in range(8):
        shelf.make(path / f"box/b{number}", b"box " * 10_000)
    for number in range(KEPT):
        keep = path / f"keep/k{number}"
        shelf.make(keep, keep.name.encode())
        os.setxattr(keep, "user.retain.until", b"2100-01-01")
    shelf.make(path / f"keep/{HELD}", HELD.encode())
    os.setxattr(path / f"keep/{HELD}", "user.retain.hold", b"case 4711")


def promised(shelf: Shelf) -> None:
    """All of them."""
    retained(shelf)
    limited(shelf)
    ruled(shelf)
    shared(shelf)
    binned(shelf)


def faulted(shelf: Shelf) -> None:
    """A fault on one node is what replication takes for a broken brick, and what heal mends: heal meets none."""
    glupy(shelf.first, "set", "vol", "fault", "active=on")
    unlucky = shelf.path / "open/unlucky"
    command = f"import os; open({str(unlucky)!r}, 'w').close(); os.chmod({str(unlucky)!r}, 0o604)"
    subprocess.run([sys.executable, "-c", command], user=UNLUCKY, check=True)
    said = ["first fault by rule" in shelf.cluster.brick_log(node, "vol") for node in shelf.cluster.nodes]
    assert said == [True, False, False], said
    healed(shelf.cluster, "vol")
    assert {(brick / "open/unlucky").stat().st_mode & 0o777 for brick in shelf.bricks()} == {0o604}
    glupy(shelf.first, "set", "vol", "fault", "active=off")
    shelf.made["unlucky"] += 1


def killed(shelf: Shelf) -> None:
    """All hold without one of the bricks, and heal brings it what it has missed: past all of them."""
    late = shelf.path / "keep/late"
    shelf.make(late, b"late")
    for path in shelf.box()[:4]:
        shelf.remove(path)
    node = shelf.cluster.nodes[2]
    with without_brick(shelf.cluster, node, "vol"):
        os.setxattr(late, "user.retain.until", b"2100-01-01")
        for file in shelf.holes():
            shelf.make(file, b"h" * DATA)
            os.truncate(file, SIZE)
        promised(shelf)
    assert os.getxattr(node.top / "vol/keep/late", "user.retain.until") == b"4102444800"
    # What was removed while it was away is in its bin as soon as somebody has looked there; a full heal looks everywhere.
    shelf.first.gluster("volume", "heal", "vol", "full")
    wait_until(lambda: len({frozenset(os.listdir(brick / ".trash/0")) for brick in shelf.bricks()}) == 1, "the bins", pause=PAUSE)


def end_of_data(path: Path) -> int:
    """Where its hole begins."""
    with path.open("rb") as file:
        return os.lseek(file.fileno(), 0, os.SEEK_HOLE)


def grown(shelf: Shelf) -> None:
    """Three bricks more, and what belongs there is moved: also files of which replicas do not agree where the last hole begins,
    as heal has made them. At these GlusterFS's rebalance stays for ever (docs/clusters.md), but for examples/last_hole.py."""
    cluster, first = shelf.cluster, shelf.first
    assert all(len({end_of_data(brick / "holes" / file.name) for brick in shelf.bricks()}) == 2 for file in shelf.holes())
    first.gluster("volume", "add-brick", "vol", *(f"{brick}-more" for brick in cluster.bricks_of("vol")), "force")
    balance(first, "vol")
    healed(cluster, "vol")
    for file in shelf.holes():
        assert file.read_bytes() == b"h" * DATA + bytes(SIZE - DATA)
    # Limits of users do not come to new bricks by themselves; the client may still be at its old graph.
    name = f"{LIMIT}.user.{UNLUCKY}"
    wait_until(lambda: os.setxattr(shelf.path, name, b"bytes=100KB") or all(name in os.listxattr(brick) for brick in shelf.bricks()),
               "the limit on all bricks", pause=PAUSE)
    assert "internal" in shared(shelf)
    # Which files these are is up to DHT.
    for node in cluster.nodes:
        assert any(path.stat().st_size for name in ("keep", "box", "work", "holes", ".trash/0")
                   for path in (node.top / "vol-more" / name).iterdir())


def restored(shelf: Shelf) -> None:
    """What was removed comes back, on whatever brick it is by now."""
    bin = shelf.path / ".trash/0"
    names = {name: shelf.path / "work" / name[:-37] for name in os.listdir(bin) if name.startswith("w")}
    names = {name: path for name, path in names.items() if not path.exists()}
    assert names
    for name, path in names.items():
        os.setxattr(bin, "user.trash.restore", name.encode())
        assert path.read_bytes() == b"%d\n" % int(path.name[1:]) * 500
    assert not names.keys() & set(os.listdir(bin))


def counted(shelf: Shelf) -> None:
    """All bricks have ended. The books of replicas say the same of the limited directory, and together what there is. Of users
    they may not: a file that was on its way to the bin when the brick was killed may be on two bricks alone."""
    books = []
    for node in shelf.cluster.nodes:
        for file in (node.top / "store").glob("*quota*.db"):
            with closing(sqlite3.connect(file)) as store:
                books.append(json.loads(store.execute("select value from store where name = cast('books' as blob)").fetchone()[0]))
    assert len(books) == 6 and all(book["clean"] for book in books)
    (box,) = {key for book in books for key in book["used"] if key.startswith("dir:")}
    used = Counter(tuple(book["used"][box]) for book in books)
    assert set(used.values()) == {3} and sum(size for size, _ in used) == 1 << 20, used


def ended(shelf: Shelf) -> None:
    """What the bricks have written down: chains, traces, and books that say what there is."""
    for node in shelf.cluster.nodes:
        glupy(node, "verify", "/var/log/glusterfs/audit.json")
        trail, trace = ([json.loads(line) for line in (node.top / f"log/{name}.json").read_text().splitlines()]
                        for name in ("audit", "trace"))
        assert {"user", "rebalance"} <= {line["actor"] for line in trail}
        assert trace and all(line["pid"] >= 0 for line in trace)
    assert any(line["actor"] == "self-heal" for line in trail)  # of the brick that was killed


def shelf(cluster: Cluster) -> None:
    """All translators of the shelf under one volume, through its life."""
    it = Shelf(cluster)
    cluster.first.gluster("volume", "create", "vol", "replica", "3", *cluster.bricks_of("vol"), "force")
    cluster.first.gluster("volume", "set", "vol", "cluster.lookup-optimize", "off")  # docs/shelf/trash.md
    it.attach()
    cluster.first.gluster("volume", "start", "vol")
    with mounted(cluster, "vol") as it.path:
        began(it)
        with it.worked():
            faulted(it)
        promised(it)
        fed(it)
        with it.worked():
            killed(it)
        promised(it)
        fed(it)
        with it.worked(over=False):
            grown(it)
        promised(it)
        fed(it)
        restored(it)
    cluster.first.gluster("volume", "stop", "vol")
    counted(it)
    ended(it)
