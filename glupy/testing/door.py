"""What stands above a translator in a brick: as protocol/server would, whose inode table is new and whose clients are not.

An inode is known by its gfid alone, and so is a directory other than the root, of which a name is asked for. What a client has
opened to read is read through anonymous fds. Nobody is let in, and so there is no inode table, until the test connects.
"""

from __future__ import annotations

import os
import threading
from typing import Any

from glupy import Call, Child, Event, Fd, Frame, IaType, Loc, Translator

#: The client that requests are by, unless the test says whose they are: GlusterFS's own are of this form.
CLIENT = "CTX_ID:glupy-testing-GRAPH_ID:0-PID:1-HOST:test-PC_NAME:client-0-RECON_NO:-0"

#: Fops by name; all others are by inode.
_NAMED = frozenset(("lookup", "create", "mkdir", "mknod", "symlink", "unlink", "rmdir", "rename", "link", "put"))

_READING = frozenset(("readv", "fstat", "seek", "rchecksum"))


class Door(Translator):
    def init(self) -> None:
        self.child_is_up = threading.Event()
        self._open = False

    def notify(self, event: Event | int, data: Child | None) -> bool | None:
        if event != Event.CHILD_UP or self._open:
            return None
        self.child_is_up.set()
        return False

    def let_in(self) -> None:
        """The first client connects."""
        self._open = True
        self.notify_up(Event.CHILD_UP)

    def any_fop(self, frame: Frame, call: Call) -> Any:
        changes: dict[str, Any] = {}
        for name in call:
            value = call[name]
            if isinstance(value, Loc):
                changes[name] = _named(value) if call.name in _NAMED and value.parent and name != "oldloc" or (
                    call.name == "rename") else _by_gfid(value)
            elif isinstance(value, Fd) and call.name in _READING and _only_read(value):
                changes[name] = Fd.of(value.inode)
        return call.wind(**changes) if changes else None


def _by_gfid(loc: Loc) -> Loc:
    gfid = loc.gfid or (loc.inode.gfid if loc.inode else loc.gfid)
    if not gfid or (loc.inode and loc.inode.is_root):
        return loc
    return Loc(f"<gfid:{gfid}>", inode=loc.inode, gfid=gfid)


def _named(loc: Loc) -> Loc:
    parent = loc.parent
    if parent is None or parent.is_root:
        return loc
    return loc.replace(path=f"<gfid:{parent.gfid}>/{loc.name}", pargfid=parent.gfid)


def _only_read(fd: Fd) -> bool:
    return not fd.anonymous and fd.flags & os.O_ACCMODE == os.O_RDONLY and fd.inode.ia_type == IaType.IFREG
