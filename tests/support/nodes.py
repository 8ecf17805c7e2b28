"""Nodes of a cluster on this machine: each with network, mounts, glusterd and GlusterFS's directories of its own.

They are for a process that is in fresh mount, network and process namespaces already, and end with the latter. A bridge
joins their networks. What is GlusterFS's stands in each node's directories as links, so a node may lack a piece of it.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

from support.glusterd import Glusterd, environment, run
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
mkdir -p "$top/farm"
mount -t tmpfs -o mode=755 glupy-farm "$top/farm"
mkdir -p "$top/farm/original" "$top/farm/run" "$top/farm/etc-original" "$top/farm/etc/glupy"
mkdir -p "$top/farm/lib/$version/xlator" "$top/farm/lib/$version/filter"
mount --rbind "$lib" "$top/farm/original"
link() { # all that is in a folder, but for some names
    for entry in "$1"/*; do
        case " $3 " in *" ${entry##*/} "*) ;; *) ln -s "$entry" "$2" ;; esac
    done
}
link "$top/farm/original" "$top/farm/lib" "$version"
link "$top/farm/original/$version" "$top/farm/lib/$version" xlator
link "$top/farm/original/$version/xlator" "$top/farm/lib/$version/xlator" "features user"
mkdir "$top/farm/lib/$version/xlator/features" "$top/farm/lib/$version/xlator/user"
link "$top/farm/original/$version/xlator/features" "$top/farm/lib/$version/xlator/features" glupy.so
ln -s "$home/glupy.so" "$top/farm/lib/$version/xlator/features"
[ ! -e "$lib/$version/xlator/user" ] || cp -a "$lib/$version/xlator/user/." "$top/farm/lib/$version/xlator/user"
mount --rbind /etc "$top/farm/etc-original"
link "$top/farm/etc-original" "$top/farm/etc" glupy
mount --bind "$top/etc" "$top/farm/etc/glupy"
mount --rbind "$top/farm/etc" /etc
# glusterd's socket is in /run itself, and so may be the staged glupy.
stage=${home%/*}
mount --rbind /run "$top/farm/run"
mount -t tmpfs -o mode=755 glupy-run /run
mkdir -p /run/gluster
case $stage in
/run/*) mkdir -p "$stage" && mount --rbind "$top/farm$stage" "$stage" ;;
esac
for program in "$home"/bin/peer_*; do
    [ ! -e "$program" ] || ln -sf "$program" "$top/farm/lib"
done
[ ! -e "$home/bin/glupy-filter" ] || ln -s "$home/bin/glupy-filter" "$top/farm/lib/$version/filter/glupy"
mount --rbind "$top/farm/lib" "$lib"
"""


#: Run where a node lives in another system's root, before all else: what of ours is there, too.
ENTER = """\
hostname "$1"
mkdir -p "$3$2"
mount --rbind "$2" "$3$2"
mount --rbind /dev "$3/dev"
mount -t proc proc "$3/proc"
mount -t sysfs sysfs "$3/sys"
mount -t tmpfs -o mode=755 glupy-run "$3/run"
exec chroot "$3" sleep infinity
"""


#: glusterd's volfile: what Debian has, with a network that is found to be gone within seconds, and a peer that says nothing.
GLUSTERD = """\
volume management
    type mgmt/glusterd
    option working-directory /var/lib/glusterd
    option transport-type socket
    option transport.socket.keepalive-time 2
    option transport.socket.keepalive-interval 1
    option transport.socket.keepalive-count 2
    option transport.socket.read-fail-log off
    option transport.socket.listen-port 24007
    option ping-timeout {silence}
    option event-threads 1
end-volume
"""


