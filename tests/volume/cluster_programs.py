"""Programs that have a client's graph in their own process: Samba and NFS-Ganesha, as Debian has them."""

from __future__ import annotations

import contextlib
import itertools
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from cluster_steps import PAUSE, glupy
from support.nodes import Cluster, Node
from support.waiting import PATIENCE, wait_until

#: What is stored is not what was written, and some names cannot be made: so it shows who has it, and with which options.
GATE = '''\
from glupy import Option, Translator


class Gate(Translator):
    closed = Option(str, default="never", help="part of the names of files that nobody makes")

    def init(self):
        self.log.info("begins, closed for %s", self.closed)

    def fini(self):
        self.log.info("ends, closed for %s", self.closed)

    async def create(self, frame, loc, flags, mode, umask, fd, xdata):
        if self.closed in loc.name:
            raise PermissionError
        return await self.child.create(loc, flags, mode, umask, fd, xdata)

    async def writev(self, frame, fd, vector, offset, flags, xdata):
        return await self.child.writev(fd, bytes(vector).swapcase(), offset, flags, xdata)

    async def readv(self, frame, fd, size, offset, flags, xdata):
        reply = await self.child.readv(fd, size, offset, flags, xdata)
        return reply.replace(vector=bytes(reply.data).swapcase())
'''

#: smbd's settings, for the module glusterfs. Guests are nobody, so that the process changes its user now and then.
SMB = """\
[global]
    log file = {top}/log/smbd.log
    {folders}
    map to guest = bad user
    disable netbios = yes
    smb ports = 445
    load printers = no
[vol]
    path = /
    vfs objects = glusterfs
    glusterfs:volume = vol
    glusterfs:volfile_server = {address}
    glusterfs:logfile = {top}/log/smbd-gluster.log
    glusterfs:loglevel = 7
    kernel share modes = no
    read only = no
    guest ok = yes
"""

#: ganesha.nfsd's, for NFS 4 alone: version 3 needs rpcbind besides. From version 6 on it asks for a privilege that containers
#: do not give; version 4 does not know that option, and goes on.
GANESHA = """\
NFS_CORE_PARAM {{
    Protocols = 4;
    Enable_NLM = false;
    Enable_RQUOTA = false;
    allow_set_io_flusher_fail = true;
}}
NFSV4 {{
    Graceless = true;
    RecoveryRoot = "{top}/recovery";
}}
EXPORT {{
    Export_Id = 1;
    Path = "/";
    Pseudo = "/vol";
    Protocols = 4;
    Transports = TCP;
    Access_Type = RW;
    Squash = None;
    SecType = sys;
    FSAL {{
        Name = GLUSTER;
        Hostname = "{address}";
        Volume = "vol";
        glfs_log = "{top}/log/ganesha-gluster.log";
        enable_upcall = false;
    }}
}}
"""


