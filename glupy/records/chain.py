"""A chain of records: each, a line with a JSON object, holds the hash of the line before as "prev".

So a line that is removed, changed or moved is found, since the next one's "prev" is another line's then: check(). What goes
beyond one file and one process is in PATH.head beside the file: the hash of the latest line, and how long the file was with
it. It also tells that lines at the end were removed.

The hash is SHA-256 of the line without its newline, and needs no key: whoever may write to all of these files can make a chain
anew. What was known of it elsewhere, such as a hash noted on paper, is not in that one.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["BEGINNING", "Broken", "Chain", "Found", "check"]

#: "prev" of the very first line.
BEGINNING = "0" * 64

#: Bytes at the end of a file in which the latest line that is known is looked for.
_TAIL = 16 << 20


def _hash(line: bytes) -> str:
    import hashlib  # it brings two megabytes along: for those alone who keep a chain

    return hashlib.sha256(line.removesuffix(b"\n")).hexdigest()


class Chain:
    """The chain of one file, for whoever appends to it. All who do, in whatever thread and process, take turns by a lock of
    PATH.head.

    warn  is told that the file's end is not what it was
    """

    def __init__(self, path: Path, warn: Callable[[str], None]) -> None:
        self.path, self.warn = path, warn
        self._state: int | None = None  # PATH.head
        self._heads: list[str] = []  # the hashes of the lines that are about to be written

    def open(self) -> None:
        """Raises OSError."""
        if self._state is None:
            self._state = os.open(f"{self.path}.head", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def close(self) -> None:
        state, self._state = self._state, None
        if state is not None:
            os.close(state)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else appends meanwhile."""
        assert self._state is not None
        fcntl.flock(self._state, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._state, fcntl.LOCK_UN)

    def linked(self, file: int, records: list[bytes]) -> list[bytes]:
        """Records as links of the chain, to be appended to an open file. ValueError where one is no line with an object."""
        head, torn = self._latest(file)
        self._heads, lines = [], []
        for record in records:
            if not record.startswith(b"{") or not record.endswith(b"}\n") or record.find(b"\n") != len(record) - 1:
                raise ValueError(f"a record of a chain is one line with a JSON object, not {record[:100]!r}")
            between = b", " if record[1:].lstrip()[:1] != b"}" else b""
            line = b'{"prev": "%s"%s%s' % (head.encode(), between, record[1:])
            head = _hash(line)
            lines.append(line)
            self._heads.append(head)
        if torn and lines:
            lines[0] = b"\n" + lines[0]  # what is left of a line that a crash has cut
        return lines

    def reached(self, file: int, count: int) -> None:
        """So many of these lines are in the file."""
        if count:
            assert self._state is not None
            size = os.fstat(file)
            os.pwrite(self._state, f"{self._heads[count - 1]} {size.st_ino:>20} {size.st_size:>20}\n".encode(), 0)

    def _latest(self, file: int) -> tuple[str, bool]:
        """The hash of the latest line, and whether the file ends in half a one."""
        assert self._state is not None
        head, inode, size = _read_state(self._state)
        now = os.fstat(file)
        if head and (now.st_size == 0 or (now.st_ino, now.st_size) == (inode, size)):
            return head, False
        # Begun anew, or a file that was there before, or one that was changed, or a crash came before the state was written.
        *lines, rest = _tail(file, now.st_size)
        last = rest or (lines[-1] if lines else b"")
        if head is None:
            return (_hash(last) if last else BEGINNING), bool(rest)
        if any(_hash(line) == head for line in lines):
            return _hash(last), bool(rest)
        self.warn(f"{self.path} does not end as it did: lines are missing or changed before the next one (`glupy verify`)")
        return head, bool(rest)


def _read_state(state: int) -> tuple[str | None, int, int]:
    words = os.pread(state, 200, 0).decode("ascii", "replace").split()
    try:
        head, inode, size = words
        return head, int(inode), int(size)
    except ValueError:
        return None, 0, 0


def _tail(file: int, size: int) -> list[bytes]:
    """The last lines of a file, and what follows the last newline."""
    begin = max(0, size - _TAIL)
    data = bytearray()
    while begin + len(data) < size and (part := os.pread(file, min(1 << 20, size - begin - len(data)), begin + len(data))):
        data += part
    return bytes(data).split(b"\n")


@dataclass(frozen=True)
class Broken:
    """A place where a chain is not what was written."""

    file: Path
    line: int  # 0: its end
    what: str


@dataclass
class Found:
    """What was seen of a chain.

    lines    how many belong to it
    before   those at the beginning that were written without a chain
    head     the hash of the last line
    broken   where it is broken
    missing  of the hashes that were expected, those that no line has
    """

    lines: int = 0
    before: int = 0
    head: str = BEGINNING
    broken: list[Broken] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)


def check(files: Iterable[Path], expected: Iterable[str] = ()) -> Found:
    """Read the files of a chain, the oldest first (NAME.gz is decompressed), and find what was done to them since they were
    written.

    expected  hashes that have to be there, such as `head` of an earlier time

    The first line may go on after one in a file that is not there any more. Raises OSError for a file that cannot be read.
    """
    files, found = list(files), Found(missing=set(expected))
    latest = _recorded(files[-1]) if files else None
    if latest:
        found.missing.add(latest)
    for file in files:
        _check_file(file, found)
    if latest in found.missing:
        found.missing.discard(latest)
        found.broken.append(Broken(files[-1], 0, f"its last lines are missing: that with the hash {latest} was the last one"))
    return found


def _recorded(file: Path) -> str | None:
    """The latest line's hash by PATH.head."""
    with suppress(FileNotFoundError):
        state = os.open(f"{file}.head", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return _read_state(state)[0]
        finally:
            os.close(state)
    return None


def _check_file(file: Path, found: Found) -> None:
    import gzip

    with gzip.open(file) if file.suffix == ".gz" else open(file, "rb") as lines:
        for number, line in enumerate(lines, 1):
            prev = _prev(line)
            if prev is None and not found.lines:
                found.before += 1
            else:
                what = _wrong(line, prev, found)
                if what:
                    found.broken.append(Broken(file, number, what))
                found.lines += 1
            found.head = _hash(line)
            found.missing.discard(found.head)


def _wrong(line: bytes, prev: str | None, found: Found) -> str | None:
    if not line.endswith(b"\n"):
        return "it has no end"
    if prev is None:
        return "it is no record of a chain"
    if prev != found.head and (found.lines or found.before):
        return "it does not follow the line before: one was removed, changed or moved"
    return None


def _prev(line: bytes) -> str | None:
    try:
        record = json.loads(line)
        prev = record["prev"]
    except (ValueError, TypeError, KeyError):
        return None
    return prev if isinstance(prev, str) else None
