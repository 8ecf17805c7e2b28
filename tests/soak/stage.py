"""The mount that the soak run works on: its graphs, with other options or another topology, and what can be seen of it."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
from pathlib import Path
from types import TracebackType
from typing import Any

from support.logs import unexpected
from support.mounts import Mount
from support.volfile_server import VolfileServer
from support.volfiles import Layer, layer, posix_again, volfile
from support.waiting import wait_until

#: What GlusterFS says of operations that fail, as many of stress-ng's are meant to, and of graphs that change.
EXPECTED = (
    r"\[fuse-(?:bridge|resolve|helpers)\.c:", r" \d+-brick: ", r" \d+-locks: ", r"new_posix_lock", r"posix_fd_ctx_get",
    r"\[graph\.c:", r"\[client_t\.c:", r"0-glusterfs: ", r"0-glusterfsd(?:-mgmt)?: ", r"\d+-meta-autoload",
    r"received signum", r"Fetching the volume file", r" 0-inode: dentry not found",
)
THREADS = layer("threads", "performance/io-threads", thread_count=16)
DUMPS = Path("/run/gluster")


class Stage:
    """posix, locks, Python, io-threads, Python, and in every other graph one more of Python; on FUSE, which caches nothing.

    options: of the layers of Python, by name. `extra`: whether there is the one more. python: whether there is any.
    """

    def __init__(self, *, python: bool = True) -> None:
        self.python, self.extra = python, False
        self.options: dict[str, dict[str, object]] = {"low": {}, "high": {}, "more": {}}
        self.generation = 0
        self.logs = itertools.count(1)
        self.surprises: list[str] = []
        self.dumps = 0
        self.server = VolfileServer(self.volfile(Path("/nowhere")))
        self.mount = Mount(expected=EXPECTED, server=self.server,
                           arguments=["--attribute-timeout=0", "--entry-timeout=0", "--negative-timeout=0",
                                      "--direct-io-mode=enable"])
        self.server.give(self.volfile(self.mount.brick))
        self.closed: list[Path] = []

    @property
    def layers(self) -> list[str]:
        """Names of Python's layers, the upper first."""
        return (["more"] * self.extra + ["high", "low"]) if self.python else []

    def volfile(self, brick: Path) -> str:
        def busy(name: str) -> list[Layer]:
            return [layer(name, "user/busy", **self.options[name])] if name in self.layers else []

        # Without Python, something else has to come and go for another topology.
        other = [layer("more", "performance/io-threads")] if self.extra and not self.python else []
        return volfile([*posix_again(brick), *busy("low"), THREADS, *busy("high"), *busy("more"), *other])

    def __enter__(self) -> Stage:
        self.server.__enter__()
        self.mount.__enter__()
        wait_until(lambda: "Started thread with index" in self.mount.text(), "the end of GlusterFS's start")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if kind is None:
                self.mount.unmount()
                self.surprises += self.said([*self.closed, self.mount.log])
                self.mount.expected = (r".",)  # told by then
            self.mount.__exit__(kind, error, trace)
        finally:
            self.server.__exit__(kind, error, trace)

    @property
    def path(self) -> Path:
        return self.mount.path

    def said(self, logs: list[Path]) -> list[str]:
        return [entry for log in logs for entry in unexpected(log, EXPECTED)]

    # What is done to it

    def reread(self) -> None:
        """Has GlusterFS read the volfile again, and begin a new log: the one before the last is looked at and removed."""
        for log in self.closed[:-1]:
            self.surprises += self.said([log])
            log.unlink()
            self.closed.remove(log)
        self.closed.append(self.mount.log.rename(self.mount.log.with_name(f"log.{next(self.logs)}")))
        asked = self.server.asked
        self.server.give(self.volfile(self.mount.brick))
        os.kill(self.mount.pid, signal.SIGHUP)
        wait_until(lambda: self.server.asked > asked, "GlusterFS to read its volfile again")
        wait_until(self.mount.log.exists, "the new log")

    def switch(self) -> None:
        """Another topology: a graph that takes the place of the one that is there."""
        self.extra = not self.extra
        self.reread()
        self.generation += 1
        wait_until(self.switched, "the new graph to serve")

    def switched(self) -> bool:
        os.statvfs(self.path)  # mount/fuse begins with a graph when somebody asks
        return "switched to graph" in self.mount.text()

    def dump(self) -> str:
        """A statedump's text."""
        before = set(DUMPS.glob("*.dump.*"))
        os.kill(self.mount.pid, signal.SIGUSR1)
        found: list[Path] = []

        def complete() -> bool:
            found[:] = set(DUMPS.glob("*.dump.*")) - before
            return any("DUMP-END-TIME" in path.read_text(errors="replace") for path in found)

        wait_until(complete, "a statedump")
        text = found[0].read_text(errors="replace")
        for path in found:
            path.unlink()
        self.dumps += 1
        return text

    def cancel(self) -> None:
        os.setxattr(self.path, "user.busy.cancel", b"1")

    # What can be seen of it

    def stats(self) -> list[dict[str, Any]]:
        """What glupy counts, of each layer of Python that serves."""
        if not self.python:
            return []
        found: list[dict[str, Any]] = json.loads(os.getxattr(self.path, "glusterfs.glupy.stats"))
        return found

    def counts(self, name: str) -> dict[str, Any]:
        """What a translator counts itself; {} where it is disabled."""
        try:
            found: dict[str, Any] = json.loads(os.getxattr(self.path, f"user.busy.{name}"))
        except OSError:
            return {}
        return found

    def status(self) -> dict[str, int]:
        """The process's memory in KiB, and its threads, as the kernel counts them."""
        text = Path(f"/proc/{self.mount.pid}/status").read_text()
        return {key: int(re.findall(rf"^{key}:\s+(\d+)", text, re.M)[0]) for key in ("VmRSS", "VmHWM", "Threads")}

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.mount.pid}/fd"))
