"""What bins and the files in them are called: the same on all replicas, and known without a lookup."""

from __future__ import annotations

import os
import struct
import uuid

from glupy import Gfid, Loc

TOP = ".trash"
ORIGIN = "trusted.trash.origin"  # 16 bytes of the directory's gfid, then the name

#: The gfids of our directories: these bytes, and the user's id.
PREFIX = uuid.UUID("5b6f1d0e-8a43-4c51-9d27-e60300000000").bytes[:12]
TOP_ID = 0xFFFFFFFF

NAME_MAX = 255


def bin_gfid(uid: int) -> Gfid:
    return Gfid(PREFIX + struct.pack(">I", uid))


def bin_user(gfid: Gfid | None) -> int | None:
    """Whose bin a directory is; None: it is none."""
    raw = bytes(gfid) if gfid else b""
    return int(struct.unpack(">I", raw[12:])[0]) if raw[:12] == PREFIX else None


def entry_name(name: str, gfid: Gfid, number: int = 0) -> str:
    """What a file is called in the bin: never too long."""
    ending = f"~{number}.{gfid}".encode() if number else f".{gfid}".encode()
    return (os.fsencode(name)[:NAME_MAX - len(ending)] + ending).decode("utf-8", "surrogateescape")


def copy_gfid(text: str) -> Gfid:
    """What a copy's gfid is, by what the file was then."""
    return Gfid(uuid.uuid5(uuid.UUID(bytes=bytes(bin_gfid(TOP_ID))), text))


def above(loc: Loc) -> Gfid:
    """The directory that a name is in."""
    return loc.pargfid or (loc.parent.gfid if loc.parent else Gfid.root())


def origin(loc: Loc) -> bytes:
    """Where a name is, as an extended attribute."""
    return bytes(above(loc)) + os.fsencode(loc.name or "")
