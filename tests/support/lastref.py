"""Ends of inodes and fds where GlusterFS may bring them about: on a synctask, on an io-thread, by the table's limit.

All is called with the interpreter held, from begin to end: what comes back has not waited for it.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

from glupy import Fd, Gfid, Inode
from support.waiting import wait_until

_gluster = ctypes.PyDLL("libglusterfs.so.0")
_P = ctypes.c_void_p
_library: list[ctypes.PyDLL] = []


def _lib() -> ctypes.PyDLL:
    if not _library:
        library = ctypes.PyDLL(str(Path(os.environ["GLUPY_STAGE"], "glupytest/lastref.so")))
        for name in ("unref_on_synctask", "unref_on_thread"):
            getattr(library, name).argtypes = [_P, _P, ctypes.c_size_t]
        library.references.argtypes = library.look_up.argtypes = [_P]
        library.set_lru_limit.argtypes = [_P, ctypes.c_uint]
        for name in ("link_many", "forget_many"):
            getattr(library, name).argtypes = [_P, ctypes.c_uint, ctypes.c_uint]
        _library.append(library)
    return _library[0]


def address(reference: Inode | Fd) -> int:
    """The inode_t or fd_t that an object stands for, which is what it is hashed by."""
    words = (ctypes.c_size_t * (type(reference).__basicsize__ // 8)).from_address(id(reference))
    return next(word for word in words if word and word >> 4 == hash(reference))


class Held:
    """A reference to an inode or fd that no Python object holds."""

    def __init__(self, reference: Inode | Fd) -> None:
        self.address = address(reference)
        self.arguments = (None, self.address) if isinstance(reference, Fd) else (self.address, None)
        count = _gluster.fd_ref if isinstance(reference, Fd) else _gluster.inode_ref
        count.argtypes, count.restype = [_P], _P
        count(self.address)

    def alone(self) -> Held:
        """Once nothing else holds the inode any more."""
        wait_until(lambda: _lib().references(self.address) == 1, "the last reference but one")
        return self

    def unref_on_synctask(self, stack: int = 0) -> None:
        assert _lib().unref_on_synctask(*self.arguments, stack) == 0

    def unref_on_thread(self, stack: int = 256 << 10) -> None:
        assert _lib().unref_on_thread(*self.arguments, stack) == 0


def look_up(inode: Inode) -> None:
    """An application knows the inode now: it stays in the table without references."""
    _lib().look_up(address(inode))


def link_many(root: Inode, first: int, count: int) -> None:
    """Files in the root directory, known to the table only; gfid_of() has their gfids."""
    _lib().link_many(address(root), first, count)


def forget_many(root: Inode, first: int, count: int) -> None:
    """GlusterFS forgets them."""
    _lib().forget_many(address(root), first, count)


def gfid_of(number: int) -> Gfid:
    return Gfid(number.to_bytes(4, "little") + b"\xff" * 8 + number.to_bytes(4, "big"))


def set_lru_limit(inode: Inode, limit: int) -> None:
    """How many inodes without references the table of this one keeps."""
    _lib().set_lru_limit(address(inode), limit)
