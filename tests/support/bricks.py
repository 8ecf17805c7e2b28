"""Bricks: a process that serves a graph by protocol/server on a port of this machine, and the client's end of it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from support.logs import entries, unexpected
from support.mounts import TRANSLATORS
from support.volfiles import Layer, layer, posix, volfile
from support.waiting import PATIENCE, wait_until

#: What GlusterFS logs about clients that come and go, and its own start outside of glusterd.
_USUAL = (r"0-server: (?:accepted client|disconnecting|Shutting down)", r"xlator_attr", r"0-socket: ", r"socket\.c:",
          r"0-server: (?:releasing|fd - )", r"rpcsvc|rpc-transport|0-rpc-service", r"server-rpc-fops")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def listening(port: int) -> bool:
    """Whether a process listens there, by the kernel's table: asking it would be a client more in its log."""
    return any(fields[1].endswith(f":{port:04X}") and fields[3] == "0A"
               for fields in map(str.split, Path("/proc/net/tcp").read_text().splitlines()[1:]))


class Brick:
    """storage/posix and features/locks, the layers given, protocol/server. A context manager; leaves nothing behind.

    expected: patterns of log entries at WARNING or above that the test provokes.
    folder: where modules are looked for (the process's local configuration names it), else tests/translators.
    store: where they keep what is to last, else in a folder that goes with the test.
    ends: the exit statuses that it may end with, where it does so of itself; -N: of signal N.
    """

    def __init__(
        self,
        layers: Sequence[Layer] = (),
        *,
        expected: tuple[str, ...] = (),
        folder: Path | None = None,
        store: Path | None = None,
        environment: Mapping[str, str] | None = None,
        ends: tuple[int, ...] = (),
    ) -> None:
        self.top = Path(tempfile.mkdtemp(prefix="glupy-test.", dir="/var/lib"))
        os.chmod(self.top, 0o755)
        self.directory, self.log = self.top / "brick", self.top / "log"
        self.directory.mkdir()
        self.port = free_port()
        self.expected, self.ends = (*_USUAL, *expected), ends
        top = layers[-1][0] if layers else "locks"
        server = layer("server", "protocol/server", transport_type="tcp", transport__address_family="inet",
                       transport__socket__listen_port=self.port, rpc_auth_allow_insecure="on")
        options = {key.replace("--", "."): value for key, value in server[2].items()}
        server = ("server", "protocol/server", {**options, f"auth.addr.{top}.allow": "127.0.0.1"})
        self.volfile = self.top / "brick.vol"
        self.volfile.write_text(volfile([*posix(self.directory), *layers, server]))
        (self.top / "glupy.conf").write_text(f"[glupy]\ntranslators = {folder or TRANSLATORS}\n"
                        f"store = {store or self.top / 'store'}\n")
        self.environment = {**os.environ, **(environment or {}), "GLUPY_CONF": str(self.top / "glupy.conf")}
        #: The client's end: the bottom of a mount's graph.
        self.client: Layer = layer("client", "protocol/client", remote_host="127.0.0.1", remote_port=self.port,
                                   remote_subvolume=top, transport_type="tcp")

    def __enter__(self) -> Brick:
        self.process = subprocess.Popen(["glusterfsd", "-N", "-f", self.volfile, "-l", self.log], env=self.environment,
                                        stderr=subprocess.DEVNULL)
        try:
            wait_until(lambda: "Final graph:" in self.text() or not self.alive(), "the brick's graph")
            wait_until(lambda: listening(self.port) or not self.alive(), "the brick to listen")
            assert self.alive(), self.text()
        except BaseException:
            self._tidy()
            raise
        return self

    def text(self) -> str:
        """The log so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def entries(self) -> list[tuple[str, str]]:
        """The log's entries so far."""
        return entries(self.log)

    def alive(self) -> bool:
        return self.process.poll() is None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            assert self.alive() or self.ends, f"the brick ended with {self.process.returncode}\n{self.text()[-8000:]}"
            if not self.ends:
                self.process.terminate()
            status = self.process.wait(PATIENCE)
            if kind is None:
                assert status in (self.ends or (0, 15)), f"the brick ended with {status}\n{self.text()[-4000:]}"
                wrong = unexpected(self.log, self.expected)
                assert not wrong, "unexpected in the brick's log:\n" + "\n".join(wrong[:20])
            else:
                print(self.text()[-8000:])
        finally:
            self._tidy()

    def _tidy(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.top, ignore_errors=True)


def as_glusterd_has_it(brick: Brick) -> Brick:
    """With the volume's name in that of the storage."""
    text = brick.volfile.read_text()
    text = text.replace("volume brick\n", "volume vol-posix\n").replace("volumes brick\n", "volumes vol-posix\n")
    brick.volfile.write_text(text)
    return brick
