"""A volume that serves, from the first push of a translator to its end."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from pathlib import Path

from cluster_steps import TALKS, as_asked, glupy, healed, mounted, seen, told, written
from support.nodes import Cluster
from support.waiting import wait_until


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
    """Another version of it is pushed to all nodes by one command, which bricks run the old one is shown, and how all of them
    come to load the new one."""
    first = cluster.first
    before = first.bricks("vol")
    file = cluster.top / "talks.py"
    file.write_text(TALKS + "\n\ndef ask_edition(self: Talks, path: str) -> str:\n    return 'second'\n")
    glupy(first, "push", str(file))
    said = glupy(first, "status", "vol", status=1)
    assert said.count("runs another file of talks") == 3, said
    mend = re.search(r"; glupy (set vol talks reload=\S+) has it loaded", said)
    assert mend, said
    glupy(first, *mend[1].split())
    wait_until(lambda: all("it was loaded anew" in cluster.brick_log(node, "vol") for node in cluster.nodes), "all bricks")
    assert os.getxattr(path, "user.edition") == b"second" and first.bricks("vol") == before
    assert {row["loaded"] for row in as_asked(cluster, "vol", 3)} == {hashlib.sha256(file.read_bytes()).hexdigest()}


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
        assert "10.78.0.254 uses volume vol, is no node" in said and cluster.status("vol")["asked"] == {}
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