class Node:
    """One of them. `top` has all that it leaves. With `root` it lives in another system's root, which has a stage of glupy at
    `home`; what a node of that number has left before, it goes on with."""

    def __init__(self, top: Path, number: int, silence: int = 5, root: Path | None = None, home: Path | None = None) -> None:
        self.name, self.address, self.top = f"n{number}", f"10.78.0.{number}", top / f"n{number}"
        self.translators = self.top / "etc/translators"  # which is /etc/glupy/translators there
        self.translators.mkdir(parents=True, exist_ok=root is not None)
        self.home = home or Path(os.environ["GLUPY_STAGE"])
        self.environment = environment()
        self.environment.pop("GLUPY_CONF", None)
        self.keeper = subprocess.Popen(["unshare", "--mount", "--net", "--uts", "--propagation", "unchanged",
                                        "sh", "-euc", ENTER if root else 'hostname "$1"; exec sleep infinity', "sh", self.name,
                                        top, root or "/"])
        own = Path("/proc/self/ns/net")
        wait_until(lambda: os.readlink(f"/proc/{self.keeper.pid}/ns/net") != os.readlink(own), "namespaces")
        wait_until(lambda: Path(f"/proc/{self.keeper.pid}/comm").read_text() == "sleep\n", "the node's keeper")
        self._connect()
        xlators = Path(self.run("/usr/sbin/glusterfsd", "--print-xlatordir").strip())
        self.library, self.version = xlators.parents[1], xlators.parent.name
        self.run("sh", "-c", MOUNTS, "sh", self.top, self.library, self.version, self.home)
        (self.top / "glusterd.vol").write_text(GLUSTERD.format(silence=silence))
        self.glusterd = Glusterd(self.top / "log/glusterd.log", self.environment, ["-f", self.top / "glusterd.vol"],
                                 self.command())

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

    def configure(self, text: str) -> None:
        """Write its glupy.conf, the section [glupy] of it."""
        (self.top / "etc/glupy.conf").write_text(f"[glupy]\n{text}\n")

    def command(self, *command: str | Path) -> list[str | Path]:
        """A command that is run on this node."""
        return ["nsenter", f"--target={self.keeper.pid}", "--mount", "--net", "--uts", "--root", "--wd", "--", *command]

    def done(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command on this node, whatever comes of it."""
        return subprocess.run(self.command(*command), text=True, capture_output=True, check=False, timeout=PATIENCE,
                              env=self.environment)

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

    def kill(self) -> None:
        """End all that runs here, by SIGKILL, but for what keeps the namespaces: as when the power fails."""
        own = os.readlink(f"/proc/{self.keeper.pid}/ns/mnt")
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                if os.readlink(folder / "ns/mnt") == own and int(folder.name) != self.keeper.pid:
                    os.kill(int(folder.name), signal.SIGKILL)
            except OSError:
                continue  # it has ended
        assert self.glusterd.process
        self.glusterd.process.wait(PATIENCE)

    def end(self) -> None:
        """End all that runs here, and its namespaces."""
        self.kill()
        self.keeper.kill()
        self.keeper.wait(PATIENCE)

    def plug(self, state: str) -> None:
        """Take its network cable out ("down") or put it in ("up")."""
        run("ip", "link", "set", self.name, state)

    def bricks(self, volume: str) -> dict[str, int]:
        """The bricks of a volume that are online, by `address:path`, with their process numbers."""
        found = self.xml("volume", "status", volume).iter("node")
        return {f"{each.findtext('hostname')}:{each.findtext('path')}": int(each.findtext("pid") or 0)
                for each in found if each.findtext("status") == "1" and (each.findtext("path") or "").startswith("/")}

    def to_heal(self, volume: str) -> int:
        """How many entries wait to be healed on all its bricks; -1 where one cannot say."""
        counts = [each.text for each in self.xml("volume", "heal", volume, "info").iter("numberOfEntries")]
        return sum(map(int, filter(None, counts))) if all(each and each.isdigit() for each in counts) else -1

    def urge(self, volume: str) -> None:
        """Have the self-heal daemons look for what is to be healed: they leave for ten minutes what they found locked."""
        self.done("gluster", "--mode=script", "volume", "heal", volume)

    def show_logs(self) -> None:
        for log in sorted((self.top / "log").rglob("*.log")):
            print(f"--- {log}\n{log.read_text(errors='replace')[-2500:]}")


class Cluster:
    """Nodes that know each other. Who says nothing for so many seconds of silence has gone: glusterd does not while bricks start."""

    def __init__(self, top: Path, count: int = 3, silence: int = 5) -> None:
        self.top = top
        run("ip", "link", "set", "lo", "up")
        run("ip", "link", "add", "glupybr", "type", "bridge")
        run("ip", "addr", "add", "10.78.0.254/24", "dev", "glupybr")
        run("ip", "link", "set", "glupybr", "up")
        self.nodes = [Node(top, number + 1, silence) for number in range(count)]
        self.first = self.nodes[0]
        for node in self.nodes:
            node.glusterd.begin()
        for node in self.nodes:
            node.glusterd.wait()
        for node in self.nodes[1:]:
            self.first.gluster("peer", "probe", node.address)
        for node in self.nodes:
            wait_until(lambda node=node: self.connected(node), f"{node.name} to know its peers", pause=0.1)

    def connected(self, node: Node, count: int | None = None) -> bool:
        """Whether a node is connected with all others, or as many as count says."""
        peers = list(node.xml("peer", "status").iter("peer"))
        there = [peer for peer in peers if peer.findtext("connected") == "1" and peer.findtext("state") == "3"]
        return len(there) == (len(self.nodes) - 1 if count is None else count)

    def install(self, name: str, text: str, nodes: list[Node] | None = None) -> None:
        """Give nodes a translator, and its link."""
        for node in nodes or self.nodes:
            (node.translators / f"{name}.py").write_text(text)
        self.link(name, nodes or self.nodes)

    def link(self, name: str, nodes: list[Node]) -> None:
        """Give nodes the link of a translator."""
        for node in nodes:
            node.run("ln", "-sfn", node.home / "glupy.so", node.user_links / f"{name}.so")

    def bricks_of(self, volume: str) -> list[str]:
        """A brick of a volume on each node, as glusterd's commands have them."""
        return [f"{node.address}:{node.top}/{volume}" for node in self.nodes]

    def create(self, volume: str, *kind: str) -> None:
        """A volume with a brick on each node, started; clients give up what does not answer after 5 seconds."""
        self.first.gluster("volume", "create", volume, *kind, *self.bricks_of(volume), "force")
        self.first.gluster("volume", "set", volume, "network.ping-timeout", "5")
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
        """Those of clients last: what is shown of a case that fails are its last lines."""
        for node in self.nodes:
            node.show_logs()
        for log in sorted(self.top.glob("*.log")):
            lines = log.read_text(errors="replace").splitlines()
            worse = [line[:400] for line in lines if "] I [" not in line]
            print(f"--- {log}, at WARNING and worse\n" + "\n".join(worse[-40:]))
