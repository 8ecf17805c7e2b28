#!/usr/bin/python3
"""Layers under volumes of three nodes, by `glupy push`, `attach` and their like.

Run by test_cluster.py in fresh mount, network and process namespaces; `cluster_cases.py CASE` exits 0 when all went well.
Nodes take long to come up and volumes long to heal, so a case is a life of one cluster, in steps.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support import cases  # noqa: E402
from support.glusterd import run  # noqa: E402
from support.nodes import Cluster, Node  # noqa: E402
from support.waiting import PATIENCE, wait_until  # noqa: E402

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
def written(folder: Path) -> Iterator[None]:
    """Files with known sums are written there meanwhile, and all of them are what they were at the end."""
    folder.mkdir()
    stop, sums = threading.Event(), {}

    def write() -> None:
        number = 0
        while not stop.is_set():
            data = os.urandom(5_000) * (number % 5 + 1)
            path = folder / f"f{number % 200}"
            with open(f"{path}.new", "wb") as file:
                file.write(data)
            os.rename(f"{path}.new", path)
            sums[path] = hashlib.sha256(data).digest()
            if number % 7 == 0:
                assert hashlib.sha256(path.read_bytes()).digest() == sums[path]
            number += 1
            stop.wait(0.05)

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


def healed(cluster: Cluster, volume: str) -> None:
    """Wait until all of a volume's bricks are online and nothing is left to heal."""
    count = len(list(cluster.first.xml("volume", "info", volume).iter("brick")))
    wait_until(lambda: len(cluster.first.bricks(volume)) == count, "all bricks", pause=PAUSE)
    wait_until(lambda: cluster.first.to_heal(volume) == 0, "all to be healed", pause=PAUSE)


def as_asked(cluster: Cluster, volume: str, layers: int) -> list[dict[str, Any]]:
    """The layers that `glupy status` shows, so many, all as the volume's options say."""
    shown = cluster.status(volume)
    assert shown["differences"] == [] and len(shown["layers"]) == layers, shown
    found: list[dict[str, Any]] = shown["layers"]
    return found


def told(path: Path, what: str) -> None:
    """Wait until the translator has an option."""
    wait_until(lambda: (seen(path) or [""] * 4)[3] == what, f"the option to be {what}")


# --- serving: a volume that serves, from the first push of a translator to its end ---------------------------------------


def pushed(cluster: Cluster) -> None:
    """A translator comes to the nodes that allow it, and the others are named with what to do."""
    first, second, third = cluster.nodes
    file = cluster.top / "talks.py"
    file.write_text(TALKS)
    second.configure("push = yes")

    def push(*arguments: str, status: int) -> dict[str, str]:
        done = first.glupy("push", str(file), "--json", *arguments)
        assert done.returncode == status, done.stdout + done.stderr
        assert not [*cluster.top.glob("n*/glusterd/glupy-push-*")]
        return {each["node"]: each["state"] for each in json.loads(done.stdout)["nodes"]}

    names = [first.name, second.address, third.address]
    assert push("--dry-run", status=1) == dict(zip(names, ("would install", "would install", "not allowed"), strict=True))
    assert not [*cluster.top.glob("n*/etc/translators/*")]
    assert push(status=1) == dict(zip(names, ("installed", "installed", "not allowed"), strict=True))
    third.configure("push = yes")
    third.translators.chmod(0o777)
    said = glupy(first, "push", str(file), status=1)
    assert f"{third.address}: nothing can be put into /etc/glupy/translators: " in said and "has it already" in said
    assert f"scp {file} root@{third.address}:" in said and "glupy install talks.py" in said
    third.translators.chmod(0o755)
    assert push(status=0) == dict(zip(names, ("same", "same", "installed"), strict=True))
    for node in cluster.nodes:
        found = (node.translators / "talks.py").stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (0, 0, 0o644)
        assert os.listdir(node.translators) == ["talks.py"]
        assert node.run("readlink", "-f", node.user_links / "talks.so").strip() == str((node.home / "glupy.so").resolve())


