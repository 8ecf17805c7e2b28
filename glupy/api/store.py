"""Store: bytes by name that outlast the process, in a file of SQLite's on this machine."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from glupy import _core

if TYPE_CHECKING:
    import sqlite3

T = TypeVar("T")

#: Seconds that a process waits for another one that writes.
_PATIENCE = 30.0

#: In WAL mode with this, what was committed is there after a crash of the machine, too.
_SETTINGS = ("pragma journal_mode = wal", "pragma synchronous = full",
             "create table if not exists store (name blob primary key, value blob not null) without rowid")

#: Why, by SQLite's primary result code.
_ERRNOS = {5: errno.ETIMEDOUT, 8: errno.EROFS, 13: errno.ENOSPC}


class Store:
    """A mapping of bytes by name (str, of any characters) that lasts: self.store of a translator, one for each layer, volume
    and brick, on a local disk of this machine. Names are in no relation to files of the volume.

    All methods are awaited, work on a thread of glupy's, and each is one step for all others, also for those of other processes
    and interpreters that use the same store. When one that changes something has come back, the change outlasts a crash of the
    process and of the machine. The file is made when it is first used.

    They raise OSError (ENOSPC, EROFS, ETIMEDOUT where another process writes for 30 seconds, EPERM where the folder may be
    changed by others or would lie inside the volume, EIO for what else is wrong with the file), ReferenceError when the graph
    has gone before the first use; TypeError and ValueError for names and values that are none.
    """

    def __init__(self, place: Callable[[], Path]) -> None:
        self._place = place  # makes the file ready, and says where it is
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None

    def __del__(self) -> None:
        if self._opened is not None:
            self._opened.close()

    @overload
    async def get(self, name: str) -> bytes | None: ...

    @overload
    async def get(self, name: str, default: T) -> bytes | T: ...

    async def get(self, name: str, default: object = None) -> object:
        """The value that has that name, else `default`."""
        rows = await self._do("select value from store where name = ?", _key(name))
        return rows[0][0] if rows else default

    async def set(self, name: str, value: bytes) -> None:
        """Give a name a value, a new one or another one."""
        await self.update({name: value})

    async def delete(self, name: str) -> bool:
        """Take a name away: whether it was there."""
        return bool(await self._do("delete from store where name = ? returning 1", _key(name)))

    async def update(self, values: Mapping[str, bytes | None]) -> None:
        """Several at once, all or none; None takes a name away. Much cheaper than one by one."""
        await _core.to_thread(self._update, [(_key(name), _value(value)) for name, value in values.items()])

    async def items(self, prefix: str = "") -> list[tuple[str, bytes]]:
        """The names that begin with `prefix`, and their values, in the order of the names' bytes (UTF-8)."""
        begin = prefix.encode("utf-8", "surrogateescape")
        after = begin.rstrip(b"\xff")
        end = after[:-1] + bytes([after[-1] + 1]) if after else None
        where = "name >= ?1 and name < ?2" if end is not None else "name >= ?1 and ?2 is null"
        rows = await self._do(f"select name, value from store where {where} order by name", begin, end)
        return [(name.decode("utf-8", "surrogateescape"), value) for name, value in rows]

    async def change(self, name: str, function: Callable[[bytes | None], bytes | None]) -> bytes | None:
        """Give a name the value that a function makes of its old one, as one step for all others, and give the new value. None
        stands for no value. The function is called on a thread of glupy's and may not use the store; what it raises is raised,
        and changes nothing."""
        return await _core.to_thread(self._change, _key(name), function)

    # On a thread that may block

    def _do(self, statement: str, *values: bytes | None) -> Any:
        def do(db: sqlite3.Connection) -> Any:
            return db.execute(statement, values).fetchall()
        return _core.to_thread(self._with, do)

    def _update(self, values: list[tuple[bytes, bytes | None]]) -> None:
        def put(db: sqlite3.Connection) -> None:
            for name, value in values:
                _put(db, name, value)
        self._with(lambda db: _at_once(db, put))

    def _change(self, name: bytes, function: Callable[[bytes | None], bytes | None]) -> bytes | None:
        def change(db: sqlite3.Connection) -> bytes | None:
            rows = db.execute("select value from store where name = ?", (name,)).fetchall()
            value = _value(function(rows[0][0] if rows else None))
            _put(db, name, value)
            return value
        return self._with(lambda db: _at_once(db, change))

    def _with(self, function: Callable[[sqlite3.Connection], T]) -> T:
        import sqlite3  # most processes have no translator that keeps something

        with self._lock:
            try:
                if self._opened is None:
                    self._opened = _open(self._place())
                return function(self._opened)
            except sqlite3.Error as error:
                code = getattr(error, "sqlite_errorcode", None)
                number = _ERRNOS.get(code & 0xff, errno.EIO) if code is not None else errno.EIO
                raise OSError(number, f"store: {error}") from error


def _open(path: Path) -> sqlite3.Connection:
    import sqlite3

    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))  # SQLite's other files get the same mode
    db = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        for statement in _SETTINGS:
            db.execute(statement)
    except BaseException:
        db.close()
        raise
    return db


def _at_once(db: sqlite3.Connection, function: Callable[[sqlite3.Connection], T]) -> T:
    db.execute("begin immediate")
    try:
        result = function(db)
        db.execute("commit")
    except BaseException:
        if db.in_transaction:
            db.execute("rollback")
        raise
    return result


def _put(db: sqlite3.Connection, name: bytes, value: bytes | None) -> None:
    if value is None:
        db.execute("delete from store where name = ?", (name,))
    else:
        db.execute("insert into store values (?, ?) on conflict (name) do update set value = excluded.value", (name, value))


def _key(name: str) -> bytes:
    if not isinstance(name, str):
        raise TypeError(f"{name!r}: expected a name, which is a str")
    if not name:
        raise ValueError("a name has at least one character")
    return name.encode("utf-8", "surrogateescape")


def _value(value: bytes | None) -> bytes | None:
    if value is not None and not isinstance(value, (bytes, bytearray, memoryview)):
        raise TypeError(f"{value!r}: expected bytes")
    return None if value is None else bytes(value)
