"""Replies and errors as plain values that can be compared, whatever objects they came in."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

import glupy
from glupy import Buffer, Dirent, Dirents, Fd, Inode, LockList, Reply, Xdata
from support import calls

if TYPE_CHECKING:
    from support.graph import Graph


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


async def differences(graph: Graph) -> dict[str, Any]:
    """The fops whose outcome is not the one that sink gives when it is asked itself."""
    found: dict[str, Any] = {}
    for fop in glupy.FOPS:
        arguments = calls.arguments(fop, graph.probe.itable)
        through = await outcome(getattr(graph.child, fop)(*arguments))
        direct = await outcome(getattr(graph.bottom, fop)(*arguments))
        if through != direct or isinstance(through, tuple):
            found[fop] = through, direct
    return found
