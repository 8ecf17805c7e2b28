#!/usr/bin/python3
"""A node of its own: glusterd with its state in a temporary folder, on a network of its own, and volumes on it.

Run by test_volume.py in fresh mount and network namespaces; `node.py CASE` exits 0 when all went well.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "mount")]

import workout  # noqa: E402
from support import cases, glusterd  # noqa: E402
from support.glusterd import run  # noqa: E402
from support.meanwhile import meanwhile  # noqa: E402
from support.network import bring_up  # noqa: E402
from support.waiting import PATIENCE, wait_until  # noqa: E402

ADDRESS = "10.77.0.1"
SOCKET = "/run/gluster/glusterd.socket"
GLUSTER = ("gluster", "--mode=script", f"--glusterd-sock={SOCKET}")
TRANSLATORS = Path(__file__).resolve().parents[1] / "translators"


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
        os.environ["GLUPY_CONF"] = str(top / "glupy.conf")
        self.glusterd = glusterd.Glusterd(self.logs / "glusterd.log", glusterd.environment(), ["-f", top / "glusterd.vol"],
                                          client=GLUSTER)

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
        wait_until(lambda: 'option on-error is "EPERM": must be one of EIO, pass; its last value holds, EIO'
                   in node.brick_log("vol"), "what is wrong to be said")
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
        wait_until(lambda: "293.0KB" in gluster("volume", "quota", "vol", "list", "/full"), "quota to have counted")
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
            differences = workout.run(plain, python, only=[cases])
            assert not differences, "\n".join(map(str, differences))
    assert node.online("python") == 2
    for name in ("plain", "python"):
        gluster("volume", "stop", name)
        gluster("volume", "delete", name)


#: What administrators may type: each is taken by `gluster volume set`. Then what the brick says of it.
TYPED = {
    "greting": ("hello", "option greting is not declared by Talks; did you mean greeting?"),
    "enabled": ("perhaps", 'option enabled is "perhaps": expected one of on, yes, true,'),
    "on-error": ("EPERM", 'option on-error is "EPERM": must be one of EIO, pass'),
    "budget": ("-1", 'option budget is "-1": must be at least 0.0'),
    "interpreters": ("99", 'option interpreters is "99": must be at least 1 and at most 32'),
    "module": ("../talks", "The translator of the volume's type, talks, is loaded instead"),
    "log-level": ("LOUD", 'option log-level is "LOUD": must be one of NONE, CRITICAL, ERROR'),
}


def dumps(node: Node) -> list[str]:
    """Statedumps of the volume's bricks."""
    gluster("volume", "statedump", "vol")
    folder = Path("/run/gluster")
    wait_until(lambda: any("DUMP-END-TIME" in path.read_text() for path in folder.glob("*.dump.*")), "a statedump")
    return [path.read_text() for path in folder.glob("*.dump.*")]


def item_18_typos(node: Node) -> None:
    """Whatever is set, the brick goes on, and comes back."""
    node.create("vol")
    gluster("volume", "set", "vol", "user.xlator.talks", "posix")
    gluster("volume", "set", "vol", "user.xlator.talks.greeting", "good")
    gluster("volume", "start", "vol")
    for name, (value, _) in TYPED.items():
        gluster("volume", "set", "vol", f"user.xlator.talks.{name}", value)
    with node.mounted("vol") as path:
        (path / "file").write_bytes(b"")
        wait_until(lambda: "must be one of NONE, CRITICAL" in node.brick_log("vol"), "the last of them to be said")
        assert json.loads(state(path) or "[]")[3] == "good"
    gluster("volume", "stop", "vol")
    before = len(node.brick_log("vol"))
    gluster("volume", "start", "vol")
    assert node.online("vol") == 1
    log = node.brick_log("vol")[before:]
    for name, (_, sentence) in TYPED.items():
        head = f" E [glupy:0:options] 0-vol-talks: vol-talks: option {name}"
        said = [line for line in log.splitlines() if head in line]
        assert len(said) == 1 and sentence in said[0], name
    (dump,) = dumps(node)
    for name, (_, sentence) in TYPED.items():
        assert f"options.ignored.{name}=option {name}" in dump and sentence in dump
    # One option alone cannot be taken back; another value can be set, and is in force at once.
    reset = [*GLUSTER, "volume", "reset", "vol", "user.xlator.talks.greting"]
    done = subprocess.run(reset, capture_output=True, check=False)
    assert done.returncode != 0 and b"does not exist" in done.stdout + done.stderr
    gluster("volume", "set", "vol", "user.xlator.talks.enabled", "off")
    with node.mounted("vol") as path:
        (path / "file").write_bytes(b"")
        wait_until(lambda: state(path) is None, "Python to be out of the path")
    gluster("volume", "reset", "vol")
    assert "user.xlator" not in gluster("volume", "info", "vol")
    gluster("volume", "stop", "vol")
    gluster("volume", "delete", "vol")


