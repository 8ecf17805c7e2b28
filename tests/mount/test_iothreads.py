"""Beside performance/io-threads, whose threads have stacks of 256 KiB: fops come in, or replies come back, on those."""

from __future__ import annotations

import contextlib
import os
import random
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import test_failures
import workout
from support.attempts import attempt
from support.mounts import Mount
from support.volfiles import Layer, layer
from support.waiting import wait_until

CLIENTS = 16
TURNS = 15
THREADS = layer("threads", "performance/io-threads", thread_count=16)

#: Fops come in on io-threads, or replies come back on them, or both.
PLACES: dict[str, Callable[[Layer], list[Layer]]] = {
    "below": lambda python: [python, THREADS],
    "above": lambda python: [THREADS, python],
    "between": lambda python: [THREADS, python, ("more-threads", *THREADS[1:])],
}


def client(folder: Path, number: int) -> None:
    """Mixed work in a folder of its own and one that all share; whatever is read is what was written."""
    generator = random.Random(number)
    own, shared = folder / f"own{number}", folder / "shared"
    own.mkdir()
    for turn in range(TURNS):
        data = generator.randbytes(generator.randrange(1, 200_000))
        path = own / f"f{turn}"
        path.write_bytes(data)
        os.setxattr(path, "user.turn", b"%d" % turn)
        path.rename(shared / f"{number}-{turn}")
        path = shared / f"{number}-{turn}"
        assert path.read_bytes() == data
        assert path.stat().st_size == len(data)
        assert os.getxattr(path, "user.turn") == b"%d" % turn
        if turn % 3:
            path.unlink()
        os.listdir(shared)
        assert not (shared / f"none-{number}").exists()
    assert os.listdir(own) == []


@pytest.mark.long
@pytest.mark.parametrize("place", PLACES)
def test_sixteen_clients(place: str) -> None:
    with Mount(PLACES[place](layer("python", "user/pass_all"))) as mount:
        (mount.path / "shared").mkdir()
        with ThreadPoolExecutor(CLIENTS) as pool:
            for future in [pool.submit(client, mount.path, number) for number in range(CLIENTS)]:
                future.result()
        assert sorted(os.listdir(mount.path / "shared")) == sorted(
            f"{number}-{turn}" for number in range(CLIENTS) for turn in range(0, TURNS, 3))


@pytest.mark.long
@pytest.mark.parametrize("place", PLACES)
def test_storms(place: str) -> None:
    expected = test_failures.FUSE
    with (
        Mount([THREADS], expected=(*expected, r" 0-brick: ")) as plain,
        Mount(PLACES[place](layer("python", "user/pass_all", how="looked_into")),
              expected=(*expected, r" 0-brick: ")) as python,
    ):
        differences = workout.run(plain.path, python.path, only=["storms-*"])
        assert not differences, "\n".join(map(str, differences))


@pytest.mark.parametrize("place", PLACES)
def test_runaway_recursion(place: str) -> None:
    """In Python, and through C alone: an errno and a RecursionError in the log, on as many threads as there are."""
    expected = (*test_failures.FUSE, test_failures.OURS)
    with Mount(PLACES[place](layer("fails", "user/fails")), expected=expected) as mount:
        calls = []
        for how in ("recursion", "deep-repr", "deep-getattr"):
            for way in ("-plainly", "", "-later"):
                for fop in ("open", "create", "getxattr", "unlink", "writev"):
                    name = f"fail-{how}{way}-in-{fop}"
                    calls.append((fop, name, test_failures.prepare(mount, name, fop)))
        with ThreadPoolExecutor(CLIENTS) as pool:
            results = pool.map(lambda call: attempt(mount, test_failures.CALLS[call[0]], call[2]), calls)
            assert set(results) == {"EIO"}
        for fop, name, _ in calls:
            [entry] = test_failures.said(mount, fop, name)
            # Python 3.14 says how much of the stack is in use where C code has gone too deep.
            assert re.search("RecursionError: (maximum recursion depth exceeded|Stack overflow)", entry)
        test_failures.serves(mount)


def io_threads(mount: Mount) -> int:
    """How many of its threads io-threads has at the moment."""
    number = 0
    for task in Path(f"/proc/{mount.pid}/task").iterdir():
        with contextlib.suppress(OSError):  # it has just ended
            number += "iotwr" in (task / "comm").read_text()
    return number


@pytest.mark.long
def test_threads_that_end() -> None:
    """io-threads ends idle threads: Python's state of them is given back, and new ones get one."""
    threads = layer("threads", "performance/io-threads", thread_count=16, idle_time=1)
    with Mount([layer("python", "user/pass_all"), threads]) as mount:
        (mount.path / "shared").mkdir()
        with ThreadPoolExecutor(CLIENTS) as pool:
            for turn in range(2):
                base = CLIENTS * turn
                for future in [pool.submit(client, mount.path, number) for number in range(base, base + CLIENTS)]:
                    future.result()
                assert io_threads(mount) > 1
                wait_until(lambda: io_threads(mount) <= 1, "threads to end")
        assert mount.alive()
