"""Python's logging, print and warnings into GlusterFS's own log, under the name of the translator that speaks."""

from __future__ import annotations

import io
import logging
import sys
import threading
from types import FrameType
from typing import TextIO, cast

from glupy import _core, names

# enum gf_loglevel of logging.h
_CRITICAL, _ERROR, _WARNING, _INFO, _DEBUG, _TRACE = 3, 4, 5, 7, 8, 9
_LEVELS = ((logging.CRITICAL, _CRITICAL), (logging.ERROR, _ERROR), (logging.WARNING, _WARNING), (logging.INFO, _INFO),
           (logging.DEBUG, _DEBUG))


def gluster_level(level: int) -> int:
    """GlusterFS's log level for one of Python's."""
    return next((gluster for python, gluster in _LEVELS if level >= python), _TRACE)


def say(level: int, name: str, file: str, line: int, function: str, text: str) -> None:
    """One entry in GlusterFS's log; what a C string cannot hold is escaped."""
    _core.log(level, _clean(name), _clean(file), line, _clean(function), _clean(text))


def _clean(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


class GlusterHandler(logging.Handler):
    """Hands records to GlusterFS's log, which has its own lock: this one takes none."""

    def createLock(self) -> None:
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        if not self.filter(record):
            return False
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        try:
            name = "glupy" if record.name == "root" else record.name
            say(gluster_level(record.levelno), name, record.pathname, record.lineno, record.funcName or "",
                self.format(record))
        except Exception:
            self.handleError(record)


class LogWriter(io.TextIOBase):
    """Stands for sys.stdout or sys.stderr: each whole line becomes a line of GlusterFS's log."""

    def __init__(self, level: int) -> None:
        self.level = level
        self.partial: dict[int, str] = {}

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        thread = threading.get_ident()
        *lines, rest = (self.partial.pop(thread, "") + text).split("\n")
        if rest:
            self.partial[thread] = rest
        self._log(lines, names.caller(1))
        return len(text)

    def flush(self) -> None:
        """Lines end with a newline: half a line waits for the rest of it (print flushes in the middle of one)."""

    def _log(self, lines: list[str], frame: FrameType | None) -> None:
        if not lines:
            return
        owner = names.owner_of(frame) or "glupy"
        file, line, function = "python", 0, ""
        if frame is not None:
            file, line, function = frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
        for text in lines:
            if text.strip():
                say(self.level, owner, file, line, function, text)


def install_logging() -> None:
    """Called once in a process that GlusterFS runs; plain Python keeps its own logging and streams."""
    root = logging.getLogger()
    root.handlers[:] = [GlusterHandler()]
    root.setLevel(logging.DEBUG)  # GlusterFS decides what is logged, and can change its mind while it runs
    logging.captureWarnings(True)
    sys.stdout, sys.stderr = cast(TextIO, LogWriter(_INFO)), cast(TextIO, LogWriter(_WARNING))