BROKEN = """\
from glupy import Translator


class Talks(Translator):
    async def lokup(self, frame, loc, xdata):
        pass
"""


def refused(node: Node) -> None:
    """A translator that does not load: the brick does not start, and its log says why."""
    node.refuses = True
    (node.top / "talks.py").write_text(BROKEN)
    (node.top / "glupy.conf").write_text(f"[glupy]\ntranslators = {node.top}:{TRANSLATORS}\n")
    node.create("vol")
    gluster("volume", "set", "vol", "user.xlator.talks", "posix")
    done = subprocess.run([*GLUSTER, "volume", "start", "vol"], capture_output=True, check=False, timeout=PATIENCE)
    wait_until(lambda: "is not loaded" in node.brick_log("vol"), "the brick to refuse")
    assert done.returncode != 0 or node.online("vol") == 0
    assert "Talks.lokup is no file operation of GlusterFS; did you mean lookup?" in node.brick_log("vol")
    gluster("volume", "stop", "vol", "force")
    gluster("volume", "delete", "vol")


NUMBERED = """\
from glupy import GetxattrReply, Translator


class Talks(Translator):
    async def getxattr(self, frame, loc, name, xdata):
        if name != "user.number":
            return await self.child.getxattr(loc, name, xdata)
        await self.child.stat(loc)
        return GetxattrReply({name: b"%d"})
"""


def loaded_anew(node: Node) -> None:
    """`gluster volume set` has all bricks load a translator's file anew, while they are at work."""
    file = node.top / "talks.py"
    file.write_text(NUMBERED % 0)
    (node.top / "glupy.conf").write_text(f"[glupy]\ntranslators = {node.top}:{TRANSLATORS}\n")
    node.create("vol", "replica", "3", bricks=3)
    gluster("volume", "set", "vol", "user.xlator.talks", "posix")
    gluster("volume", "start", "vol")
    with node.mounted("vol") as path, ThreadPoolExecutor() as pool:
        (path / "file").write_bytes(b"")
        stop = threading.Event()

        def load() -> list[int]:
            seen = []
            while not stop.is_set():
                seen.append(int(os.getxattr(path / "file", "user.number")))
            return seen

        def loaded(text: str) -> int:
            return sum(text in node.brick_log("vol", number) for number in range(3))

        workers = [pool.submit(load) for _ in range(2)]
        try:
            for turn in range(1, 11):
                file.write_text(NUMBERED % turn)
                gluster("volume", "set", "vol", "user.xlator.talks.reload", f"turn-{turn}")
                wait_until(lambda: int(os.getxattr(path / "file", "user.number")) == turn, "the new code")
                wait_until(lambda: all(node.brick_log("vol", number).count("it was loaded anew") == turn
                                       for number in range(3)), "all bricks")
            file.write_text("class Talks:\n")
            gluster("volume", "set", "vol", "user.xlator.talks.reload", "broken")
            wait_until(lambda: loaded("talks.py:1: IndentationError") == 3, "all bricks to say what is wrong")
            assert int(os.getxattr(path / "file", "user.number")) == 10
            file.write_text(NUMBERED % 11)
            gluster("volume", "set", "vol", "user.xlator.talks.reload", "mended")
            wait_until(lambda: int(os.getxattr(path / "file", "user.number")) == 11, "the new code")
        finally:
            stop.set()
        for worker in workers:
            assert set(worker.result()) <= set(range(12))
    dump = next(dump for dump in dumps(node) if "reloads.taken=11" in dump)
    assert "reloads.refused=1" in dump and "reloads.replaced_inside=0" in dump and "options.reload=mended" in dump
    gluster("volume", "stop", "vol")
    gluster("volume", "delete", "vol")


