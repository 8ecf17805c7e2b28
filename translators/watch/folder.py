"""The folder of a feed: whose it is, and how readers know it."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import uuid
from pathlib import Path
from typing import Any


def claimed(folder: Path) -> tuple[Path, int]:
    """The folder, or NAME.1, NAME.2 and so on where another process or interpreter has it; and the file that says so."""
    for number in range(1000):
        mine = Path(f"{folder}.{number}") if number else folder
        for each in reversed((mine, *mine.parents)):  # a brick has no umask
            if not each.is_dir():
                each.mkdir(0o700, exist_ok=True)
        file = os.open(mine / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return mine, file
        except OSError:
            os.close(file)
    raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(folder))


def identify(path: Path, about: dict[str, Any]) -> None:
    """Give a feed a name that no other has, for its readers' cursors."""
    if not path.exists():
        new = path.with_suffix(".new")
        new.touch(0o600)
        new.write_text(json.dumps({"id": uuid.uuid4().hex[:12], **about}) + "\n")
        os.rename(new, path)
