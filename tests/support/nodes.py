"""Nodes of a cluster on this machine: each with network, mounts, glusterd and GlusterFS's directories of its own.

They are for a process that is in fresh mount, network and process namespaces already, and end with the latter. A bridge
joins their networks. What is GlusterFS's stands in each node's directories as links, so a node may lack a piece of it.
"""

from __future__ import annotations

import json
import os
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from support.waiting import PATIENCE, wait_until

#: Run in a node's mounts: stands folders of the node's own in those that GlusterFS and glupy have fixed names for.
MOUNTS = """\
set -eu
top=$1 lib=$2 version=$3 home=$4
for pair in glusterd:/var/lib/glusterd log:/var/log/glusterfs; do
    mkdir -p "$top/${pair%%:*}" "${pair#*:}"
    mount --bind "$top/${pair%%:*}" "${pair#*:}"
done
mkdir -p "$top/log/bricks"
mkdir "$top/farm"
mount -t tmpfs -o mode=755 glupy-farm "$top/farm"
mkdir -p "$top/farm/original" "$top/farm/run" "$top/farm/lib/$version/xlator" "$top/farm/lib/$version/filter"
mount --rbind "$lib" "$top/farm/original"
link() { # all that is in a folder, but for one name
    for entry in "$1"/*; do
        [ "${entry##*/}" = "$3" ] || ln -s "$entry" "$2"
    done
}
link "$top/farm/original" "$top/farm/lib" "$version"
link "$top/farm/original/$version" "$top/farm/lib/$version" xlator
link "$top/farm/original/$version/xlator" "$top/farm/lib/$version/xlator" user
cp -a "$top/farm/original/$version/xlator/user" "$top/farm/lib/$version/xlator/user"
# glusterd's socket is in /run itself, and so is the staged glupy.
stage=${home%/*}
mount --rbind /run "$top/farm/run"
mount -t tmpfs -o mode=755 glupy-run /run
mkdir -p /run/gluster "$stage"
mount --rbind "$top/farm$stage" "$stage"
for program in "$home"/bin/peer_*; do
    [ ! -e "$program" ] || ln -sf "$program" "$top/farm/lib"
done
[ ! -e "$home/bin/glupy-filter" ] || ln -s "$home/bin/glupy-filter" "$top/farm/lib/$version/filter/glupy"
mount --rbind "$top/farm/lib" "$lib"
"""


