"""Names: lookup, making, removing, renaming and linking."""

from __future__ import annotations

import os
import socket
import stat
from itertools import product

from .libc import RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT, renameat2
from .recorder import Recorder, content, make


def lookup(do: Recorder) -> None:
    make("file", b"1")
    os.mkdir("dir")
    for name in ("file", "dir", ".", "dir/.", "dir/..", "missing", "file/below", "missing/below", "dir/missing",
            "", "n" * 255, "n" * 256, "d/" * 2048):
        do(os.stat, name)
        do(os.lstat, name)
    do(os.stat, "file/")
    do(os.stat, "dir/")


def lookup_after_change(do: Recorder) -> None:
    do(os.stat, "late")  # a name that was looked up in vain must be found once it exists
    make("late", b"1")
    do(os.stat, "late")
    os.unlink("late")
    do(os.stat, "late")
    os.mkdir("late")
    do(os.stat, "late")
    os.rmdir("late")
    os.symlink("x", "late")
    do(os.lstat, "late")


def mknod(do: Recorder) -> None:
    kinds = {"reg": stat.S_IFREG, "fifo": stat.S_IFIFO, "sock": stat.S_IFSOCK, "chr": stat.S_IFCHR,
            "blk": stat.S_IFBLK}
    for name, kind in kinds.items():
        device = os.makedev(1, 3) if name in ("chr", "blk") else 0
        do(os.mknod, name, kind | 0o640, device)
        do(os.lstat, name)
        do(os.mknod, name, kind | 0o640, device)
    do(os.mknod, "dir", stat.S_IFDIR | 0o755)
    do(os.mknod, "missing/x", stat.S_IFREG | 0o600)
    do(os.mknod, "reg/x", stat.S_IFREG | 0o600)
    do(os.mknod, "big", stat.S_IFCHR | 0o600, os.makedev(259, 70000))
    do(os.lstat, "big")
    do(os.listdir, ".")


