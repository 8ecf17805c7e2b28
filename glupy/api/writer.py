"""Writing records beside the data path: audit trails, change feeds, journals."""

from __future__ import annotations

import errno
import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Condition, Thread
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeVar, cast

from glupy._core import Future, Semaphore
from glupy.records.files import RecordFile, SyncFailed

if TYPE_CHECKING:
    from glupy.api.translator import Translator

__all__ = ["Writer"]

T = TypeVar("T")

#: Records that are written at once: one call of append(), and one sync of the disk.
_GROUP = 500

#: Seconds between two tries of what could not be written, at first and at most.
_SOONEST, _LATEST = 0.05, 1.0


class Output(Protocol):
    """Where the records of a Writer go, if not to a file. Called by one thread at a time: on the Writer's, where it may block,
    and with `direct` on others, where it is not to."""

    def append(self, records: list[bytes], /) -> int:
        """Take records, and say how many of them, from the first: called again with the rest. Raises OSError where it takes
        none."""

    def close(self) -> None:
        """Called once, in the end."""


class _Entry(Generic[T]):
    __slots__ = ("future", "is_mark", "record", "settled")

    def __init__(self, record: T | None, future: Future[None] | None, is_mark: bool = False) -> None:
        self.record, self.future, self.is_mark = record, future, is_mark
        self.settled = False


