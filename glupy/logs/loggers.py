"""Python's logging, print and warnings into GlusterFS's own log, under the name of the translator that speaks.

GlusterFS alone decides what is logged: by the translator's own log-level, else by the process's, and both can change
while it runs. So loggers ask it at each call, which costs a read of two integers, and keep no answer.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
import warnings
from functools import cache
from types import FrameType, TracebackType
from typing import Any, Protocol, TextIO, cast

from glupy import _core
from glupy.logs import owners, tracebacks

# gf_loglevel_t of logging.h
_CRITICAL, _ERROR, WARNING, _NOTICE, INFO, _DEBUG, _TRACE = 3, 4, 5, 6, 7, 8, 9
_OFF = 1 << 30
#: Python's lowest level that is written, by gf_loglevel_t; nothing of Python's is an alert or an emergency.
_LOWEST = (_OFF, _OFF, _OFF, logging.CRITICAL, logging.ERROR, logging.WARNING, 25, logging.INFO, logging.DEBUG, 1)


class Voice(Protocol):
    """Who may write to the log: a translator's Instance, or glupy._core for whoever the thread works for."""

    def log(self, level: int, name: str, file: str, line: int, function: str, message: str, /) -> None:
        """One entry, if it is written at that level."""

    def log_level(self) -> int:
        """The gf_loglevel_t up to which entries are written now."""


#: The file that logging.Logger.info() and the like are in.
_LOGGING = logging.Logger.info.__code__.co_filename

#: Methods of a logger that have a short way, and the level that they speak at; that of log() is its first argument.
_STRAIGHT = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR,
             "critical": logging.CRITICAL, "log": -1}

#: For whoever the thread works for, or for the process.
_NOBODY = cast(Voice, _core)


@cache
def gluster_level(level: int) -> int:
    """GlusterFS's log level (gf_loglevel_t) for one of Python's: 25 is NOTICE, what is below DEBUG is TRACE."""
    return next((gluster for gluster in range(_CRITICAL, _TRACE) if level >= _LOWEST[gluster]), _TRACE)


def python_level(level: int) -> int:
    """Python's lowest level that GlusterFS writes at a log level of its own; for NONE one that is never reached."""
    return _LOWEST[level]


def say(voice: Voice, level: int, name: str, file: str, line: int, function: str, text: str) -> None:
    """One entry in GlusterFS's log; what a C string cannot hold is escaped."""
    voice.log(level, _clean(name), _clean(file), line, _clean(function), _clean(text))


def _clean(text: str) -> str:
    if text.isascii() and "\0" not in text:
        return text
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\0")


class GlusterLogger(logging.Logger):
    """A logger that is enabled for what GlusterFS will write at this moment, and a level of its own lets through."""

    voice: Voice = _NOBODY

    def isEnabledFor(self, level: int) -> bool:
        # The question that answers nearly all first. Logger's own cache is of no use: it would keep GlusterFS's answer.
        return (level >= _LOWEST[self.voice.log_level()] and not self.disabled and self.manager.disable < level
                and level >= _own_level(self))

    def getEffectiveLevel(self) -> int:
        return max(_own_level(self), _LOWEST[self.voice.log_level()])


#: The level that Python's logging has, whatever GlusterFS says.
_own_level = logging.Logger.getEffectiveLevel


class _Root(GlusterLogger, logging.RootLogger):
    """The root logger."""


