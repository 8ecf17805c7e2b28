"""`glupy debug`: look at a request that waits at a glupy.breakpoint()."""

from __future__ import annotations

import os
import select
import socket
import sys
from pathlib import Path
from typing import NamedTuple

import click

from glupy.command import machine, session
from glupy.command.problem import Problem
from glupy.loading import debug_place


class Stopped(NamedTuple):
    """A request that waits."""

    socket: Path
    pid: int
    layer: str


@click.command(short_help="Look at a request that waits at a breakpoint.")
@click.argument("what", required=False)
def command(what: str | None) -> None:
    """Connect to a request that waits at a `glupy.breakpoint()` in a process of this machine. WHAT is the process's number,
    a mount point, or the name of the layer in the volfile; it may be left out where one request waits. This takes root.

    What opens is pdb on the frame that called breakpoint(): `w` shows the stack, `u` and `d` go up and down it, `p
    EXPRESSION` prints a value, `!STATEMENT` runs one, `l` shows the source, `c` has the request go on. So does the end of
    the input.

    Breakpoints stop only where /etc/glupy/glupy.conf has an entry `debug`, the folder of their sockets. Whoever connects
    can do all that the process can.
    """
    machine.need_root("glupy debug")
    with socket.socket(socket.AF_UNIX) as connection:
        found = _one(what)
        try:
            connection.connect(os.fspath(found.socket))
        except OSError as error:
            raise Problem(f"{found.layer} in process {found.pid} does not wait any more: {error.strerror}") from None
        converse(connection)


def _one(what: str | None) -> Stopped:
    found = stopped()
    named = [each for each in found if what is None or _is_meant(what, each)]
    if not named:
        raise Problem(f"no request waits at a breakpoint{f' in {what}' if what else ''}; "
                      + ("; ".join(map(_shown, found)) or "none does in any process of this machine"))
    if what is None and len(named) > 1:
        raise Problem(f"several requests wait, name one by its process or layer: {'; '.join(map(_shown, named))}")
    return named[0]


def stopped() -> list[Stopped]:
    """All requests that wait, those first that have waited longest. Raises Problem where breakpoints do not stop."""
    folder = debug_place.folder()
    if folder is None:
        raise Problem("breakpoints do not stop here: name the folder of their sockets in /etc/glupy/glupy.conf, below "
                      "[glupy]: debug = /run/glupy-debug")
    found = []
    for path in sorted(folder.iterdir(), key=lambda each: each.lstat().st_mtime):
        pid, _, rest = path.name.partition("-")
        if path.is_socket() and pid.isdigit() and Path("/proc", pid).exists():
            found.append(Stopped(path, int(pid), rest.partition("-")[2]))
    return found


def _is_meant(what: str, each: Stopped) -> bool:
    return what in (str(each.pid), each.layer) or _mount_point(what) in _words(each.pid)


def _mount_point(name: str) -> str:
    """Where a name leads, without a look at what is mounted there: the thread that would answer may be the one that waits."""
    path, points = os.path.abspath(name), session.mount_points()
    for _ in range(40):  # as many links as the kernel follows
        path = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))
        if path in points or not os.path.islink(path):
            break
        path = os.path.normpath(os.path.join(os.path.dirname(path), os.readlink(path)))
    return path


def _words(pid: int) -> list[str]:
    """A process's command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="surrogateescape").split("\0")
    except OSError:
        return []


def _shown(each: Stopped) -> str:
    return f"{each.layer} in process {each.pid}"


def converse(connection: socket.socket) -> None:
    """Between the terminal and the process, until that says no more."""
    inputs: list[socket.socket | int] = [connection, sys.stdin.fileno()]
    while True:
        ready, _, _ = select.select(inputs, [], [])
        if connection in ready:
            data = connection.recv(65536)
            if not data:
                return
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        else:
            data = os.read(sys.stdin.fileno(), 65536)
            if data:
                connection.sendall(data)
            else:
                connection.shutdown(socket.SHUT_WR)
                inputs.remove(sys.stdin.fileno())
