"""Contexts on a mount, where the kernel says when an inode is forgotten, and on a brick, where clients go."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import test_bricks
from support.bricks import Brick
from support.mounts import Mount
from support.volfiles import layer
from support.waiting import wait_until

CONTEXTS = layer("contexts", "user/contexts")


def said(log: Mount | Brick, what: str) -> list[str]:
    """What the hooks said so far, after these words."""
    return re.findall(rf" 0-contexts: {what} (.*?) *$", log.text(), re.M)


def forget_all() -> None:
    """The kernel drops the names and inodes that nobody uses."""
    Path("/proc/sys/vm/drop_caches").write_text("2\n")


def wait_until_forgotten(all_are: Callable[[], object], what: str) -> None:
    """Asked once, the kernel passes over what it is busy with, such as a file whose last descriptor is just being closed."""
    def look() -> bool:
        forget_all()
        return bool(all_are())

    wait_until(look, what, pause=0.2)


@contextmanager
def known(*paths: Path) -> Iterator[None]:
    """While this lasts the kernel forgets none of them, also if another test has it give up all that nobody uses."""
    handles = [os.open(path, os.O_PATH) for path in paths]
    try:
        yield
    finally:
        for handle in handles:
            os.close(handle)


def names(path: Path) -> set[str]:
    return set(os.getxattr(path, "user.ctx").decode().split(","))


def test_forgotten_by_the_kernel() -> None:
    with Mount([CONTEXTS]) as mount:
        files = [mount.path / f"file{number}" for number in range(60)]
        with ExitStack() as stack:
            for file in files:
                with file.open("wb") as stream:
                    stream.write(b"some data")
                    stack.enter_context(known(file))
                assert names(file) == {file.name}
            wait_until(lambda: len(said(mount, "released")) == 60, "the files to be closed")
            assert sorted(said(mount, "released")) == sorted(f"{file.name} opened" for file in files)
            for file in files[:30]:  # while they are known: to remove one that was forgotten is to look it up again
                file.unlink()
            assert said(mount, "forgot") == []

        def forgotten() -> list[str]:
            return [entry.split()[1] for entry in said(mount, "forgot")]

        wait_until(lambda: {file.name for file in files[:30]} <= {*forgotten()}, "unlinked files to be forgotten")
        wait_until_forgotten(lambda: len(forgotten()) == 60, "all to be forgotten")
        assert sorted(forgotten()) == sorted(file.name for file in files)
        with ThreadPoolExecutor(8) as pool:
            assert [*pool.map(names, files[30:])] == [{file.name} for file in files[30:]]


def test_beyond_the_limit_of_inodes() -> None:
    """The mount asks the kernel to give up inodes."""
    with Mount([CONTEXTS], arguments=["--lru-limit=50"]) as mount:
        for number in range(150):
            (mount.path / f"file{number}").touch()
        wait_until(lambda: len(said(mount, "forgot")) >= 80, "inodes to be given up")


def test_a_file_with_two_names() -> None:
    """The second name's lookup comes with an inode of its own, in whose stead the table's is taken."""
    with Mount([CONTEXTS]) as mount:
        one, two = mount.path / "one", mount.path / "two"
        one.touch()
        two.hardlink_to(one)
        wait_until_forgotten(lambda: said(mount, "forgot"), "the file to be forgotten")
        with known(one):
            before = len(said(mount, "forgot"))
            assert names(one) == {"one"}
            assert names(two) == {"one", "two"}
            with ThreadPoolExecutor(8) as pool:
                assert [*pool.map(names, [one, two] * 50)] == [{"one", "two"}] * 100
            assert len(said(mount, "forgot")) == before


def test_counting_what_is_open() -> None:
    with Mount([CONTEXTS]) as mount:
        file = mount.path / "file"
        files = [file.open("w"), *(file.open() for _ in range(9))]
        assert os.getxattr(file, "user.open") == b"10"
        for handle in files:
            handle.close()
        wait_until(lambda: os.getxattr(file, "user.open") == b"0", "the files to be closed")
        os.listdir(mount.path)
        wait_until(lambda: any(entry.endswith(" directory") for entry in said(mount, "released")), "the directory to be closed")


def test_on_a_brick() -> None:
    with Brick([CONTEXTS], expected=test_bricks.SERVER) as brick:
        with Mount([], bottom=[brick.client], brick=brick.directory, expected=test_bricks.CLIENT) as mount:
            pid = mount.pid
            file = mount.path / "file"
            file.write_bytes(b"data")
            wait_until(lambda: "file opened" in said(brick, "released"), "the file to be closed")
            file.unlink()
            wait_until(lambda: any(entry.endswith(" file") for entry in said(brick, "forgot")), "the file to be forgotten")
            assert said(brick, "disconnected") == []
        for what in ("disconnected", "destroyed"):
            wait_until(lambda: said(brick, what), f"the client to be {what}")
            (client,) = said(brick, what)
            assert f"PID:{pid}" in client


def test_at_work() -> None:
    """Files that come and go, by several processes, while inodes are forgotten: what is open is counted right."""
    script = ("import os, sys\n"
              "for turn in range(8):\n"
              "    names = [f'{sys.argv[1]}/{sys.argv[2]}-{n}' for n in range(10)]\n"
              "    for name in names: open(name, 'w').close()\n"
              "    for name in names: os.rename(name, name + 'r')\n"
              "    for name in names: open(name + 'r').close(), os.unlink(name + 'r')\n")
    with Mount([CONTEXTS]) as mount:
        workers = [subprocess.Popen([sys.executable, "-c", script, mount.path, str(number)]) for number in range(3)]
        while any(worker.poll() is None for worker in workers):
            forget_all()
        assert [worker.returncode for worker in workers] == [0, 0, 0]
        wait_until(lambda: len(said(mount, "released")) == 3 * 8 * 20, "all to be closed")
        wait_until(lambda: len(said(mount, "forgot")) >= 3 * 8 * 10, "all to be forgotten")
