"""GlusterFS's log: reading it, and failing on what should not be there."""

from __future__ import annotations

import re
from pathlib import Path

_ENTRY = re.compile(r"^\[\d{4}-\d\d-\d\d [\d:.]+ \+0000\] ([A-Z]) ", re.M)

#: What GlusterFS says itself in a healthy run, with the reason it is no error.
_USUAL = (
    r"received signum \(15\)",  # every unmount
    r"cleanup_and_exit",
    r"posix_.*_xattr|posix-helpers",  # what a directory on tmpfs or overlay cannot do
    r"gf_proc_dump",
    r"Failed to (?:un)?set extended attribute",
    r"ulimit -n|maximum allowed open file descriptors|gf_set_nofile",  # root without CAP_SYS_RESOURCE
    r"invalidate",
    r"/xlator/meta",
    r"glusterfs_release_legacy|fd cleanup",
    r"oom_score_adj",
    r"0-epoll: Exited thread",
    r"read from /dev/fuse returned -1 \(Operation not permitted\)",  # before the kernel has finished mounting; it tries again
    r"\(budget \d|went on after \d",  # any step of Python may take a second on a machine that is busy
)


def entries(log: Path) -> list[tuple[str, str]]:
    """(level letter, text) of each entry, continuation lines included."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    starts = [match.start() for match in _ENTRY.finditer(text)] + [len(text)]
    found = []
    for start, end in zip(starts, starts[1:]):
        entry = text[start:end].rstrip()
        found.append((_ENTRY.match(entry)[1], entry))  # type: ignore[index]
    return found


def unexpected(log: Path, expected: tuple[str, ...] = ()) -> list[str]:
    """The entries at WARNING or worse, or with a traceback, that neither GlusterFS usually makes nor the test expects."""
    known = re.compile("|".join(_USUAL + expected), re.S)
    return [
        text
        for level, text in entries(log)
        if (level in "AECWM" or "Traceback (most recent call last)" in text) and not known.search(text)
    ]
