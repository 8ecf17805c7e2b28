"""trash and retain in each brick of volumes of several: distributed and replicated ones, as clients see them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest
from support.bricks import Brick
from support.mounts import Mount
from support.volfiles import layer
from test_bricks import CLIENT, SERVER

#: What replication says of bricks that have just connected, and of what the tests are refused; what distribution says of
#: directories that bricks have made by themselves.
USUAL = (r" 0-joined: ", r"-replicate-", r" 0-client\d: ", r"Operation not permitted|Permission denied|remote operation failed",
         r"afr-|dht-")


@contextmanager
def volume(kind: str, count: int, translator: str) -> Iterator[tuple[list[Path], Path]]:
    """The bricks' directories, and a mount of all of them."""
    with ExitStack() as stack:
        bricks = [stack.enter_context(Brick([layer("acl", "features/access-control"), layer("python", f"user/{translator}")],
                                            expected=(*SERVER, *USUAL))) for _ in range(count)]
        clients = [(f"client{number}", brick.client[1], {**brick.client[2], "subvolumes": ""})
                   for number, brick in enumerate(bricks)]
        top = layer("joined", f"cluster/{kind}", subvolumes=" ".join(name for name, _, _ in clients))
        mount = stack.enter_context(Mount([top], bottom=clients, brick=bricks[0].directory, expected=(*CLIENT, *USUAL)))
        yield [brick.directory for brick in bricks], mount.path


def tree(top: Path) -> dict[str, bytes]:
    return {str(path.relative_to(top)): path.read_bytes() for path in sorted(top.rglob("*"))
            if ".glusterfs" not in path.parts and path.is_file()}


def test_a_distributed_bin() -> None:
    with volume("distribute", 2, "trash") as (bricks, top):
        (top / "dir").mkdir()
        names = [f"file{number}" for number in range(12)]
        for name in names:
            (top / "dir" / name).write_bytes(name.encode())
        for name in names:
            (top / "dir" / name).unlink()
        assert all((brick / ".trash/0").is_dir() for brick in bricks), "both have some of them"
        kept = sorted(os.listdir(top / ".trash/0"))
        assert sorted(name[:-37] for name in kept) == sorted(names)
        assert all((top / ".trash/0" / name).read_bytes() == name[:-37].encode() for name in kept)
        (top / ".trash/0" / kept[0]).rename(top / "dir/moved")
        for name in kept[1:]:
            os.setxattr(top / ".trash/0", "user.trash.restore", name.encode())
        assert os.listdir(top / ".trash/0") == []
        assert sorted(os.listdir(top / "dir")) == sorted({*names, "moved"} - {kept[0][:-37]})
        assert all((top / "dir" / name[:-37]).read_bytes() == name[:-37].encode() for name in kept[1:])


def test_a_rename_over_a_file_of_another_brick() -> None:
    """DHT removes the replaced file by itself then, and makes links of its own, none of which is to be seen."""
    with volume("distribute", 2, "trash") as (_, top):
        for number in range(8):
            (top / f"old{number}").write_bytes(b"old")
            (top / f"new{number}").write_bytes(b"new")
            (top / f"new{number}").rename(top / f"old{number}")
        assert sorted(name[:-37] for name in os.listdir(top / ".trash/0")) == [f"old{number}" for number in range(8)]
        assert all((top / ".trash/0" / name).read_bytes() == b"old" for name in os.listdir(top / ".trash/0"))
        assert all((top / f"old{number}").read_bytes() == b"new" for number in range(8))


def test_a_replicated_bin() -> None:
    with volume("replicate", 3, "trash") as (bricks, top):
        (top / "dir").mkdir()
        (top / "dir/file").write_bytes(b"data")
        (top / "dir/file").unlink()
        (name,) = os.listdir(top / ".trash/0")
        assert [tree(brick) for brick in bricks] == [{f".trash/0/{name}": b"data"}] * 3
        assert len({os.getxattr(brick / place, "trusted.gfid") for brick in bricks for place in (".trash",)}) == 1
        os.setxattr(top / ".trash/0", "user.trash.restore", name.encode())
        assert (top / "dir/file").read_bytes() == b"data"
        assert [tree(brick) for brick in bricks] == [{"dir/file": b"data"}] * 3


@pytest.mark.parametrize("kind", ["replicate", "distribute"])
def test_kept_files(kind: str) -> None:
    """Some of the others are on other bricks: DHT renames these over it in its own way."""
    with volume(kind, 3, "retain") as (bricks, top):
        others = [f"other{number}" for number in range(5)]
        for name in ("file", *others):
            (top / name).write_bytes(b"data" if name == "file" else b"other")
        opened = os.open(top / "file", os.O_RDWR)
        os.setxattr(top / "file", "user.retain.until", b"2100-01-01")
        ways: list[Callable[[], object]] = [
            (top / "file").unlink, lambda: os.write(opened, b"new"), lambda: os.ftruncate(opened, 0),
            lambda: os.link(top / "file", top / "second"), lambda: (top / "file").rename(top / "new"),
            lambda: os.setxattr(top / "file", "user.retain.until", b"1"), lambda: os.chmod(top / "file", 0),
            lambda: os.removexattr(top / "file", "user.retain.until"),
            *(partial(os.rename, top / name, top / "file") for name in others),
        ]
        for number, way in enumerate(ways):
            with pytest.raises(OSError) as caught:
                way()
                os.close(opened)
                pytest.fail(f"way {number}")
            assert caught.value.errno in (errno.EPERM, errno.EROFS), number
        os.close(opened)
        assert (top / "file").read_bytes() == b"data"
        values = [os.getxattr(brick / "file", "user.retain.until") for brick in bricks if (brick / "file").stat().st_size] \
            if kind == "replicate" else [os.getxattr(top / "file", "user.retain.until")]
        assert set(values) == {b"4102444800"}
        assert sorted(os.listdir(top)) == sorted(("file", *others))
