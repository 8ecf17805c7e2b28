"""The files of a feed: knows bytes, numbers and disks, nothing of fops."""

from __future__ import annotations

import errno
import os
import time
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Lock
from typing import Any

from .folder import claimed, identify
from .pending import Pending, whole

EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

#: Seconds from one try to open a feed to the next; sequence numbers from one leap to the next.
AGAIN, LEAP = 10, 1 << 32


class Feed:
    """Where a Writer puts changes: lines in files of bounded size, each with a number and a time. It goes on where the one
    before it ended, however.

    All may be called on any thread. append() takes one write(2), if it has not to open the feed first, and with `sync` to wait
    for the disk, as flush() does. Raises OSError.
    """

    def __init__(self, folder: Path, about: dict[str, Any], size: int = 16 << 20, keep: int = 256 << 20) -> None:
        self.wanted = self.folder = folder  # which may be another process's
        self.about, self.size, self.keep, self.sync = about, size, keep, False
        self.lock, self.flushing = Lock(), Lock()  # the first is held during a write(2), but not while the disk is waited for
        self.pending: Pending | None = None  # there is one while it is open
        self.file, self.state, self.offset, self.next, self.synced, self.settled = -1, -1, 0, 1, 0, False
        self.ended: list[int] = []  # files that are complete, and not known to be on the disk
        self.failed, self.failure = 0.0, OSError()
        self.held = ExitStack()

    def __str__(self) -> str:
        return f"the feed: {self.folder}"

    # Its beginning

    def open(self) -> None:
        """What failed is not tried again for some seconds: it takes its time."""
        with self.lock:
            if self.pending:
                return
            if self.failed and time.monotonic() - self.failed < AGAIN:
                raise OSError(self.failure.errno, self.failure.strerror)
            try:
                self.begin()
            except OSError as error:
                self.failed, self.failure = time.monotonic(), error
                raise

    def begin(self) -> None:
        with ExitStack() as stack:
            self.folder, claim = claimed(self.wanted)
            stack.callback(os.close, claim)
            identify(self.folder / "feed.json", self.about)
            self.state = os.open(self.folder / "state", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            stack.callback(os.close, self.state)
            stack.callback(self.let_go)
            self.resume()
            pending = Pending(self.folder / "pending")
            if left := [body[:-1] + b', "uncertain": true}' for body in pending.left()]:
                self.add(left)
            pending.clear()
            self.held, self.pending = stack.pop_all(), pending

    def resume(self) -> None:
        """Go on with numbers: after those that there are, or far behind all that there may have been."""
        before = os.pread(self.state, 100, 0).rstrip(b"\0").decode()
        self.boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        self.next, crashed = self.recover(), before not in ("", "settled", self.boot)
        if crashed:
            self.next = (self.next // LEAP + 1) * LEAP
        if crashed or self.file < 0:
            self.begin_file()
        self.mark(self.boot)
        if crashed:
            self.add([b'"crash": "the machine ended without the feed; what was last may be missing"}'])

    def recover(self) -> int:
        """Open the last file, without what is no whole line at its end; the next number."""
        files = sorted(self.folder.glob("*.feed"))
        if not files:
            return 1
        number, self.offset = int(files[-1].stem), 0
        for line in files[-1].read_bytes().splitlines(keepends=True):
            if not line.endswith(b"\n") or not whole(line, number):
                break
            number, self.offset = number + 1, self.offset + len(line)
        self.file = os.open(files[-1], os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        os.ftruncate(self.file, self.offset)
        return number

    # What a Writer calls

    def append(self, records: list[bytes]) -> int:
        """Add lines, of which each record is the end: all of them or none."""
        if not self.pending:
            self.open()
        with self.lock:
            self.add(records)
        if self.sync:
            self.flush()
        return len(records)

    def close(self) -> None:
        if not self.pending:
            return
        self.pending = None
        with self.held:
            self.settle()

    # Files, under the lock

    def add(self, records: list[bytes]) -> None:
        if self.settled:
            self.mark(self.boot)
        at = (EPOCH + timedelta(microseconds=time.time_ns() // 1000)).isoformat(timespec="microseconds").encode()
        self.write(b"".join(b'{"seq": %d, "time": "%s", %s\n' % (number, at, record)
                            for number, record in enumerate(records, self.next)))
        self.next += len(records)
        if self.offset >= self.size:
            with suppress(OSError):  # it is tried again after the next line
                self.begin_file()

    def write(self, data: bytes) -> None:
        """All of it or nothing."""
        written = -1
        try:
            written = os.write(self.file, data)
            if written < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.folder))
        except OSError:
            if written > 0:
                os.ftruncate(self.file, self.offset)
            raise
        self.offset += written

    def begin_file(self) -> None:
        file = os.open(self.folder / f"{self.next:020}.feed", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if self.file >= 0:
            self.ended.append(self.file)
        self.ended.append(os.open(self.folder, os.O_RDONLY | os.O_CLOEXEC))  # for the name
        self.file, self.offset, total = file, 0, self.size
        for each in sorted(self.folder.glob("*.feed"), reverse=True)[1:]:
            total += each.stat().st_size
            if total > self.keep:
                each.unlink()

    def let_go(self) -> None:
        """Close what it writes to."""
        files, self.file, self.ended = [*self.ended, self.file], -1, []
        for file in files:
            if file >= 0:
                os.close(file)

    # The disk

    def flush(self) -> None:
        """All lines so far are on the disk afterwards."""
        with self.flushing, ExitStack() as stack:
            with self.lock:
                number, files = self.next - 1, [*self.ended, os.dup(self.file)] if self.file >= 0 else []
                self.ended = []
            for file in files:
                stack.callback(os.close, file)
                if number > self.synced:
                    os.fdatasync(file)
            self.synced = max(self.synced, number)

    def mark(self, state: str) -> None:
        """Remember how the end is to be taken: as that of a process under this boot, or as one with everything written."""
        os.pwrite(self.state, state.encode().ljust(100, b"\0"), 0)
        os.fsync(self.state)
        self.settled = state == "settled"

    def settle(self) -> None:
        """Nothing is missing if the machine ends now."""
        self.flush()
        with self.lock:
            if self.file >= 0 and self.synced == self.next - 1:
                self.mark("settled")
