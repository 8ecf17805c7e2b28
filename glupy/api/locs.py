"""Locs that say less than those that came: a file without its names, a name without the file that somebody found there."""

from __future__ import annotations

from glupy._core import Gfid, Inode, Loc

__all__ = ["anew", "nameless"]


def nameless(inode: Inode | None, gfid: Gfid | None = None) -> Loc:
    """A file without any of its names, which may be another file's by now.

    inode  its inode
    gfid   its gfid, if the inode does not have it yet
    """
    return Loc(inode=inode, gfid=gfid or (inode.gfid if inode else None))


def anew(loc: Loc) -> Loc:
    """The same name, with an inode that no lookup has touched: what has it now need not be what the caller has found there.
    ValueError for a Loc with neither an inode nor a parent."""
    known = loc.inode or loc.parent
    if known is None:
        raise ValueError(f"anew(): {loc!r} has neither an inode nor a parent, so no inode table")
    return loc.replace(inode=known.table.new(), gfid=Gfid.null())
