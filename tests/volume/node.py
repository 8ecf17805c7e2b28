#!/usr/bin/python3
"""A node of its own: glusterd with its state in a temporary folder, on a network of its own, and volumes on it.

Run by test_volume.py in fresh mount and network namespaces; `node.py CASE` exits 0 when all went well.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "mount")]

import workout  # noqa: E402
from support.waiting import wait_until  # noqa: E402

ADDRESS = "10.77.0.1"
SOCKET = "/run/gluster/glusterd.socket"
GLUSTER = ("gluster", "--mode=script", f"--glusterd-sock={SOCKET}")
TRANSLATORS = Path(__file__).resolve().parents[1] / "translators"


def bring_up(interface: str, address: str) -> None:
    """Give an interface an address; glusterd takes none of 127.0.0.0/8."""
    siocsifaddr, siocsifflags, up = 0x8916, 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        name = interface.encode()
        host = struct.pack("<H2s4s8x", socket.AF_INET, b"", socket.inet_aton(address))
        fcntl.ioctl(handle, siocsifaddr, struct.pack("16s16s8x", name, host))
        fcntl.ioctl(handle, siocsifflags, struct.pack("16sH22x", name, up))


def run(*command: str | Path) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.stdout}")
    return done.stdout


def gluster(*arguments: str) -> str:
    return run(*GLUSTER, *arguments)


class Node:
    """glusterd, and what its volumes leave in `top`."""

    def __init__(self, top: Path) -> None:
        self.top, self.logs, self.refuses = top, top / "log", False
        for name, over in (("glusterd", "/var/lib/glusterd"), ("log", "/var/log/glusterfs")):
            (top / name).mkdir()
            Path(over).mkdir(parents=True, exist_ok=True)
            run("mount", "--bind", top / name, over)
        Path("/run/gluster").mkdir(exist_ok=True)
        run("mount", "-t", "tmpfs", "-o", "mode=755", "glupy-run", "/run/gluster")
        (self.logs / "bricks").mkdir()
        settings = Path("/etc/glusterfs/glusterd.vol").read_text()
        settings = settings.replace("end-volume", f"    option glusterd-sockfile {SOCKET}\nend-volume")
        (top / "glusterd.vol").write_text(settings)
        (top / "glupy.conf").write_text(f"[glupy]\ntranslators = {TRANSLATORS}\n")
        # Bricks get glusterd's environment; glusterd runs Python scripts of its own, which ours would mislead.
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        self.environment["GLUPY_CONF"] = os.environ["GLUPY_CONF"] = str(top / "glupy.conf")

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["glusterd", "-N", "-f", self.top / "glusterd.vol", "-p", "/run/gluster/glusterd.pid",
             "-l", self.logs / "glusterd.log"],
            env=self.environment)
        wait_until(self.answers, "glusterd to answer", 40)

    def answers(self) -> bool:
        assert self.process.poll() is None, "glusterd ended"
        done = subprocess.run([*GLUSTER, "volume", "list"], capture_output=True, check=False)
        return done.returncode == 0

    def create(self, name: str, *kind: str, bricks: int = 1) -> None:
        folders = [self.top / f"{name}-{number}" for number in range(bricks)]
        gluster("volume", "create", name, *kind, *(f"{ADDRESS}:{folder}" for folder in folders), "force")

    def brick_log(self, name: str, number: int = 0) -> str:
        path = str(self.top / f"{name}-{number}").strip("/").replace("/", "-")
        return (self.logs / f"bricks/{path}.log").read_text()

    def online(self, name: str) -> int:
        """How many of the volume's bricks are."""
        return gluster("volume", "status", name, "detail").count("Online               : Y")

    @contextlib.contextmanager
    def mounted(self, name: str) -> Iterator[Path]:
        path = self.top / f"mnt-{name}"
        path.mkdir(exist_ok=True)
        run("glusterfs", "-s", ADDRESS, "--volfile-id", name, "-l", self.logs / f"mnt-{name}.log", path)
        try:
            wait_until(lambda: os.path.ismount(path), "the mount")
            os.stat(path)
            yield path
        finally:
            run("umount", "-l", path)

    def check_logs(self) -> None:
        """No brick has crashed, and nothing in Python has failed."""
        for log in (self.logs / "bricks").glob("*.log"):
            text = log.read_text(errors="replace")
            assert "Traceback (most recent call last)" not in text
            # A brick whose graph does not come up sometimes crashes while it takes the graph down, with a thread in an
            # object that is unloaded. It does so at the same place where the translator that fails is one in C.
            assert self.refuses or "signal received" not in text

    def show_logs(self) -> None:
        for log in sorted(self.logs.rglob("*.log")):
            print(f"--- {log}\n{log.read_text(errors='replace')[-3000:]}")


