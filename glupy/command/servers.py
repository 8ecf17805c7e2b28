"""GlusterFS's processes for one `glupy run`: started so that they do not outlive it, watched, and ended."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

from glupy.command import machine, session
from glupy.command.logs import Follower
from glupy.command.problem import Problem

#: Seconds that a process is given to end by itself.
PATIENCE = 10


class Server:
    """A process of GlusterFS's that stays in the foreground, with its log."""

    def __init__(self, program: str, volfile: Path, log: Path, environment: Mapping[str, str],
                 mountpoint: Path | None = None) -> None:
        self.log = Follower(log)
        self.mountpoint = mountpoint
        # In a session of its own: Ctrl-C is for us alone, who end it in order. When we are killed, the kernel ends it.
        self.process = subprocess.Popen(
            [*_dies_with_us(), program, "-N", "-f", volfile, "-l", log, *([mountpoint] if mountpoint else [])],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    @property
    def mounted(self) -> bool:
        """Whether its mount is there."""
        return self.mountpoint is not None and os.path.realpath(self.mountpoint) in session.mount_points()

    @property
    def ending(self) -> str:
        """How it ended, for people."""
        status = self.process.returncode
        if status is not None and status < 0:
            return f"died of {signal.Signals(-status).name}"
        return f"ended with status {status}"

    def end(self) -> bool:
        """Have it unmount and end. Whether it did so by itself."""
        gently = True
        if self.running:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                gently = False
                self.process.kill()
                self.process.wait()
        if self.mountpoint and self.mounted:
            subprocess.run(["umount", "-l", self.mountpoint], stderr=subprocess.DEVNULL, check=False)
        return gently


def environment(configuration: Path) -> dict[str, str]:
    """That of a process that takes its local configuration from a file of ours."""
    return {**os.environ, "GLUPY_CONF": str(configuration)}


def _dies_with_us() -> list[str]:
    setpriv = machine.program("setpriv")
    if setpriv is None:
        raise Problem("the program setpriv is not installed; on Debian: apt install util-linux")
    return [setpriv, "--pdeathsig", "TERM", "--"]
