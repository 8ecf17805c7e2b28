"""The books of a brick: what is used, by whom, what is held for those at work, and what the limits say to it."""

from __future__ import annotations

import errno
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import NamedTuple

from glupy import Gfid, Iatt, Xdata

from .labels import LABEL, LINKTO, of_directory, parts

NOTHING = (0, 0)
UNITS = {unit: 1 << 10 * power for power, unit in enumerate(("", "K", "M", "G", "T", "P"))}


class Limit(NamedTuple):
    """What is allowed; None: as much as one likes."""

    text: str
    bytes: int | None = None
    files: int | None = None
    soft_bytes: int | None = None
    soft_files: int | None = None

    @classmethod
    def read(cls, text: str) -> Limit:
        """From "bytes=10GB files=1000 soft-bytes=9GB soft-files=900", of which any may be missing. Raises OSError."""
        given: dict[str, int] = {}
        for word in text.split():
            name, _, number = word.replace("-", "_").partition("=")
            match = re.fullmatch(r"([0-9]{1,18})([KMGTP]?)B?", number.upper())
            if name not in cls._fields[1:] or not match or name in given:
                raise OSError(errno.EINVAL, f"{word!r} is none of bytes=, files=, soft-bytes= and soft-files= with a number")
            given[name] = int(match[1]) * UNITS[match[2]]
        return cls(" ".join(text.split()), **given)

    def exceeded(self, size: int, files: int) -> bool:
        return self.bytes is not None and size > self.bytes or self.files is not None and files > self.files

    def soft(self, size: int, files: int) -> bool:
        return (self.soft_bytes is not None and size > self.soft_bytes
                or self.soft_files is not None and files > self.soft_files)


class Charge(NamedTuple):
    """What a file is counted with."""

    uid: int
    gid: int
    size: int
    label: frozenset[bytes] = frozenset()  # entries: 8 bytes that stand for a name, 16 of a limited directory above it
    linkto: bool = False  # where DHT would look for a file that lies on another brick

    @classmethod
    def of(cls, buf: Iatt, found: Xdata) -> Charge:
        return cls(buf.ia_uid, buf.ia_gid, buf.ia_size, parts(found.get_as(LABEL, "bytes", b""), 24), LINKTO in found)

    @property
    def files(self) -> int:
        return 0 if self.linkto and not self.size else 1

    def keys(self) -> set[str]:
        """Whom it is counted for."""
        return {f"user:{self.uid}", f"group:{self.gid}", *(of_directory(entry[8:]) for entry in self.label)}


class Books(dict[str, tuple[int, int]]):
    """Bytes and files by key."""

    def add(self, keys: Iterable[str], size: int, files: int) -> None:
        for key in keys:
            old = self.get(key, NOTHING)
            self[key] = old[0] + size, old[1] + files


class Hold(NamedTuple):
    """What somebody who is at work may come to use."""

    keys: frozenset[str]
    size: int
    files: int
    number: int


