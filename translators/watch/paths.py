"""The paths of gfids, from what storage/posix keeps on the disk of a brick.

It would say the same when it is asked for "glusterfs.gfidtopath"; but before GlusterFS 11 it ends the process where a directory
above is just being renamed, or has once not been renamed because the new name was that of a full one (gluster/glusterfs#2752).
"""

from __future__ import annotations

import os
from pathlib import Path
from stat import S_ISLNK

from glupy import Gfid

#: Where it notes the names of a file, each as the gfid of the directory and the name; and the gfid of the root.
NAMES, ROOT = "trusted.gfid2path.", str(Gfid.root())


def path_of(brick: Path, gfid: str) -> str:
    """One of the paths, or nothing. Of a file with several names the others are not looked at."""
    names: list[str] = []
    try:
        while gfid != ROOT:
            handle = brick / ".glusterfs" / gfid[:2] / gfid[2:4] / gfid
            found = handle.lstat()
            if S_ISLNK(found.st_mode) and found.st_nlink == 1:  # a directory; all else has the handle for a second name
                gfid, name = os.readlink(handle).split("/")[-2:]
            else:
                noted = next(name for name in os.listxattr(handle, follow_symlinks=False) if name.startswith(NAMES))
                gfid, name = os.fsdecode(os.getxattr(handle, noted, follow_symlinks=False)).split("/", 1)
            names.append(name)
    except (OSError, StopIteration, ValueError):
        return ""
    return "/" + "/".join(reversed(names))
