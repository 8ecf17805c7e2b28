"""What replicas miss that are away: replication takes no part in what is done to bins, so heal has to be told of it."""

from __future__ import annotations

import struct

from glupy import Child, Inode, Loc, nameless

#: Replication's counts, in a file or directory, of what a replica that is away has missed of it: data, metadata, entries.
PENDING, DIRTY, COUNTS = "trusted.afr.", "trusted.afr.dirty", struct.Struct(">3I")
ADD_ARRAY, NAME_MADE = 0, "glusterfs.xattrop-entry-create"  # GF_XATTROP_ADD_ARRAY, GF_XATTROP_ENTRY_IN_KEY


async def who_is_away(child: Child, folder: Loc) -> dict[str, bytes]:
    """What to add to the counts of a directory in which we change a name: those of one that is just being changed for a client
    say who does not hear of it."""
    found = await child.getxattr(folder, None).or_error()
    counts = {name: found.dict.get_as(name, "bytes") for name in (found.dict if found.op_ret >= 0 else ())
              if name.startswith(PENDING) and name != DIRTY}
    return {name: COUNTS.pack(0, 0, 1) for name, count in counts.items() if len(count) == COUNTS.size and any(count)}


async def missed(child: Child, folder: Inode, name: str, away: dict[str, bytes]) -> None:
    """Have heal look for a name that we are about to change."""
    if away:
        await child.xattrop(nameless(folder), ADD_ARRAY, away, {NAME_MADE: name}).or_error()
