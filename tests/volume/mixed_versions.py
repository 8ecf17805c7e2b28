#!/usr/bin/python3
"""A cluster of two versions of GlusterFS, as it is while nodes are brought up to another one: a node that had this system's
comes back with that of another root.

    mixed_versions.py ROOT STAGE

ROOT is the other system's root (mmdebstrap, a checkout in it, `./run build` there), STAGE the folder of the staged glupy.so as it is
called in there. For hands, in fresh mount, network and process namespaces:

    ./run shell unshare --mount --net --uts --pid --fork --kill-child --propagation unchanged \\
        /usr/bin/python3 tests/volume/mixed_versions.py ROOT STAGE
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]

from cluster_cases import in_a_cluster  # noqa: E402
from cluster_steps import PAUSE, TALKS, glupy, healed, mounted, seen, told, written  # noqa: E402
from support.nodes import Cluster, Node  # noqa: E402
from support.waiting import wait_until  # noqa: E402


def brought_up(cluster: Cluster, root: Path, home: Path) -> Node:
    """The third node, with what it has of state and bricks, in the other root."""
    cluster.nodes[2].end()
    node = cluster.nodes[2] = Node(cluster.top, 3, root=root, home=home)
    assert node.version != cluster.first.version, "both systems have the same GlusterFS"
    cluster.link("talks", [node])
    node.glusterd.start()
    wait_until(lambda: cluster.connected(cluster.first), "the node to be back", pause=PAUSE)
    return node


def differs(cluster: Cluster, layers: int) -> None:
    """So many layers, and nothing differs but GlusterFS."""
    shown = cluster.status_anyway("vol")
    assert len(shown["layers"]) == layers, shown
    assert ["GlusterFS under talks is not the same on all nodes" in each for each in shown["differences"]] == [True], shown


def mixed(cluster: Cluster) -> None:
    """A layer in the bricks goes on, changes, goes, and comes, while a node has another GlusterFS."""
    root, home = Path(sys.argv[1]), Path(sys.argv[2])
    first = cluster.first
    cluster.install("talks", TALKS)
    cluster.create("vol", "replica", "3")
    with mounted(cluster, "vol") as path:
        (path / "file").touch()
        with written(path / "work"):
            glupy(first, "attach", "vol", "talks", "-o", "greeting=first")
            third = brought_up(cluster, root, home)
            healed(cluster, "vol")
            differs(cluster, 3)
            for node, word in ((first, "old"), (third, "new")):
                glupy(node, "set", "vol", "talks", f"greeting={word}")
                told(path / "file", word)
            file = cluster.top / "talks.py"
            file.write_text(TALKS + "# two\n")
            for node in cluster.nodes:
                node.configure("push = yes")
            glupy(third, "push", str(file))
            glupy(first, "set", "vol", "talks", "reload=two")
            glupy(third, "detach", "vol", "talks")
            assert seen(path / "file") is None
            glupy(first, "attach", "vol", "talks", "--client", "--clients-ready")
            wait_until(lambda: seen(path / "file") is not None, "the layer in clients")
            differs(cluster, 3)
            glupy(first, "detach", "vol", "talks")
        healed(cluster, "vol")


if __name__ == "__main__":
    sys.exit(in_a_cluster(mixed))
