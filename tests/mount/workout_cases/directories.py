"""Reading directories: large ones, positions, changes while reading."""

from __future__ import annotations

import os

from .libc import Directory
from .recorder import Recorder, make

MANY = 800


def kinds_of_entries(do: Recorder) -> None:
    make("file")
    os.mkdir("dir")
    os.symlink("file", "soft")
    os.mkfifo("fifo")
    os.mknod("socket", 0o140600)
    directory = Directory()
    do.note("entries", sorted(directory.all()))
    directory.close()
    with os.scandir(".") as entries:
        do.note("scandir", sorted((entry.name, entry.is_dir(), entry.is_file(),
                entry.is_symlink()) for entry in entries))


def empty(do: Recorder) -> None:
    os.mkdir("dir")
    directory = Directory("dir")
    do.note("entries", sorted(directory.all()))
    do(directory.read)
    os.rmdir("dir")
    directory.rewind()
    do.note("after rmdir", directory.all())
    do(Directory, "missing")
    make("file")
    do(Directory, "file")


def many(do: Recorder) -> None:
    for number in range(MANY):
        os.mknod(f"entry-{number:05}", 0o100600)
    names = do(os.listdir, ".")
    do.note("count", (len(names), len(set(names))))
    _positions(do)
    with os.scandir(".") as entries:
        do.note("sizes", sum(entry.stat().st_size for entry in entries))
    _remove_while_reading(do)


def _positions(do: Recorder) -> None:
    """Every position that telldir gave leads back to the entry that followed it."""
    directory = Directory()
    positions = []
    while True:
        position = directory.tell()
        entry = directory.read()
        if entry is None:
            break
        positions.append((position, entry[0]))
    sample = positions[:: len(positions) // 40] + positions[-3:]
    for position, name in reversed(sample):
        directory.seek(position)
        entry = directory.read()
        do.note("after seekdir", entry is not None and entry[0] == name)
    directory.rewind()
    do.note("after rewinddir", sorted(directory.all()) == sorted(directory_all()))
    directory.close()


def directory_all() -> list[tuple[bytes, int]]:
    """What a fresh reader of the current directory sees."""
    directory = Directory()
    entries = directory.all()
    directory.close()
    return entries


def _remove_while_reading(do: Recorder) -> None:
    directory = Directory()
    removed = 0
    while entry := directory.read():
        if entry[0] not in (b".", b".."):
            os.unlink(entry[0])
            removed += 1
    directory.close()
    do.note("removed", removed)
    do(os.listdir, ".")


def changed_while_reading(do: Recorder) -> None:
    """What was there all the time is seen exactly once, whatever comes and goes meanwhile."""
    for number in range(300):
        make(f"stays-{number}")
    directory = Directory()
    seen = []
    while entry := directory.read():
        seen.append(entry[0])
        if len(seen) % 7 == 0:
            make(f"comes-{len(seen)}")
    directory.close()
    staying = [name for name in seen if name.startswith(b"stays")]
    do.note("seen once", (len(staying), len(set(staying))))
    directory = Directory()
    directory.read()
    make("later")
    directory.rewind()
    do.note("seen after rewind", b"later" in [name for name, _ in directory.all()])
    directory.close()


def two_readers(do: Recorder) -> None:
    for number in range(300):
        make(f"f{number}")
    one, two = Directory(), Directory()
    seen_one, seen_two = [], []
    while entry := one.read():
        seen_one.append(entry)
        if len(seen_one) % 2 and (other := two.read()):
            seen_two.append(other)
    seen_two += two.all()
    do.note("alike", sorted(seen_one) == sorted(seen_two))
    do.note("count", len(seen_one))


def long_names(do: Recorder) -> None:
    for number in range(300):
        make(f"{number:03}" + "n" * 252)
    do(os.listdir, ".")


CASES = [kinds_of_entries, empty, many, changed_while_reading, two_readers, long_names]
