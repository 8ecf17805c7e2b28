"""The inode table of a graph, which is there sooner or later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from glupy import _core

if TYPE_CHECKING:
    from glupy._core import InodeTable, Instance

#: Seconds between looks for an inode table, at first and at most: GlusterFS tells nobody that it has made one.
_SHORTEST, _LONGEST = 0.02, 1.0


async def ready(instance: Instance) -> InodeTable:
    """Wait until there is one, with its root, and give it."""
    seconds = _SHORTEST
    while (table := instance.itable) is None:
        await _core._pause(seconds)
        seconds = min(2 * seconds, _LONGEST)
    return table
