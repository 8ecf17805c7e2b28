"""glupy.breakpoint(): a request waits while somebody looks at it with pdb's commands, by a socket of the machine's.

Only where the local configuration names a folder for these sockets. Nothing is traced: a step of a coroutine may go on on
another thread, and a thread that is traced slows all that it does next. So one looks and does not step.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from glupy import _core
from glupy.logs import loggers, owners

if TYPE_CHECKING:
    import socket

__all__ = ["breakpoint"]


def _nowhere() -> Path | None:
    return None


#: What gives the folder of the sockets, ready and found to be private; None: breakpoints do not stop. It may raise. Set by
#: _runtime.started().
where: Callable[[], Path | None] = _nowhere

#: pdb's commands that would trace, or read from the process's own input.
_NOT_HERE = ("break", "b", "tbreak", "commands", "condition", "cl", "clear", "debug", "ignore", "interact", "j", "jump", "n",
             "next", "r", "return", "restart", "run", "s", "step", "unt", "until")


def breakpoint(wait: float = 60.0) -> None:
    """Stop here, and let root look: `glupy debug` on this machine opens pdb on the caller's frame (where, up, p, !statement,
    list). `c`, or the end of the connection, has the request go on; so does the time, if nobody has come within `wait`
    seconds.

    It blocks the thread that the request is on, and no other request. The log says how to connect. It does nothing, but for a
    line in the log, where /etc/glupy/glupy.conf has no entry `debug`, which is the default: see docs/security.md.
    """
    frame = sys._getframe(1)
    try:
        folder = where()
        if folder is None:
            _say(frame, loggers.INFO, "glupy.breakpoint() goes on: there is no entry debug in glupy.conf")
            return
        connection = _visitor(frame, folder, wait)
    except Exception as error:
        _say(frame, loggers.WARNING, f"glupy.breakpoint() goes on: {error}")
        return
    if connection is not None:
        with connection:
            _look(connection, frame)
        _say(frame, loggers.WARNING, "goes on behind its breakpoint")


def _visitor(frame: FrameType, folder: Path, wait: float) -> socket.socket | None:
    """Whoever connects; None if nobody does in time."""
    import socket  # what never stops need not have it

    path = folder / f"{os.getpid()}-{threading.get_native_id()}-{_name(frame)[:40].replace('/', '_')}"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(path))
        try:
            os.chmod(path, 0o600)
            listener.listen(1)
            listener.settimeout(wait)
            _say(frame, loggers.WARNING, f"waits {wait:g} s at a breakpoint for somebody to look: glupy debug {os.getpid()}")
            connection, _ = listener.accept()
        except TimeoutError:
            _say(frame, loggers.WARNING, "goes on behind its breakpoint: nobody has come")
            return None
        finally:
            path.unlink(missing_ok=True)
    connection.settimeout(None)
    _only_its_user(connection)
    return connection


def _only_its_user(connection: socket.socket) -> None:
    """The folder lets nobody else in; this is the second lock on the door."""
    import socket
    import struct

    size = struct.calcsize("3i")
    _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    if uid not in (0, os.geteuid()):
        connection.close()
        raise PermissionError(f"user {uid} has connected to it")


def _look(connection: socket.socket, frame: FrameType) -> None:
    try:
        # Two of them: one for both ways forgets what it has read ahead when it writes.
        with (connection.makefile("r", encoding="utf-8", errors="replace") as reads,
              connection.makefile("w", encoding="utf-8", errors="backslashreplace") as writes):
            debugger = _debugger(reads, writes)
            debugger.reset()
            debugger.interaction(frame, None)
    except OSError:
        pass  # whoever looked is gone


def _debugger(reads: Any, writes: Any) -> Any:
    import pdb  # what never stops need not have it

    class Looker(pdb.Pdb):
        """pdb for one frame that stands still."""

    def refuse(self: pdb.Pdb, arg: str) -> None:
        self.message("not at a glupy.breakpoint(): it looks at one place (w, u, d, p, pp, l, ll, a, !statement); c goes on")

    for name in _NOT_HERE:
        setattr(Looker, f"do_{name}", refuse)
    return Looker(stdin=reads, stdout=writes, nosigint=True, readrc=False)


def _speaker(frame: FrameType) -> tuple[str, loggers.Voice]:
    try:
        instance = _core._request()[0]
    except RuntimeError:  # a hook, or a thread of the author's
        return loggers.speaker(owners.owner_of(frame))
    return instance.name, instance


def _name(frame: FrameType) -> str:
    return _speaker(frame)[0]


def _say(frame: FrameType, level: int, text: str) -> None:
    name, voice = _speaker(frame)
    loggers.say(voice, level, name, *loggers.place(frame), text)
