#!/usr/bin/python3
"""What many bricks in one process take, without a layer and with one in each: memory, and time to start.

    many_bricks.py COUNT...

For hands, as it takes minutes (docs/performance.md has what came of it, and how many there can be), in fresh mount, network and process namespaces:

    ./run shell unshare --mount --net --uts --pid --fork --kill-child --propagation unchanged \\
        /usr/bin/python3 tests/volume/many_bricks.py 1 10 75
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[1])]

from cluster_cases import in_a_cluster  # noqa: E402
from cluster_steps import glupy, mounted  # noqa: E402
from support.nodes import Cluster  # noqa: E402
from support.waiting import wait_until  # noqa: E402

LAYER = '''\
from glupy import Translator


class Awaits(Translator):
    async def stat(self, frame, loc, xdata):
        return await self.child.stat(loc, xdata)
'''

#: Seconds for a volume's bricks to be online.
PATIENCE = 600


def private_mib(pid: int) -> float:
    """Memory that is a process's alone."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_")) / 1024


def cpu_seconds(pid: int) -> float:
    """Of a process, since it began."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def started(cluster: Cluster, volume: str, count: int) -> tuple[int, float]:
    """The one process that serves all bricks of a volume, and after how many seconds it did."""
    node = cluster.first
    begin = time.monotonic()
    node.gluster("volume", "start", volume)
    wait_until(lambda: len(node.bricks(volume)) == count, f"{count} bricks to be online", PATIENCE, pause=0.5)
    took = time.monotonic() - begin
    (pid,) = set(node.bricks(volume).values())
    return pid, took


def measure(cluster: Cluster, volume: str, count: int, layer: bool) -> None:
    """Say what a volume of so many bricks takes; all of them have been used when memory is looked at."""
    node = cluster.first
    node.gluster("volume", "create", volume, *(f"{node.address}:{node.top}/{volume}{number}" for number in range(count)), "force")
    if layer:
        glupy(node, "attach", volume, "awaits")
    pid, took = started(cluster, volume, count)
    assert len(cluster.status(volume)["layers"]) == (count if layer else 0)
    with mounted(cluster, volume) as path:
        for number in range(8 * count):
            (path / f"file{number}").write_text("some text")
        used = sum(any(Path(f"{node.top}/{volume}{number}").glob("file*")) for number in range(count))
        print(f"{count} bricks, {'an await in each' if layer else 'no layer'}: online after {took:.1f} s, {used} of them have files, "
              f"{private_mib(pid):.1f} MiB private, {cpu_seconds(pid):.1f} s of CPU", flush=True)
    node.gluster("volume", "stop", volume)
    node.gluster("volume", "delete", volume)


def many_bricks(cluster: Cluster) -> None:
    """Each number of bricks in turn, without and with."""
    cluster.install("awaits", LAYER)
    for name, value in (("cluster.brick-multiplex", "on"), ("cluster.max-bricks-per-process", "250")):
        cluster.first.gluster("volume", "set", "all", name, value)
    for count in map(int, sys.argv[1:]):
        measure(cluster, f"without{count}", count, False)
        measure(cluster, f"with{count}", count, True)


if __name__ == "__main__":
    sys.exit(in_a_cluster(many_bricks, nodes=1))
