"""The file with the rules: whether it is another one by now, and whether it is to be trusted."""

from __future__ import annotations

import os
import stat
from pathlib import Path


def signature(file: Path) -> object:
    """Another one whenever the file may be another one."""
    try:
        found = os.stat(file)
    except OSError as error:
        return error.errno
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_uid, found.st_mode


def trusted_text(file: Path) -> str:
    """What the file says. Raises OSError, and ValueError where somebody else could have written it."""
    with open(file, encoding="utf-8", errors="surrogateescape") as opened:
        found = os.fstat(opened.fileno())
        if found.st_uid not in (0, os.geteuid()) or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ValueError("others than root can write to it: chown root, chmod go-w")
        return opened.read()
