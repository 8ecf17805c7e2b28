"""Extended attributes."""

from __future__ import annotations

import os
import struct

from .recorder import Recorder, make, pattern


def _targets() -> list[str]:
    make("file", b"x")
    os.mkdir("dir")
    return ["file", "dir"]


def set_get_list_remove(do: Recorder) -> None:
    for name in _targets():
        do(os.listxattr, name)
        do(os.getxattr, name, "user.a")
        do(os.setxattr, name, "user.a", b"value")
        do(os.getxattr, name, "user.a")
        do(os.setxattr, name, "user.a", b"longer value than before")
        do(os.setxattr, name, "user.b", b"2")
        do(os.listxattr, name)
        do(os.getxattr, name, "user.a")
        do(os.removexattr, name, "user.a")
        do(os.removexattr, name, "user.a")
        do(os.listxattr, name)
    for call in (os.listxattr, lambda path: os.getxattr(path, "user.a"), lambda path: os.removexattr(path, "user.a")):
        do(call, "missing")
    do(os.setxattr, "missing", "user.a", b"")
    do(os.setxattr, "file/x", "user.a", b"")


def create_replace(do: Recorder) -> None:
    for name in _targets():
        for flag in (os.XATTR_REPLACE, os.XATTR_CREATE, os.XATTR_CREATE, os.XATTR_REPLACE, 3, 64):
            do(os.setxattr, name, "user.a", b"%d" % flag, flag)
            do(os.getxattr, name, "user.a")


def values(do: Recorder) -> None:
    """Empty, binary and large values come back as they were."""
    for name in _targets():
        for number, value in enumerate((b"", b"\0", b"a\0b", bytes(range(256)), b"0", b"123", b"text\n",
                pattern(1000), pattern(2500), pattern(65536), pattern(65537))):
            do(os.setxattr, name, f"user.v{number}", value)
            do(os.getxattr, name, f"user.v{number}")
        do(os.listxattr, name)


def names(do: Recorder) -> None:
    make("file")
    for key in ("user.", "user", "", "nonamespace", "user." + "k" * 250, "user." + "k" * 251, "user.\u00e9",
            b"user.\xff\xfe", "user.a b", "bogus.a", "user.glusterfs.x"):
        do(os.setxattr, "file", key, b"v")
        do(os.getxattr, "file", key)
        do(os.removexattr, "file", key)


def namespaces(do: Recorder) -> None:
    make("file")
    os.symlink("file", "soft")
    os.mkfifo("fifo")
    for key in ("user.a", "trusted.a", "security.a", "system.a", "trusted.gfid", "trusted.glusterfs.test"):
        for name in ("file", "soft", "fifo"):
            do(os.setxattr, name, key, b"v", follow_symlinks=False)
            if key != "trusted.gfid":  # every file has its own
                do(os.getxattr, name, key, follow_symlinks=False)
            do(os.removexattr, name, key, follow_symlinks=False)
    do(os.listxattr, "file")


def virtual(do: Recorder) -> None:
    """GlusterFS's own keys: whether they answer, where what they say differs from brick to brick."""
    make("file")
    for key in ("glusterfs.gfid.string", "trusted.glusterfs.pathinfo", "glusterfs.ancestry.path",
            "glusterfs.get_real_filename:FILE", "trusted.glusterfs.node-uuid"):
        try:
            outcome = bool(os.getxattr("file", key))
        except OSError as error:
            outcome = error.errno  # type: ignore[assignment]
        do.note(key, outcome)


def by_descriptor(do: Recorder) -> None:
    for name in _targets():
        fd = os.open(name, os.O_RDONLY)
        do(os.setxattr, fd, "user.f", b"by descriptor")
        do(os.getxattr, fd, "user.f")
        do(os.getxattr, name, "user.f")
        do(os.listxattr, fd)
        do(os.setxattr, fd, "user.f", b"", os.XATTR_CREATE)
        do(os.removexattr, fd, "user.f")
        do(os.removexattr, fd, "user.f")
        do(os.listxattr, name)
        os.close(fd)


def follow_the_file(do: Recorder) -> None:
    make("file")
    os.setxattr("file", "user.a", b"kept")
    os.link("file", "hard")
    do(os.getxattr, "hard", "user.a")
    os.rename("file", "moved")
    do(os.getxattr, "moved", "user.a")
    make("moved", b"rewritten")
    do(os.getxattr, "hard", "user.a")
    make("over")
    os.rename("over", "moved")
    do(os.getxattr, "moved", "user.a")


def many(do: Recorder) -> None:
    make("file")
    for number in range(60):
        do(os.setxattr, "file", f"user.key{number}", b"v%d" % number)
    do(os.listxattr, "file")
    for number in range(0, 60, 2):
        do(os.removexattr, "file", f"user.key{number}")
    do(os.listxattr, "file")
    do(os.getxattr, "file", "user.key31")


def acl(do: Recorder) -> None:
    make("file")
    entries = struct.pack("<I", 2) + b"".join(
        struct.pack("<HHI", *entry) for entry in ((1, 6, 2**32 - 1), (2, 4, 1000), (4, 4, 2**32 - 1), (16, 4,
                2**32 - 1), (32, 0, 2**32 - 1))
    )
    do(os.setxattr, "file", "system.posix_acl_access", entries)
    do(os.getxattr, "file", "system.posix_acl_access")
    do(os.stat, "file")
    do(os.setxattr, "file", "system.posix_acl_access", b"nonsense")


CASES = [
    set_get_list_remove, create_replace, values, names, namespaces, virtual, by_descriptor, follow_the_file, many,
            acl,
]