class Writer(Generic[T]):
    """Appends records to a file, on a thread of its own: a translator's fops need not wait for the disk, and where they do,
    all that came meanwhile are written, and synced, together. It ends with the translator that made it: what is in the queue
    is written then, for 3 seconds before a process ends and 5 more where a graph goes, and nobody waits any more.

    translator  whose it is. Make it in init(); after reloaded() it is the new version's, if that has it as an attribute
    output      a path: records are appended to that file (RecordFile below), which may be renamed or removed at any time and
                must not lie in the volume. Or an object with append(records) and close(), see Output. May be exchanged
    encode      makes bytes of a record, on the Writer's thread; None: records are bytes. It is written whole or not at all
    limit       how many records may wait to be written; more memory is not used. May be changed
    full        what becomes of one more. "wait": write() waits for its turn, put() drops it. "drop": both drop it. A number of
                errno's: both raise OSError with it
    sync        a record is written when it is on the disk (fdatasync, one for each group of up to 500)
    size, keep  of a path: a file of `size` bytes becomes PATH.1, that one PATH.2, and so on up to `keep`; 0: never
    chain       of a path: each record, which has to be a line of a JSON object, holds the hash of the one before as "prev";
                what was removed, changed or moved is found by `glupy verify`
    retry       seconds for which what cannot be written is tried again; then, and with 0 at once, it is dropped, and who waits
                for it gets the error. What else comes waits meanwhile, as far as `limit` lets it. Not after a failure of sync
    missing     makes a record that says how many are missing; written in their place when records are taken again. None: none
    report      seconds between two warnings in the log that records were dropped. May be changed
    called      what the log calls records
    direct      write() appends a record itself, on the thread that it is called on, while nobody else is at it and all goes well:
                without a turn of two threads, for an output that does not keep whoever writes to it. Not with `sync` of a path.
                May be changed

    Any thread may use it, also such as are not glupy's. The statedump counts records.written and records.dropped. It belongs
    to one interpreter; several Writers, in whatever process, may append to one file.
    """

    def __init__(
        self, translator: Translator, output: str | os.PathLike[str] | Output, *, encode: Callable[[T], bytes] | None = None,
        limit: int = 10000, full: Literal["wait", "drop"] | int = "wait", sync: bool = False, size: int = 0, keep: int = 4,
        chain: bool = False, retry: float = 0.0, missing: Callable[[int], T] | None = None, report: float = 60.0,
        called: str = "records", direct: bool = False,
    ) -> None:
        if limit < 1:
            raise ValueError(f"Writer(): expected a limit of 1 or more, not {limit!r}")
        if isinstance(full, str) and full not in ("wait", "drop"):
            raise ValueError(f"Writer(): full is {full!r}; it can be 'wait', 'drop' or an errno")
        if retry < 0:
            raise ValueError(f"Writer(): expected seconds of 0 or more to retry, not {retry!r}")
        if direct and sync:
            raise ValueError("Writer(): direct would have whoever writes wait for the disk: not with sync")
        self._instance, self._log = translator._instance, translator.log
        self._encode = cast("Callable[[T | None], bytes]", encode or _as_bytes)
        self._full, self._retry, self._missing, self.report = full, retry, missing, report
        self.called, self.direct = called, direct
        self._made: dict[str, Any] = {"sync": sync, "size": size, "keep": keep, "chain": chain, "warn": self._log.error}
        self._output: Output | None = None  # the thread's
        self._wanted = self._output_of(output)
        self._room = Semaphore(limit, f"{self._wanted}: room")
        self._limit, self._excess = limit, 0
        self._changed = Condition()  # guards what follows; never held while anything is written or awaited
        self._pending: deque[_Entry[T]] = deque()
        self._group: list[_Entry[T]] = []  # at which the thread is
        self._thread: Thread | None = None
        self._idle, self._ending = True, False
        self._beside = False  # somebody is in the output instead of the thread: see _write_beside()
        self._drains = 0  # who waits for all of it to be over
        self.written = self.dropped = 0
        self._unsaid = 0  # dropped since a record has said so
        self._unlogged = 0  # and since the log has
        self._failure = ""  # what the latest try to write failed with
        self._next_warning = 0.0
        translator._glupy_writers.append(self)

    def __repr__(self) -> str:
        return f"<Writer to {self._wanted}, {len(self._pending)} of {self._limit} wait>"

    @property
    def output(self) -> Output:
        """Where records go. An object or a path may be put in its place: what is being written is, and the old one is
        closed."""
        return self._wanted

    @output.setter
    def output(self, output: str | os.PathLike[str] | Output) -> None:
        self._wanted = self._output_of(output)

    @property
    def limit(self) -> int:
        """How many records may wait."""
        return self._limit

    @limit.setter
    def limit(self, limit: int) -> None:
        if limit < 1:
            raise ValueError(f"Writer: expected a limit of 1 or more, not {limit!r}")
        with self._changed:
            more, self._limit = limit - self._limit, limit
            self._excess += max(0, -more)
            while self._excess and self._room.try_acquire():  # the others as they come free
                self._excess -= 1
        self._give_room(max(0, more))

    def rotate_at(self, size: int, keep: int) -> None:
        """Change `size` and `keep`."""
        self._made |= {"size": size, "keep": keep}
        if isinstance(self._wanted, RecordFile):
            self._wanted.size, self._wanted.keep = size, keep

    @property
    def waiting(self) -> int:
        """How many records wait to be written now."""
        return len(self._pending)

    def open(self) -> None:
        """Open the file now and not with the first record, to hear of what is wrong with it in init(). Raises OSError."""
        if isinstance(self._wanted, RecordFile):
            self._wanted.open()

    async def write(self, record: T) -> bool:
        """Write a record: True when it is in the file, and on the disk with `sync`. False where it was dropped because the
        queue was full. Raises the OSError with which it could not be written (ESHUTDOWN in the end), and what `encode`
        raises. Who gives up waits no more; the record may be written all the same."""
        if not self._room.try_acquire():
            if self._full != "wait":
                return self._refused()
            await self._room.acquire()
        if self.direct and self._write_beside(record):
            return True
        settled: Future[None] = Future()
        if not self._append(_Entry(record, settled)):
            raise OSError(errno.ESHUTDOWN, "the Writer has ended")
        await settled
        return True

    def put(self, record: T) -> bool:
        """Have a record written, and do not wait: whether it is in the queue. If it cannot be written later, it is dropped."""
        return self._append(_Entry(record, None)) if self._room.try_acquire() else self._refused()

    async def flush(self) -> None:
        """Wait until all records that were put before are written or dropped."""
        settled: Future[None] = Future()
        if self._append(_Entry(None, settled, is_mark=True)):
            await settled

    def drain(self, seconds: float) -> bool:
        """The same on a thread that may block, for so long at most: whether it is so."""
        with self._changed:
            self._drains += 1
            try:
                return self._changed.wait_for(lambda: self._at_rest, seconds)
            finally:
                self._drains -= 1

    def close(self, seconds: float = 5.0) -> int:
        """Write what is in the queue, for so long at most, and end; it is called for you when the translator ends. Whoever
        still waits then gets ESHUTDOWN. Blocks. How many records were dropped since the Writer was made, these among them."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join(seconds)
        with self._changed:
            left = [*self._group, *self._pending]
            self._pending.clear()
        self._settle(left, OSError(errno.ESHUTDOWN, "the Writer has ended"))
        if thread is None:
            self._use_wanted()
            self._close_output()
        missing, self._unlogged = self._unlogged, 0
        if missing:
            self._log.error("%d %s are missing in %s%s", missing, self.called, self._wanted,
                            self._failure and f": {self._failure}")
        return self.dropped

    # The queue

    def _output_of(self, output: str | os.PathLike[str] | Output) -> Output:
        return RecordFile(Path(output), **self._made) if isinstance(output, (str, os.PathLike)) else output

    @property
    def _at_rest(self) -> bool:
        """Under the lock: nobody is at anything."""
        return self._idle and not self._pending and not self._beside

    def _write_beside(self, record: T) -> bool:
        """Write a record, for which room has been taken, in place of the thread, if that is at rest and has nothing to say:
        whether it is written. What fails is the thread's matter, which tries it again."""
        with self._changed:
            output = self._output
            if not self._at_rest or self._ending or output is not self._wanted or self._failure or self._unsaid:
                return False
            self._beside = True
        written = 0
        try:
            with suppress(Exception):
                written = output.append([self._encode(record)])
        finally:
            with self._changed:
                self._beside = False
                self._count(written, 0)
                if self._pending or self._ending or self._drains:
                    self._changed.notify_all()
        if written:
            self._give_room(1)
        return bool(written)

    def _append(self, entry: _Entry[T]) -> bool:
        """Room has been taken for it, unless it is a mark."""
        with self._changed:
            refused = self._ending
            if not refused:
                self._pending.append(entry)
                self._idle = False
                if self._thread is None:
                    self._thread = Thread(target=self._run, name="writer", daemon=True)
                    self._thread.start()
                self._changed.notify_all()
        if refused:
            self._settle([entry], OSError(errno.ESHUTDOWN, "the Writer has ended"), quiet=entry.future is not None)
        return not refused

    def _refused(self) -> bool:
        """There is no room for a record."""
        if not isinstance(self._full, str):
            raise OSError(self._full, os.strerror(self._full))
        with self._changed:
            self._count(0, 1)
        self._warn()  # here, because a thread that is stuck cannot
        return False

    def _give_room(self, count: int) -> None:
        with self._changed:
            kept = min(count, self._excess)
            self._excess -= kept
        for _ in range(count - kept):
            self._room.release()

    def _count(self, written: int, dropped: int) -> None:
        """Under the lock."""
        self.written += written
        self.dropped += dropped
        self._unsaid += dropped
        self._unlogged += dropped
        self._instance.records(written, dropped)

    def _settle(self, entries: list[_Entry[T]], error: BaseException | None, quiet: bool = False) -> None:
        """They are written, or never will be."""
        with self._changed:
            mine = [entry for entry in entries if not entry.settled]
            for entry in mine:
                entry.settled = True
            count = sum(not entry.is_mark for entry in mine)
            if not quiet:
                self._count(0 if error else count, count if error else 0)
        self._give_room(count)
        for entry in mine:
            if entry.future is None:
                continue
            if error is None or entry.is_mark:
                entry.future.set_result(None)
            else:
                entry.future.set_exception(_again(error))

    def _warn(self) -> None:
        with self._changed:
            now = time.monotonic()
            if not self._unlogged or now < self._next_warning:
                return
            self._next_warning = now + self.report
            missing, self._unlogged = self._unlogged, 0
        why = self._failure or f"more than {self._limit} were waiting to be written"
        self._log.warning("%d %s are not in %s: %s", missing, self.called, self._wanted, why)

    # The thread

    def _run(self) -> None:
        ended = False
        while not ended:
            with self._changed:
                self._idle = not self._pending
                self._changed.notify_all()
                turn = self._changed.wait_for(lambda: (self._pending or self._ending) and not self._beside,
                                              self._until_warning())
                self._group = [self._pending.popleft() for _ in range(min(len(self._pending), _GROUP) if turn else 0)]
                ended = bool(turn) and self._ending and not self._pending
                unsaid = self._unsaid if self._missing is not None and (self._group or ended) else 0
            if self._group or ended:
                self._use_wanted()
            if unsaid:
                self._say(unsaid)
            self._write(self._group)
            self._group = []
            self._warn()
        self._close_output()

    def _until_warning(self) -> float | None:
        return max(0.01, self._next_warning - time.monotonic()) if self._unlogged else None

    def _use_wanted(self) -> None:
        wanted = self._wanted
        if self._output is not wanted:
            self._close_output()
            self._output = wanted

    def _close_output(self) -> None:
        try:
            if self._output is not None:
                self._output.close()
        except Exception as error:
            self._log.error("%s could not be closed", self._output, exc_info=error)

    def _say(self, unsaid: int) -> None:
        """Write down how many are missing, if anything can be written."""
        assert self._missing is not None and self._output is not None
        try:
            said = self._output.append([self._encode(self._missing(unsaid))])
        except OSError:
            return
        except BaseException as error:
            self._log.error("missing= of the Writer to %s failed", self._wanted, exc_info=error)
            said = 1
        if said:
            with self._changed:
                self._unsaid -= unsaid

    def _write(self, group: list[_Entry[T]]) -> None:
        """Write entries, or what there is to do about those that cannot be written."""
        lines: list[tuple[_Entry[T], bytes]] = []
        for entry in group:
            try:
                lines.append((entry, b"" if entry.is_mark else self._encode(entry.record)))
            except BaseException as error:
                self._failed([entry], error)
        until, pause = time.monotonic() + self._retry, _SOONEST
        while lines:
            count, failure = self._append_some(lines)
            self._settle([entry for entry, _ in lines[:count]], None)
            lines = lines[count:]
            if failure is None:
                self._failure = ""
                until, pause = time.monotonic() + self._retry, _SOONEST
            elif _may_pass(failure) and time.monotonic() < until and self._pause(pause):
                pause = min(2 * pause, _LATEST)
            else:
                self._failed([entry for entry, _ in lines], failure)
                lines = []

    def _append_some(self, lines: list[tuple[_Entry[T], bytes]]) -> tuple[int, BaseException | None]:
        """How many of the first are done with, and what keeps the next from being."""
        marks = next((i for i, (entry, _) in enumerate(lines) if not entry.is_mark), len(lines))
        if marks:
            return marks, None
        end = next((i for i, (entry, _) in enumerate(lines) if entry.is_mark), len(lines))
        assert self._output is not None
        try:
            count = self._output.append([line for _, line in lines[:end]])
        except BaseException as error:
            return 0, error
        return count, None if count else OSError(errno.EIO, "nothing was written")

    def _pause(self, seconds: float) -> bool:
        """Before the next try. False: there is none, since the end has come."""
        with self._changed:
            self._changed.wait_for(lambda: self._ending, seconds)
            return not self._ending

    def _failed(self, entries: list[_Entry[T]], error: BaseException) -> None:
        if isinstance(error, OSError):
            self._failure = error.strerror or str(error)
        else:
            self._failure = "see the traceback"
            self._log.error("a record could not be written to %s", self._wanted, exc_info=error)
        self._settle(entries, error)