@contextlib.contextmanager
def started(node: Node, *command: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon that stays in the foreground; ended at the end."""
    with open(node.top / f"log/{Path(command[0]).name}-out.log", "wb") as out:
        process = subprocess.Popen(node.command(*command), env=node.environment, stdin=subprocess.DEVNULL, stdout=out,
                                   stderr=subprocess.STDOUT, start_new_session=True)  # smbd ends its whole process group
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE)


class Smb:
    """A client of Samba's that stays connected, and with it a process of smbd's."""

    def __init__(self, node: Node, folder: Path) -> None:
        self.node, self.folder, self.said = node, folder, 0
        folder.mkdir()
        # smbclient reads with stdio and waits with poll(): of two lines in one read it would see the second too late.
        self.lines, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with open(node.top / "log/smbclient.log", "wb") as out:
            self.process = subprocess.Popen(
                node.command("sh", "-c", 'cd "$1" && exec smbclient -N -s /dev/null "$2"', "sh", folder,
                             f"//{node.address}/vol"),
                stdin=its, stdout=out, stderr=subprocess.STDOUT, env=node.environment)
        its.close()

    def _do(self, command: str) -> None:
        """Have it do something, and wait until it has."""
        self.said += 1
        for line in (command, f"!touch done-{self.said}"):
            self.lines.send(f"{line}\n".encode())
        wait_until((self.folder / f"done-{self.said}").exists, f"smbclient to {command}", pause=0.05)

    def write(self, name: str, data: bytes) -> None:
        (self.folder / name).write_bytes(data)
        self._do(f"put {name}")

    def read(self, name: str) -> bytes:
        self._do(f"get {name} {name}.read")
        assert (self.folder / f"{name}.read").exists(), (self.node.top / "log/smbclient.log").read_text()
        return (self.folder / f"{name}.read").read_bytes()

    def end(self) -> None:
        self.lines.close()
        assert self.process.wait(PATIENCE) == 0


class Nfs:
    """Clients of NFS-Ganesha's. Its process stays the same."""

    def __init__(self, node: Node, folder: Path) -> None:
        self.node, self.folder = node, folder
        folder.mkdir()

    def _url(self, name: str) -> str:
        return f"nfs://{self.node.address}/vol/{name}?version=4"

    def write(self, name: str, data: bytes) -> None:
        (self.folder / name).write_bytes(data)
        self.node.done("nfs-cp", self.folder / name, self._url(name))

    def read(self, name: str) -> bytes:
        return self.node.run("nfs-cat", self._url(name)).encode()

    def end(self) -> None:
        """Nothing is left."""


@contextlib.contextmanager
def samba(node: Node) -> Iterator[Smb]:
    """smbd, and a session with it."""
    top = node.top / "smb"
    top.mkdir()
    kinds = ("private dir", "lock directory", "state directory", "cache directory", "pid directory", "ncalrpc dir",
             "usershare path")
    folders = "\n    ".join(f"{kind} = {top}" for kind in kinds)
    (node.top / "smb.conf").write_text(SMB.format(top=node.top, folders=folders, address=node.address))
    with started(node, "smbd", "--foreground", "--no-process-group", "-s", node.top / "smb.conf") as process:
        wait_until(lambda: answers(node, process, 445), "smbd to answer", pause=PAUSE)
        session = Smb(node, node.top / "smbclient")
        yield session
        session.end()


@contextlib.contextmanager
def ganesha(node: Node) -> Iterator[Nfs]:
    """ganesha.nfsd."""
    (node.top / "ganesha.conf").write_text(GANESHA.format(top=node.top, address=node.address))
    with started(node, "ganesha.nfsd", "-F", "-f", node.top / "ganesha.conf", "-L", node.top / "log/ganesha.log", "-p",
                 node.top / "ganesha.pid") as process:
        wait_until(lambda: answers(node, process, 2049), "ganesha.nfsd to answer", pause=PAUSE)
        yield Nfs(node, node.top / "nfs")


def answers(node: Node, process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether something listens on a port of the node's."""
    assert process.poll() is None, f"{process.args} ended"
    try:
        with socket.create_connection((node.address, port), 1):
            return True
    except OSError:
        return False


class Share:
    """A volume as it is seen through one of them, and as it is stored."""

    def __init__(self, client: Smb | Nfs, brick: Path, prefix: str) -> None:
        self.client, self.brick, self.names = client, brick, (f"{prefix}{number}" for number in itertools.count())

    def stored(self, part: str = "") -> bytes | None:
        """What is in the brick of a new file with "Hello" in it, which reads as it was written; None if it was refused."""
        name = f"{next(self.names)}-{part}"
        self.client.write(name, b"Hello")
        if not (self.brick / name).exists():
            return None
        assert self.client.read(name) == b"Hello"
        return (self.brick / name).read_bytes()


THROUGH, PAST = b"hELLO", b"Hello"


def lived_through(cluster: Cluster, shares: list[Share]) -> None:
    """The layer's options and its code change while they are connected, it goes, and is back."""
    first = cluster.first
    for share in shares:
        assert share.stored() == THROUGH and share.stored("one") is None
    glupy(first, "set", "vol", "gate", "closed=two")
    for share in shares:
        wait_until(lambda share=share: share.stored("one") == THROUGH, "the new option", pause=PAUSE)
        assert share.stored("two") is None
    cluster.install("gate", GATE.replace("self.closed in", "'new' in"))
    glupy(first, "set", "vol", "gate", "reload=2")
    for share in shares:
        wait_until(lambda share=share: share.stored("new") is None, "the new code", pause=PAUSE)
        assert share.stored("two") == THROUGH
    glupy(first, "detach", "vol", "gate")
    for share in shares:
        wait_until(lambda share=share: share.stored("new") == PAST, "the layer to go", pause=PAUSE)
    glupy(first, "attach", "vol", "gate", "--client")
    for share in shares:
        wait_until(lambda share=share: share.stored() == THROUGH, "the layer to be back", pause=PAUSE)


def programs(cluster: Cluster) -> None:
    """Samba and NFS-Ganesha serve a volume with a client-side layer, which comes and goes while they do."""
    first = cluster.first
    cluster.install("gate", GATE)
    cluster.create("vol")
    brick = first.top / "vol"
    brick.chmod(0o777)
    glupy(first, "attach", "vol", "gate", "--client", "-o", "closed=one")
    with samba(first) as smb, ganesha(first) as nfs:
        lived_through(cluster, [Share(smb, brick, "s"), Share(nfs, brick, "n")])
    assert (brick / "s0-").stat().st_uid != 0
    for name in ("smbd", "ganesha"):
        log = (first.top / f"log/{name}-gluster.log").read_text(errors="replace")
        assert "vol-glupy-gate: begins, closed for one" in log and "vol-glupy-gate: ends, closed for two" in log, log
    assert "PANIC" not in (first.top / "log/smbd.log").read_text(errors="replace")
