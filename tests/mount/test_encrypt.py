"""examples/encrypt.py on a mount and on a brick: content is right whatever is done to it, also after a new start, and what is
stored is encrypted."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import test_bricks
from support.bricks import Brick
from support.exerciser import BLOCK, Exerciser
from support.four_bricks import cluster
from support.mounts import Mount
from support.volfiles import Layer, layer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def key(trusted: Path) -> Path:
    """A secret, in a folder with the example."""
    shutil.copy(ROOT / "examples/encrypt.py", trusted)
    (trusted / "key").write_bytes(secrets.token_bytes(32))
    (trusted / "key").chmod(0o600)
    (trusted / "brick").mkdir()
    return trusted / "key"


def layers(key: Path) -> list[Layer]:
    """The example, below what lets several requests into it at once."""
    return [layer("encrypt", "features/glupy", module="encrypt", key_file=key), layer("threads", "performance/io-threads")]


@contextmanager
def alone(key: Path) -> Iterator[Path]:
    """On a client, without a brick process. What is stored is in the folder `brick`, in both cases."""
    with Mount(layers(key), folder=key.parent, brick=key.parent / "brick", expected=test_bricks.CLIENT) as mount:
        yield mount.path


@contextmanager
def in_brick(key: Path) -> Iterator[Path]:
    with Brick(layers(key), folder=key.parent, expected=test_bricks.SERVER) as brick:
        with Mount(bottom=[brick.client], brick=brick.directory, expected=test_bricks.CLIENT) as mount:
            yield mount.path
        (key.parent / "brick").rmdir()
        subprocess.run(["cp", "-a", brick.directory, key.parent / "brick"], check=True)


WHERE = pytest.mark.parametrize("where", [alone, in_brick])


@WHERE
def test_anything_in_any_order(where: Callable[..., Any], key: Path) -> None:
    with where(key) as top:
        exerciser = Exerciser(top / "file", seed=1)
        exerciser.run(60 if "GLUPY_SANITIZE" in os.environ else 250)
        (top / "text").write_bytes(b"in clear text " * 1000)
        (top / "short").write_bytes(b"secret")
    stored = key.parent / "brick"
    assert (stored / "file").stat().st_size == len(exerciser.data)
    text, short = (stored / "text").read_bytes(), (stored / "short").read_bytes()
    assert len(text) == 14_000 and b"clear" not in text and len(short) == 6 and short != b"secret"
    with alone(key) as top:
        exerciser.path = top / "file"
        exerciser.look()
        assert (top / "text").read_bytes() == b"in clear text " * 1000 and (top / "short").read_bytes() == b"secret"


#: The blocks that are written and read at once: their edges are within blocks.
BEGIN, LENGTH = 1000, 3 * BLOCK


def whole(data: bytes) -> bool:
    """Whether each block has been written as a whole."""
    cuts = [0, *range(BLOCK - BEGIN, LENGTH, BLOCK), LENGTH]
    return all(len({*data[start:stop]}) == 1 for start, stop in zip(cuts, cuts[1:]))


@WHERE
def test_readers_see_what_was_written(where: Callable[..., Any], key: Path) -> None:
    """Two write to the same blocks, each with an end of its own beside them, and two read."""
    rounds = 20 if "GLUPY_SANITIZE" in os.environ else 100
    wrong: list[bytes] = []
    with where(key) as top, ExitStack() as stack:
        path = top / "file"
        path.write_bytes(b"\3" * (BEGIN + LENGTH))

        def opened() -> int:
            fd = os.open(path, os.O_RDWR | os.O_DIRECT)  # the kernel keeps no copy that would be read in place of it
            stack.callback(os.close, fd)
            return fd

        ended = threading.Event()

        def write(fd: int, number: int) -> None:
            for count in range(rounds):
                os.pwrite(fd, bytes([(number * rounds + count) % 256]) * LENGTH, BEGIN)
                os.pwrite(fd, bytes([number]), 2 * count + number)

        def read(fd: int) -> None:
            while not ended.is_set():
                data = os.pread(fd, LENGTH, BEGIN)
                if len(data) != LENGTH or not whole(data):
                    wrong.append(data)

        writers = [threading.Thread(target=write, args=(opened(), number)) for number in (1, 2)]
        readers = [threading.Thread(target=read, args=(opened(),)) for _ in range(2)]
        for thread in (*readers, *writers):
            thread.start()
        for thread in writers:
            thread.join()
        ended.set()
        for thread in readers:
            thread.join()
        assert not wrong, f"{len(wrong)} times, first {[*dict.fromkeys(wrong[0])]}"
        assert path.read_bytes()[1:2 * rounds + 1] == b"\1\2" * rounds


def test_two_clients(key: Path) -> None:
    """Each has the layer, and both write to the same blocks: nothing is lost, and what is appended goes to the end."""
    rounds = 10 if "GLUPY_SANITIZE" in os.environ else 40
    with Brick(expected=test_bricks.SERVER) as brick, ExitStack() as stack:
        tops = [stack.enter_context(Mount(layers(key), bottom=[brick.client], brick=brick.directory, folder=key.parent,
                                          expected=test_bricks.CLIENT)).path for _ in range(2)]
        (tops[0] / "file").write_bytes(bytes(2 * BLOCK))
        (tops[0] / "log").touch()

        def write(number: int) -> None:
            fd = os.open(tops[number] / "file", os.O_RDWR | os.O_DIRECT)
            log = os.open(tops[number] / "log", os.O_WRONLY | os.O_APPEND | os.O_DIRECT)
            for count in range(rounds):
                os.pwrite(fd, b"ab"[number:number + 1] * 5, BLOCK - 200 + (2 * count + number) * 5)
                os.write(log, b"AB"[number:number + 1] * 7)
            os.close(fd)
            os.close(log)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        with open(tops[0] / "file", "rb", buffering=0) as file, open(tops[1] / "log", "rb", buffering=0) as log:
            assert file.read()[BLOCK - 200:BLOCK - 200 + 10 * rounds] == b"aaaaabbbbb" * rounds
            assert sorted(log.read()) == sorted(b"A" * 7 * rounds + b"B" * 7 * rounds)
        assert b"aaaaa" not in (brick.directory / "file").read_bytes()


@pytest.mark.parametrize("side", ["brick", "client"])
def test_above_and_below_replicate(side: str, key: Path) -> None:
    layer = layers(key)[:1]
    with cluster(*((layer, []) if side == "brick" else ([], layer)), on_brick=test_bricks.SERVER,
                 on_client=test_bricks.CLIENT, folder=key.parent) as (bricks, mount):
        Exerciser(mount.path / "file", seed=2).run(40)
        (mount.path / "text").write_bytes(b"in clear text " * 1000)
        for name in ("file", "text"):
            stored = [(brick.directory / name).read_bytes() for brick in bricks if (brick.directory / name).exists()]
            assert len(stored) == 2 and stored[0] == stored[1] and b"clear" not in stored[0]
