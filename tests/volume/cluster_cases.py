#!/usr/bin/python3
"""Layers under volumes of three nodes, by `glupy push`, `attach` and their like.

Run by test_cluster.py in fresh mount, network and process namespaces; `cluster_cases.py CASE` exits 0 when all went well.
Nodes take long to come up and volumes long to heal, so a case is a life of one cluster, in steps.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]

from cluster_failing import failing  # noqa: E402
from cluster_programs import programs  # noqa: E402
from cluster_serving import serving  # noqa: E402
from cluster_shapes import grows, shapes  # noqa: E402
from cluster_shelf import shelf  # noqa: E402
from cluster_steps import check_logs  # noqa: E402
from support import cases  # noqa: E402
from support.glusterd import run  # noqa: E402
from support.nodes import Cluster  # noqa: E402

CASES: dict[str, Callable[[Cluster], None]] = {
    case.__name__: case for case in (serving, failing, shapes, grows, shelf, programs)}

#: Of those that do without three.
NODES = {"programs": 1}

#: Cases in which bricks have so many layers that their nodes say nothing for a while when they start.
SILENCE = {"shelf": 60}


def look_after() -> None:
    """Go on in a child, and be what an init is to all others: who ends is no zombie, which glusterd takes for a brick."""
    child = os.fork()
    while child:
        pid, status = os.wait()
        if pid == child:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


def in_a_cluster(case: Callable[[Cluster], None], nodes: int = 3, silence: int = 5) -> int:
    """Run a case with as many nodes, and look at all logs after it."""
    run("mount", "-t", "proc", "proc", "/proc")
    look_after()
    with cases.folder() as top:
        (top / "glupy.conf").write_text(f"[glupy]\ntranslators = {Path(__file__).resolve().parents[1] / 'translators'}\n")
        os.environ["GLUPY_CONF"] = str(top / "glupy.conf")
        cluster = Cluster(top, nodes, silence)
        try:
            case(cluster)
            check_logs(cluster)
        except BaseException:
            cluster.show_logs()
            raise
    return 0


if __name__ == "__main__":
    sys.exit(in_a_cluster(CASES[sys.argv[1]], NODES.get(sys.argv[1], 3), SILENCE.get(sys.argv[1], 5)))
