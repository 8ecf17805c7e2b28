"""Bricks, nodes and networks that fail."""

from __future__ import annotations

import subprocess
from pathlib import Path

from cluster_steps import PAUSE, TALKS, as_asked, glupy, half_made, healed, mounted, seen, told, without_brick, written
from support.nodes import Cluster, Node
from support.waiting import wait_until


def interrupted(cluster: Cluster) -> None:
    """A node goes away in the middle: the command says so and ends; what was done is taken back, or gone on with."""
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
    assert "lacks talks; glupy attach vol talks goes on with it" in glupy(first, "status", "vol", status=1)
    said = glupy(first, "detach", "vol", "talks")
    assert 1 <= said.count("restart the bricks of vol on") <= 2 and as_asked(cluster, "vol", 0) == []
    glupy(first, "attach", "vol", "talks", "-o", "greeting=first")
    as_asked(cluster, "vol", 3)


def back(cluster: Cluster, node: Node) -> None:
    """A node that had been killed starts, and has what was written meanwhile."""
    half_made(node)
    node.glusterd.start()
    wait_until(lambda: cluster.connected(cluster.first), "the node to be back", pause=PAUSE)
    healed(cluster, "vol")


def kill_a_brick(cluster: Cluster, path: Path) -> None:
    """A brick that was killed comes back with the layer."""
    with without_brick(cluster, cluster.nodes[2], "vol"):
        assert seen(path) is not None
    as_asked(cluster, "vol", 3)


def kill_a_node(cluster: Cluster, path: Path) -> None:
    """All of a node is killed while files are written; what is set meanwhile it has when it is back."""
    first, second, third = cluster.nodes
    file = cluster.top / "talks.py"
    file.write_text(TALKS + "# two\n")
    second.configure("push = yes")
    third.configure("push = yes")
    third.kill()
    wait_until(lambda: cluster.connected(first, 1), "the others to see that it is away", pause=PAUSE)
    assert f"{third.address} cannot be reached; it will have this" in glupy(first, "set", "vol", "talks", "greeting=second")
    told(path, "second")
    assert f"{third.address} cannot be reached" in cluster.status_anyway("vol")["differences"]
    assert f"{third.address}: it cannot be reached" in glupy(first, "push", str(file), status=1)
    assert (second.translators / "talks.py").read_text() == file.read_text()
    back(cluster, third)
    assert "has it already" in glupy(first, "push", str(file))
    glupy(first, "set", "vol", "talks", "reload=two")
    wait_until(lambda: first.glupy("status", "vol").returncode == 0, "the node to have caught up", pause=PAUSE)
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
