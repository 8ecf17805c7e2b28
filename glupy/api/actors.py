"""On whose behalf an operation is: frame.actor."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from glupy.api.translator import Translator

#: By GlusterFS's numbers for itself in the place of a process's (GF_CLIENT_PID_... in common-utils.h). DHT acts as -4 where it
#: needs to be root, for a user or not; so it is told from neither.
_BY_PID = {
    -1: "geo-replication", -3: "rebalance", -5: "quota", -6: "self-heal", -7: "self-heal", -8: "bit-rot", -9: "bit-rot",
    -10: "rebalance",
}

#: frame.actor of GlusterFS's own work, in which files come, change and go that no user touches. Not of geo-replication, which
#: writes what users have written elsewhere.
INTERNAL = frozenset(("rebalance", "self-heal", "bit-rot"))


def actor(translator: Translator, pid: int, has_client: bool) -> str:
    """The word for who is known by the pid of a frame, and by whether it is one of a brick's client."""
    if pid < 0:
        return _BY_PID.get(pid, "glusterfs")
    return "user" if has_client or not translator._glupy_serves() else "brick"