def multiplexed(node: Node) -> None:
    """Bricks of another volume come and go in the process of a brick that is at work, each with its translator."""
    gluster("volume", "set", "all", "cluster.brick-multiplex", "on")
    node.create("vol")
    gluster("volume", "set", "vol", "user.xlator.talks", "posix")
    gluster("volume", "start", "vol")
    with node.mounted("vol") as path:
        with meanwhile(lambda: use(path), 0.2):
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
        (path / "file").write_bytes(b"")
        assert json.loads(state(path) or "[]")[0] == "vol-talks"
    assert node.brick_log("vol").count("guest-talks begins") == 3
    assert node.brick_log("vol").count("guest-talks ends") == 3
    gluster("volume", "stop", "vol")
    gluster("volume", "delete", "vol")
    gluster("volume", "set", "all", "cluster.brick-multiplex", "off")


def lingering(node: Node, turn: int) -> Path:
    """The folder in which the translator lingers of the volume guest tells what it finds after its end. It has begun."""
    folder = node.top / f"lingers-{turn}"
    folder.mkdir()
    node.create("guest")
    gluster("volume", "set", "guest", "user.xlator.lingers", "posix")
    gluster("volume", "set", "guest", "user.xlator.lingers.folder", str(folder))
    gluster("volume", "start", "guest")
    with node.mounted("guest") as guest:
        use(guest)
        (guest / "file").write_bytes(b"")
        for _ in range(3):
            with open(guest / "file", "r+b") as file:
                file.write(b"x")
    return folder


#: What comes of these while the inode table has ended, and GlusterFS has not come to call fini() of the layer yet.
BEFORE_FINI = {"child": "done", "notify": "done", "spawn": "RuntimeError", "every": "RuntimeError"}


def detach(node: Node, turn: int) -> None:
    """What lingers finds that all of it has gone."""
    folder = lingering(node, turn)
    gluster("volume", "stop", "guest")
    wait_until(lambda: node.brick_log("vol").count("guest-lingers ends") == turn, "fini()")
    wait_until((folder / "use.found").exists, "the end of the inode table")
    (folder / "gate").touch()
    for way in ("every", "thread"):
        wait_until((folder / f"{way}.found").exists, f"the late code of {way}")
        found = json.loads((folder / f"{way}.found").read_text())
        late = {what for what, result in found.items() if result != "ReferenceError" and result != BEFORE_FINI.get(what)}
        assert not late, (way, found)
    gluster("volume", "delete", "guest")
    shutil.rmtree(node.top / "guest-0")
    assert node.online("vol") == 1


def items_2_to_4_detached(node: Node) -> None:
    """A brick is detached from a process that goes on, while code of its translator's is at work and keeps what it had."""
    gluster("volume", "set", "all", "cluster.brick-multiplex", "on")
    node.create("vol")
    gluster("volume", "set", "vol", "user.xlator.talks", "posix")
    gluster("volume", "start", "vol")
    with node.mounted("vol") as path:
        with meanwhile(lambda: use(path), 0.2):
            for turn in range(1, 4):
                detach(node, turn)
        use(path)
        (path / "file").write_bytes(b"")
        assert json.loads(state(path) or "[]")[0] == "vol-talks"
    log = node.brick_log("vol")
    assert log.count("guest-lingers begins") == log.count("guest-lingers ends") == 3
    for text in ("printed late by every", "printed late by thread", "late by its own logger", "late in a library"):
        assert log.count(text) >= 3, text
    wrong = [line for line in log.splitlines() if re.search(r"\] [AECWM] .*(?:\[glupy:|\.py:)", line)]
    assert all("stat was never wound to (gone)" in line for line in wrong), wrong  # which lingers has kept
    gluster("volume", "stop", "vol")
    gluster("volume", "delete", "vol")
    gluster("volume", "set", "all", "cluster.brick-multiplex", "off")


CASES: dict[str, Callable[[Node], None]] = {
    function.__name__: function
    for function in (one_brick, positions, quota, replicated, item_18_typos, refused, multiplexed, items_2_to_4_detached,
                     loaded_anew)
}


def main() -> int:
    run("mount", "-t", "proc", "proc", "/proc")
    bring_up("lo", "127.0.0.1")
    bring_up("lo:1", ADDRESS)  # glusterd takes none of 127.0.0.0/8
    with cases.folder() as top:
        node = Node(top)
        try:
            node.glusterd.start()
            CASES[sys.argv[1]](node)
            assert "No volumes present" in gluster("volume", "list")
            node.check_logs()
            node.glusterd.stop()
            return 0
        except BaseException:
            node.show_logs()
            raise
        finally:
            for folder in ("/run/gluster", "/var/lib/glusterd", "/var/log/glusterfs"):
                subprocess.run(["umount", "-l", folder], check=False)


if __name__ == "__main__":
    sys.exit(main())
