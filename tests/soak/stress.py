"""stress-ng's stressors for file systems, some at a time, for as long as is asked."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import threading
from collections import Counter
from pathlib import Path

#: Those of its classes `filesystem` and `io` that work on files in a folder, and need no device and no other file system.
STRESSORS = (
    "access", "chdir", "chmod", "chown", "copy-file", "dentry", "dir", "dirdeep", "dirmany", "fallocate", "fiemap",
    "file-ioctl", "filename", "flock", "fpunch", "fstat", "getdent", "hdd", "io-uring", "iomix", "lease", "link",
    "locka", "lockf", "lockofd", "mknod", "open", "rename", "seek", "symlink", "sync-file", "touch", "utime", "verity",
    "xattr",
)
AT_ONCE, SECONDS = 4, 25

#: What says that a stressor found something wrong. Their names stand in the kernel's way of things, not in ours.
_FAILURE = re.compile(r"stress-ng: fail: +\[\d+\] (?:[\w-]+: )?(.*)")


#: Its exit status where it could not begin at all.
_UNUSABLE = 1


class Stress(threading.Thread):
    """Rounds of a few stressors each, below a folder, until told to stop.

    rounds: how many have ended. failures: what stressors found wrong, with how often. broken: what kept it from working.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(name="stress")
        self.folder, self.random = folder, random.Random(seed)
        self.rounds = 0
        self.failures: Counter[str] = Counter()
        self.broken: list[str] = []
        self._stop_now = threading.Event()

    def run(self) -> None:
        while not self._stop_now.is_set():
            self.round(self.random.sample(STRESSORS, AT_ONCE))
            self.rounds += 1

    def round(self, chosen: list[str]) -> None:
        self.folder.mkdir(exist_ok=True)
        command = ["stress-ng", "--temp-path", self.folder, "--timeout", str(SECONDS), "--verify", "--hdd-bytes", "8m",
                   "--fallocate-bytes", "8m", "--iomix-bytes", "8m", "--seek-size", "8m", "--copy-file-bytes", "128m",
                   "--dentries", "256", "--dirdeep-bytes", "1m", "--dirdeep-inodes", "500", "--dirmany-bytes", "0",
                   *(word for name in chosen for word in (f"--{name}", "1"))]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                                  errors="replace", timeout=SECONDS * 12, cwd="/")
        except subprocess.TimeoutExpired:
            self.broken.append(f"hung: {' '.join(chosen)}")
            return
        if done.returncode == _UNUSABLE:
            self.broken.append(done.stdout[-1000:])
            self._stop_now.set()
        if done.returncode:
            self.failures.update(re.sub(r"\d{3,}|/\S+", "N", found) for found in _FAILURE.findall(done.stdout))
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self) -> None:
        self._stop_now.set()
        self.join()


def available() -> bool:
    return bool(shutil.which("stress-ng", path=os.environ["PATH"]))
