"""glusterd for tests: started, asked, ended."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from support.waiting import PATIENCE, wait_until


def run(*command: str | Path) -> str:
    """What a command says; AssertionError where it fails."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          timeout=PATIENCE)
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))}: {done.returncode}: {done.stdout}")
    return done.stdout


def environment(**more: str) -> dict[str, str]:
    """Of a glusterd, which its bricks get from it. It runs Python scripts of its own, which ours would mislead."""
    return {**{key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}, **more}


class Glusterd:
    """One of them. `inside` is put before each command, to run it where its state is; `client` is what asks it."""

    def __init__(self, log: Path, environment: dict[str, str], options: Sequence[str | Path] = (),
                 inside: Sequence[str | Path] = (), client: Sequence[str] = ("gluster", "--mode=script")) -> None:
        self.log, self.environment, self.options = log, environment, options
        self.inside, self.client = inside, client
        self.process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Start it, and do not wait."""
        self.process = subprocess.Popen(
            [*self.inside, "glusterd", "-N", *self.options, "-p", "/run/gluster/glusterd.pid", "-l", self.log],
            env=self.environment)

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self.begin()
        self.wait()

    def wait(self) -> None:
        """Wait until it answers."""
        wait_until(self.answers, "glusterd to answer", pause=0.1)

    def answers(self) -> bool:
        assert self.process and self.process.poll() is None, f"glusterd of {self.log} ended"
        try:  # who asks too early may wait for two minutes
            done = subprocess.run([*self.inside, *self.client, "volume", "list"], capture_output=True, check=False,
                                  timeout=5)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0

    def stop(self) -> None:
        """End it, and wait for that. Bricks go on."""
        assert self.process
        self.process.terminate()
        self.process.wait(PATIENCE)
