"""Open files that only root, or the user this process runs as, can have written: the rule of sshd's StrictModes.

The way to a file is walked one directory descriptor at a time from /, links included, and each directory is checked
once it is open; the file itself is checked by its descriptor, and what is read comes from that descriptor. Nobody who
may not change the file can therefore put another one in its place between the check and the reading.
"""

from __future__ import annotations

import os
import stat

from glupy.errors import TrustError

_LINKS = 40  # as many as Linux follows
_WALK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def check(status: os.stat_result, path: str) -> None:
    """Refuse what others could have written. Raises TrustError."""
    if status.st_uid not in (0, os.geteuid()):
        raise TrustError(
            f"owned by uid {status.st_uid}, so glupy does not run it: only root and the user this process runs as "
            f"(uid {os.geteuid()}) may decide what does; if you trust it: chown root {path}", path)
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        hint = " (sticky or not)" if status.st_mode & stat.S_ISVTX else ""
        kind = "folder" if stat.S_ISDIR(status.st_mode) else "file"
        raise TrustError(
            f"{kind} is writable by {'others' if status.st_mode & stat.S_IWOTH else 'its group'}{hint}, mode "
            f"{stat.S_IMODE(status.st_mode):04o}, so glupy does not run what it holds; chmod go-w {path}, or move your "
            "code to a folder that only its owner can write", path)


def read(path: str | os.PathLike[str]) -> bytes:
    """The content of a regular file, after checking it and every folder and link on the way.

    path is absolute. Raises TrustError for what is not trusted, OSError for what cannot be read."""
    with open(_open(os.fspath(path)), "rb") as file:
        return file.read()


class _Walker:
    """Where a walk stands: an open directory, its name, and the parts of the path still to go, last one first."""

    def __init__(self, path: str) -> None:
        self.pending = path.split("/")[::-1]
        self.links = 0
        self.directory = -1
        self.enter_root()

    def enter_root(self) -> None:
        self.enter(os.open("/", _WALK | os.O_DIRECTORY), "/")

    def enter(self, descriptor: int, name: str) -> None:
        """Go on from a directory that was opened, once it is found to be trusted."""
        self.close()
        self.directory, self.name = descriptor, name
        check(os.fstat(descriptor), name)

    def follow(self, link: int, name: str) -> None:
        """Put a link's target in front of what is still to go."""
        try:
            target = os.readlink("", dir_fd=link)
        finally:
            os.close(link)
        self.links += 1
        if self.links > _LINKS:
            raise TrustError("too many links, one leading to the next", name)
        self.pending += target.split("/")[::-1]
        if target.startswith("/"):
            self.enter_root()

    def close(self) -> None:
        if self.directory >= 0:
            os.close(self.directory)
            self.directory = -1


def _open(path: str) -> int:
    if not path.startswith("/"):
        raise TrustError("not an absolute path", path)
    walker = _Walker(path)
    try:
        while walker.pending:
            part = walker.pending.pop()
            if part in ("", "."):
                continue
            name = os.path.normpath(os.path.join(walker.name, part))
            descriptor = _step(walker, part, name)
            if descriptor >= 0:
                return descriptor
        raise TrustError("a folder; expected a file", path)
    finally:
        walker.close()


def _step(walker: _Walker, part: str, name: str) -> int:
    """Go one part of the path further. The descriptor of the file if that was it, else -1."""
    found = os.open(part, _WALK, dir_fd=walker.directory)
    mode = os.fstat(found).st_mode
    if stat.S_ISDIR(mode):
        walker.enter(found, name)
    elif stat.S_ISLNK(mode):
        walker.follow(found, name)
    else:
        os.close(found)
        if any(rest not in ("", ".") for rest in walker.pending):
            raise NotADirectoryError(20, "Not a directory", name)
        return _open_file(walker, part, name)
    return -1


def _open_file(walker: _Walker, part: str, name: str) -> int:
    descriptor = os.open(part, _READ, dir_fd=walker.directory)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise TrustError("not a regular file", name)
        check(status, name)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
