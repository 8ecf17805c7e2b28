"""libgfapi's file operations, called as a C program calls them: their arguments lie on the caller's stack."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import Any

from glupy import Loc
from support import graph as graphs
from support.graph import Graph

_P, _I, _S, _O = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t, ctypes.c_int64
_C = ctypes.c_char_p

#: name: (result, arguments after the first, which is the glfs_t or glfs_fd_t)
_PROTOTYPES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "creat": (_P, (_C, _I, _I)), "open": (_P, (_C, _I)), "close": (_I, ()), "mkdir": (_I, (_C, _I)),
    "rename": (_I, (_C, _C)), "unlink": (_I, (_C,)), "rmdir": (_I, (_C,)), "link": (_I, (_C, _C)),
    "symlink": (_I, (_C, _C)), "readlink": (_I, (_C, _P, _S)), "truncate": (_I, (_C, _O)), "chmod": (_I, (_C, _I)),
    "setxattr": (_I, (_C, _C, _P, _S, _I)), "getxattr": (ctypes.c_ssize_t, (_C, _C, _P, _S)),
    "listxattr": (ctypes.c_ssize_t, (_C, _P, _S)), "removexattr": (_I, (_C, _C)), "opendir": (_P, (_C,)),
    "readdirplus": (_P, (_P,)), "closedir": (_I, ()), "lseek": (_O, (_O, _I)), "access": (_I, (_C, _I)),
    "write": (ctypes.c_ssize_t, (_P, _S, _I)), "read": (ctypes.c_ssize_t, (_P, _S, _I)),
}


class Dirent(ctypes.Structure):
    """struct dirent of Linux."""

    _fields_ = [("d_ino", ctypes.c_uint64), ("d_off", ctypes.c_int64), ("d_reclen", ctypes.c_ushort),
                ("d_type", ctypes.c_ubyte), ("d_name", ctypes.c_char * 256)]


def _function(name: str) -> Callable[..., Any]:
    result, arguments = _PROTOTYPES[name]
    function = getattr(graphs._gfapi, f"glfs_{name}")
    function.restype, function.argtypes = result, (_P, *arguments)
    return function  # type: ignore[no-any-return]


def call(name: str, *arguments: Any) -> Any:
    """One of libgfapi's functions by name; its result, or OSError."""
    given = [os.fsencode(argument) if isinstance(argument, str) else argument for argument in arguments]
    ctypes.set_errno(0)
    result = _function(name)(*given)
    if result is None or result == -1:
        raise OSError(ctypes.get_errno(), f"glfs_{name}")
    return result


def write(graph: Graph, path: str, data: bytes, mode: int = 0o640) -> None:
    """Create a file with this content."""
    fd = call("creat", graph.fs, path, os.O_RDWR | os.O_CREAT, mode)
    try:
        for start in range(0, len(data), 1 << 20):
            part = data[start:start + (1 << 20)]
            assert call("write", fd, ctypes.c_char_p(part), len(part), 0) == len(part)
    finally:
        call("close", fd)


def read(graph: Graph, path: str) -> bytes:
    """A file's content."""
    fd = call("open", graph.fs, path, os.O_RDONLY)
    buffer = ctypes.create_string_buffer(1 << 17)
    data = b""
    try:
        while count := call("read", fd, buffer, len(buffer), 0):
            data += buffer.raw[:count]
    finally:
        call("close", fd)
    return data


def names(graph: Graph, path: str) -> list[str]:
    """A directory's entries, read with attributes (readdirp)."""
    fd = call("opendir", graph.fs, path)
    stat = ctypes.create_string_buffer(256)
    function, found = _function("readdirplus"), []
    try:
        while address := function(fd, stat):
            found.append(os.fsdecode(Dirent.from_address(address).d_name))
    finally:
        call("closedir", fd)
    return found


def setxattr(graph: Graph, path: str, name: str, value: bytes) -> None:
    call("setxattr", graph.fs, path, name, ctypes.c_char_p(value), len(value), 0)


def getxattr(graph: Graph, path: str, name: str) -> bytes:
    """A value's size by libgfapi, the value by a wind: directly above storage/posix, which returns the size, libgfapi
    takes success for failure and copies nothing."""

    async def ask() -> bytes:
        table = graph.probe.itable
        loc = Loc(path, inode=table.grep(table.root, path.lstrip("/")), parent=table.root)
        return (await graph.child.getxattr(loc, name)).dict[name]  # type: ignore[no-any-return]

    size = call("getxattr", graph.fs, path, name, None, 0)
    value = graph.run(ask())
    assert size == len(value)
    return value  # type: ignore[no-any-return]


def readlink(graph: Graph, path: str) -> str:
    buffer = ctypes.create_string_buffer(4096)
    size = call("readlink", graph.fs, path, buffer, len(buffer))
    return os.fsdecode(buffer.raw[:size])
