#!/usr/bin/python3
"""The lines of docs/shelf/README.md, on a volume of one node that glusterd manages.

Run by test_gallery.py in fresh mount, network and process namespaces; exits 0 when all went well.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests")]

from support import cases  # noqa: E402
from support.glusterd import run  # noqa: E402
from support.nodes import Cluster, Node  # noqa: E402
from support.waiting import wait_until  # noqa: E402

PAGE = (ROOT / "docs/shelf/README.md").read_text()

#: The one line that ends with Ctrl-C only.
FOLLOW = "glupy watch VOL\n"


def examples() -> dict[str, str]:
    """The lines for each translator."""
    return dict(re.findall(r"^\*\*(\w+)\*\*:.*\n\n```\n((?:.+\n)+)```$", PAGE, re.MULTILINE))


def type_in(node: Node, lines: str) -> None:
    """On a terminal; but it asks no questions."""
    node.run("sh", "-ec", f'PATH={node.home}/bin:$PATH\ngluster() {{ command gluster --mode=script "$@"; }}\n{lines}')


def prepare(node: Node) -> None:
    """What the lines go on from: the rules of policy, and a folder to mount at."""
    node.run("sh", "-ec", f"""
        mkdir {node.top}/glusterfs {node.top}/mnt
        cp -a /etc/glusterfs/. {node.top}/glusterfs
        mount --bind {node.top}/glusterfs /etc/glusterfs
        mount --bind {node.top}/mnt /mnt
        echo 'deny fop=removing name=kept' >/etc/glusterfs/policy-VOL
    """)


def gallery(cluster: Cluster) -> None:
    node, found = cluster.first, examples()
    prepare(node)
    cluster.create("VOL")
    shipped = {path.stem if path.suffix else path.name for path in (ROOT / "docs/shelf").glob("*.md")} - {"README"}
    assert set(found) == shipped, f"{set(found) ^ shipped} of the shelf's pages"
    # Those that start the volume come last, so that all others are begun by the first of them.
    for name in sorted(found, key=lambda name: ("volume start" in found[name], "mount" in found[name])):
        print(f"--- {name}", flush=True)
        type_in(node, found[name].replace(FOLLOW, ""))
    log = cluster.brick_log(node, "VOL")
    graph = log[log.rindex("Final graph"):]
    assert not shipped - set(re.findall(r"type user/(\w+)", graph)), graph
    follow = subprocess.Popen(node.command(node.home / "bin/glupy", "watch", "VOL", "--from", "start"), env=node.environment,
                              stdout=subprocess.PIPE, text=True)
    node.run("sh", "-ec", "echo data >/mnt/file; echo data >/mnt/kept; rm /mnt/kept; ls /mnt/.trash/0/kept.*; mkdir /mnt/folder")
    assert follow.stdout
    for line in follow.stdout:
        if "/folder" in line:
            break
    follow.terminate()
    follow.wait()
    assert '"prev"' in (node.top / "log/audit-VOL.json").read_text()
    wait_until(lambda: "would be denied by line 1: unlink of /kept" in cluster.brick_log(node, "VOL"), "what policy records")
    assert "bytes=" in node.run("getfattr", "-n", "user.quota.usage.user.1000", "--only-values", "/mnt")
    assert "places" in node.run("getfattr", "-n", "trusted.qos.stats", "--only-values", "/mnt")
    node.run("umount", "/mnt")


def main() -> int:
    run("mount", "-t", "proc", "proc", "/proc")
    with cases.folder() as top:
        cluster = Cluster(top, 1)
        try:
            gallery(cluster)
        except BaseException:
            cluster.show_logs()
            raise
    return 0


if __name__ == "__main__":
    sys.exit(main())
