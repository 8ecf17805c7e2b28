"""Labels: the attribute by which a brick that knows no paths knows which limited directories something is in.

That of a directory is their gfids. That of a file has an entry for each of its names and limited directory: 8 bytes that stand
for the name, and the gfid. So a file with several names loses a directory when the last name there goes, and to count a name
twice changes nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable

from glupy import Gfid, Loc

LABEL = "trusted.quota.label"
LINKTO = "trusted.glusterfs.dht.linkto"


def parent_of(loc: Loc) -> Gfid:
    return loc.pargfid or (loc.parent.gfid if loc.parent else Gfid.root())


def name_key(loc: Loc) -> bytes:
    """A name, for turns()."""
    return b"\0" + bytes(parent_of(loc)) + os.fsencode(loc.name or "")


def entries(key: bytes, limited: Iterable[bytes]) -> frozenset[bytes]:
    """What a label has for a name."""
    return frozenset(hashlib.blake2b(key, digest_size=8).digest() + gfid for gfid in limited)


def entries_of(key: bytes, label: frozenset[bytes]) -> frozenset[bytes]:
    """What a label has for a name, in any limited directories."""
    stands_for = hashlib.blake2b(key, digest_size=8).digest()
    return frozenset(entry for entry in label if entry.startswith(stands_for))


def parts(value: bytes, width: int) -> frozenset[bytes]:
    return frozenset(value[start:start + width] for start in range(0, len(value) - width + 1, width))


def of_directory(gfid: bytes) -> str:
    return f"dir:{gfid.hex()}"
