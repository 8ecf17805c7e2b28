"""A file to which whole records are appended, and which may be renamed or removed meanwhile."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from itertools import accumulate
from pathlib import Path

from glupy.records.chain import Chain

__all__ = ["RecordFile", "SyncFailed"]


class SyncFailed(OSError):
    """Records are in the file, and may not be on the disk."""


class RecordFile:
    """Where a Writer's records go. Used by one thread at a time, which it blocks; other processes and threads may append to
    the same file by another RecordFile.

    path   its name; not that of a symbolic link. When that leads to another file, or to none, records go on there
    size   bytes from which on it is complete: it becomes PATH.1, what was that PATH.2, and so on up to `keep`; 0: never. It
    is so
           between two calls of append(), so it may be larger by what one of these appended
    keep   how many complete files there are; 0: they are removed
    sync   append() waits until what it appended is on the disk (fdatasync)
    mode   of a file that is made
    chain  each record holds a hash of the one before: see Chain. Records have to be lines of JSON objects then
    warn   is called with a sentence that a person is to read
    """

    def __init__(self, path: Path, *, size: int = 0, keep: int = 4, sync: bool = False, mode: int = 0o600,
                 chain: bool = False, warn: Callable[[str], None] = lambda text: None) -> None:
        self.path, self.size, self.keep, self.sync, self.mode = path, size, keep, sync, mode
        self._chain = Chain(path, warn) if chain else None
        self._file: int | None = None

    def __str__(self) -> str:
        return str(self.path)

    def open(self) -> None:
        """Open it now and not with the first record. Raises OSError."""
        if self._chain is not None:
            self._chain.open()
        if self._file is None:
            flags = os.O_WRONLY if self._chain is None else os.O_RDWR  # whose end it reads
            self._file = os.open(self.path, flags | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW,
                                 self.mode)

    def close(self) -> None:
        """append() opens it again."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)
        if self._chain is not None:
            self._chain.close()

    def append(self, records: list[bytes]) -> int:
        """Append records, and say how many of them, from the first, are there now; of the others nothing is. Raises OSError
        where none is (or, after a failure of fdatasync, nobody knows)."""
        if self._chain is None:
            return self._append(records)
        self.open()
        with self._chain.locked():
            return self._append(records)

    def _append(self, records: list[bytes]) -> int:
        file = self._followed()
        lines = records if self._chain is None else self._chain.linked(file, records)
        count = _write(file, lines)
        if self.sync:
            _sync(file)
        if self._chain is not None:
            self._chain.reached(file, count)
        if self.size and os.fstat(file).st_size >= self.size:
            self._rotate(file)
        return count

    def _followed(self) -> int:
        """The file that has the name, opened."""
        if self._file is not None:
            with suppress(FileNotFoundError):
                if os.path.samestat(os.stat(self.path), os.fstat(self._file)):
                    return self._file
            os.close(self._file)
            self._file = None
        self.open()
        assert self._file is not None
        return self._file

    def _rotate(self, file: int) -> None:
        """Give it another name, unless another process has just done so: they take turns by a lock of the folder."""
        folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.stat(self.path), os.fstat(file)):
                    self._shift()
        finally:
            os.close(folder)

    def _shift(self) -> None:
        names = [self.path, *(Path(f"{self.path}.{number + 1}") for number in range(self.keep))]
        for older, newer in zip(reversed(names), reversed(names[:-1])):
            with suppress(FileNotFoundError):
                os.rename(newer, older)
        if not self.keep:
            os.unlink(self.path)


def _sync(file: int) -> None:
    try:
        os.fdatasync(file)
    except OSError as error:
        raise SyncFailed(error.errno, error.strerror) from None


def _write(file: int, records: list[bytes]) -> int:
    """How many whole ones got in. The beginning of another one is taken back."""
    data, written = b"".join(records), 0
    try:
        while written < len(data):
            written += os.write(file, data[written:] if written else data)
    except OSError:
        ends = [end for end in accumulate(map(len, records)) if end <= written]
        with suppress(OSError):  # what is no regular file cannot be cut
            if excess := written - (ends[-1] if ends else 0):
                os.ftruncate(file, os.fstat(file).st_size - excess)
        if not ends:
            raise
        return len(ends)
    return len(records)
