"""sys.stdout and sys.stderr: each line that is printed becomes an entry in GlusterFS's log.

A line ends with a newline. Half a one becomes an entry by itself when somebody flushes it, when another translator's code
prints, and when the thread has done with Python for now: it does not wait for what somebody prints some time later.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from types import FrameType
from typing import Any, TextIO, cast

from glupy import _core
from glupy.logs import loggers, owners

#: Where GlusterFS logs to when it is told to log to its standard error.
_STANDARD_ERROR = "/dev/stderr"


class _LogFile:
    """A descriptor of GlusterFS's log, for what writes to a descriptor and keeps its number: faulthandler, processes.

    GlusterFS's own gets another number, and the old one another meaning, each time the log is rotated.
    """

    def __init__(self) -> None:
        self.descriptor = -1

    def fileno(self) -> int:
        """The number; from here on it leads to the file that is the log now. Raises OSError."""
        name = _core.log_file()
        if name is None:
            raise io.UnsupportedOperation("GlusterFS's log is no file here, so there is no descriptor of it")
        if name == _STANDARD_ERROR:
            return 2
        if self.descriptor < 0:
            self.descriptor = _open(name)
        elif not _same(self.descriptor, name):
            newer = _open(name)
            os.dup2(newer, self.descriptor, inheritable=False)
            os.close(newer)
        return self.descriptor


def _open(name: str) -> int:
    return os.open(name, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)


def _same(descriptor: int, name: str) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(name))
    except FileNotFoundError:
        return True  # between two logs


_log_file = _LogFile()


class _Half:
    """What a thread has printed of a line, whose code did, and where."""

    def __init__(self, level: int, text: str, owner: owners.Owner | None, place: tuple[str, int, str]) -> None:
        self.level, self.text, self.owner, self.place = level, text, owner, place

    def take(self) -> str:
        """The text, for the one time that it is written."""
        text, self.text = self.text, ""
        return text

    def __del__(self) -> None:  # with its thread
        _say(self.level, [self.take()], self.owner, self.place)


def _say(level: int, lines: list[str], owner: owners.Owner | None, place: tuple[str, int, str]) -> None:
    name, voice = loggers.speaker(owner)
    for text in lines:
        if text.strip():
            loggers.say(voice, level, name, *place, text)


class LogWriter(io.TextIOBase):
    """Stands for sys.stdout or sys.stderr."""

    def __init__(self, level: int) -> None:
        self.level = level
        self._own = threading.local()  # half: _Half | None

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        """A descriptor that leads to the log, for what needs one: what is written to it stands there as it is, between the
        entries. OSError where the log is no file."""
        return _log_file.fileno()

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        frame = owners.caller(1)
        owner = owners.owner_of(frame)
        before = self._before(owner)
        if loggers.speaker(owner)[1].log_level() >= self.level:
            *lines, rest = (before + text).split("\n")
            place = loggers.place(frame)
            _say(self.level, lines, owner, place)
            if rest:
                self._own.half = _Half(self.level, rest, owner, place)
                _core._half_line()
        return len(text)

    def _before(self, owner: owners.Owner | None) -> str:
        """The line so far. What another translator's code has printed of one becomes an entry."""
        half: _Half | None = getattr(self._own, "half", None)
        if half and half.owner != owner:
            self.flush()
            return ""
        self._own.half = None
        return half.take() if half else ""

    def flush(self) -> None:
        """Half a line becomes an entry."""
        self._own.half = None  # its __del__ makes it one


_streams = LogWriter(loggers.INFO), LogWriter(loggers.WARNING)


def flush_half_lines() -> None:
    """This thread has done with Python for now."""
    for stream in _streams:
        stream.flush()


def install_streams() -> None:
    """Called once in a process that GlusterFS runs."""
    sys.stdout, sys.stderr = (cast(TextIO, stream) for stream in _streams)
