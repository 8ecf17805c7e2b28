"""The command `glupy`, as a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

GLUPY = Path(os.environ.get("GLUPY_STAGE", "/nowhere")) / "bin/glupy"

#: Seconds after which a process is stuck, on a machine that is busy.
PATIENCE = 180


def glupy(*arguments: object, **settings: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    settings = {"text": True, "capture_output": True, "timeout": PATIENCE, **settings}
    return subprocess.run([GLUPY, *map(str, arguments)], **settings)


class Running:
    """A `glupy run` that has mounted. A context manager, which ends it by SIGTERM.

    status and said are there after that: its exit status, and what it has written to standard error.
    """

    def __init__(self, *arguments: object, program: Path | None = None) -> None:
        command = [program] if program else [GLUPY, "run"]
        self.command = [*command, "--json", *map(str, arguments)]
        self.status: int | None = None

    def __enter__(self) -> Running:
        self._stderr = tempfile.TemporaryFile("w+")
        path = f"{GLUPY.parent}:{os.environ['PATH']}"
        self.process = subprocess.Popen(self.command, text=True, stdout=subprocess.PIPE, stderr=self._stderr,
                                        env={**os.environ, "PATH": path})
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            self.end()
            raise AssertionError(f"glupy run ended with {self.status}:\n{self.said}")
        self.announced = json.loads(line)
        self.path = Path(self.announced["mountpoint"])
        self.directory = Path(self.announced["directory"])
        return self

    def so_far(self) -> str:
        """What it has written to standard error by now."""
        return os.pread(self._stderr.fileno(), 1 << 20, 0).decode()

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal and wait."""
        self.process.send_signal(number)
        self.finish()

    def finish(self) -> None:
        """Wait for its end."""
        try:
            self.status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            print(self.so_far())
            subprocess.run(["ps", "-eLo", "pid,ppid,tid,stat,wchan:24,comm,args"], check=False)
            raise
        finally:
            self.process.kill()

    @property
    def said(self) -> str:
        self._stderr.seek(0)
        return self._stderr.read()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self.status is None:
            self.end()
        if kind is not None:
            print(self.said)
        assert self.process.stdout
        self.process.stdout.close()