class TranslatorLogger(GlusterLogger):
    """A translator's own. It is nobody else's: there may be another translator of that name in the process."""

    def __init__(self, instance: _core.Instance) -> None:
        super().__init__(instance.name)
        self.voice = instance
        self.parent = logging.getLogger()
        self._add_straight(instance)

    def makeRecord(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = super().makeRecord(*args, **kwargs)
        record.voice = self.voice
        return record

    def _add_straight(self, instance: _core.Instance) -> None:
        """Put a short way into GlusterFS's log in front of the methods that are called most: see log_method.c."""
        for name, level in _STRAIGHT.items():
            setattr(self, name, _core._log_method(
                getattr(self, name), instance, level, _LOWEST, _clean(instance.name), vars(logging), _LOGGING, self.manager,
                GlusterHandler, logging.LogRecord))


def logger_for(instance: _core.Instance) -> logging.Logger:
    """The logger of a translator."""
    return TranslatorLogger(instance) if _installed() else logging.getLogger(instance.name)


def use_level(logger: logging.Logger, level: str | None) -> None:
    """Apply a translator's option log-level (a name of GlusterFS's, or None) to its logger.

    GlusterFS itself keeps the level that its log goes by, all but NONE, which it takes for "as the process"."""
    if isinstance(logger, GlusterLogger):
        logger.setLevel(_OFF if level == "NONE" else logging.NOTSET)
    elif level:
        logger.setLevel({"NONE": _OFF, "TRACE": 1}.get(level, level))


class GlusterHandler(logging.Handler):
    """Hands records to GlusterFS's log, which has its own lock: this one takes none."""

    def createLock(self) -> None:
        self.lock = None

    def handle(self, record: logging.LogRecord) -> bool:
        # Asked again here: a library's logger may be of another class, or older than install_logging().
        voice: Voice = getattr(record, "voice", _NOBODY)
        if record.levelno < _LOWEST[voice.log_level()] or not self.filter(record):
            return False
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        try:
            name = "glupy" if record.name == "root" else record.name
            say(getattr(record, "voice", _NOBODY), gluster_level(record.levelno), name, record.pathname, record.lineno,
                record.funcName or "", self.format(record))
        except Exception:
            self.handleError(record)


def speaker(owner: owners.Owner | None, otherwise: str = "glupy") -> tuple[str, Voice]:
    """Under which name an entry is written, and by whom."""
    return owner or (otherwise, _NOBODY)


def place(frame: FrameType | None) -> tuple[str, int, str]:
    """File, line and function as the log names them."""
    return (frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name) if frame else ("python", 0, "")


def _say_exception(head: str, error: BaseException | None, trace: TracebackType | None) -> None:
    """An exception that nobody is left to handle: one entry, at the deepest line of a translator's code."""
    owner, place = None, ("python", 0, "")
    for frame, line in traceback.walk_tb(trace):
        if owners.is_translators(frame):
            owner, place = owners.owner_of(frame), (frame.f_code.co_filename, line, frame.f_code.co_name)
    name, voice = speaker(owner)
    if voice.log_level() >= _ERROR:
        text = tracebacks.format_traceback(error).rstrip() if error else "no exception is known"
        say(voice, _ERROR, name, *place, f"{head}\n{text}")


def _thread_failed(args: threading.ExceptHookArgs) -> None:
    """threading.excepthook: an exception ended a thread of the author's own."""
    if args.exc_type is not SystemExit:
        thread = args.thread.name if args.thread else "?"
        _say_exception(f"Exception in thread {thread}:", args.exc_value, args.exc_traceback)


def _unraisable(args: sys.UnraisableHookArgs) -> None:
    """sys.unraisablehook: an exception where Python has nobody to give it to, such as in __del__."""
    try:
        place = f": {args.object!r}"
    except Exception:
        place = ""
    _say_exception(f"{args.err_msg or 'Exception ignored in'}{place}", args.exc_value, args.exc_traceback)


def _show_warning(message: Warning | str, category: type[Warning], filename: str, lineno: int,
                  file: TextIO | None = None, line: str | None = None) -> None:
    """warnings.showwarning: one entry at the place that the warning is about."""
    frame = owners.caller(1)
    owner = owners.owner_of(frame)
    while frame is not None and (frame.f_code.co_filename, frame.f_lineno) != (filename, lineno):
        frame = frame.f_back
    name, voice = speaker(owner, "py.warnings")
    if voice.log_level() >= WARNING:
        function = frame.f_code.co_name if frame else ""
        say(voice, WARNING, name, filename, lineno, function, f"{category.__name__}: {message}")


def _installed() -> bool:
    return isinstance(logging.getLogger(), GlusterLogger)


def install_logging() -> None:
    """Called once in a process that GlusterFS runs; plain Python keeps its own logging and streams."""
    root = logging.getLogger()
    root.__class__ = _Root
    root.handlers[:] = [GlusterHandler()]
    root.setLevel(logging.NOTSET)
    logging.setLoggerClass(GlusterLogger)
    warnings.showwarning = _show_warning
    threading.excepthook = _thread_failed
    sys.unraisablehook = _unraisable