def use(path: Path) -> None:
    """Some ordinary work."""
    for number in range(20):
        folder = path / f"d{number}"
        folder.mkdir()
        (folder / "file").write_bytes(b"x" * 100_000)
        (folder / "file").rename(path / f"f{number}")
        os.setxattr(path / f"f{number}", "user.number", b"%d" % number)
        assert (path / f"f{number}").read_bytes() == b"x" * 100_000
        assert os.getxattr(path / f"f{number}", "user.number") == b"%d" % number
    assert len(os.listdir(path)) == 40
    for number in range(20):
        (path / f"d{number}").rmdir()
        (path / f"f{number}").unlink()
    assert not [name for name in os.listdir(path) if not name.startswith(".")]


def state(path: Path) -> str | None:
    """What the translator talks says; None where it is not in the path."""
    try:
        return os.getxattr(path / "file", "user.state").decode()
    except OSError as error:
        assert error.errno == errno.ENODATA
        return None


def one_brick(node: Node) -> None:
    """A volume with a translator, from its creation to its end."""
    node.create("vol")
    gluster("volume", "set", "vol", "user.xlator.talks", "posix")
    gluster("volume", "set", "vol", "user.xlator.talks.greeting", "from-glusterd")
    gluster("volume", "start", "vol")
    assert node.online("vol") == 1
    with node.mounted("vol") as path:
        use(path)
        (path / "file").write_bytes(b"")
        name, seen, module, greeting = json.loads(os.getxattr(path / "file", "user.state"))
        assert (name, greeting) == ("vol-talks", "from-glusterd")
        client = json.loads(os.getxattr(path / "file", "user.who"))[4]
        assert client and client.startswith("CTX_ID:"), client
        # Options change while the brick runs; other volume options, too.
        gluster("volume", "set", "vol", "user.xlator.talks.greeting", "changed")
        wait_until(lambda: json.loads(state(path))[3] == "changed", "the new option")
        gluster("volume", "set", "vol", "user.xlator.talks.on-error", "EPERM")
        wait_until(lambda: "talks keeps the options it has" in node.brick_log("vol"), "the refusal")
        assert 'option on-error is "EPERM": must be one of EIO, pass' in node.brick_log("vol")
        gluster("volume", "set", "vol", "user.xlator.talks.on-error", "EIO")
        gluster("volume", "set", "vol", "user.xlator.talks.enabled", "off")
        wait_until(lambda: state(path) is None, "Python to be out of the path")
        gluster("volume", "set", "vol", "user.xlator.talks.enabled", "on")
        wait_until(lambda: state(path) is not None, "Python to be back")
        gluster("volume", "set", "vol", "performance.read-ahead", "off")
        use_again = path / "again"
        use_again.mkdir()
        use(use_again)
        assert node.online("vol") == 1
    gluster("volume", "stop", "vol")
    assert "0-vol-talks: vol-talks begins, from-glusterd" in node.brick_log("vol")
    gluster("volume", "delete", "vol")


def positions(node: Node) -> None:
    """Translators on several positions at once, among them those where stacks are small."""
    node.create("vol")
    places = {"pass_all": "posix", "negative_lookup": "io-threads", "keeps": "sdfs"}
    for name, position in places.items():
        gluster("volume", "set", "vol", f"user.xlator.{name}", position)
    gluster("volume", "start", "vol")
    assert node.online("vol") == 1
    with node.mounted("vol") as path:
        use(path)
    gluster("volume", "stop", "vol")
    gluster("volume", "delete", "vol")


def quota(node: Node) -> None:
    """features/marker winds from synctasks, in GlusterFS 10 with stacks of 16 KiB; above selinux they come to us."""
    node.create("vol")
    gluster("volume", "set", "vol", "user.xlator.pass_all", "selinux")
    gluster("volume", "start", "vol")
    assert node.online("vol") == 1
    with node.mounted("vol") as path:
        (path / "full").mkdir()
        (path / "full/file").write_bytes(b"x" * 300_000)
        gluster("volume", "quota", "vol", "enable")
        gluster("volume", "quota", "vol", "limit-usage", "/full", "100MB")
        wait_until(lambda: "293.0KB" in gluster("volume", "quota", "vol", "list", "/full"), "quota to have counted", 40)
        for number in range(10):
            (path / f"full/{number}").mkdir()
            (path / f"full/{number}/file").write_bytes(b"y" * 10_000)
        assert node.online("vol") == 1
    gluster("volume", "stop", "vol")
    gluster("volume", "delete", "vol")


