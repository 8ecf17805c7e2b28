"""Places: from a path to a Loc that fops take, by lookups; what is found, made and gone is made known to the inode table."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, TypeAlias

from glupy import _core
from glupy._core import Gfid, Loc
from glupy.api import tables
from glupy.api.locs import anew

if TYPE_CHECKING:
    from glupy._core import Child, Iatt, Inode, InodeTable, Instance

#: Where something is: a path from the volume's root, or a Loc, which is taken as it is.
Where: TypeAlias = "str | bytes | Loc"


#: What is being made by somebody else is there before it has its gfid, and storage/posix answers ENODATA meanwhile; distribute
#: answers EINVAL where a directory is not on all of its subvolumes yet. How often it is looked up again, and after how many
#: seconds.
_HALF_MADE = (errno.ENODATA, errno.EINVAL)
_LOOKS, _MEANWHILE = 200, 0.005


async def meanwhile() -> None:
    """Let others go on with what they are making."""
    await _core._pause(_MEANWHILE)


def fresh(loc: Loc) -> Loc:
    """The same entry, with an inode that no lookup has touched."""
    if loc.parent is None or loc.inode is None:
        return loc
    return anew(loc)


def parts_of(path: str | bytes) -> list[str]:
    """The names in a path. ValueError for one that leads elsewhere."""
    parts = [part for part in os.fsdecode(path).split("/") if part]
    if "." in parts or ".." in parts or "\0" in "".join(parts):
        raise ValueError(f"{path!r}: expected a path from the volume's root, without . and .. and NUL")
    return parts


class Places:
    """Of one child."""

    def __init__(self, child: Child, instance: Instance) -> None:
        self.child = child
        self._instance = instance
        self._rooted: InodeTable | None = None

    async def root(self) -> Loc:
        """On a client its first lookup is what lets distribute know where to look."""
        table = self._instance.itable or await tables.ready(self._instance)
        root = Loc("/", inode=table.root, gfid=Gfid.root())
        if self._rooted != table:
            await self.child.lookup(root)
            self._rooted = table
        return root

    async def look(self, loc: Loc) -> tuple[Loc, Iatt]:
        """What there is, by an entry's Loc, and its attributes. FileNotFoundError."""
        for _ in range(_LOOKS):
            reply = await self.child.lookup(loc).or_error()
            if reply.op_ret >= 0:
                return self.known(loc, reply.inode, reply.buf), reply.buf
            if reply.op_errno not in _HALF_MADE:
                break
            await meanwhile()
            loc = fresh(loc)
        number = errno.ENOENT if reply.op_errno == errno.ESTALE else reply.op_errno
        raise OSError(number, os.strerror(number), loc.path)

    async def settled(self, loc: Loc) -> bool:
        """Whether a directory that was found is there to stay: whoever is making it has given it the handle by which its gfid
        leads to it. What is made in it before that is taken back by storage/posix, which has an ENOENT for it at best."""
        for _ in range(_LOOKS):
            reply = await self.child.stat(loc).or_error()
            if reply.op_ret >= 0:
                return True
            if reply.op_errno not in (errno.ENOENT, errno.ESTALE, *_HALF_MADE):
                raise OSError(reply.op_errno, os.strerror(reply.op_errno), loc.path)
            await meanwhile()
        return False

    def known(self, loc: Loc, inode: Inode | None, buf: Iatt) -> Loc:
        """The Loc of what has been found or made, with the inode that counts from now on."""
        inode = inode or loc.inode
        assert inode is not None
        if loc.parent is not None and loc.name:
            inode = inode.link(loc.parent, loc.name, buf)
        elif not inode.is_root:
            inode = inode.link(None, None, buf)
        return loc.replace(inode=inode, gfid=buf.ia_gfid)

    def gone(self, loc: Loc) -> None:
        """It has been removed. Where the table does not have it by that name, GlusterFS would say so in the log."""
        if loc.inode is not None and loc.parent is not None and loc.name and self._has(loc.parent, loc.name, loc.inode):
            loc.inode.unlink(loc.parent, loc.name)

    @staticmethod
    def _has(parent: Inode, name: str, inode: Inode) -> bool:
        return parent.table.grep(parent, name) == inode

    async def directory(self, parts: list[str]) -> Loc:
        """A directory by its names. FileNotFoundError, NotADirectoryError."""
        loc = await self.root()
        for part in parts:
            loc, buf = await self.look(loc.child(part))
            if not buf.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, "is no directory", loc.path)
        return loc

    async def find(self, where: Where) -> tuple[Loc, Iatt]:
        """What is there, and its attributes. Symbolic links are not followed. FileNotFoundError, NotADirectoryError."""
        if isinstance(where, Loc):
            return await self._again(where)
        parts = parts_of(where)
        if not parts:
            root = await self.root()
            return root, (await self.child.stat(root)).buf
        return await self.look((await self.directory(parts[:-1])).child(parts[-1]))

    async def _again(self, loc: Loc) -> tuple[Loc, Iatt]:
        """An entry is looked up, what is known by its gfid alone is asked."""
        if loc.inode is not None and loc.inode.linked:
            found = loc.replace(gfid=loc.gfid)
            return found, (await self.child.stat(found)).buf
        return await self.look(loc)

    async def entry(self, where: Where) -> Loc:
        """The Loc by which something can be made there: its directory is there."""
        if isinstance(where, Loc):
            return where
        parts = parts_of(where)
        if not parts:
            raise FileExistsError(errno.EEXIST, "is the root", "/")
        return (await self.directory(parts[:-1])).child(parts[-1])


def wanted() -> dict[str, Gfid]:
    """xdata of what makes something: storage/posix makes nothing without a gfid."""
    return {"gfid-req": Gfid.random()}
