"""Many threads at once; the state they leave is what one thread after the other would leave."""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from .recorder import Recorder, content, make, pattern

THREADS = 8


def _at_once(do: Recorder, work: Callable[[int], object]) -> None:
    with ThreadPoolExecutor(THREADS) as pool:
        for failure in {repr(future.exception()) for future in [pool.submit(work,
                number) for number in range(THREADS)]}:
            do.note("failure", failure)


def _tree() -> list[tuple[str, str, int]]:
    """Everything below the current directory: path, kind, size of files."""
    found = []
    for place, directories, files in os.walk("."):
        found += [(os.path.join(place, name), "d", 0) for name in directories]
        found += [(os.path.join(place, name), "f", os.lstat(os.path.join(place, name)).st_size) for name in files]
    return sorted(found)


def own_directories(do: Recorder) -> None:
    """Each thread makes, writes, renames, links and removes in a directory of its own."""

    def work(number: int) -> None:
        generator = random.Random(number)
        os.mkdir(f"t{number}")
        for turn in range(20):
            name = f"t{number}/f{turn}"
            make(name, pattern(generator.randrange(1, 30_000), turn))
            choice = generator.randrange(4)
            if choice == 0:
                os.unlink(name)
            elif choice == 1:
                os.rename(name, name + "-renamed")
            elif choice == 2:
                os.link(name, name + "-link")
            else:
                os.truncate(name, 10)

    _at_once(do, work)
    do.note("tree", _tree())
    for number in range(THREADS):
        do.note("data", [content(f"t{number}/{name}") for name in sorted(os.listdir(f"t{number}"))])


def one_directory(do: Recorder) -> None:
    def work(number: int) -> None:
        for turn in range(30):
            name = f"n{number}-{turn}"
            make(name, name.encode())
            if turn % 3 == 0:
                os.rename(name, "r" + name)
            elif turn % 3 == 1:
                os.unlink(name)
            os.listdir(".") if turn % 10 == 0 else os.stat(".")

    _at_once(do, work)
    do.note("tree", _tree())


def one_file(do: Recorder) -> None:
    """Threads write their own stripes of one file."""
    make("file")

    def work(number: int) -> None:
        fd = os.open("file", os.O_RDWR)
        for turn in range(25):
            offset = (turn * THREADS + number) * 5000
            os.pwrite(fd, pattern(5000, offset), offset)
            assert os.pread(fd, 5000, offset) == pattern(5000, offset)
        os.close(fd)

    _at_once(do, work)
    do(content, "file")


def one_log(do: Recorder) -> None:
    def work(number: int) -> None:
        fd = os.open("log", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o644)
        for turn in range(25):
            os.write(fd, b"%d:%03d\n" % (number, turn))
        os.close(fd)

    _at_once(do, work)
    do.note("lines", sorted(content("log").split(b"\n")))


def _stale_ok(name: str) -> bytes:
    """content(); a file that was replaced between its lookup and its open is stale on a FUSE mount: look again."""
    while True:
        try:
            return content(name)
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise


def replace_atomically(do: Recorder) -> None:
    """Writers rename complete files over one name; readers see one of them, never a part or nothing."""
    make("current", pattern(5000, 99))
    valid = {pattern(5000, number) for number in range(THREADS)} | {pattern(5000, 99)}

    def work(number: int) -> None:
        for _ in range(20):
            if number % 2:
                make(f"tmp{number}", pattern(5000, number))
                os.rename(f"tmp{number}", "current")
            else:
                assert _stale_ok("current") in valid

    _at_once(do, work)
    do(os.listdir, ".")
    do.note("whole", content("current") in valid)


def winners(do: Recorder) -> None:
    """Of threads that race for one name, exactly one wins each time."""

    def attempt(function: Callable[[], object]) -> bool:
        try:
            function()
            return True
        except OSError:
            return False

    def race(function: Callable[[int], object]) -> int:
        with ThreadPoolExecutor(THREADS) as pool:
            return sum(pool.map(lambda number: attempt(lambda: function(number)), range(THREADS)))

    exclusive = os.O_CREAT | os.O_EXCL | os.O_WRONLY
    for turn in range(10):
        do.note("mkdir", race(lambda _, turn=turn: os.mkdir(f"d{turn}")))
        do.note("create", race(lambda _, turn=turn: os.close(os.open(f"f{turn}", exclusive))))
        do.note("rename", race(lambda number, turn=turn: os.rename(f"f{turn}", f"g{turn}-{number}")))
        do.note("rmdir", race(lambda _, turn=turn: os.rmdir(f"d{turn}")))
    do.note("left", len(os.listdir(".")))


def trees(do: Recorder) -> None:
    def work(number: int) -> None:
        for turn in range(5):
            path = f"top/{turn}/{number}/x/y"
            os.makedirs(path, exist_ok=True)
            make(f"{path}/file", b"%d" % number)
            os.rename(f"top/{turn}/{number}/x", f"top/{turn}/{number}/z")

    _at_once(do, work)
    do.note("tree", _tree())


CASES = [own_directories, one_directory, one_file, one_log, replace_atomically, winners, trees]