def misused(cluster: Cluster) -> None:
    """Whatever is missing somewhere: nothing is changed, and what mends it is said by node."""
    first, second, third = cluster.nodes
    file, other = third.translators / "talks.py", second.translators / "talks.py"
    link, program = third.user_links / "talks.so", third.library / "peer_glupy"
    hook = third.library / third.version / "filter/glupy"
    targets = {path: third.run("readlink", path).strip() for path in (link, program, hook)}

    def refused(*arguments: str) -> str:
        said = glupy(first, "attach", "vol", "talks", *arguments, status=1)
        assert "user.glupy" not in first.gluster("volume", "info", "vol")
        return said

    file.unlink()
    third.run("rm", link, hook)
    said = refused()
    assert f"{third.address}: no module talks" in said and "glupy install talks.py" in said, said
    assert f"ln -sfn {third.home}/glupy.so" in said and "there is no link for talks" in said, said
    assert "glusterd does not run glupy's filter" in said and second.address not in said, said
    for path in (link, hook):
        third.run("ln", "-s", targets[path], path)
    file.write_text("class Talks:\n")
    other.chmod(0o666)
    said = refused()
    assert f"{third.address}: /etc/glupy/translators/talks.py:1: IndentationError" in said, said
    assert f"{second.address}: /etc/glupy/translators/talks.py: file is writable by others" in said, said
    other.chmod(0o644)
    file.write_text(TALKS + "# another one\n")
    said = refused("-o", "greting=hello")
    assert "is not the same on all nodes" in said and "greting is not declared by Talks; did you mean greeting?" in said
    file.write_text(TALKS)
    third.run("rm", program)
    assert "install the package glupy there" in (said := refused()) and third.address in said, said
    third.run("ln", "-s", targets[program], program)
    assert "a volfile can hold no empty value" in refused("-o", "greeting=`id`")
    assert "is no OPTION=VALUE" in refused("-o", "greeting")
    assert "other" in glupy(first, "attach", "other", "talks", status=1)
    assert "has no layer talks" in glupy(first, "detach", "vol", "talks", status=1)
    assert "has no layer talks" in glupy(first, "set", "vol", "talks", "greeting=x", status=1)
    glupy(second, "attach", "vol", "talks", "--at", "io-stats", status=2)


def attached(cluster: Cluster, path: Path) -> None:
    """It comes under the bricks, its options change, and each brick says what it has counted."""
    first = cluster.first
    assert "would restart" in glupy(first, "attach", "vol", "talks", "--dry-run")
    assert as_asked(cluster, "vol", 0) == [] and seen(path) is None
    glupy(first, "attach", "vol", "talks", "-o", 'greeting=a "b" c')
    assert (seen(path) or [])[3] == 'a "b" c'
    layers = as_asked(cluster, "vol", 3)
    assert {(row["place"], row["options"]["greeting"]) for row in layers} == {("posix", 'a "b" c')}
    assert {row["pid"] for row in layers} == set(first.bricks("vol").values())
    assert all(row["counts"]["calls"] >= row["counts"]["failed"] and row["counts"]["exceptions"] == 0 for row in layers)
    assert sum(row["counts"]["calls"] for row in layers) > 0
    before = first.bricks("vol")
    glupy(first, "set", "vol", "talks", "greeting=live")
    told(path, "live")
    assert first.bricks("vol") == before


def loaded_anew(cluster: Cluster, path: Path) -> None:
    """Another version of it is pushed to all nodes by one command, and loaded by all bricks by another one."""
    first = cluster.first
    before = first.bricks("vol")
    file = cluster.top / "talks.py"
    file.write_text(TALKS + "\n\ndef ask_edition(self: Talks, path: str) -> str:\n    return 'second'\n")
    glupy(first, "push", str(file))
    glupy(first, "set", "vol", "talks", "reload=second")
    wait_until(lambda: all("it was loaded anew" in cluster.brick_log(node, "vol") for node in cluster.nodes), "all bricks")
    assert os.getxattr(path, "user.edition") == b"second" and first.bricks("vol") == before


