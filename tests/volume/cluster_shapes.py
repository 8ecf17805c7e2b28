"""Volumes of other kinds: distributed, dispersed, distributed-replicated."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

from cluster_steps import TALKS, as_asked, glupy, healed, mounted, seen, written
from support.nodes import Cluster, Node
from support.waiting import wait_until


def distributed(cluster: Cluster) -> None:
    """A volume that cannot serve while a brick is away is changed while it is stopped; and reset."""
    first = cluster.first
    cluster.create("one")
    said = glupy(first, "attach", "one", "talks", status=1)
    assert "gluster volume stop one, then the same command, then gluster volume start one" in said
    assert "user.glupy" not in first.gluster("volume", "info", "one")
    first.gluster("volume", "stop", "one")
    glupy(first, "attach", "one", "talks", "--at", "locks", "-o", "greeting=none")
    glupy(first, "set", "one", "talks", "greeting=first")
    first.gluster("volume", "start", "one")
    assert {row["place"] for row in as_asked(cluster, "one", 3)} == {"locks"}
    with mounted(cluster, "one") as path:
        for number in range(20):  # of all bricks
            (path / f"f{number}").touch()
            assert (seen(path / f"f{number}") or [""] * 4)[3] == "first"
    saved = cluster.status("one")["asked"]["talks"]
    assert saved == "locks greeting=first" and f"user.glupy.talks: {saved}" in first.gluster("volume", "info", "one")
    # A reset of the whole volume takes the layer out of its options, not out of bricks that run.
    first.gluster("volume", "reset", "one")
    assert len(cluster.status_anyway("one")["layers"]) == 3 and cluster.status_anyway("one")["differences"]
    first.gluster("volume", "stop", "one")
    first.gluster("volume", "set", "one", "user.any", "thing")
    first.gluster("volume", "start", "one")
    assert as_asked(cluster, "one", 0) == []
    first.gluster("volume", "stop", "one")
    # What was saved of its options brings it back; what was set last holds at the next change.
    first.gluster("volume", "set", "one", "user.glupy.talks", saved)
    assert cluster.status_anyway("one")["differences"]
    first.gluster("volume", "set", "one", "user.any", "other")
    assert {(row["place"], row["options"]["greeting"], row["pid"]) for row in as_asked(cluster, "one", 3)} == {
        ("locks", "first", None)}
    glupy(first, "detach", "one", "talks")
    as_asked(cluster, "one", 0)


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
        # A rename over a file may fail with EEXIST meanwhile: docs/clusters.md, "What GlusterFS does".
        with written(path / "work", over=False):
            first.gluster("volume", "add-brick", "three", *(f"{brick}-more" for brick in cluster.bricks_of("three")), "force")
            as_asked(cluster, "three", 6)
            balance(first, "three")
        healed(cluster, "three")
        for number in range(30):
            assert (path / f"f{number}").read_bytes() == b"%d" % number * 1000
            assert seen(path / f"f{number}") is not None
        rolled(cluster, path)
    assert all(any((node.top / name).glob("f*")) for node in cluster.nodes for name in ("three", "three-more"))
    as_asked(cluster, "three", 6)


def rolled(cluster: Cluster, path: Path) -> None:
    """The layer goes from all six bricks and comes back, while the volume serves: it would not with two bricks of a set away,
    as replicas have a quorum."""
    first = cluster.first
    with written(path / "rolled"):
        glupy(first, "detach", "three", "talks")
        assert as_asked(cluster, "three", 0) == [] and seen(path / "f0") is None
        said = glupy(cluster.nodes[1], "attach", "three", "talks", "-o", "greeting=rolled")
        assert said.count("restart the bricks of three on") == 3
        assert len({row["brick"] for row in as_asked(cluster, "three", 6)}) == 6
        assert (seen(path / "f0") or [""] * 4)[3] == "rolled"
    healed(cluster, "three")


def balance(node: Node, volume: str) -> None:
    """Until `gluster volume rebalance` has come to its end on all nodes. One of its processes gives up when a brick has not answered for
    some seconds, which on a busy machine it may not: then it is begun again, as one does."""
    for _ in range(3):
        node.gluster("volume", "rebalance", volume, "start")
        wait_until(lambda: not states_of(node, volume) & {"in progress", "not started"}, "the volume to be balanced", pause=1)
        if states_of(node, volume) == {"completed"}:
            return
    raise AssertionError(states_of(node, volume))


def states_of(node: Node, volume: str) -> set[str | None]:
    """Those of a rebalance, on all nodes. glusterd asks its processes, and fails while one of them ends."""
    done = node.done("gluster", "--mode=script", "volume", "rebalance", volume, "status", "--xml")
    if done.returncode:
        assert "brick op 'Rebalance' failed" in done.stdout, done
        return {"in progress"}
    return {each.findtext("statusStr") for each in ElementTree.fromstring(done.stdout).iter("node")}


def shapes(cluster: Cluster) -> None:
    """Distributed and dispersed volumes."""
    cluster.install("talks", TALKS)
    distributed(cluster)
    dispersed(cluster)


def grows(cluster: Cluster) -> None:
    """A distributed-replicated volume."""
    cluster.install("talks", TALKS)
    grown(cluster)
