"""Winds and unwinds with memory of the script's own, in all the ways that C has: entries of a directory that it made,
took over or left out; data; locs. And what the utilities refuse: the value of the extended attribute user.refused tells.
"""

from __future__ import annotations

import json
from typing import Any

from gluster.glupy import *

NULL = POINTER(xlator_t)()
NAME_AT = gf_dirent_t.inode.offset + sizeof(c_void_p)

kept: list[Any] = []


def entries_of(head: Any) -> list[Any]:
    found, at = [], head.contents.list.next
    while addressof(at.contents) != addressof(head.contents):
        found.append(cast(at, POINTER(gf_dirent_t)))
        at = at.contents.next
    return found


def unlink(entry: Any) -> None:
    links = entry.contents.list
    links.prev.contents.next, links.next.contents.prev = links.next, links.prev


def append(head: Any, entry: Any) -> None:
    last = head.contents.list.prev
    entry.contents.list.prev, entry.contents.list.next = last, cast(head, POINTER(list_head))
    last.contents.next = head.contents.list.prev = cast(entry, POINTER(list_head))


def own_entry(name: bytes, offset: int) -> Any:
    """An entry in memory of Python's."""
    memory = create_string_buffer(NAME_AT + len(name) + 1)
    memmove(addressof(memory) + NAME_AT, name, len(name))
    kept.append(memory)
    entry = cast(memory, POINTER(gf_dirent_t))
    entry.contents.d_off, entry.contents.d_ino, entry.contents.d_type = offset, 77, 8
    return entry


def own_list() -> Any:
    head = pointer(gf_dirent_t())
    head.contents.list.next = head.contents.list.prev = cast(head, POINTER(list_head))
    kept.append(head)
    return head


def fewer(entries: Any) -> Any:
    """What was given, without what starts with hidden: some only taken out, some freed."""
    for entry in entries_of(entries):
        if entry.contents.d_name == b"hidden-freed":
            dl.gf_dirent_entry_free(entry)
        elif entry.contents.d_name.startswith(b"hidden"):
            unlink(entry)
    return entries


def others(entries: Any) -> Any:
    """A list of the script's: of an entry of GlusterFS's, one of Python's, and those that were given."""
    head = own_list()
    offsets = [entry.contents.d_off for entry in entries_of(entries)]
    for entry in entries_of(entries):
        unlink(entry)
        append(head, entry)
    if offsets:
        allocated = dl.gf_dirent_for_name(b"allocated")
        allocated.contents.d_off, allocated.contents.d_ino = offsets[-1], 78
        append(head, allocated)
        append(head, own_entry(b"own", offsets[-1]))
    return head


REFUSED: dict[str, Any] = {
    "inode_ref of an empty structure": lambda loc: dl.inode_ref(byref(inode_t())),
    "inode_path of a copy": lambda loc: path_of(byref(inode_t.from_buffer_copy(loc.inode.contents))),
    "inode_find in no table": lambda loc: dl.inode_find(byref(inode_table_t()), loc.gfid),
    "inode_parent of a wild pointer": lambda loc: dl.inode_parent(cast(4096, POINTER(inode_t)), None, None),
    "fd_ref of an empty structure": lambda loc: dl.fd_ref(byref(fd_t())),
    "fd_create of an empty structure": lambda loc: dl.fd_create(byref(inode_t()), 0),
    "dict_get of an empty structure": lambda loc: dl.dict_get(byref(dict_t()), b"key"),
    "dict_ref of another type": lambda loc: dl.dict_ref(cast(loc.inode, POINTER(dict_t))),
    "dict_set_str of an empty structure": lambda loc: dl.dict_set_str(byref(dict_t()), b"key", b"value"),
    "a wild name": lambda loc: dl.dict_get(dl.dict_new(), c_char_p(64)),
    "iobref_unref of its own": lambda loc: dl.iobref_unref(byref(iobref_t())),
    "iobref_add of its own": lambda loc: dl.iobref_add(dl.iobref_new(), byref(iobuf_t())),
    "inode_ctx of no translator": lambda loc: dl.inode_ctx_set0(loc.inode, byref(xlator_t()), byref(c_uint64(1))),
    "fd_ctx of no fd": lambda loc: fd_ctx_get(byref(fd_t()), None),
    "loc_wipe of what was given": lambda loc: dl.loc_wipe(byref(loc)),
    "loc_wipe of its own text": lambda loc: dl.loc_wipe(byref(loc_t(path=b"/path"))),
    "loc_copy of a bad parent": lambda loc: dl.loc_copy(byref(loc_t()), byref(loc_t(parent=pointer(inode_t())))),
    "loc_copy to nowhere": lambda loc: dl.loc_copy(cast(64, POINTER(loc_t)), byref(loc)),
    "__gf_free of Python's memory": lambda loc: getattr(dl, "__gf_free")(create_string_buffer(8)),
    "gf_dirent_entry_free of its own": lambda loc: dl.gf_dirent_entry_free(own_entry(b"own", 1)),
    "gf_dirent_free of no list": lambda loc: dl.gf_dirent_free(byref(gf_dirent_t())),
    "__gf_malloc of no type": lambda loc: getattr(dl, "__gf_malloc")(8, 1 << 20, b"mine"),
    "uuid_utoa of nothing": lambda loc: dl.uuid_utoa(cast(64, POINTER(c_ubyte))),
    "a field of GlusterFS's": lambda loc: setattr(loc.inode.contents, "ref", 0),
    "a link of GlusterFS's": lambda loc: setattr(loc.inode.contents.list, "next", None),
    "a whole structure of GlusterFS's": lambda loc: loc.inode.__setitem__(0, inode_t()),
}


