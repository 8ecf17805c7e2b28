"""Works in a folder of its own, knows what has to be there, and looks: `worker.py FOLDER SEED`.

Ends at SIGTERM, after a last look at everything, with the number of calls and looks on its standard output; with status 1
and what it found as soon as something is not as it should be.
"""

from __future__ import annotations

import os
import random
import signal
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

FILES, FOLDERS, OPEN, SIZE = 60, 8, 6, 200_000


@dataclass
class File:
    """What a file should be, whatever its names."""

    content: bytearray
    mode: int = 0o644
    mtime: int | None = None
    attributes: dict[str, bytes] = field(default_factory=dict)
    links: int = 1


class Worker:
    """files and links: by path relative to the folder. open: descriptors of files that have a name."""

    def __init__(self, top: Path, seed: int) -> None:
        self.top, self.random = top, random.Random(seed)
        self.files: dict[str, File] = {}
        self.links: dict[str, str] = {}
        self.folders: dict[str, set[str]] = {"": set()}
        self.open: list[tuple[int, File]] = []
        self.made = self.calls = self.looks = 0
        top.mkdir()

    # Names

    def path(self, name: str) -> Path:
        return self.top / name

    def new_name(self) -> str:
        self.made += 1
        folder = self.random.choice(list(self.folders))
        return f"{folder}/n{self.made}".lstrip("/")

    def put(self, name: str) -> None:
        folder, _, last = name.rpartition("/")
        self.folders[folder].add(last)

    def take(self, name: str) -> None:
        folder, _, last = name.rpartition("/")
        self.folders[folder].remove(last)

    def any_file(self) -> str | None:
        return self.random.choice(list(self.files)) if self.files else None

    # What it does

    def data(self) -> bytes:
        return self.random.randbytes(self.random.choice((0, 1, 100, 5000, 70_000)))

    def create(self) -> None:
        if len(self.files) >= FILES:
            self.remove()
            return
        name, data = self.new_name(), self.data()
        self.path(name).write_bytes(data)
        self.put(name)
        self.files[name] = File(bytearray(data), mode=stat.S_IMODE(self.path(name).stat().st_mode))

    def write(self) -> None:
        name = self.any_file()
        if name is None:
            return
        file, data = self.files[name], self.data()
        offset = self.random.randrange(len(file.content) + 1)
        if offset + len(data) > SIZE:
            return
        descriptor = os.open(self.path(name), os.O_WRONLY)
        try:
            self.written(descriptor, file, data, offset)
        finally:
            os.close(descriptor)

    def written(self, descriptor: int, file: File, data: bytes, offset: int) -> None:
        assert os.pwrite(descriptor, data, offset) == len(data)
        if data:  # the kernel passes on no others
            file.content[offset:offset + len(data)] = data
            file.mtime = None

    def write_open(self) -> None:
        """Through a descriptor that has been open for long; also across names that have changed."""
        if self.open:
            descriptor, file = self.random.choice(self.open)
            data = self.data()
            if len(file.content) + len(data) <= SIZE:
                self.written(descriptor, file, data, len(file.content))

    def hold(self) -> None:
        name = self.any_file()
        if name is not None:
            self.open.append((os.open(self.path(name), os.O_RDWR), self.files[name]))
        if len(self.open) > OPEN:
            descriptor, _ = self.open.pop(self.random.randrange(len(self.open)))
            os.close(descriptor)

    def truncate(self) -> None:
        name = self.any_file()
        if name is not None:
            file, length = self.files[name], self.random.randrange(SIZE // 2)
            os.truncate(self.path(name), length)
            file.content[:] = file.content[:length].ljust(length, b"\0")
            file.mtime = None

    def rename(self) -> None:
        old = self.any_file()
        if old is None:
            return
        new = self.any_file() if self.random.random() < 0.3 else self.new_name()
        assert new is not None
        if new in self.files and (self.files[new] is self.files[old] or self.unnamed(new)):
            return  # nothing happens; or a file would be open without a name
        os.rename(self.path(old), self.path(new))
        if new in self.files:
            self.files[new].links -= 1
        else:
            self.put(new)
        self.take(old)
        self.files[new] = self.files.pop(old)

    def unnamed(self, name: str) -> bool:
        """Whether an open file has this name only. GlusterFS does not take such a one along to another graph."""
        file = self.files[name]
        return file.links == 1 and any(file is opened for _, opened in self.open)

    def link(self) -> None:
        old = self.any_file()
        if old is not None and len(self.files) < FILES:
            new = self.new_name()
            os.link(self.path(old), self.path(new))
            self.put(new)
            self.files[new] = self.files[old]
            self.files[old].links += 1

    def remove(self) -> None:
        name = self.any_file()
        if name is not None and not self.unnamed(name):
            os.unlink(self.path(name))
            self.take(name)
            self.files.pop(name).links -= 1

    def symlink(self) -> None:
        if len(self.links) > 10:
            name = self.random.choice(list(self.links))
            os.unlink(self.path(name))
            self.take(name)
            del self.links[name]
        name, target = self.new_name(), f"../nowhere/{self.made}"
        os.symlink(target, self.path(name))
        self.put(name)
        self.links[name] = target

    def mkdir(self) -> None:
        if len(self.folders) <= FOLDERS:
            name = self.new_name()
            self.path(name).mkdir()
            self.put(name)
            self.folders[name] = set()

    def rmdir(self) -> None:
        empty = [name for name, names in self.folders.items() if name and not names]
        if empty:
            os.rmdir(self.path(empty[0]))
            del self.folders[empty[0]]
            self.take(empty[0])

    def attribute(self) -> None:
        name = self.any_file()
        if name is not None:
            key, value = f"user.a{self.random.randrange(4)}", self.random.randbytes(20)
            os.setxattr(self.path(name), key, value)
            self.files[name].attributes[key] = value

    def chmod(self) -> None:
        name = self.any_file()
        if name is not None:
            self.files[name].mode = 0o600 | self.random.randrange(0o100)
            os.chmod(self.path(name), self.files[name].mode)

    def utime(self) -> None:
        name = self.any_file()
        if name is not None:
            self.files[name].mtime = time = self.random.randrange(10**9, 2 * 10**9)
            os.utime(self.path(name), (time, time))

    # What it sees

    def look(self, name: str) -> None:
        """Everything about one file."""
        file, path = self.files[name], self.path(name)
        found = path.lstat()
        expect(path, "link count", found.st_nlink, file.links)
        expect(path, "size", found.st_size, len(file.content))
        expect(path, "mode", stat.S_IMODE(found.st_mode), file.mode)
        if file.mtime is not None:
            expect(path, "mtime", found.st_mtime, file.mtime)
        compare(path, path.read_bytes(), file.content)
        for key, value in file.attributes.items():
            expect(path, key, os.getxattr(path, key), value)
        self.looks += 1

    def look_at_one(self) -> None:
        name = self.any_file()
        if name is not None:
            self.look(name)

    def storm(self) -> None:
        """lstat of every name there is, as fast as can be."""
        for name, file in self.files.items():
            found = self.path(name).lstat()
            expect(self.path(name), "size and links", (found.st_size, found.st_nlink), (len(file.content), file.links))
            self.calls += 1

    def list(self) -> None:
        name = self.random.choice(list(self.folders))
        expect(self.path(name), "names", set(os.listdir(self.path(name))), self.folders[name])

    def missing(self) -> None:
        expect(self.top, "a name that is not there", (self.top / f"missing{self.made}").exists(), False)

    def look_at_all(self) -> None:
        for name in self.files:
            self.look(name)
        for name, target in self.links.items():
            expect(self.path(name), "target", os.readlink(self.path(name)), target)
        for name in self.folders:
            expect(self.path(name), "names", set(os.listdir(self.path(name))), self.folders[name])
        for descriptor, file in self.open:
            names = [name for name, named in self.files.items() if named is file]
            compare(f"{self.top}: open as {names}", os.pread(descriptor, SIZE, 0), file.content)

    def work(self, stop: list[int]) -> None:
        does: list[Callable[[], None]] = [
            self.create, self.create, self.create, self.write, self.write, self.write_open, self.hold, self.truncate,
            self.rename, self.rename, self.link, self.remove, self.symlink, self.mkdir, self.rmdir, self.attribute,
            self.chmod, self.utime, self.look_at_one, self.look_at_one, self.look_at_one, self.storm, self.list,
            self.missing,
        ]
        while not stop:
            self.random.choice(does)()
            self.calls += 1
            if self.calls % 2000 == 0:
                self.look_at_all()
        self.look_at_all()

    def clear(self) -> None:
        for descriptor, _ in self.open:
            os.close(descriptor)
        for name in [*self.files, *self.links]:
            os.unlink(self.path(name))
        for name in sorted(self.folders, key=len, reverse=True):
            os.rmdir(self.path(name))


def expect(path: Path, what: str, found: object, wanted: object) -> None:
    assert found == wanted, f"{path}: {what} is {found!r:.200}, should be {wanted!r:.200}"


def compare(what: object, found: bytes, wanted: bytearray) -> None:
    if found != wanted:
        first = next((place for place, (a, b) in enumerate(zip(found, wanted)) if a != b), min(len(found), len(wanted)))
        raise AssertionError(f"{what}: {len(found)} bytes, should be {len(wanted)}; the first that differs is {first}")


def main() -> int:
    stop: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: stop.append(number))
    worker = Worker(Path(sys.argv[1]), int(sys.argv[2]))
    worker.work(stop)
    worker.clear()
    print(worker.calls, worker.looks)
    return 0


if __name__ == "__main__":
    sys.exit(main())