def replaced(cluster: Cluster) -> None:
    """A brick in place of another one has the layer from its start, and all that the others have."""
    third = cluster.nodes[2]
    old = f"{third.address}:{third.top}/vol"
    cluster.first.gluster("volume", "replace-brick", "vol", old, f"{old}-new", "commit", "force")
    healed(cluster, "vol")
    assert f"{third.top}/vol-new" in [row["brick"] for row in as_asked(cluster, "vol", 3)]


def in_clients(cluster: Cluster, path: Path) -> None:
    """A layer in clients comes and goes while they work; heal goes on working; bricks are not touched."""
    first = cluster.first
    before = first.bricks("vol")
    with open(path.parent / "held", "w") as held:
        said = glupy(first, "attach", "vol", "talks", "--client", status=1)
        assert "10.78.0.254 uses volume vol, is no node" in said and cluster.status("vol")["asked"] == {"talks": "off"}
        own = cluster.top / "own"
        own.mkdir()
        first.run("glusterfs", "-s", first.address, "--volfile-id", "vol", "-l", cluster.top / "own.log", own)
        glupy(first, "attach", "vol", "talks", "--client", "--clients-ready", "-o", "greeting=client")
        told(path, "client")
        first.run("getfattr", "-n", "user.state", own / "file")
        layers = as_asked(cluster, "vol", 3)
        assert {(row["place"], row["brick"]) for row in layers} == {("client", None)}
        (mount,) = [row for row in layers if row["pid"]]
        assert mount["node"] == first.name and mount["counts"]["calls"] > 0, mount
        assert cluster.status("vol")["elsewhere"] == ["10.78.0.254"]
        first.run("umount", own)
        held.write("still")
        glupy(first, "set", "vol", "talks", "greeting=changed")
        told(path, "changed")
        glupy(first, "disable", "vol", "talks")
        wait_until(lambda: seen(path) is None, "the layer to be passed by")
        glupy(first, "enable", "vol", "talks")
        wait_until(lambda: seen(path) is not None, "the layer to be back")
        assert first.to_heal("vol") == 0
        first.gluster("volume", "heal", "vol")
        glupy(first, "detach", "vol", "talks")
        wait_until(lambda: seen(path) is None, "the layer to go")
    assert (path.parent / "held").read_text() == "still"
    assert first.bricks("vol") == before


def serving(cluster: Cluster) -> None:
    """A replicated volume serves all the time while a layer comes, changes, is replaced, and goes."""
    pushed(cluster)
    cluster.create("vol", "replica", "3")
    misused(cluster)
    with mounted(cluster, "vol") as path:
        (path / "file").touch()
        with written(path / "work"):
            attached(cluster, path / "file")
            loaded_anew(cluster, path / "file")
            replaced(cluster)
            assert "does not have talks any more" in glupy(cluster.nodes[1], "detach", "vol", "talks")
            assert seen(path / "file") is None and as_asked(cluster, "vol", 0) == []
            in_clients(cluster, path / "file")
        healed(cluster, "vol")


# --- failing: bricks, nodes and networks that fail -----------------------------------------------------------------------


def interrupted(cluster: Cluster) -> None:
    """A node goes away in the middle: the command says so and ends, and goes on when it is called again."""
    first, _, third = cluster.nodes
    command = first.command(first.home / "bin/glupy", "attach", "vol", "talks", "-o", "greeting=first")
    with subprocess.Popen(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=first.environment) as done:
        assert done.stdout
        said = ""
        for line in done.stdout:
            said += line
            if line.startswith("restart the bricks"):
                third.kill()
                break
        said += done.stdout.read()
    assert done.returncode == 1 and third.address in said, said
    assert f"{third.address} cannot be reached" in glupy(first, "attach", "vol", "talks", status=1)
    back(cluster, third)
    glupy(first, "attach", "vol", "talks")
    as_asked(cluster, "vol", 3)