def _may_pass(error: BaseException) -> bool:
    """Whether the same may be tried again. After a failure of a sync the records may be there."""
    return isinstance(error, OSError) and not isinstance(error, SyncFailed)


def _as_bytes(record: object) -> bytes:
    if not isinstance(record, (bytes, bytearray, memoryview)):
        raise TypeError(f"expected a record of bytes, or encode=, not {repr(record)[:100]}")
    return bytes(record)


def _again(error: BaseException) -> BaseException:
    """One of its own for each who waits: whoever raises an exception changes it."""
    if isinstance(error, OSError):
        return OSError(error.errno if error.errno is not None else errno.EIO, error.strerror or str(error))
    return RuntimeError(f"the record could not be written: {error!r}")


# The end of a translator


def drain_all(translator: Translator, seconds: float) -> None:
    """Have what is in the queues written, for so long at most in all."""
    until = time.monotonic() + seconds
    for writer in translator._glupy_writers:
        writer.drain(max(0.0, until - time.monotonic()))


def close_all(translator: Translator, seconds: float) -> None:
    until = time.monotonic() + seconds
    while translator._glupy_writers:
        translator._glupy_writers.pop().close(max(0.0, until - time.monotonic()))


def hand_over(old: Translator, new: Translator) -> None:
    """Writers that the new version of a translator has taken over from the old one end with the new one."""
    taken = [writer for writer in old._glupy_writers if any(value is writer for value in vars(new).values())]
    old._glupy_writers = [writer for writer in old._glupy_writers if writer not in taken]
    new._glupy_writers += taken
