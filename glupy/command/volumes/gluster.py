"""What glusterd says of volumes and peers."""

from __future__ import annotations

import socket
import subprocess
from dataclasses import dataclass
from xml.etree import ElementTree

from glupy.command import machine
from glupy.command.problem import Problem
from glupy_filter import layers
from glupy_filter.layers import Layer


@dataclass(frozen=True)
class Volume:
    """A volume as `gluster volume info` has it."""

    name: str
    started: bool
    bricks: tuple[tuple[str, str], ...]  # the uuid of its node, `host:path`
    set_size: int  # bricks that hold the same data
    spare: int  # how many of these may be away while the rest serve
    options: dict[str, str]

    @property
    def layers(self) -> dict[str, Layer]:
        """Those that its options ask for."""
        return layers.of_pairs(self.options)[0]

    @property
    def sets(self) -> list[tuple[tuple[str, str], ...]]:
        """Its bricks by what holds the same data."""
        return [self.bricks[start:start + self.set_size] for start in range(0, len(self.bricks), self.set_size)]


@dataclass(frozen=True)
class Peer:
    """A node of the cluster, this one included."""

    uuid: str
    host: str
    connected: bool
    here: bool = False  # whether it is this machine


def gluster(*arguments: str) -> ElementTree.Element:
    """Have glusterd do something. Raises Problem with its own words."""
    root = ElementTree.fromstring(_run(*arguments, "--xml") or "<none/>")
    if (root.findtext("opRet") or "0") != "0":
        raise Problem(f"glusterd says of `gluster {' '.join(arguments)}`: {root.findtext('opErrstr') or 'no reason'}; "
                      "mend that first")
    return root


def execute(*arguments: str) -> str:
    """The lines of a program on all nodes. Raises Problem."""
    return _run("system::", "execute", *arguments)


def heal(volume: str) -> None:
    """Have self-heal daemons look for what is to be healed. Raises Problem."""
    _run("volume", "heal", volume)


def copy_file(name: str) -> None:
    """Have the file of that name in glusterd's directory copied into that of all other nodes. Raises Problem."""
    _run("system::", "copy", "file", f"/{name}")


def _run(*arguments: str) -> str:
    program = machine.program("gluster")
    if program is None:
        raise Problem("the program gluster is not installed; on Debian: apt install glusterfs-server, on a node of the "
                      "cluster")
    done = subprocess.run([program, "--mode=script", *arguments], text=True, capture_output=True, check=False)
    if done.returncode and "<opRet>" not in done.stdout:
        said = " ".join((done.stderr + done.stdout).split())
        raise Problem(f"`gluster {' '.join(arguments[:3])}` failed: {said or done.returncode}; is glusterd running here?")
    return done.stdout


def volumes(name: str | None = None) -> list[Volume]:
    """All volumes, or one by its name. Raises Problem."""
    found = [_volume(each) for each in gluster("volume", "info", *([name] if name else [])).iter("volume")]
    if name and not found:
        raise Problem(f"there is no volume {name}; gluster volume list says which there are")
    return found


def peers() -> list[Peer]:
    """All nodes."""
    found = []
    for each in gluster("pool", "list").iter("peer"):
        host = each.findtext("hostname") or ""
        found.append(Peer(each.findtext("uuid") or "", socket.gethostname() if host == "localhost" else host,
                          each.findtext("connected") == "1", host == "localhost"))
    return found


def _volume(element: ElementTree.Element) -> Volume:
    replicas, redundancy = _number(element, "replicaCount"), _number(element, "redundancyCount")
    size = max(_number(element, "disperseCount"), replicas, 1)
    spare = redundancy or (replicas - 1) // 2
    bricks = tuple((each.findtext("hostUuid") or "", each.findtext("name") or "") for each in element.iter("brick"))
    options = {each.findtext("name") or "": each.findtext("value") or "" for each in element.iter("option")}
    return Volume(element.findtext("name") or "", element.findtext("status") == "1", bricks, size, spare, options)


def _number(element: ElementTree.Element, name: str) -> int:
    return int(element.findtext(name) or 0)