def replicated(node: Node) -> None:
    """A replicated volume's bricks and the same without Python: the same results."""
    for name in ("plain", "python"):
        node.create(name, "replica", "2", bricks=2)
    gluster("volume", "set", "python", "user.xlator.pass_all", "sdfs")
    for name in ("plain", "python"):
        gluster("volume", "start", name)
        assert node.online(name) == 2
    with node.mounted("plain") as plain, node.mounted("python") as python:
        for cases in ("tree-*", "xattrs-*"):
            differences = workout.run(plain, python, cases)
            assert not differences, "\n".join(map(str, differences))
    assert node.online("python") == 2
    for name in ("plain", "python"):
        gluster("volume", "stop", name)
        gluster("volume", "delete", name)


def refused(node: Node) -> None:
    """A translator that does not load: the brick does not start, and its log says why."""
    node.refuses = True
    node.create("vol")
    gluster("volume", "set", "vol", "user.xlator.talks", "posix")
    gluster("volume", "set", "vol", "user.xlator.talks.greting", "hello")
    done = subprocess.run([*GLUSTER, "volume", "start", "vol"], capture_output=True, check=False, timeout=60)
    wait_until(lambda: "is not loaded" in node.brick_log("vol"), "the brick to refuse")
    assert done.returncode != 0 or node.online("vol") == 0
    assert "option greting is not declared by Talks; did you mean greeting?" in node.brick_log("vol")
    gluster("volume", "stop", "vol", "force")
    gluster("volume", "delete", "vol")


def multiplexed(node: Node) -> None:
    """Bricks of another volume come and go in the process of a brick that is at work, each with its translator."""
    gluster("volume", "set", "all", "cluster.brick-multiplex", "on")
    node.create("vol")
    gluster("volume", "set", "vol", "user.xlator.talks", "posix")
    gluster("volume", "start", "vol")
    with node.mounted("vol") as path:
        stop = threading.Event()

        def load() -> None:
            while not stop.is_set():
                use(path)

        with ThreadPoolExecutor(1) as pool:
            working = pool.submit(load)
            try:
                for turn in range(1, 4):
                    node.create("guest")
                    gluster("volume", "set", "guest", "user.xlator.talks", "posix")
                    gluster("volume", "set", "guest", "user.xlator.talks.greeting", f"turn-{turn}")
                    gluster("volume", "start", "guest")
                    with node.mounted("guest") as guest:
                        (guest / "file").write_bytes(b"")
                        assert json.loads(state(guest) or "[]")[3] == f"turn-{turn}"
                    gluster("volume", "stop", "guest")
                    wait_until(lambda: f"guest-talks ends, turn-{turn}" in node.brick_log("vol"), "fini()")
                    gluster("volume", "delete", "guest")
                    shutil.rmtree(node.top / "guest-0")
            finally:
                stop.set()
            working.result(60)
        (path / "file").write_bytes(b"")
        assert json.loads(state(path) or "[]")[0] == "vol-talks"
    assert node.brick_log("vol").count("guest-talks begins") == 3
    assert node.brick_log("vol").count("guest-talks ends") == 3
    gluster("volume", "stop", "vol")
    gluster("volume", "delete", "vol")
    gluster("volume", "set", "all", "cluster.brick-multiplex", "off")


CASES: dict[str, Callable[[Node], None]] = {
    function.__name__: function for function in (one_brick, positions, quota, replicated, refused, multiplexed)
}


def main() -> int:
    run("mount", "-t", "proc", "proc", "/proc")
    bring_up("lo", "127.0.0.1")
    bring_up("lo:1", ADDRESS)
    top = Path(tempfile.mkdtemp(prefix="glupy-test.", dir="/var/lib"))
    os.chmod(top, 0o755)
    node = Node(top)
    try:
        node.start()
        CASES[sys.argv[1]](node)
        assert "No volumes present" in gluster("volume", "list")
        node.check_logs()
        node.process.terminate()
        node.process.wait(20)
        return 0
    except BaseException:
        node.show_logs()
        raise
    finally:  # what is left of processes ends with their namespace
        for folder in ("/run/gluster", "/var/lib/glusterd", "/var/log/glusterfs"):
            subprocess.run(["umount", "-l", folder], check=False)
        shutil.rmtree(top, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
