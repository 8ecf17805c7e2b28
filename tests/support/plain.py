"""Replies and errors as plain values that can be compared, whatever objects they came in."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from glupy import Buffer, Dirent, Dirents, Fd, Inode, LockList, Reply, Xdata


def plain(value: Any) -> Any:
    """A value, or what it says. Numbers and gfids that sink draws at random are left out."""
    match value:
        case Reply():
            fields = {name: plain(getattr(value, name)) for name in value.__match_args__}  # type: ignore[attr-defined]
            return {"op_ret": value.op_ret, **fields}
        case Xdata():
            return {key: plain(item) for key, item in value.items()}
        case Inode():
            return "inode", value.gfid, value.ia_type
        case Fd():
            return repr(value)
        case Buffer():
            return bytes(value)
        case Dirents():
            return [plain(entry) for entry in value]
        case Dirent():
            stat = value.d_stat.ia_type, value.d_stat.ia_size
            return value.d_name, value.d_off, value.d_type, stat, value.inode is not None, plain(value.dict)
        case LockList():
            return [(lock.flock, lock.client_uid, lock.lk_flags) for lock in value]
    return value


async def outcome(wind: Awaitable[Any]) -> Any:
    """What came of a wind: its reply, or its error with the reply that came with it."""
    try:
        return plain(await wind)
    except OSError as error:
        reply = getattr(error, "reply", None)
        return "error", error.errno, None if reply is None else plain(reply)