def back(cluster: Cluster, node: Node) -> None:
    """A node that had been killed starts, and has all that it missed."""
    node.glusterd.start()
    wait_until(lambda: cluster.connected(cluster.first), "the node to be back", pause=PAUSE)
    healed(cluster, "vol")
    wait_until(lambda: cluster.first.glupy("status", "vol").returncode == 0, "the node to have caught up", pause=PAUSE)


def kill_a_brick(cluster: Cluster, path: Path) -> None:
    """A brick that was killed comes back with the layer."""
    node = cluster.nodes[2]
    pid = next(pid for name, pid in node.bricks("vol").items() if name.startswith(f"{node.address}:"))
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: len(node.bricks("vol")) == 2, "glusterd to see that it has gone", pause=PAUSE)
    assert seen(path) is not None
    # glusterd starts it again only when it has seen its end.
    wait_until(lambda: node.gluster("volume", "start", "vol", "force") and len(node.bricks("vol")) == 3, "the brick",
               pause=PAUSE)
    as_asked(cluster, "vol", 3)
    healed(cluster, "vol")


def kill_a_node(cluster: Cluster, path: Path) -> None:
    """All of a node is killed while files are written; what is set meanwhile it has when it is back."""
    first, _, third = cluster.nodes
    third.kill()
    wait_until(lambda: cluster.connected(first, 1), "the others to see that it is away", pause=PAUSE)
    assert f"{third.address} cannot be reached; it will have this" in glupy(first, "set", "vol", "talks", "greeting=second")
    told(path, "second")
    assert f"{third.address} cannot be reached" in cluster.status_anyway("vol")["differences"]
    back(cluster, third)
    assert {row["options"]["greeting"] for row in as_asked(cluster, "vol", 3)} == {"second"}


def part(cluster: Cluster) -> None:
    """A node loses its network while files are written, and has it again."""
    first, _, third = cluster.nodes
    before = first.bricks("vol")
    third.plug("down")
    wait_until(lambda: cluster.connected(first, 1), "the others to see that it is away", pause=PAUSE)
    wait_until(lambda: len(first.bricks("vol")) == 2, "its brick to be away", pause=PAUSE)
    third.plug("up")
    wait_until(lambda: cluster.connected(first), "the node to be back", pause=PAUSE)
    healed(cluster, "vol")
    as_asked(cluster, "vol", 3)
    assert first.bricks("vol") == before


def failing(cluster: Cluster) -> None:
    """A replicated volume with a layer loses a node in the middle of `attach`, a brick, a node, a network; and no file."""
    cluster.install("talks", TALKS)
    cluster.create("vol", "replica", "3")
    interrupted(cluster)
    with mounted(cluster, "vol") as path:
        (path / "file").touch()
        with written(path / "work"):
            kill_a_brick(cluster, path / "file")
            kill_a_node(cluster, path / "file")
            part(cluster)
        healed(cluster, "vol")


# --- shapes: volumes of other kinds --------------------------------------------------------------------------------------


