"""A directory for storage/posix."""

from __future__ import annotations

import os
from pathlib import Path


class Directory:
    """One that was named, or one that is made for a test."""

    def __init__(self, given: str | os.PathLike[str] | None) -> None:
        self._given = given

    def ready(self, folder: Path) -> Path:
        """The directory, which can be a brick. `folder` goes with the test."""
        if os.geteuid() != 0:
            raise PermissionError("storage/posix keeps what it has to in extended attributes trusted.*: run this test as root")
        path = Path(os.path.abspath(self._given)) if self._given is not None else folder / "brick"
        path.mkdir(exist_ok=True)
        try:
            os.setxattr(path, "trusted.glupy.test", b"1")
            os.removexattr(path, "trusted.glupy.test")
        except OSError as error:
            raise OSError(error.errno, f"{path} cannot be a brick: its file system takes no extended attributes trusted.*; "
                          "name a directory on ext4, xfs or btrfs") from None
        return path