def special_files_work(do: Recorder) -> None:
    os.mkfifo("fifo")
    reader = os.open("fifo", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open("fifo", os.O_WRONLY | os.O_NONBLOCK)
    do(os.write, writer, b"through a fifo")
    do(os.read, reader, 100)
    server, client = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    do(server.bind, "socket")
    server.listen()
    do(client.connect, "socket")
    do(os.open, "socket", os.O_RDONLY)
    do(os.lstat, "socket")


def mkdir_rmdir(do: Recorder) -> None:
    for mode in (0o755, 0o700, 0o1777, 0o2775, 0):
        name = f"d{mode:o}"
        do(os.mkdir, name, mode)
        do(os.stat, name)
        do(os.mkdir, name, mode)
    do(os.mkdir, "d755/sub")
    do(os.stat, "d755")
    make("file")
    for name in ("d755", "file", "missing", "missing/x", "file/x", ".", "d755/sub/.", "d755/sub/..", "d755/sub",
            "d755"):
        do(os.rmdir, name)
    do(os.mkdir, "file")
    do(os.mkdir, "missing/x")
    do(os.mkdir, "n" * 256)
    do(os.listdir, ".")


def unlink(do: Recorder) -> None:
    make("file")
    os.mkdir("dir")
    os.symlink("file", "good")
    os.symlink("nowhere", "dangling")
    os.mkfifo("fifo")
    for name in ("good", "dangling", "fifo", "dir", "file/x", "missing", "file", "file", "missing/x", "."):
        do(os.unlink, name)
    do(os.listdir, ".")


def symlink(do: Recorder) -> None:
    make("file", b"data")
    os.mkdir("dir")
    targets = {"good": "file", "dangling": "nowhere", "long": "t" * 4095, "odd": b"\xff\xfe /\n",
            "up": "dir/../", "todir": "dir"}  # no further up: the mount's root is shared with the other cases
    for name, target in targets.items():
        do(os.symlink, target, name)
        do(os.readlink, os.fsencode(name))
        do(os.lstat, name)
        do(os.stat, name)
    do(os.symlink, "x", "good")
    do(os.symlink, "", "empty")
    do(os.symlink, "t" * 4096, "toolong")
    do(os.symlink, "x", "missing/x")
    for name in ("file", "dir", "missing"):
        do(os.readlink, name)
    do(os.symlink, "b", "a")
    do(os.symlink, "a", "b")
    do(os.stat, "a")
    do(os.open, "a", os.O_RDONLY)
    make("todir/through", b"x")
    do(os.stat, "dir/through")
    do(content, "good")


def rename(do: Recorder) -> None:
    make("f1", b"one")
    make("f2", b"two")
    os.makedirs("d1/sub")
    os.mkdir("empty")
    os.makedirs("full/x")
    os.symlink("f1", "link")
    moves = [
        ("f1", "f1"), ("f1", "g1"), ("g1", "f2"), ("f2", "empty"), ("d1", "f2"), ("d1", "empty"), ("empty", "full"),
        ("full", "full/x/y"), ("full", "full/x"), ("full/x", "full"), ("missing", "f2"), ("f2", "missing/f"),
                ("f2/x", "y"),
        ("f2", "f2/y"), ("link", "link2"), ("f2", "link2"), (".", "x"), ("full", "."), ("f2", "n" * 256), ("f2",
                "link2/"),
    ]
    for old, new in moves:
        do(os.rename, old, new)
        do(os.lstat, old)
        do(os.lstat, new)
    do(os.listdir, ".")
    do(os.listdir, "empty")
    do(content, "link2")


def rename_across(do: Recorder) -> None:
    os.makedirs("a/b")
    os.mkdir("c")
    make("a/f", b"data")
    for old, new in (("a/f", "c/g"), ("a/b", "c/b"), ("c/g", "a/g"), ("c", "a/c"), ("a/c/b", "b")):
        do(os.rename, old, new)
    do(os.listdir, "a")
    do(os.listdir, "a/c")
    do(os.stat, "a")
    do(content, "a/g")


def rename_while_open(do: Recorder) -> None:
    make("old", b"old content")
    make("new", b"replaced")
    moved, replaced = os.open("old", os.O_RDWR), os.open("new", os.O_RDWR)
    do(os.rename, "old", "new")
    do(os.pread, moved, 100, 0)
    do(os.pread, replaced, 100, 0)
    do(os.pwrite, moved, b"through", 0)
    do(os.pwrite, replaced, b"nowhere", 0)
    do(os.fstat, moved)
    do(os.fstat, replaced)
    do.close(moved)
    do.close(replaced)
    do(content, "new")


def rename_flags(do: Recorder) -> None:
    flags = {"noreplace": RENAME_NOREPLACE, "exchange": RENAME_EXCHANGE, "whiteout": RENAME_WHITEOUT, "both": 3,
            "bad": 1 << 20, "none": 0}
    for name, flag in flags.items():
        os.mkdir(name)
        make(f"{name}/a", b"a")
        make(f"{name}/b", b"b")
        os.mkdir(f"{name}/d")
        for old, new in (("a", "b"), ("a", "free"), ("a", "d"), ("missing", "b"), ("b", "missing")):
            do(renameat2, f"{name}/{old}", f"{name}/{new}", flag)
        do(os.listdir, name)
        do(content, f"{name}/b")


def link(do: Recorder) -> None:
    make("file", b"shared")
    os.mkdir("dir")
    os.symlink("file", "soft")
    for old, new in (("file", "hard"), ("file", "hard"), ("file", "dir/hard"), ("dir", "dirlink"), ("missing",
            "x"), ("file", "missing/x"), ("file", "file/x")):
        do(os.link, old, new)
        do(os.stat, "file")
    do(os.link, "soft", "hardsoft", follow_symlinks=False)
    do(os.lstat, "hardsoft")
    do(os.link, "soft", "through", follow_symlinks=True)
    do.note("one inode", os.stat("file").st_ino == os.stat("dir/hard").st_ino)
    do.file(os.O_WRONLY, "hard", lambda fd: do(os.write, fd, b"HARD"))
    do(content, "dir/hard")
    for name in ("file", "hard", "dir/hard"):
        do(os.unlink, name)
        do(os.stat, "dir/hard")


def many_links(do: Recorder) -> None:
    make("f0", b"x")  # storage/posix keeps an extended attribute for each link: ext4 has room for 48
    for number in range(1, 40):
        os.link("f0", f"f{number}")
    do(os.stat, "f13")
    for number in range(0, 39):
        os.unlink(f"f{number}")
    do(os.stat, "f39")


def odd_names(do: Recorder) -> None:
    names = [b" ", b"a b", b"new\nline", b"\xff\xfe\x80", "h\u00e9\u4e2d\U0001f600".encode(),
            b"'\"$`\\", b"-rf", b"%s%n", b"x" * 255, b"\xc3" * 255,
            b"...", b".hidden", b"\x01", b"a:b|c", b"trusted.gfid"]
    for name in names:
        do(make, name, name)
        do(os.stat, name)
        do(os.mkdir, b"d-" + name[:250])
        do(os.rename, name, b"d-" + name[:250] + b"/" + name)
        do(content, b"d-" + name[:250] + b"/" + name)
        do(os.listdir, b"d-" + name[:250])
    do(os.listdir, b".")
    do(make, b"x" * 256)
    do(os.mkdir, b"x" * 256)


def deep_path(do: Recorder) -> None:
    for depth in range(100):
        os.mkdir(f"level{depth:03}")
        os.chdir(f"level{depth:03}")
    do(make, "bottom", b"deep")
    do(os.stat, "../" * 99 + "level001")
    for _ in range(100):
        do(os.listdir, ".")
        os.chdir("..")
    path = "/".join(f"level{depth:03}" for depth in range(100))
    do(content, f"{path}/bottom")
    do(os.rename, f"{path}/bottom", "surface")
    do(os.rename, "level000/level001", "cut")
    do(os.stat, "cut/level002/level003")
    do(os.removedirs, "cut/" + "/".join(f"level{depth:03}" for depth in range(2, 100)))
    do(os.listdir, ".")


def relative_to_descriptor(do: Recorder) -> None:
    os.mkdir("dir")
    fd = os.open("dir", os.O_RDONLY | os.O_DIRECTORY)
    do(os.mkdir, "sub", dir_fd=fd)
    do(os.mknod, "node", 0o600 | stat.S_IFREG, dir_fd=fd)
    do(os.symlink, "node", "soft", dir_fd=fd)
    os.rename("dir", "moved")
    do(os.stat, "node", dir_fd=fd)
    do(os.rename, "node", "renamed", src_dir_fd=fd, dst_dir_fd=fd)
    do(os.listdir, "moved")
    do(os.unlink, "soft", dir_fd=fd)
    do(os.rmdir, "sub", dir_fd=fd)
    do(os.unlink, "renamed", dir_fd=fd)
    os.rmdir("moved")
    do(os.mkdir, "late", dir_fd=fd)
    do(os.stat, ".", dir_fd=fd)
    do(os.listdir, fd)


def inode_numbers(do: Recorder) -> None:
    names = [f"f{number}" for number in range(50)]
    for name in names:
        make(name)
    numbers = {name: os.stat(name).st_ino for name in names}
    do.note("all different", len(set(numbers.values())) == len(names))
    os.rename("f0", "g0")
    do.note("kept by rename", os.stat("g0").st_ino == numbers["f0"])
    do.note("kept by fstat", all(os.fstat(os.open(name, os.O_RDONLY)).st_ino == numbers[name] for name in names[1:]))
    do.note("same in readdir", all(entry.inode() == numbers.get(entry.name,
            numbers["f0"]) for entry in os.scandir(".")))


def kinds_over_kinds(do: Recorder) -> None:
    makers = {"file": make, "dir": os.mkdir, "fifo": os.mkfifo, "soft": lambda name: os.symlink("x", name)}
    for old, new in product(makers, makers):
        place = f"{old}-{new}"
        os.mkdir(place)
        makers[old](f"{place}/old")
        makers[new](f"{place}/new")
        do(os.rename, f"{place}/old", f"{place}/new")
        do(os.lstat, f"{place}/new")
        do(os.listdir, place)


CASES = [
    lookup, lookup_after_change, mknod, special_files_work, mkdir_rmdir, unlink, symlink, rename, rename_across,
    rename_while_open, rename_flags, link, many_links, odd_names, deep_path, relative_to_descriptor, inode_numbers,
    kinds_over_kinds,
]
