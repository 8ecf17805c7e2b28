"""Advisory locks: POSIX, open file description, flock; conflicts between two processes."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import time
from collections.abc import Callable

from .recorder import Recorder, elsewhere, make

F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW = 36, 37, 38
_FLOCK = "hhqqi4x"
KINDS = {fcntl.F_RDLCK: "read", fcntl.F_WRLCK: "write", fcntl.F_UNLCK: "none"}


def _lock(fd: int, command: int, kind: int, start: int = 0, length: int = 0, whence: int = 0) -> tuple[str, int,
        int, bool]:
    """fcntl(2) with a struct flock: kind, start and length that come back, and whether somebody is named."""
    answer = fcntl.fcntl(fd, command, struct.pack(_FLOCK, kind, whence, start, length, 0))
    kind, _, start, length, pid = struct.unpack(_FLOCK, answer)
    return KINDS[kind], start, length, pid != 0


class Other:
    """Another process that opens a file, does something to it, and holds what it has got until released."""

    def __init__(self, name: str, action: Callable[[int], object]) -> None:
        (held, self._command), (done, self._done), (self._gone, gone) = os.pipe(), os.pipe(), os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                action(os.open(name, os.O_RDWR))
            finally:
                os.write(self._done, b"x")
                os.read(held, 1)
                os.write(gone, b"x")
                os._exit(0)
        os.read(done, 1)

    def release(self) -> None:
        """End the process, which drops its locks."""
        os.write(self._command, b"x")
        os.waitpid(self._pid, 0)

    def release_later(self, seconds: float) -> None:
        """The same after a while, as the caller goes on."""
        if os.fork() == 0:
            time.sleep(seconds)
            os.write(self._command, b"x")
            os._exit(0)

    def released(self) -> bool:
        """Whether it has been, however long that took: true once one has got what it held."""
        return bool(select.select([self._gone], [], [], 0)[0])


def _conflicts(do: Recorder, get: int, set_: int) -> None:
    make("file", b"x" * 100)
    fd = os.open("file", os.O_RDWR)
    for held in (fcntl.F_RDLCK, fcntl.F_WRLCK):
        other = Other("file", lambda its, held=held: _lock(its, set_, held, 10, 20))
        for kind in (fcntl.F_RDLCK, fcntl.F_WRLCK):
            for start, length in ((0, 10), (0, 11), (15, 1), (29, 5), (30, 5), (0, 0)):
                do(_lock, fd, get, kind, start, length)
                do(_lock, fd, set_, kind, start, length)
                do(_lock, fd, set_, fcntl.F_UNLCK, start, length)
        other.release()
        do(_lock, fd, set_, fcntl.F_WRLCK, 0, 0)
        do(_lock, fd, set_, fcntl.F_UNLCK, 0, 0)


def posix_conflicts(do: Recorder) -> None:
    _conflicts(do, fcntl.F_GETLK, fcntl.F_SETLK)


def ofd_conflicts(do: Recorder) -> None:
    _conflicts(do, F_OFD_GETLK, F_OFD_SETLK)


def ofd_in_one_process(do: Recorder) -> None:
    make("file", b"x")
    one, two = os.open("file", os.O_RDWR), os.open("file", os.O_RDWR)
    do(_lock, one, F_OFD_SETLK, fcntl.F_WRLCK)
    do(_lock, two, F_OFD_SETLK, fcntl.F_WRLCK)
    do(_lock, two, F_OFD_GETLK, fcntl.F_RDLCK)
    do(_lock, two, fcntl.F_SETLK, fcntl.F_RDLCK)
    do.close(one)
    do(_lock, two, F_OFD_SETLK, fcntl.F_WRLCK)


def posix_ranges(do: Recorder) -> None:
    """Locks of one owner merge and split; another process sees the result."""
    make("file", b"x" * 200)
    fd = os.open("file", os.O_RDWR)
    for kind, start, length in (
        (fcntl.F_WRLCK, 0, 100), (fcntl.F_UNLCK, 40, 20), (fcntl.F_RDLCK, 80, 40), (fcntl.F_WRLCK, 150, 0),
    ):  # fmt: skip
        do(_lock, fd, fcntl.F_SETLK, kind, start, length)
    for start in (0, 39, 40, 59, 60, 79, 80, 119, 120, 149, 150, 1 << 40):
        do.note(f"at {start}", elsewhere(lambda start=start: _lock(os.open("file", os.O_RDWR), fcntl.F_GETLK,
                fcntl.F_WRLCK, start, 1)))


def posix_errors(do: Recorder) -> None:
    make("file", b"x" * 100)
    reader, writer = os.open("file", os.O_RDONLY), os.open("file", os.O_WRONLY)
    do(_lock, reader, fcntl.F_SETLK, fcntl.F_WRLCK)
    do(_lock, writer, fcntl.F_SETLK, fcntl.F_RDLCK)
    do(_lock, writer, fcntl.F_SETLK, fcntl.F_WRLCK, -1, 1)
    do(_lock, writer, fcntl.F_SETLK, fcntl.F_WRLCK, 10, -5)
    do(_lock, writer, fcntl.F_SETLK, fcntl.F_WRLCK, 0, 10, os.SEEK_END)
    do(_lock, writer, fcntl.F_GETLK, fcntl.F_UNLCK)
    do(_lock, writer, fcntl.F_SETLK, fcntl.F_UNLCK, 5000, 10)
    directory = os.open(".", os.O_RDONLY)
    do(_lock, directory, fcntl.F_SETLK, fcntl.F_RDLCK)


def posix_waits(do: Recorder) -> None:
    make("file", b"x")
    fd = os.open("file", os.O_RDWR)
    other = Other("file", lambda its: _lock(its, fcntl.F_SETLK, fcntl.F_WRLCK))
    do(_lock, fd, fcntl.F_SETLK, fcntl.F_RDLCK)
    other.release_later(0.2)
    do(_lock, fd, fcntl.F_SETLKW, fcntl.F_RDLCK)
    do.note("waited", other.released())


def dropped_by_close(do: Recorder) -> None:
    make("file", b"x")
    first, second = os.open("file", os.O_RDWR), os.open("file", os.O_RDWR)
    do(_lock, first, fcntl.F_SETLK, fcntl.F_WRLCK)
    do.close(second)  # POSIX: closing any descriptor of the file drops the process's locks
    do.note("left", elsewhere(lambda: _lock(os.open("file", os.O_RDWR), fcntl.F_GETLK, fcntl.F_WRLCK)))


def flock(do: Recorder) -> None:
    make("file", b"x")
    one, two = os.open("file", os.O_RDWR), os.open("file", os.O_RDONLY)
    shared, exclusive, unlock, nowait = fcntl.LOCK_SH, fcntl.LOCK_EX, fcntl.LOCK_UN, fcntl.LOCK_NB
    for fd, operation in (
        (one, shared | nowait), (two, shared | nowait), (two, exclusive | nowait), (one, unlock), (two,
                exclusive | nowait),
        (one, shared | nowait), (one, exclusive | nowait), (two, shared | nowait), (one, shared | nowait), (two,
                unlock),
        (one, exclusive | nowait), (two, unlock), (one, 99),
    ):  # fmt: skip
        do(fcntl.flock, fd, operation)
    do.close(one)
    do(fcntl.flock, two, exclusive | nowait)


def flock_between_processes(do: Recorder) -> None:
    make("file", b"x")
    fd = os.open("file", os.O_RDWR)
    other = Other("file", lambda its: fcntl.flock(its, fcntl.LOCK_EX))
    do(fcntl.flock, fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    other.release_later(0.2)
    do(fcntl.flock, fd, fcntl.LOCK_EX)
    do.note("waited", other.released())
    do(_lock, fd, fcntl.F_SETLK, fcntl.F_WRLCK)


CASES = [
    posix_conflicts, ofd_conflicts, ofd_in_one_process, posix_ranges, posix_errors, posix_waits, dropped_by_close,
            flock,
    flock_between_processes,
]
