"""A file system in memory, as the lowest layer of a graph: what a translator's tests stand on.

It answers as storage/posix does on a brick, as far as a translator can tell: names, contents, attributes, extended
attributes, permissions by the mode's bits, an unlinked file that is still open. A fop that it does not define fails with
EOPNOTSUPP, which the layer below it says to everything; locks are among these.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from threading import RLock
from typing import Any

import glupy
from glupy import Buffer, Dirent, Dirents, Fd, Frame, Gfid, Iatt, IaType, Inode, Loc, Statvfs, Translator, Xdata
from glupy.testing.nodes import (
    READ, SEARCH, WRITE, Node, begin, check_name, dirent_type, failure, opened_for,
)

XATTR_CREATE, XATTR_REPLACE = 1, 2
SEEK_DATA, SEEK_HOLE = 0, 1  # GF_SEEK_*

#: Extended attributes in xdata that what is made is given, as storage/posix does it; the rest is GlusterFS's own.
_GIVEN = ("user.", "trusted.", "security.")


class Memory(Translator):
    def init(self) -> None:
        begin()
        self._lock = RLock()  # fops come on many threads; never held while anything is awaited, for nothing is
        self._root = Node(Gfid.root(), IaType.IFDIR, 0o755, 0, 0, nlink=2)
        self._root.parent = self._root
        self._nodes = {self._root.gfid: self._root}  # all that ever were: an open file outlives its names

    # Finding

    def _of(self, gfid: Gfid, *, gone: bool = False) -> Node:
        """The node of a gfid; one that has no name any more only for those who have it open."""
        node = self._nodes.get(gfid)
        if node is None or (not gone and node.nlink == 0):
            raise failure(errno.ENOENT)
        return node

    def _fd(self, fd: Fd) -> Node:
        return self._of(fd.inode.gfid, gone=True)

    def _directory(self, loc: Loc) -> Node:
        """Where a loc's name is."""
        gfid = loc.pargfid or (loc.parent.gfid if loc.parent else None)
        node = self._of(gfid) if gfid else self._walked((loc.path or "/").rpartition("/")[0])
        if not node.is_dir:
            raise NotADirectoryError
        return node

    def _walked(self, path: str) -> Node:
        """What is there by its path alone: libgfapi's lookup of its first working directory names no parent."""
        node = self._root
        for name in filter(None, path.split("/")):
            if name not in node.entries:
                raise FileNotFoundError
            node = node.entries[name]
        return node

    def _entry(self, loc: Loc) -> tuple[Node, str, Node]:
        """Directory, name, and what has it."""
        directory, name = self._directory(loc), loc.name or ""
        if name in (".", ".."):
            node = directory if name == "." else directory.parent or directory
            return node, name, node
        if name not in directory.entries:
            raise FileNotFoundError
        return directory, name, directory.entries[name]

    def _node(self, loc: Loc) -> Node:
        if loc.gfid:
            return self._of(loc.gfid)
        return self._entry(loc)[2] if loc.name else self._root

    def content(self, path: str) -> bytes:
        """A file's, for the test."""
        with self._lock:
            return bytes(self._walked(path).data)

    def lookup(self, frame: Frame, loc: Loc, xdata: Xdata) -> Any:
        with self._lock:
            named = bool(loc.name)
            node = self._entry(loc)[2] if named else self._node(loc)
            above = self._directory(loc) if named else node.parent or node
            asked = {name: node.xattrs[name] for name in xdata if name in node.xattrs}
            return glupy.LookupReply(_inode(loc), node.iatt(), asked, above.iatt())

    # Attributes

    def stat(self, frame: Frame, loc: Loc, xdata: Xdata) -> Any:
        with self._lock:
            return glupy.StatReply(self._node(loc).iatt())

    def fstat(self, frame: Frame, fd: Fd, xdata: Xdata) -> Any:
        with self._lock:
            return glupy.FstatReply(self._fd(fd).iatt())

    def access(self, frame: Frame, loc: Loc, mask: int, xdata: Xdata) -> Any:
        with self._lock:
            self._node(loc).check(frame, mask)
            return glupy.AccessReply()

    def readlink(self, frame: Frame, loc: Loc, size: int, xdata: Xdata) -> Any:
        with self._lock:
            node = self._node(loc)
            if node.ia_type != IaType.IFLNK:
                raise failure(errno.EINVAL)
            return glupy.ReadlinkReply(node.target, node.iatt(), op_ret=node.size)

    def setattr(self, frame: Frame, loc: Loc, stbuf: Iatt, valid: int, xdata: Xdata) -> Any:
        with self._lock:
            return glupy.SetattrReply(*_set(frame, self._node(loc), stbuf, valid))

    def fsetattr(self, frame: Frame, fd: Fd, stbuf: Iatt, valid: int, xdata: Xdata) -> Any:
        with self._lock:
            return glupy.FsetattrReply(*_set(frame, self._fd(fd), stbuf, valid))

    def statfs(self, frame: Frame, loc: Loc, xdata: Xdata) -> Any:
        with self._lock:
            used = sum(-(-len(node.data) // 4096) for node in self._nodes.values() if node.nlink)
            count = sum(node.nlink > 0 for node in self._nodes.values())
        blocks, files = 1 << 20, 1 << 20
        free = max(0, blocks - used)
        return glupy.StatfsReply(Statvfs(
            f_bsize=4096, f_frsize=4096, f_blocks=blocks, f_bfree=free, f_bavail=free, f_files=files,
            f_ffree=files - count, f_favail=files - count, f_namemax=255))

    # Names

    def _make(self, frame: Frame, loc: Loc, node: Node, xdata: Xdata) -> tuple[Inode, Iatt, Iatt, Iatt]:
        """Give what is new its name: the inode, attributes, and those of the directory before and afterwards."""
        with self._lock:
            directory, name = self._directory(loc), loc.name or ""
            check_name(name, directory.entries)
            directory.check(frame, WRITE | SEARCH)
            if directory.prot & 0o2000 and node.gfid not in self._nodes:
                node.gid = directory.gid
                node.prot |= 0o2000 if node.is_dir else 0
            before = directory.iatt()
            if node.gfid not in self._nodes:
                node.xattrs |= {name: _value(value) for name, value in xdata.items() if name.startswith(_GIVEN)}
            directory.add(name, node)
            self._nodes[node.gfid] = node
            return _inode(loc), node.iatt(), before, directory.iatt()

    def mkdir(self, frame: Frame, loc: Loc, mode: int, umask: int, xdata: Xdata) -> Any:
        node = Node(_wanted(xdata), IaType.IFDIR, mode & 0o7777, frame.uid, frame.gid, nlink=2)
        return glupy.MkdirReply(*self._make(frame, loc, node, xdata))

    def mknod(self, frame: Frame, loc: Loc, mode: int, rdev: int, umask: int, xdata: Xdata) -> Any:
        node = Node(_wanted(xdata), IaType.from_mode(mode), mode & 0o7777, frame.uid, frame.gid, rdev)
        return glupy.MknodReply(*self._make(frame, loc, node, xdata))

    def symlink(self, frame: Frame, linkname: str, loc: Loc, umask: int, xdata: Xdata) -> Any:
        node = Node(_wanted(xdata), IaType.IFLNK, 0o777, frame.uid, frame.gid, target=linkname)
        return glupy.SymlinkReply(*self._make(frame, loc, node, xdata))

    def create(self, frame: Frame, loc: Loc, flags: int, mode: int, umask: int, fd: Fd, xdata: Xdata) -> Any:
        node = Node(_wanted(xdata), IaType.IFREG, mode & 0o7777, frame.uid, frame.gid)
        return glupy.CreateReply(fd, *self._make(frame, loc, node, xdata))

    def put(
        self, frame: Frame, loc: Loc, mode: int, umask: int, flags: int, vector: Buffer, offset: int, xattr: Xdata,
        xdata: Xdata,
    ) -> Any:
        node = Node(_wanted(xdata), IaType.IFREG, mode & 0o7777, frame.uid, frame.gid)
        node.xattrs = {name: _value(value) for name, value in xattr.items()}
        node.write(offset, bytes(vector))
        return glupy.PutReply(*self._make(frame, loc, node, xdata))

    def link(self, frame: Frame, oldloc: Loc, newloc: Loc, xdata: Xdata) -> Any:
        with self._lock:
            node = self._node(oldloc)
            if node.is_dir:
                raise PermissionError
            made = self._make(frame, newloc, node, xdata)
            node.count(1)
            return glupy.LinkReply(_inode(oldloc), node.iatt(), *made[2:])

    def unlink(self, frame: Frame, loc: Loc, xflags: int, xdata: Xdata) -> Any:
        with self._lock:
            directory, name, node = self._entry(loc)
            if node.is_dir:
                raise IsADirectoryError
            directory.check_entry(frame, name)
            before = directory.iatt()
            directory.remove(name).count(-1)
            return glupy.UnlinkReply(before, directory.iatt())

    def rmdir(self, frame: Frame, loc: Loc, xflags: int, xdata: Xdata) -> Any:
        with self._lock:
            directory, name, node = self._entry(loc)
            _check_empty(node)
            directory.check_entry(frame, name)
            before = directory.iatt()
            directory.remove(name).count(-node.nlink)
            return glupy.RmdirReply(before, directory.iatt())

    def rename(self, frame: Frame, oldloc: Loc, newloc: Loc, xdata: Xdata) -> Any:
        with self._lock:
            old, old_name, node = self._entry(oldloc)
            new, new_name = self._directory(newloc), newloc.name or ""
            check_name(new_name, ())
            old.check_entry(frame, old_name)
            new.check(frame, WRITE | SEARCH)
            if node.is_dir and node in _upwards(new):
                raise failure(errno.EINVAL)
            before = old.iatt(), new.iatt()
            replaced = new.entries.get(new_name)
            if replaced is not node:
                if replaced is not None:
                    self._replace(frame, new, new_name, node, replaced)
                new.add(new_name, old.remove(old_name))
            return glupy.RenameReply(node.iatt(), before[0], old.iatt(), before[1], new.iatt())

    def _replace(self, frame: Frame, directory: Node, name: str, node: Node, replaced: Node) -> None:
        """Make room for what is renamed."""
        if node.is_dir:
            _check_empty(replaced)
        elif replaced.is_dir:
            raise IsADirectoryError
        directory.check_entry(frame, name)
        directory.remove(name)
        replaced.count(-replaced.nlink if replaced.is_dir else -1)

    # Contents

    def open(self, frame: Frame, loc: Loc, flags: int, fd: Fd, xdata: Xdata) -> Any:
        with self._lock:
            node = self._node(loc)
            if node.is_dir:
                raise IsADirectoryError
            if node.ia_type == IaType.IFLNK:
                raise failure(errno.ELOOP)
            node.check(frame, opened_for(flags))
            if flags & os.O_TRUNC:
                node.resize(0)
            return glupy.OpenReply(fd)

    def readv(self, frame: Frame, fd: Fd, size: int, offset: int, flags: int, xdata: Xdata) -> Any:
        with self._lock:
            node = self._fd(fd)
            data = bytes(node.data[offset:offset + size])
            return glupy.ReadvReply(data, node.iatt())

    def writev(self, frame: Frame, fd: Fd, vector: Buffer, offset: int, flags: int, xdata: Xdata) -> Any:
        with self._lock:
            node = self._fd(fd)
            before = node.iatt()
            node.write(len(node.data) if fd.flags & os.O_APPEND else offset, bytes(vector))
            return glupy.WritevReply(before, node.iatt(), op_ret=len(vector))

    def truncate(self, frame: Frame, loc: Loc, offset: int, xdata: Xdata) -> Any:
        with self._lock:
            node = self._node(loc)
            if node.is_dir:
                raise IsADirectoryError
            node.check(frame, WRITE)
            before = node.iatt()
            node.resize(offset)
            return glupy.TruncateReply(before, node.iatt())

    def ftruncate(self, frame: Frame, fd: Fd, offset: int, xdata: Xdata) -> Any:
        with self._lock:
            node = self._fd(fd)
            before = node.iatt()
            node.resize(offset)
            return glupy.FtruncateReply(before, node.iatt())

    def fallocate(self, frame: Frame, fd: Fd, keep_size: int, offset: int, len: int, xdata: Xdata) -> Any:
        with self._lock:
            node = self._fd(fd)
            before = node.iatt()
            if not keep_size and offset + len > node.size:
                node.resize(offset + len)
            return glupy.FallocateReply(before, node.iatt())

    def discard(self, frame: Frame, fd: Fd, offset: int, len: int, xdata: Xdata) -> Any:
        with self._lock:
            node = self._fd(fd)
            before = node.iatt()
            node.write(offset, bytes(max(0, min(len, node.size - offset))))
            return glupy.DiscardReply(before, node.iatt())

    def zerofill(self, frame: Frame, fd: Fd, offset: int, len: int, xdata: Xdata) -> Any:
        with self._lock:
            node = self._fd(fd)
            before = node.iatt()
            node.write(offset, bytes(len))
            return glupy.ZerofillReply(before, node.iatt())

    def copy_file_range(
        self, frame: Frame, fd_in: Fd, off_in: int, fd_out: Fd, off_out: int, len: int, flags: int, xdata: Xdata,
    ) -> Any:
        with self._lock:
            source, target = self._fd(fd_in), self._fd(fd_out)
            before = target.iatt()
            count = max(0, min(len, source.size - off_in))
            target.write(off_out, bytes(source.data[off_in:off_in + count]))
            return glupy.CopyFileRangeReply(source.iatt(), before, target.iatt(), op_ret=count)

    def seek(self, frame: Frame, fd: Fd, offset: int, what: int, xdata: Xdata) -> Any:
        with self._lock:
            size = self._fd(fd).size
            if offset >= size:
                raise failure(errno.ENXIO)
            return glupy.SeekReply(size if what == SEEK_HOLE else offset)  # no file has holes here

    def flush(self, frame: Frame, fd: Fd, xdata: Xdata) -> Any:
        return glupy.FlushReply()

    def fsync(self, frame: Frame, fd: Fd, datasync: int, xdata: Xdata) -> Any:
        with self._lock:
            node = self._fd(fd)
            return glupy.FsyncReply(node.iatt(), node.iatt())

    # Directories

    def opendir(self, frame: Frame, loc: Loc, fd: Fd, xdata: Xdata) -> Any:
        with self._lock:
            node = self._node(loc)
            if not node.is_dir:
                raise NotADirectoryError
            node.check(frame, READ)
            return glupy.OpendirReply(fd)

    def fsyncdir(self, frame: Frame, fd: Fd, datasync: int, xdata: Xdata) -> Any:
        return glupy.FsyncdirReply()

    def readdir(self, frame: Frame, fd: Fd, size: int, offset: int, xdata: Xdata) -> Any:
        with self._lock:
            return glupy.ReaddirReply(Dirents(_entries(self._fd(fd), size, offset)))

    def readdirp(self, frame: Frame, fd: Fd, size: int, offset: int, xdata: Xdata) -> Any:
        with self._lock:
            directory = self._fd(fd)
            listed = []
            for entry in _entries(directory, size, offset):
                node = directory.entries.get(entry.d_name)
                if node is not None:
                    table = fd.inode.table
                    entry.inode = table.find(node.gfid) or table.new()
                    entry.d_stat = node.iatt()
                listed.append(entry)
            return glupy.ReaddirpReply(Dirents(listed))

    # Extended attributes

    def setxattr(self, frame: Frame, loc: Loc, dict: Xdata, flags: int, xdata: Xdata) -> Any:
        with self._lock:
            _set_xattrs(frame, self._node(loc), dict, flags)
            return glupy.SetxattrReply()

    def fsetxattr(self, frame: Frame, fd: Fd, dict: Xdata, flags: int, xdata: Xdata) -> Any:
        with self._lock:
            _set_xattrs(frame, self._fd(fd), dict, flags)
            return glupy.FsetxattrReply()

    def getxattr(self, frame: Frame, loc: Loc, name: str | None, xdata: Xdata) -> Any:
        with self._lock:
            return glupy.GetxattrReply(_xattrs(self._node(loc), name))

    def fgetxattr(self, frame: Frame, fd: Fd, name: str | None, xdata: Xdata) -> Any:
        with self._lock:
            return glupy.FgetxattrReply(_xattrs(self._fd(fd), name))

    def removexattr(self, frame: Frame, loc: Loc, name: str, xdata: Xdata) -> Any:
        with self._lock:
            _remove_xattr(frame, self._node(loc), name)
            return glupy.RemovexattrReply()

    def fremovexattr(self, frame: Frame, fd: Fd, name: str, xdata: Xdata) -> Any:
        with self._lock:
            _remove_xattr(frame, self._fd(fd), name)
            return glupy.FremovexattrReply()


def _wanted(xdata: Xdata) -> Gfid:
    """The gfid that what is made is to have. storage/posix makes nothing without it either."""
    gfid: Gfid = xdata.get_as("gfid-req", "gfid", None) or Gfid.null()
    if not gfid:
        raise OSError(errno.EPERM, "no gfid-req in xdata")
    return gfid


def _inode(loc: Loc) -> Inode:
    if loc.inode is None:
        raise failure(errno.EINVAL)
    return loc.inode


def _check_empty(node: Node) -> None:
    if not node.is_dir:
        raise NotADirectoryError
    if node.entries:
        raise failure(errno.ENOTEMPTY)


def _upwards(node: Node) -> Iterator[Node]:
    """A directory and all that it is in."""
    while True:
        yield node
        if node.parent is None or node.parent is node:
            return
        node = node.parent


def _set(frame: Frame, node: Node, asked: Iatt, valid: int) -> tuple[Iatt, Iatt]:
    before = node.iatt()
    node.set_attributes(frame, asked, valid)
    return before, node.iatt()


def _entries(directory: Node, size: int, offset: int) -> Iterator[Dirent]:
    """The entries behind a place that fit into so many bytes."""
    listed = [(1, ".", directory), (2, "..", directory.parent or directory)]
    listed += [(directory.places[name], name, node) for name, node in directory.entries.items()]
    used = 0
    for place, name, node in listed:
        if place <= offset:
            continue
        used += 32 + len(name.encode("utf-8", "surrogateescape"))
        if used > size:
            return
        yield Dirent(name, d_ino=node.gfid.ino, d_off=place, d_type=dirent_type(node))


def _value(value: object) -> bytes:
    return value.encode() if isinstance(value, str) else value if isinstance(value, bytes) else str(value).encode()


def _set_xattrs(frame: Frame, node: Node, given: Xdata, flags: int) -> None:
    node.check(frame, WRITE)
    for name in given:
        if flags & XATTR_CREATE and name in node.xattrs:
            raise FileExistsError
        if flags & XATTR_REPLACE and name not in node.xattrs:
            raise failure(errno.ENODATA)
    node.xattrs |= {name: _value(value) for name, value in given.items()}


def _xattrs(node: Node, name: str | None) -> dict[str, bytes]:
    if name is None:
        return dict(node.xattrs)
    if name not in node.xattrs:
        raise failure(errno.ENODATA)
    return {name: node.xattrs[name]}


def _remove_xattr(frame: Frame, node: Node, name: str) -> None:
    node.check(frame, WRITE)
    if node.xattrs.pop(name, None) is None:
        raise failure(errno.ENODATA)
