"""FUSE mounts of graphs in a process of their own: `glusterfs -N -f VOLFILE MOUNTPOINT`."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from support.logs import entries, unexpected
from support.volfile_server import VolfileServer
from support.volfiles import Layer, posix, volfile
from support.waiting import PATIENCE


#: The tests' own translators.
TRANSLATORS = Path(__file__).resolve().parent.parent / "translators"


class MountFailed(Exception):
    """glusterfs ended instead of mounting; carries its exit status and its log."""

    def __init__(self, status: int | None, log: str) -> None:
        super().__init__(f"glusterfs ended with {status}\n{log}")
        self.status, self.log = status, log


class Mount:
    """A mounted graph: layers over storage/posix, over a fresh directory. A context manager; leaves nothing behind.

    expected: patterns of log entries at WARNING or above that the test provokes.
    ends: the exit statuses that it may end with; -N: of signal N.
    folder: where modules are looked for (the process's local configuration names it), else tests/translators.
    store: where they keep what is to last, else in a folder that goes with the test.
    server: which gives it the graph, in place of layers.
    """

    def __init__(
        self,
        layers: Sequence[Layer] = (),
        *,
        expected: tuple[str, ...] = (),
        ends: tuple[int, ...] = (0, 15),
        folder: Path | None = None,
        store: Path | None = None,
        brick: Path | None = None,
        bottom: Sequence[Layer] | None = None,
        arguments: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        server: VolfileServer | None = None,
    ) -> None:
        # Not in /tmp or /var/tmp: glupy trusts nothing that lies in a world-writable folder.
        self.top = Path(tempfile.mkdtemp(prefix="glupy-test.", dir="/var/lib"))
        os.chmod(self.top, 0o755)
        self.brick = brick or self.top / "brick"
        self.path = self.top / "mnt"
        self.log = self.top / "log"
        self.brick.mkdir(exist_ok=True)
        self.path.mkdir()
        self.expected, self.ends = expected, ends
        self.volfile = self.top / "graph.vol"
        self.volfile.write_text(volfile([*(posix(self.brick) if bottom is None else bottom), *layers]))
        self.environment = {**os.environ, **(environment or {})}
        configuration = self.top / "glupy.conf"
        configuration.write_text(f"[glupy]\ntranslators = {folder or TRANSLATORS}\n"
                f"store = {store or self.top / 'store'}\n")
        self.environment["GLUPY_CONF"] = str(configuration)
        self.arguments = [*(server.arguments if server else ("-f", str(self.volfile))), *arguments]
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Mount:
        try:
            self._mount()
        except BaseException:
            self._tidy()
            raise
        return self

    def _mount(self) -> None:
        self.process = subprocess.Popen(
            ["glusterfs", "-N", "-l", self.log, *self.arguments, self.path],
            env=self.environment, stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + PATIENCE
        while not os.path.ismount(self.path):
            status = self.process.poll()
            if status is not None or time.monotonic() > deadline:
                raise MountFailed(status, self.text())
            time.sleep(0.02)
        # FUSE answers before the graph is up: the first call waits for it.
        try:
            os.stat(self.path)
        except OSError:
            status = self.process.poll()
            raise MountFailed(status, self.text()) from None

    @property
    def pid(self) -> int:
        """Process id of glusterfs."""
        assert self.process
        return self.process.pid

    def text(self) -> str:
        """The log so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def entries(self) -> list[tuple[str, str]]:
        """The log's entries so far."""
        return entries(self.log)

    def alive(self) -> bool:
        """Is the process there and does the mount answer?"""
        assert self.process
        os.statvfs(self.path)
        return self.process.poll() is None

    def unmount(self) -> int:
        """Unmount and wait; the process's exit status."""
        assert self.process
        if os.path.ismount(self.path):
            subprocess.run(["umount", self.path], check=True)
        return self.process.wait(PATIENCE)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            status = self.unmount()
            if kind is None:
                assert status in self.ends, f"glusterfs ended with {status}\n{self.text()[-4000:]}"
                wrong = unexpected(self.log, self.expected)
                assert not wrong, "unexpected in GlusterFS's log:\n" + "\n".join(wrong[:20])
            else:
                print(self.text()[-8000:])
        finally:
            self._tidy()

    def _tidy(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if os.fsencode(self.path) in Path("/proc/self/mounts").read_bytes():  # also where the process has died
            subprocess.run(["umount", "-l", self.path], check=False)
        shutil.rmtree(self.top, ignore_errors=True)
