#!/usr/bin/python3
"""Layers under volumes of three nodes, by `glupy attach` and its like.

Run by test_cluster.py in fresh mount, network and process namespaces; `cluster_cases.py CASE` exits 0 when all went well.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.nodes import Cluster, Node, run  # noqa: E402
from support.waiting import PATIENCE, wait_until  # noqa: E402

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
def written(folder: Path) -> Iterator[None]:
    """Files with known sums are written there meanwhile, and all of them are what they were at the end."""
    folder.mkdir()
    stop, sums = threading.Event(), {}

    def write() -> None:
        number = 0
        while not stop.is_set():
            data = os.urandom(20_000) * (number % 5 + 1)
            path = folder / f"f{number % 500}"
            with open(f"{path}.new", "wb") as file:
                file.write(data)
            os.rename(f"{path}.new", path)
            sums[path] = hashlib.sha256(data).digest()
            if number % 7 == 0:
                assert hashlib.sha256(path.read_bytes()).digest() == sums[path]
            number += 1
            stop.wait(0.01)

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(write)
        try:
            yield
        finally:
            stop.set()
        working.result(PATIENCE)
    assert sums and set(os.listdir(folder)) == {path.name for path in sums}
    for path, digest in sums.items():
        assert hashlib.sha256(path.read_bytes()).digest() == digest, path


def in_bricks(cluster: Cluster) -> None:
    """A layer comes under a volume that serves, is changed, outlives a brick that is killed, and goes."""
    first = cluster.first
    cluster.install("talks", TALKS)
    cluster.create("vol", "replica", "3")
    with mounted(cluster, "vol") as path:
        (path / "file").touch()
        with written(path / "work"):
            assert "would restart" in glupy(first, "attach", "vol", "talks", "--dry-run")
            assert cluster.status("vol")["asked"] == {} and seen(path / "file") is None
            glupy(first, "attach", "vol", "talks", "-o", 'greeting=a "b" c')
            assert (seen(path / "file") or [])[3] == 'a "b" c'
            shown = cluster.status("vol")
            assert shown["differences"] == [] and len(shown["layers"]) == 3
            assert {(row["place"], row["options"]["greeting"]) for row in shown["layers"]} == {("posix", 'a "b" c')}
            assert all(row["pid"] in each.bricks("vol").values() for row, each in zip(
                sorted(shown["layers"], key=lambda row: row["node"]), cluster.nodes, strict=True))
            before = first.bricks("vol")
            glupy(first, "set", "vol", "talks", "greeting=live")
            wait_until(lambda: (seen(path / "file") or [""] * 4)[3] == "live", "the option")
            assert first.bricks("vol") == before
            kill_a_brick(cluster, path)
            assert "does not have talks any more" in glupy(cluster.nodes[1], "detach", "vol", "talks")
            assert seen(path / "file") is None and cluster.status("vol")["layers"] == []
        wait_until(lambda: first.to_heal("vol") == 0, "all to be healed")
    check_logs(cluster)


def kill_a_brick(cluster: Cluster, path: Path) -> None:
    """A brick that was killed comes back with the layer, and nothing is lost."""
    node = cluster.nodes[2]
    pid = next(pid for name, pid in node.bricks("vol").items() if name.startswith(f"{node.address}:"))
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(node.bricks("vol")) == 2, "glusterd to see that it has gone")
    assert seen(path / "file") is not None
    # glusterd starts it again only when it has seen its end.
    wait_until(lambda: node.gluster("volume", "start", "vol", "force") and len(node.bricks("vol")) == 3, "the brick")
    assert cluster.status("vol")["differences"] == [] and len(cluster.status("vol")["layers"]) == 3
    wait_until(lambda: cluster.first.to_heal("vol") == 0, "all to be healed")


def in_clients(cluster: Cluster) -> None:
    """A layer in clients comes and goes while they work; heal goes on working; bricks are not touched."""
    first = cluster.first
    cluster.install("talks", TALKS)
    cluster.create("vol", "replica", "3")
    before = first.bricks("vol")
    with mounted(cluster, "vol") as path:
        (path / "file").touch()
        with written(path / "work"), open(path / "held", "w") as held:
            said = glupy(first, "attach", "vol", "talks", "--client", status=1)
            assert "10.78.0.254 uses volume vol, is no node" in said and cluster.status("vol")["asked"] == {}
            glupy(first, "attach", "vol", "talks", "--client", "--clients-ready", "-o", "greeting=client")
            wait_until(lambda: (seen(path / "file") or [""] * 4)[3] == "client", "the layer")
            assert {row["place"] for row in cluster.status("vol")["layers"]} == {"client"}
            held.write("still")
            glupy(first, "set", "vol", "talks", "greeting=changed")
            wait_until(lambda: (seen(path / "file") or [""] * 4)[3] == "changed", "the option")
            glupy(first, "disable", "vol", "talks")
            wait_until(lambda: seen(path / "file") is None, "the layer to be passed by")
            glupy(first, "enable", "vol", "talks")
            wait_until(lambda: seen(path / "file") is not None, "the layer to be back")
            assert first.to_heal("vol") == 0
            first.gluster("volume", "heal", "vol")
            glupy(first, "detach", "vol", "talks")
            wait_until(lambda: seen(path / "file") is None, "the layer to go")
        assert (path / "held").read_text() == "still"
        assert first.bricks("vol") == before
    check_logs(cluster)


def misused(cluster: Cluster) -> None:
    """Whatever is missing somewhere: nothing is changed, and what mends it is said by node."""
    first, second, third = cluster.nodes
    cluster.install("talks", TALKS)
    cluster.create("vol", "replica", "3")
    bricks = first.bricks("vol")
    file, link = third.translators / "talks.py", third.user_links / "talks.so"
    program, hook = third.library / "peer_glupy", third.library / third.version / "filter/glupy"

    def refused(*arguments: str) -> str:
        said = glupy(first, "attach", "vol", "talks", *arguments, status=1)
        assert "user.glupy" not in first.gluster("volume", "info", "vol")
        return said

    file.unlink()
    assert f"{third.address}: no module talks" in (said := refused()) and "glupy install talks.py" in said, said
    file.write_text(TALKS + "# another one\n")
    assert "is not the same on all nodes" in refused()
    file.write_text("class Talks:\n")
    assert f"{third.address}: {file}:1: IndentationError" in (said := refused()), said
    file.write_text(TALKS)
    file.chmod(0o666)
    assert "file is writable by others" in refused() and first.address not in refused()
    file.chmod(0o644)
    target = third.run("readlink", link).strip()
    third.run("rm", link)
    assert f"ln -sfn {third.home}/glupy.so" in (said := refused()) and "there is no link for talks" in said, said
    third.run("ln", "-s", target, link)
    assert "option greting is not declared by Talks; did you mean greeting?" in refused("-o", "greting=hello")
    assert "a volfile can hold no empty value" in refused("-o", "greeting=`id`")
    assert "is no OPTION=VALUE" in refused("-o", "greeting")
    third.run("rm", hook)
    assert "glusterd does not run glupy's filter" in (said := refused()), said
    third.run("ln", "-s", third.home / "bin/glupy-filter", hook)
    third.run("rm", program)
    assert "install the package glupy there" in (said := refused()) and third.address in said, said
    third.run("ln", "-s", third.home / "bin/peer_glupy", program)
    third.stop()
    wait_until(lambda: cluster.connected(first, 1), "the others to see that it is away")
    assert f"{third.address} cannot be reached" in refused()
    third.start()
    wait_until(lambda: cluster.connected(first) and len(first.bricks("vol")) == 3, "all to be back")
    assert first.bricks("vol") == bricks
    assert "other" in glupy(first, "attach", "other", "talks", status=1)
    assert "has no layer talks" in glupy(first, "detach", "vol", "talks", status=1)
    assert "has no layer talks" in glupy(first, "set", "vol", "talks", "greeting=x", status=1)
    assert second.done(second.home / "bin/glupy", "attach", "vol", "talks", "--at", "io-stats").returncode == 2
    check_logs(cluster)


def stopped(cluster: Cluster) -> None:
    """A volume that cannot serve while a brick is away is changed while it is stopped; a node that was down catches up."""
    first, _, third = cluster.nodes
    cluster.install("talks", TALKS)
    cluster.create("vol")
    said = glupy(first, "attach", "vol", "talks", status=1)
    assert "gluster volume stop vol, then the same command, then gluster volume start vol" in said
    assert "user.glupy" not in first.gluster("volume", "info", "vol")
    first.gluster("volume", "stop", "vol")
    glupy(first, "attach", "vol", "talks", "--at", "locks", "-o", "greeting=first")
    first.gluster("volume", "start", "vol")
    wait_until(lambda: len(first.bricks("vol")) == 3, "the bricks")
    shown = cluster.status("vol")
    assert shown["differences"] == [] and {row["place"] for row in shown["layers"]} == {"locks"}
    third.stop()
    wait_until(lambda: cluster.connected(first, 1), "the others to see that it is away")
    assert f"{third.address} cannot be reached; it will have this" in glupy(first, "set", "vol", "talks", "greeting=second")
    third.start()
    wait_until(lambda: cluster.connected(first) and len(first.bricks("vol")) == 3, "all to be back")
    wait_until(lambda: first.glupy("status", "vol").returncode == 0, "the node to have caught up")
    with mounted(cluster, "vol") as path:
        for number in range(20):  # of all bricks
            (path / f"f{number}").touch()
            assert (seen(path / f"f{number}") or [""] * 4)[3] == "second"
    # A reset of the whole volume takes the layer out of its options, not out of bricks that run.
    first.gluster("volume", "reset", "vol")
    assert first.glupy("status", "vol").returncode == 1
    assert len(cluster.status_anyway("vol")["layers"]) == 3
    first.gluster("volume", "stop", "vol")
    first.gluster("volume", "set", "vol", "user.any", "thing")
    first.gluster("volume", "start", "vol")
    assert cluster.status("vol")["layers"] == []
    check_logs(cluster)


def check_logs(cluster: Cluster) -> None:
    """No brick, client or glusterd has crashed, nothing in Python has failed, and no brick tried a second graph."""
    for log in cluster.top.rglob("*.log"):
        text = log.read_text(errors="replace")
        assert "Traceback (most recent call last)" not in text, log
        assert "signal received" not in text, log
        assert "creation of listener failed" not in text, log


CASES: dict[str, Callable[[Cluster], None]] = {
    function.__name__: function for function in (in_bricks, in_clients, misused, stopped)
}


def look_after() -> None:
    """Go on in a child, and be what an init is to all others: who ends is no zombie, which glusterd takes for a brick."""
    child = os.fork()
    while child:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def main() -> int:
    run("mount", "-t", "proc", "proc", "/proc")
    look_after()
    top = Path(tempfile.mkdtemp(prefix="glupy-test.", dir="/var/lib"))
    os.chmod(top, 0o755)
    (top / "glupy.conf").write_text(f"[glupy]\ntranslators = {Path(__file__).resolve().parents[1] / 'translators'}\n")
    os.environ["GLUPY_CONF"] = str(top / "glupy.conf")
    cluster = None
    try:
        cluster = Cluster(top)
        CASES[sys.argv[1]](cluster)
        return 0
    except BaseException:
        if cluster:
            cluster.show_logs()
        raise
    finally:  # what is left of processes ends with their namespace
        shutil.rmtree(top, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
