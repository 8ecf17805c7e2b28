"""What content= is about: the first bytes of a file, as each operation would leave them."""

from __future__ import annotations

import os

import glupy
from glupy import Call

#: What content= is about, and what of it may change the first bytes of a file.
CONTENT = glupy.CHANGING_DATA | {"open", "readv", "rename", "link", "unlink"}
WRITING = glupy.CHANGING_DATA - {"put"}

#: How far into a file content= may look.
FARTHEST = 4096


def after(call: Call, head: bytes, source: bytes, size: int) -> bytes:
    """The first bytes of a file when an operation has been done, up to a size."""
    name, get = call.name, call.get
    if name in ("writev", "put"):
        appends = name == "writev" and (call["flags"] | call["fd"].flags) & os.O_APPEND
        return over(head, len(head) if appends else get("offset"), bytes(call["vector"].part(0, size)), size)
    if name in ("truncate", "ftruncate"):
        return head[:get("offset")].ljust(min(get("offset"), size), b"\0")
    if name == "copy_file_range":
        return over(head, get("off_out"), source, size)
    if name in ("discard", "zerofill"):
        zeros = bytes(min(get("len"), FARTHEST))
        new = over(head, get("offset"), zeros, size)
        return new if name == "zerofill" else new[:len(head)]
    if name == "fallocate" and not get("keep_size"):
        return head.ljust(min(get("offset") + get("len"), size), b"\0")
    return head


def over(head: bytes, offset: int, data: bytes, size: int) -> bytes:
    """Bytes with others written over them."""
    if not data:
        return head
    return (head[:offset].ljust(min(offset, size), b"\0") + data + head[offset + len(data):])[:size]
