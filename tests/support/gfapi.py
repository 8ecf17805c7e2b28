"""What tests do with a graph's files, by libgfapi as the testing kit calls it: arguments lie on the caller's stack."""

from __future__ import annotations

import ctypes
import os

from glupy import Loc
from glupy.testing.gfapi import Dirent, call, function
from support.graph import Graph


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
    read_entry, found = function("readdirplus"), []
    try:
        while address := read_entry(fd, stat):
            found.append(os.fsdecode(Dirent.from_address(address).d_name))
    finally:
        call("closedir", fd)
    return found


def setxattr(graph: Graph, path: str, name: str, value: bytes) -> None:
    call("lsetxattr", graph.fs, path, name, ctypes.c_char_p(value), len(value), 0)


def getxattr(graph: Graph, path: str, name: str) -> bytes:
    """A value's size by libgfapi, the value by a wind: directly above storage/posix, which returns the size, libgfapi
    takes success for failure and copies nothing."""

    async def ask() -> bytes:
        table = graph.probe.itable
        loc = Loc(path, inode=table.grep(table.root, path.lstrip("/")), parent=table.root)
        return (await graph.child.getxattr(loc, name)).dict[name]  # type: ignore[no-any-return]

    size = call("lgetxattr", graph.fs, path, name, None, 0)
    value = graph.run(ask())
    assert size == len(value)
    return value  # type: ignore[no-any-return]


def readlink(graph: Graph, path: str) -> str:
    buffer = ctypes.create_string_buffer(4096)
    size = call("readlink", graph.fs, path, buffer, len(buffer))
    return os.fsdecode(buffer.raw[:size])