class Ledger:
    """The books, and what is checked against them. Each call is one step."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.used = Books()  # what limits go by, holds included
        self.fresh: Books | None = None  # while it is counted anew: of the files so far; the same as used the first time
        self.scanned: set[Gfid] = set()  # these files
        self.counted = False  # used has been complete
        self.holds: set[Hold] = set()
        self.number = 0
        self.gone: dict[Gfid, Charge] = {}  # files without a name that are still open
        self.limits: dict[str, Limit] = {}
        self.elsewhere: dict[str, tuple[int, int]] = {}  # what the other subvolumes have
        self.warned: set[str] = set()

    def limit(self, key: str) -> Limit | None:
        kind, _, who = key.partition(":")
        return self.limits.get(key) or (self.limits.get(f"{kind}:default") if who != "0" else None)

    def usage(self, key: str) -> tuple[int, int]:
        """What is used in the volume: not while a file that is counted anew is in no book."""
        with self.lock:
            return self._usage(key)

    def _usage(self, key: str, size: int = 0, files: int = 0) -> tuple[int, int]:
        """The same, and so much more. With the lock."""
        here, there = self.used.get(key, NOTHING), self.elsewhere.get(key, NOTHING)
        return max(0, here[0]) + there[0] + size, max(0, here[1]) + there[1] + files

    @contextmanager
    def hold(self, keys: Iterable[str], size: int, files: int, enforced: bool) -> Iterator[Hold]:
        """Count ahead what may be needed, until it is settled or comes to nothing. Raises OSError(EDQUOT)."""
        with self.lock:
            self.number += 1
            hold = Hold(frozenset(keys), size, files, self.number)
            for key in hold.keys if enforced and (size > 0 or files > 0) else ():
                limit = self.limit(key)
                if limit and limit.exceeded(*self._usage(key, size, files)):
                    raise OSError(errno.EDQUOT, key)
            self.holds.add(hold)
            self._add_hold(hold, 1)
        try:
            yield hold
        finally:
            with self.lock:
                self._release(hold)

    def settle(self, gfid: Gfid, old: Charge | None, new: Charge | None, hold: Hold | None = None) -> list[str]:
        """A file was counted as `old` and is as `new`, None being no file: which soft limits are exceeded from now on."""
        with self.lock:
            if old:
                self._count(gfid, old, -1)
            if self.fresh is not None:
                self.scanned.add(gfid)
            if new:
                self._count(gfid, new, 1)
                if gfid in self.gone:
                    self.gone[gfid] = new
            if hold:
                self._release(hold)
            charge = new or old
            return [key for key in charge.keys() if self._newly_over(key)] if charge else []

    def _count(self, gfid: Gfid, charge: Charge, sign: int) -> None:
        for book in self._of(gfid):
            book.add(charge.keys(), sign * charge.size, sign * charge.files)

    def _of(self, gfid: Gfid) -> list[Books]:
        """The books in which a file is."""
        books = [self.used] if self.used is not self.fresh else []
        return books + ([self.fresh] if self.fresh is not None and gfid in self.scanned else [])

    def _add_hold(self, hold: Hold, sign: int) -> None:
        for book in {id(book): book for book in (self.used, self.fresh) if book is not None}.values():
            book.add(hold.keys, sign * hold.size, sign * hold.files)

    def _release(self, hold: Hold) -> None:
        if hold in self.holds:
            self.holds.remove(hold)
            self._add_hold(hold, -1)

    def _newly_over(self, key: str) -> bool:
        limit = self.limit(key)
        if not limit or not limit.soft(*self._usage(key)):
            self.warned.discard(key)
            return False
        if key in self.warned:
            return False
        self.warned.add(key)
        return True

    def begin_count(self) -> None:
        with self.lock:
            self.fresh, self.scanned = Books(), set(self.gone)
            for hold in self.holds:
                self.fresh.add(hold.keys, hold.size, hold.files)
            for charge in self.gone.values():
                self.fresh.add(charge.keys(), charge.size, charge.files)
            if not self.counted:
                self.used = self.fresh

    def end_count(self) -> None:
        with self.lock:
            assert self.fresh is not None
            self.used, self.fresh, self.scanned, self.counted = self.fresh, None, set(), True

    def saved(self, clean: bool) -> bytes:
        """What is to outlast the process: it takes files without a name with it."""
        with self.lock:
            kept = Books(self.used)
            for charge in self.gone.values():
                kept.add(charge.keys(), -charge.size, -charge.files)
            clean = clean and self.counted and self.fresh is None and not self.holds
            return json.dumps({
                "clean": clean, "used": {key: amount for key, amount in kept.items() if any(amount)} if self.counted else None,
                "elsewhere": self.elsewhere, "limits": {key: limit.text for key, limit in self.limits.items()},
            }).encode()

    def load(self, saved: bytes) -> bool:
        """Whether these are exact."""
        given = json.loads(saved)
        self.counted = given["used"] is not None
        self.used = Books({key: (size, files) for key, (size, files) in (given["used"] or {}).items()})
        self.elsewhere = {key: (size, files) for key, (size, files) in given["elsewhere"].items()}
        self.limits = {key: Limit.read(text) for key, text in given["limits"].items()}
        return bool(given["clean"])


def key_of(name: str) -> str:
    """".user.1000" or ".group.default": whom an attribute is about. Raises OSError(EINVAL)."""
    match = re.fullmatch(r"\.(user|group)\.(default|0|[1-9][0-9]{0,9})", name)
    if not match:
        raise OSError(errno.EINVAL, f"{name!r} is neither .user.NUMBER nor .group.NUMBER")
    return f"{match[1]}:{match[2]}"


def text_of(value: bytes) -> str:
    return value.rstrip(b"\0").decode("ascii", "replace")
