"""What a line says of a change, and which changes are worth one."""

from __future__ import annotations

import json
from typing import Any

import glupy
from glupy import Call, Fd, Frame

Entry = dict[str, Any]

#: Of GlusterFS's own work: what its layers put into xdata, and whose extended attributes nobody else's are.
INTERNAL_KEYS = ("glusterfs-internal-fop", "trusted.glusterfs.dht.linkto")
INTERNAL_NAMES = ("trusted.glusterfs.", "trusted.afr.", "trusted.ec.", "trusted.bit-rot.", "glusterfs.")

#: The fops through which an open file comes to be changed.
THROUGH = glupy.CHANGING_DATA | {"create", "open", "flush"}

#: The argument of a fop that has the extended attributes to be set.
SETTING = {"setxattr": "dict", "fsetxattr": "dict", "xattrop": "xattr", "fxattrop": "xattr"}


def opened_to_change(call: Call) -> Fd | None:
    """The open file through which data is changed; one that nobody has opened is none."""
    fd: Fd | None = call.get("fd_out") or call.fd
    return fd if fd and not fd.anonymous and call.name in THROUGH else None


def internal(frame: Frame, call: Call, names: list[str]) -> bool:
    """Is this no change of a user's?"""
    return (frame.actor in glupy.INTERNAL or call.name in ("xattrop", "fxattrop")
            or any(key in call["xdata"] for key in INTERNAL_KEYS)
            or bool(names) and all(name.startswith(INTERNAL_NAMES) for name in names))


def names_set(call: Call) -> list[str]:
    """The extended attributes that an operation sets or removes."""
    if call.name in SETTING:
        return list(call[SETTING[call.name]])
    return [call["name"]] if call.name in ("removexattr", "fremovexattr") else []


def described(frame: Frame, call: Call) -> Entry:
    """What is known of a change before it is done: plain values only."""
    loc, newloc, xdata, copied = call.loc, call.get("newloc"), call["xdata"], call.get("fd_out")
    gfid = copied.inode.gfid if copied else call.gfid or (xdata.get_as("gfid-req", "gfid") if "gfid-req" in xdata else None)
    path = copied.inode.path() if copied else call.path
    entry: Entry = {"fop": call.name, "gfid": str(gfid) if gfid else None, "path": path}
    if loc is not None and call.name in glupy.CHANGING_NAMES:
        entry.update(parent=str(loc.pargfid) if loc.pargfid else None, name=loc.name)
    if newloc is not None:
        entry.update(newparent=str(newloc.pargfid) if newloc.pargfid else None, newname=newloc.name,
                     newpath=newloc.path)
    client = frame.client
    entry.update(uid=frame.uid, gid=frame.gid, pid=frame.pid, host=client and client.host, client=client and client.uuid)
    entry["offset"] = call.get("off_out" if copied else "offset")
    entry["size"] = len(call["vector"]) if "vector" in call else call.get("len")
    mode = call["stbuf"].ia_prot if "stbuf" in call and call["valid"] & 1 else call.get("mode")
    entry["mode"] = None if mode is None else f"{mode & 0o7777:04o}"
    return {key: value for key, value in entry.items() if value is not None}


def encoded(entry: Entry, *without: str) -> bytes:
    """An entry as the end of a line, without what is None: the feed puts number and time before it."""
    return json.dumps({key: value for key, value in entry.items() if value is not None and key not in without}).encode()[1:]