def distributed(cluster: Cluster) -> None:
    """A volume that cannot serve while a brick is away is changed while it is stopped; and reset."""
    first = cluster.first
    cluster.create("one")
    said = glupy(first, "attach", "one", "talks", status=1)
    assert "gluster volume stop one, then the same command, then gluster volume start one" in said
    assert "user.glupy" not in first.gluster("volume", "info", "one")
    first.gluster("volume", "stop", "one")
    glupy(first, "attach", "one", "talks", "--at", "locks", "-o", "greeting=first")
    first.gluster("volume", "start", "one")
    assert {row["place"] for row in as_asked(cluster, "one", 3)} == {"locks"}
    with mounted(cluster, "one") as path:
        for number in range(20):  # of all bricks
            (path / f"f{number}").touch()
            assert (seen(path / f"f{number}") or [""] * 4)[3] == "first"
    # A reset of the whole volume takes the layer out of its options, not out of bricks that run.
    first.gluster("volume", "reset", "one")
    assert len(cluster.status_anyway("one")["layers"]) == 3 and cluster.status_anyway("one")["differences"]
    first.gluster("volume", "stop", "one")
    first.gluster("volume", "set", "one", "user.any", "thing")
    first.gluster("volume", "start", "one")
    assert as_asked(cluster, "one", 0) == []
    first.gluster("volume", "stop", "one")


def dispersed(cluster: Cluster) -> None:
    """A dispersed volume serves while its bricks are restarted node by node."""
    cluster.create("two", "disperse", "3", "redundancy", "1")
    with mounted(cluster, "two") as path, written(path / "work"):
        glupy(cluster.first, "attach", "two", "talks")
        as_asked(cluster, "two", 3)
    healed(cluster, "two")
    cluster.first.gluster("volume", "stop", "two")


def grown(cluster: Cluster) -> None:
    """A replicated volume becomes a distributed one of 2 x 3 bricks and is balanced, while files are written."""
    first = cluster.first
    cluster.create("three", "replica", "3")
    first.gluster("volume", "stop", "three")
    glupy(first, "attach", "three", "talks")
    first.gluster("volume", "start", "three")
    with mounted(cluster, "three") as path:
        for number in range(30):
            (path / f"f{number}").write_bytes(b"%d" % number * 1000)
        with written(path / "work"):
            first.gluster("volume", "add-brick", "three", *(f"{brick}-more" for brick in cluster.bricks_of("three")), "force")
            as_asked(cluster, "three", 6)
            first.gluster("volume", "rebalance", "three", "start")
            wait_until(lambda: balanced(first, "three"), "the volume to be balanced", pause=PAUSE)
        healed(cluster, "three")
        for number in range(30):
            assert (path / f"f{number}").read_bytes() == b"%d" % number * 1000
            assert seen(path / f"f{number}") is not None
    assert all(any((node.top / name).glob("f*")) for node in cluster.nodes for name in ("three", "three-more"))
    as_asked(cluster, "three", 6)


def balanced(node: Node, volume: str) -> bool:
    """Whether `gluster volume rebalance` is through on all nodes, with nothing that failed."""
    status = node.xml("volume", "rebalance", volume, "status")
    states = [each.findtext("statusStr") for each in status.iter("node")]
    assert "failed" not in states, states
    return all(state == "completed" for state in states)


def shapes(cluster: Cluster) -> None:
    """Distributed, dispersed, and distributed-replicated volumes."""
    cluster.install("talks", TALKS)
    distributed(cluster)
    dispersed(cluster)
    grown(cluster)


def check_logs(cluster: Cluster) -> None:
    """No brick, client or glusterd has crashed, nothing in Python has failed, and no brick tried a second graph."""
    for log in cluster.top.rglob("*.log"):
        text = log.read_text(errors="replace")
        assert "Traceback (most recent call last)" not in text, log
        assert "signal received" not in text, log
        assert "creation of listener failed" not in text, log


CASES: dict[str, Callable[[Cluster], None]] = {
    function.__name__: function for function in (serving, failing, shapes)
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
    with cases.folder() as top:
        (top / "glupy.conf").write_text(f"[glupy]\ntranslators = {Path(__file__).resolve().parents[1] / 'translators'}\n")
        os.environ["GLUPY_CONF"] = str(top / "glupy.conf")
        cluster = Cluster(top)
        try:
            CASES[sys.argv[1]](cluster)
            check_logs(cluster)
        except BaseException:
            cluster.show_logs()
            raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
