"""Where a translator's store is: which file, in a folder that nobody else can change and that is in no volume."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from glupy.api import whereabouts
from glupy.errors import TrustError
from glupy.loading import trust

if TYPE_CHECKING:
    from glupy._core import Instance

#: What the kernel calls a mount of a volume.
_VOLUME = "fuse.glusterfs"


def place(module: str, folder: Path, instance: Instance) -> Callable[[], Path]:
    """What makes the folder ready and says which file in it is the one of a layer, volume and brick: each time the same."""
    def found() -> Path:
        import hashlib  # it brings two megabytes along: for those alone who have a store
        import json

        brick = whereabouts.brick_path(instance)
        whose = [module, instance.name, whereabouts.volume(instance), None if brick is None else str(brick)]
        number = hashlib.sha256(json.dumps(whose).encode()).hexdigest()[:16]
        _ready(folder, brick)
        return folder / f"{_readable(instance.name)}-{number}.db"
    return found


def own(folder: Path) -> Callable[[], Path]:
    """The same for a class that a program has handed over with a folder of its own."""
    def found() -> Path:
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / "store.db"
    return found


def _readable(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name)[:100].lstrip(".") or "_"


def _ready(folder: Path, brick: Path | None) -> None:
    """Raises PermissionError."""
    real = Path(os.path.realpath(folder))
    if brick is not None and real.is_relative_to(os.path.realpath(brick)) or _in_volume(real):
        raise PermissionError(errno.EPERM, "store: would lie inside a volume; name another folder in glupy.conf", str(folder))
    for above in reversed(folder.parents):
        _make(above, 0o755)
    _make(folder, 0o700)
    try:
        trust.check_folder(folder)
    except TrustError as error:
        raise PermissionError(errno.EPERM, "store: its folder may be changed by others, and so may each on the way to it",
                              error.file) from error


def _make(folder: Path, mode: int) -> None:
    """With this mode, whatever the umask: on a brick it is 0."""
    try:
        os.mkdir(folder, mode)
    except FileExistsError:
        pass


def _in_volume(folder: Path) -> bool:
    """Whether the folder is, or is to be, on a mount of GlusterFS's. The last of those that are mounted on one place counts."""
    deepest, kind = Path("/"), ""
    with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as mounts:
        for line in mounts:
            fields, _, rest = line.partition(" - ")
            point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), fields.split()[4]))
            if folder.is_relative_to(point) and len(point.parts) >= len(deepest.parts):
                deepest, kind = point, rest.split()[0]
    return kind == _VOLUME
