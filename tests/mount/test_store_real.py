"""self.store on a mount and in a brick: it outlasts the process, however that ends; where it may be; two at once."""

from __future__ import annotations

import errno
import os
import signal
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import test_bricks
from support.bricks import Brick
from support.mounts import Mount
from support.volfiles import layer

LAYER = layer("stores", "user/stores")


@contextmanager
def on_mount(store: Path, directory: Path, kill: bool = False) -> Iterator[Mount]:
    with Mount([LAYER], store=store, brick=directory, ends=(-signal.SIGKILL,) if kill else (0, 15)) as mount:
        yield mount
        if kill:
            os.kill(mount.pid, signal.SIGKILL)


@contextmanager
def in_brick(store: Path, directory: Path, kill: bool = False) -> Iterator[Mount]:
    with Brick([LAYER], store=store, expected=test_bricks.SERVER, ends=(-signal.SIGKILL,) if kill else ()) as brick:
        with Mount(bottom=[brick.client], brick=brick.directory, expected=test_bricks.CLIENT) as mount:
            yield mount
        if kill:
            brick.process.kill()


def value_of(mount: Mount, name: str) -> bytes | None:
    try:
        return os.getxattr(mount.path, name)
    except OSError as error:
        assert error.errno == errno.ENODATA
        return None


def test_a_mount_that_is_killed(trusted: Path) -> None:
    store, directory = trusted / "not/there/yet", trusted / "brick"
    with on_mount(store, directory, kill=True) as mount:
        os.setxattr(mount.path, "user.store.colour", b"red\0")
        os.setxattr(mount.path, "user.store.gone", b"x")
        os.removexattr(mount.path, "user.store.gone")
    with on_mount(store, directory) as mount:
        assert value_of(mount, "user.store.colour") == b"red\0"
        assert value_of(mount, "user.store.gone") is None
    assert stat.S_IMODE(store.stat().st_mode) == 0o700
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (store.parent, store.parent.parent)} <= {0o755}
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in store.iterdir())
    assert len([*store.glob("stores-*.db")]) == 1


def test_a_brick(trusted: Path) -> None:
    """Its umask is 0. Another brick has another store, in the same folder."""
    store = trusted / "store"
    with in_brick(store, trusted / "unused", kill=True) as mount:
        os.setxattr(mount.path, "user.store.colour", b"red")
        assert value_of(mount, "user.store.colour") == b"red"
    with in_brick(store, trusted / "unused") as mount:
        assert value_of(mount, "user.store.colour") is None
        os.setxattr(mount.path, "user.store.colour", b"blue")
    assert len([*store.glob("stores-*.db")]) == 2
    assert stat.S_IMODE(store.stat().st_mode) == 0o700
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in store.iterdir())


def test_two_processes(trusted: Path) -> None:
    """Two mounts of one volume, that is."""
    def count(mount: Mount) -> list[int]:
        return [int(os.getxattr(mount.path, "user.count")) for _ in range(50)]

    directory = trusted / "brick"
    with on_mount(trusted / "store", directory) as one, on_mount(trusted / "store", directory) as two:
        with ThreadPoolExecutor() as threads:
            counted = [*threads.map(count, (one, two))]
    numbers = sorted(counted[0] + counted[1])
    # An application may ask for the size first; each time it is counted. No number was given twice.
    assert len({*numbers}) == 100 and len([*(trusted / "store").glob("stores-*.db")]) == 1


def test_nobody_uses_it(trusted: Path) -> None:
    with on_mount(trusted / "store", trusted / "brick") as mount:
        (mount.path / "file").touch()
    assert not (trusted / "store").exists()


def fails(mount: Any, number: int) -> None:
    with pytest.raises(OSError) as failed:
        os.setxattr(mount.path, "user.store.x", b"x")
    assert failed.value.errno == number


@pytest.mark.parametrize("place", ["brick", "brick/below", "link/below"])
def test_never_inside_the_brick(trusted: Path, place: str) -> None:
    (trusted / "link").symlink_to(trusted / "brick")
    with Mount([LAYER], store=trusted / place, brick=trusted / "brick", expected=test_bricks.CLIENT) as mount:
        fails(mount, errno.EPERM)
        assert os.listdir(trusted / "brick") == [".glusterfs"] or not [*(trusted / "brick").glob("*.db")]


def test_never_on_a_mount_of_a_volume(trusted: Path) -> None:
    with on_mount(trusted / "store", trusted / "brick") as other:
        with Mount([LAYER], store=other.path / "store", brick=trusted / "two", expected=test_bricks.CLIENT) as mount:
            fails(mount, errno.EPERM)
            assert not (other.path / "store").exists()


def test_a_folder_that_others_can_change(trusted: Path) -> None:
    (trusted / "open").mkdir()
    (trusted / "open").chmod(0o777)
    with Mount([LAYER], store=trusted / "open/store", brick=trusted / "brick", expected=test_bricks.CLIENT) as mount:
        fails(mount, errno.EPERM)


def test_a_file_that_is_none(trusted: Path) -> None:
    with on_mount(trusted / "store", trusted / "brick") as mount:
        os.setxattr(mount.path, "user.store.x", b"x")
    (file,) = (trusted / "store").glob("stores-*.db")
    for beside in (trusted / "store").glob("stores-*.db-*"):
        beside.unlink()
    file.write_bytes(b"no database" * 1000)
    with Mount([LAYER], store=trusted / "store", brick=trusted / "brick", expected=test_bricks.CLIENT) as mount:
        fails(mount, errno.EIO)