def refusals(loc: Any) -> dict[str, str]:
    said = {}
    for name, attempt in REFUSED.items():
        try:
            attempt(loc.contents)
        except (ValueError, TypeError, AttributeError, ArgumentError) as error:
            said[name] = f"{type(error).__name__}: {error}"
    return said


class xlator(Translator):
    def readdirp_fop(self, frame: Any, this: Any, fd: Any, size: int, offset: int, xdata: Any) -> int:
        self.change = {b"fewer": fewer, b"others": others}.get(str(path_of(fd.contents.inode)).encode().rpartition(b"/")[2])
        dl.wind_readdirp(frame, NULL, fd, size, offset, xdata)
        return 0

    def readdirp_cbk(self, frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, entries: Any, xdata: Any) -> int:
        if self.change and op_ret > 0:
            entries = self.change(entries)
            op_ret = len(entries_of(entries))
        dl.unwind_readdirp(frame, cookie, this, op_ret, op_errno, entries, xdata)
        return 0

    def writev_fop(self, frame: Any, this: Any, fd: Any, vector: Any, count: int, offset: int, flags: int, iobref: Any,
                   xdata: Any) -> int:
        """The data of a file named text in capitals, each piece in memory of Python's; of one named made, backwards, in
        memory of GlusterFS's."""
        path = str(path_of(fd.contents.inode))
        if path == "/made":
            made, count, own = payload(this, b"".join(string_at(piece.iov_base, piece.iov_len) for piece in vector[:count])[::-1])
            dl.wind_writev(frame, NULL, fd, made, count, offset, flags, own, xdata)
            dl.iobref_unref(own)
            return 0
        if path != "/text":
            dl.wind_writev(frame, NULL, fd, vector, count, offset, flags, iobref, xdata)
            return 0
        pieces = (iovec_t * count)()
        for piece, given in zip(pieces, vector[:count]):
            memory = create_string_buffer(string_at(given.iov_base, given.iov_len).upper(), given.iov_len)
            piece.iov_base, piece.iov_len = cast(memory, c_void_p), given.iov_len
        dl.wind_writev(frame, NULL, fd, pieces, count, offset, flags, iobref, xdata)
        return 0

    def mkdir_fop(self, frame: Any, this: Any, loc: Any, mode: int, umask: int, xdata: Any) -> int:
        """What was given, written into: the caller's loc stays as it was."""
        if loc.contents.name == b"renamed-from":
            loc.contents.path, loc.contents.name = b"/renamed-to", b"renamed-to"
        dl.wind_mkdir(frame, NULL, loc, mode, umask, xdata)
        return 0

    def lookup_cbk(self, frame: Any, cookie: Any, this: Any, op_ret: int, op_errno: int, inode: Any, buf: Any, xdata: Any,
                   postparent: Any) -> int:
        """Who has 12 bytes is said to have 4711."""
        if op_ret == 0 and buf.contents.ia_size == 12:
            buf.contents.ia_size = 4711
        dl.unwind_lookup(frame, cookie, this, op_ret, op_errno, inode, buf, xdata, postparent)
        return 0

    def getxattr_fop(self, frame: Any, this: Any, loc: Any, name: bytes, xdata: Any) -> int:
        if name != b"user.refused":
            dl.wind_getxattr(frame, NULL, loc, name, xdata)
            return 0
        gf_log(b"own", GF_LOG_INFO, loc.contents.path + b"\0\xff")
        dl.__dict__["__gf_free"](dl.__dict__["__gf_malloc"](8, gf_common_mt_char, b"mine"))
        answer = dl.dict_new()
        dl.dict_set_bin(answer, name, json.dumps(refusals(loc)).encode())
        dl.unwind_getxattr(frame, 0, this, 0, 0, answer, None)
        dl.dict_unref(answer)
        return 0
