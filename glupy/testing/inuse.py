"""What GlusterFS's inode table says is in use: inodes, open files, contexts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

#: What the lowest layers are asked for (src/ground/ground.h).
FORGET, INVENTORY = 0x676c7570, 0x676c7573

_ROOT = "00000000-0000-0000-0000-000000000001"

#: How many a message names.
_NAMED = 5


class InUse(NamedTuple):
    """An inode that somebody holds."""

    gfid: str
    fds: int
    contexts: int
    name: str

    @property
    def what(self) -> str:
        """It, for people."""
        if self.gfid == _ROOT:
            return "/"
        kept = [*([f"{self.fds} open files"] if self.fds else []), *(["a context"] if self.contexts else [])]
        return (self.name or f"<gfid:{self.gfid}>") + (f" (with {' and '.join(kept)})" if kept else "")


def listed(xdata: Mapping[str, Any]) -> list[InUse]:
    """What an ipc of INVENTORY has told."""
    found = []
    for key in xdata:
        gfid, fds, contexts, name = str(xdata[key]).split(" ", 3)
        found.append(InUse(gfid, int(fds), int(contexts), name))
    return found


def named(inodes: Collection[InUse], known: Collection[str]) -> str:
    """Which they are, but for the root and those that are known."""
    found = [inode.what for inode in inodes if inode.gfid not in known and inode.gfid != _ROOT]
    return ", ".join(found[:_NAMED]) + (f" and {len(found) - _NAMED} more" if len(found) > _NAMED else "")