def run(*command: str | Path) -> str:
    """What a command says; AssertionError where it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          timeout=PATIENCE)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.returncode}: {done.stdout}")
    return done.stdout


class Node:
    """One of them. `top` has all that it leaves."""

    def __init__(self, top: Path, number: int) -> None:
        self.name, self.address, self.top = f"n{number}", f"10.78.0.{number}", top / f"n{number}"
        self.top.mkdir()
        self.translators = self.top / "translators"
        self.translators.mkdir()
        self.home = Path(os.environ["GLUPY_STAGE"])
        xlators = Path(run("/usr/sbin/glusterfsd", "--print-xlatordir").strip())
        self.library, self.version = xlators.parents[1], xlators.parent.name
        self.keeper = subprocess.Popen(["unshare", "--mount", "--net", "--uts", "--propagation", "unchanged",
                                        "sh", "-c", f"hostname {self.name}; exec sleep infinity"])
        own = Path("/proc/self/ns/net")
        wait_until(lambda: os.readlink(f"/proc/{self.keeper.pid}/ns/net") != os.readlink(own), "namespaces")
        wait_until(lambda: Path(f"/proc/{self.keeper.pid}/comm").read_text() == "sleep\n", "the node's keeper")
        self._connect()
        self.run("sh", "-c", MOUNTS, "sh", self.top, self.library, self.version, self.home)
        self._configure()
        self.glusterd: subprocess.Popen[bytes] | None = None

    @property
    def user_links(self) -> Path:
        """Where its links user/NAME.so are, as seen from outside of the node."""
        return self.library / self.version / "xlator/user"

    def _connect(self) -> None:
        run("ip", "link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", str(self.keeper.pid))
        run("ip", "link", "set", self.name, "master", "glupybr", "up")
        self.run("ip", "addr", "add", f"{self.address}/24", "dev", "eth0")
        for interface in ("eth0", "lo"):
            self.run("ip", "link", "set", interface, "up")

    def _configure(self) -> None:
        (self.top / "glupy.conf").write_text(f"[glupy]\ntranslators = {self.translators}\n")
        # glusterd runs Python scripts of its own, which ours would mislead.
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        self.environment["GLUPY_CONF"] = str(self.top / "glupy.conf")

    def command(self, *command: str | Path) -> list[str | Path]:
        """A command that is run on this node."""
        return ["nsenter", f"--target={self.keeper.pid}", "--mount", "--net", "--uts", "--root", "--", *command]

    def done(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command on this node, whatever comes of it."""
        return subprocess.run(self.command(*command), text=True, capture_output=True, check=False, timeout=PATIENCE,
                              env=getattr(self, "environment", None))

    def run(self, *command: str | Path) -> str:
        """Run a command on this node; what it prints. AssertionError where it fails."""
        done = self.done(*command)
        if done.returncode:
            raise AssertionError(f"{self.name}: {' '.join(map(str, command))}: {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def gluster(self, *arguments: str) -> str:
        return self.run("gluster", "--mode=script", *arguments)

    def glupy(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run our command on this node, whatever comes of it."""
        return self.done(self.home / "bin/glupy", *arguments)

    def xml(self, *arguments: str) -> ElementTree.Element:
        return ElementTree.fromstring(self.gluster(*arguments, "--xml"))

    def start(self) -> None:
        """Start glusterd."""
        self.glusterd = subprocess.Popen(
            self.command("glusterd", "-N", "-p", "/run/gluster/glusterd.pid", "-l", self.top / "log/glusterd.log"), env=self.environment)
        wait_until(self.answers, f"glusterd of {self.name} to answer")

    def answers(self) -> bool:
        assert self.glusterd and self.glusterd.poll() is None, f"glusterd of {self.name} ended"
        try:  # who asks too early may wait for two minutes
            done = subprocess.run(self.command("gluster", "--mode=script", "volume", "list"), capture_output=True,
                                  check=False, timeout=5)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def stop(self) -> None:
        """End glusterd, and wait for it. Bricks go on."""
        assert self.glusterd
        self.glusterd.terminate()
        self.glusterd.wait(PATIENCE)

    def bricks(self, volume: str) -> dict[str, int]:
        """The bricks of a volume that are online, by `address:path`, with their process numbers."""
        found = self.xml("volume", "status", volume).iter("node")
        return {f"{each.findtext('hostname')}:{each.findtext('path')}": int(each.findtext("pid") or 0)
                for each in found if each.findtext("status") == "1" and (each.findtext("path") or "").startswith("/")}

    def to_heal(self, volume: str) -> int:
        """How many entries wait to be healed on all its bricks; -1 where one cannot say."""
        counts = [each.text for each in self.xml("volume", "heal", volume, "info").iter("numberOfEntries")]
        return sum(map(int, filter(None, counts))) if all(each and each.isdigit() for each in counts) else -1

    def show_logs(self) -> None:
        for log in sorted((self.top / "log").rglob("*.log")):
            print(f"--- {log}\n{log.read_text(errors='replace')[-2500:]}")


class Cluster:
    """Nodes that know each other."""

    def __init__(self, top: Path, count: int = 3) -> None:
        self.top = top
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "glupybr", "type", "bridge")
        run("ip", "addr", "add", "10.78.0.254/24", "dev", "glupybr")
        run("ip", "link", "set", "glupybr", "up")
        self.nodes = [Node(top, number + 1) for number in range(count)]
        self.first = self.nodes[0]
        for node in self.nodes:
            node.start()
        for node in self.nodes[1:]:
            self.first.gluster("peer", "probe", node.address)
        for node in self.nodes:
            wait_until(lambda node=node: self.connected(node), f"{node.name} to know its peers")

    def connected(self, node: Node, count: int | None = None) -> bool:
        """Whether a node is connected with all others, or as many as count says."""
        peers = list(node.xml("peer", "status").iter("peer"))
        there = [peer for peer in peers if peer.findtext("connected") == "1" and peer.findtext("state") == "3"]
        return len(there) == (len(self.nodes) - 1 if count is None else count)

    def install(self, name: str, text: str, nodes: list[Node] | None = None) -> None:
        """Give nodes a translator, and its link."""
        for node in nodes or self.nodes:
            (node.translators / f"{name}.py").write_text(text)
            node.run("ln", "-sfn", node.home / "glupy.so", node.user_links / f"{name}.so")

    def create(self, volume: str, *kind: str) -> None:
        """A volume with a brick on each node, started."""
        bricks = [f"{node.address}:{node.top}/{volume}" for node in self.nodes]
        self.first.gluster("volume", "create", volume, *kind, *bricks, "force")
        self.first.gluster("volume", "start", volume)

    def status(self, volume: str) -> Any:
        """What `glupy status --json` says of a volume."""
        found, = json.loads(self.first.run(self.first.home / "bin/glupy", "status", volume, "--json"))
        return found

    def status_anyway(self, volume: str) -> Any:
        """The same where something differs."""
        found, = json.loads(self.first.glupy("status", volume, "--json").stdout)
        return found

    def brick_log(self, node: Node, volume: str) -> str:
        name = f"{node.top}/{volume}".strip("/").replace("/", "-")
        return (node.top / f"log/bricks/{name}.log").read_text(errors="replace")

    def show_logs(self) -> None:
        for node in self.nodes:
            node.show_logs()
