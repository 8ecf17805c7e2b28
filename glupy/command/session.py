"""The folder of one `glupy run`: made, locked while it is in use, and removed; also that of a run that was killed.

It lies in /var/lib, or where GLUPY_TMPDIR says: a folder in /tmp would not be trusted, and one in /run is of memory.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from glupy.command.problem import Problem
from glupy.errors import TrustError
from glupy.loading import trust

PREFIX = "glupy-run."


def parent() -> Path:
    """Where the folders are."""
    return Path(os.path.abspath(os.environ.get("GLUPY_TMPDIR") or "/var/lib"))


class Session:
    """A folder that lasts as long as the `with`. A lock on it says that it is in use; a killed process holds none."""

    def __init__(self) -> None:
        self.path = parent()

    def __enter__(self) -> Session:
        sweep()
        while True:
            self.path = _made()
            self._lock = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(self._lock, fcntl.LOCK_EX)
            if self.path.exists():  # else another run has just swept it away
                break
            os.close(self._lock)
        os.chmod(self.path, 0o755)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        remove(self.path)
        os.close(self._lock)

    def folder(self, name: str, mode: int = 0o755) -> Path:
        """A new folder in it."""
        path = self.path / name
        path.mkdir()
        os.chmod(path, mode)
        return path


def _made() -> Path:
    try:
        trust.check_folder(parent())
        return Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent()))
    except (TrustError, OSError) as error:
        raise Problem(f"no temporary folder can be made in {parent()}: {error}; name another one in the environment "
                      "variable GLUPY_TMPDIR") from None


def left_behind() -> list[Path]:
    """The folders of runs that were killed."""
    found = []
    for path in sorted(parent().glob(f"{PREFIX}*")):
        lock = _try_lock(path)
        if lock is not None:
            os.close(lock)
            found.append(path)
    return found


def sweep() -> list[Path]:
    """Remove the folders of runs that were killed. Those that are gone."""
    gone = []
    for path in sorted(parent().glob(f"{PREFIX}*")):
        lock = _try_lock(path)
        if lock is not None:
            remove(path)
            os.close(lock)
            gone.append(path)
    return [path for path in gone if not path.exists()]


def remove(path: Path) -> None:
    """Unmount what is mounted there, and remove the folder; never what is seen through a mount."""
    for mount in mounts_below(path):
        subprocess.run(["umount", "-l", mount], stderr=subprocess.DEVNULL, check=False)
    if not mounts_below(path):
        shutil.rmtree(path, ignore_errors=True)


def mounts_below(path: Path) -> list[str]:
    """The mount points in a folder, the innermost first."""
    found = [point for point in mount_points() if point == str(path) or point.startswith(f"{path}/")]
    return found[::-1]


def mount_points() -> list[str]:
    """Of this process's namespace, in the order in which they were mounted."""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        return [unescaped(line.split(" ")[4]) for line in file]


def unescaped(text: str) -> str:
    """The kernel writes blanks and the like in octal."""
    for code in ("\\040", "\\011", "\\012", "\\134"):
        text = text.replace(code, chr(int(code[1:], 8)))
    return text


def _try_lock(path: Path) -> int | None:
    """A descriptor with the lock of a folder that is nobody's any more; None for one that is in use."""
    try:
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock
