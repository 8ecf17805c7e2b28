"""Open files that only root, or the user this process runs as, can have written: the rule of sshd's StrictModes.

The way to a file is walked one directory descriptor at a time from /, links included, and each directory is checked
once it is open; the file itself is checked by its descriptor, and what is read comes from that descriptor. Nobody who
may not change the file can therefore put another one in its place between the check and the reading.
"""

from __future__ import annotations

import errno
import os
import stat

from glupy.errors import TrustError

_LINKS = 40  # as many as Linux follows
_MOST = 16 << 20  # bytes of a file
_WALK = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK


def check(status: os.stat_result, path: str) -> None:
    """Refuse what others could have written. Raises TrustError."""
    _check_owner(status, path)
    # Access control lists need no look of their own: nobody has more by them than the group bits here say.
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        sticky = bool(status.st_mode & stat.S_ISVTX)  # made for all, such as /tmp: it is not to be changed
        kind = "folder" if stat.S_ISDIR(status.st_mode) else "file"
        raise TrustError(
            f"{kind} is writable by {'others' if status.st_mode & stat.S_IWOTH else 'its group'}"
            f"{' (sticky or not)' if sticky else ''}, mode {stat.S_IMODE(status.st_mode):04o}, so glupy does not run what it "
            f"holds; {'' if sticky else f'chmod go-w {path}, or '}move your code to a folder that only its owner can write",
            path)


def _check_owner(status: os.stat_result, path: str) -> None:
    if status.st_uid not in (0, os.geteuid()):
        link = stat.S_ISLNK(status.st_mode)
        raise TrustError(
            f"{'a link ' if link else ''}owned by uid {status.st_uid}, so glupy does not run "
            f"{'what it leads to' if link else 'it'}: only root and the user this process runs as "
            f"(uid {os.geteuid()}) may decide what does; if you trust it: chown {'-h ' if link else ''}root {path}",
            path)


def read(path: str | os.PathLike[str]) -> bytes:
    """The content of a regular file, after checking it and every folder and link on the way.

    path is absolute. Raises TrustError for what is not trusted, OSError for what cannot be read."""
    name = os.fspath(path)
    descriptor = _walk(name)
    if descriptor is None:
        raise TrustError("a folder; expected a file", name)
    with open(descriptor, "rb") as file:
        content = file.read(_MOST + 1)
    if len(content) > _MOST:
        raise TrustError(f"more than {_MOST >> 20} MiB, which no source file needs: is it the right file?", name)
    return content


def check_folder(path: str | os.PathLike[str]) -> None:
    """Check a folder and every folder and link on the way to it.

    path is absolute. Raises TrustError for what is not trusted, OSError for what is not there."""
    descriptor = _walk(os.fspath(path))
    if descriptor is not None:
        os.close(descriptor)
        raise TrustError("a file; expected a folder", path)


class _Walker:
    """Where a walk stands: an open directory, its name, and the parts of the path still to go, last one first."""

    def __init__(self, path: str) -> None:
        if not path.startswith("/"):
            raise TrustError("not an absolute path", path)
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
            _check_owner(os.fstat(link), name)
            target = os.readlink("", dir_fd=link)
        finally:
            os.close(link)
        self.links += 1
        if self.links > _LINKS:
            raise TrustError(f"more than {_LINKS} links, one leading to the next: put the file itself here", name)
        self.pending += target.split("/")[::-1]
        if target.startswith("/"):
            self.enter_root()

    def close(self) -> None:
        if self.directory >= 0:
            os.close(self.directory)
            self.directory = -1


def _walk(path: str) -> int | None:
    """Go all the way. The descriptor of the file that it ends at; None if that is a folder."""
    walker = _Walker(path)
    try:
        while walker.pending:
            part = walker.pending.pop()
            if part in ("", "."):
                continue
            name = os.path.normpath(os.path.join(walker.name, part))
            descriptor = _step(walker, part, name)
            if descriptor is not None:
                return descriptor
        return None
    finally:
        walker.close()


def _step(walker: _Walker, part: str, name: str) -> int | None:
    """Go one part of the path further. The descriptor of the file if that was it."""
    found = os.open(part, _WALK, dir_fd=walker.directory)
    mode = os.fstat(found).st_mode
    if stat.S_ISDIR(mode):
        walker.enter(found, name)
    elif stat.S_ISLNK(mode):
        walker.follow(found, name)
    else:
        os.close(found)
        if any(rest not in ("", ".") for rest in walker.pending):
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), name)
        _check_regular(mode, name)  # before it is opened, which would rewind a tape or start a watchdog
        return _open_file(walker, part, name)
    return None


def _check_regular(mode: int, name: str) -> None:
    if not stat.S_ISREG(mode):
        raise TrustError("not a regular file: put the source itself here, or a link to it", name)


def _open_file(walker: _Walker, part: str, name: str) -> int:
    descriptor = os.open(part, _READ, dir_fd=walker.directory)
    try:
        status = os.fstat(descriptor)
        _check_regular(status.st_mode, name)
        check(status, name)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor
