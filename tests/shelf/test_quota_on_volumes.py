"""translators/quota on mounts, on a brick, and in volumes of several bricks that hear of one another."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from signal import SIGKILL, SIGTERM
from threading import Thread

from support.bricks import Brick
from support.mounts import Mount
from support.volfiles import layer
from support.waiting import wait_until
from test_bricks import CLIENT, SERVER

LIMIT, USAGE, RECOUNT = "user.quota.limit", "user.quota.usage", "trusted.quota.recount"
USUAL = (r"Disk quota exceeded", r"remote operation failed", r" 0-joined: ", r"-replicate-", r" 0-client\d: ", r"afr-|dht-",
         r"Cross-device link")


def limit(top: Path, text: str, folder: str = "dir") -> None:
    os.setxattr(top / folder, LIMIT, text.encode())
    settled(top)


def settled(top: Path) -> None:
    wait_until(lambda: answered(top) == b"exact", "the count")


def answered(top: Path) -> bytes:
    try:
        return os.getxattr(top, RECOUNT)
    except OSError as error:
        assert error.errno in (errno.ENOTCONN, errno.EIO), error
        return b""


def used(folder: Path) -> tuple[int, int]:
    words = os.getxattr(folder, USAGE).decode().split()
    return int(words[0].removeprefix("bytes=")), int(words[1].removeprefix("files="))


def fill(path: Path, block: int = 4096) -> int:
    """Write until it is refused, without a cache in between: how many bytes it took."""
    written = 0
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_DSYNC, 0o644)
    try:
        while True:
            written += os.write(fd, bytes(block))
    except OSError as error:
        assert error.errno == errno.EDQUOT
        return written
    finally:
        os.close(fd)


def refused(call: Callable[..., object], *arguments: object) -> bool:
    try:
        call(*arguments)
    except OSError as error:
        return error.errno == errno.EDQUOT
    return False


def through_the_kernel(top: Path) -> None:
    (top / "dir").mkdir()
    limit(top, "bytes=1MB files=8")
    assert fill(top / "dir/file", 65536) == 1 << 20
    fd = os.open(top / "dir/file", os.O_RDWR)
    assert refused(os.ftruncate, fd, (1 << 20) + 1) and refused(os.posix_fallocate, fd, 1 << 20, 4096)
    os.ftruncate(fd, 1 << 19)
    os.posix_fallocate(fd, 1 << 19, 4096)
    os.close(fd)
    assert used(top / "dir") == ((1 << 19) + 4096, 1)
    found = os.statvfs(top / "dir")
    assert (found.f_blocks * found.f_frsize, found.f_bfree * found.f_frsize) == (1 << 20, (1 << 19) - 4096)
    assert (found.f_files, found.f_ffree) == (8, 7)
    shown = subprocess.run(["df", "--output=size,used,avail", "-B1", top / "dir"], capture_output=True, text=True, check=True)
    assert shown.stdout.split()[-3:] == [str(1 << 20), str((1 << 19) + 4096), str((1 << 19) - 4096)]
    os.unlink(top / "dir/file")
    race(top / "dir", 1 << 20)


def race(folder: Path, allowed: int) -> None:
    """Several go for the limit at once: nobody gets beyond, and together they reach it."""
    took = [0] * 4

    def one(number: int) -> None:
        took[number] = fill(folder / f"racer{number}", 32768)

    threads = [Thread(target=one, args=[number]) for number in range(len(took))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sizes = sum(path.stat().st_size for path in folder.iterdir())
    assert sum(took) == sizes == used(folder)[0] == allowed


def test_on_a_mount() -> None:
    with Mount([layer("limited", "user/quota")], expected=USUAL) as mount:
        through_the_kernel(mount.path)


def test_on_a_brick_that_is_killed_and_one_that_ends() -> None:
    brick = Brick([layer("limited", "user/quota")], expected=(*SERVER, *USUAL))
    with brick, Mount([], bottom=[brick.client], brick=brick.directory, expected=(*CLIENT, *USUAL)) as mount:
        through_the_kernel(mount.path)
        for signal in (SIGKILL, SIGTERM):
            (mount.path / "dir/racer0").write_bytes(bytes(1000))
            expected = sum(path.stat().st_size for path in (mount.path / "dir").iterdir())
            brick.process.send_signal(signal)
            brick.process.wait()
            brick.process = subprocess.Popen(["glusterfsd", "-N", "-f", brick.volfile, "-l", brick.log], env=brick.environment,
                                             stderr=subprocess.DEVNULL)
            settled(mount.path)
            assert used(mount.path / "dir") == (expected, 4)
            (mount.path / "dir/racer0").unlink()
            assert used(mount.path / "dir") == (expected - 1000, 3)


@contextmanager
def volume(tmp_path: Path, kind: str, count: int, exchanged: bool) -> Iterator[tuple[list[Path], Path]]:
    """The bricks' directories, and a mount of all of them that has the bricks hear of one another each second."""
    key = tmp_path / "key"
    key.write_text("a secret of some length\n")
    key.chmod(0o600)
    with ExitStack() as stack:
        bricks = [stack.enter_context(Brick([layer("limited", "user/quota", key=key)], expected=(*SERVER, *USUAL)))
                  for _ in range(count)]
        clients = [(f"client{number}", brick.client[1], {**brick.client[2], "subvolumes": ""})
                   for number, brick in enumerate(bricks)]
        top = [layer("joined", f"cluster/{kind}", subvolumes=" ".join(name for name, _, _ in clients))]
        top += [layer("exchange", "user/quota_exchange", key=key, interval=1)] if exchanged else []
        mount = stack.enter_context(Mount(top, bottom=clients, brick=bricks[0].directory, expected=(*CLIENT, *USUAL)))
        yield [brick.directory for brick in bricks], mount.path


def on(bricks: list[Path], number: int, top: Path) -> Path:
    """A new file that lies on that brick."""
    for name in range(1000):
        path = top / f"dir/of{number}.{name}"
        path.touch()
        if (bricks[number] / "dir" / path.name).exists():
            return path
        path.unlink()
    raise AssertionError("no name belongs there")


def test_the_limit_of_a_distributed_volume(tmp_path: Path) -> None:
    """What one brick has, the other one hears of within an interval; how far both together can go beyond is less than what was
    free when they heard of one another last."""
    with volume(tmp_path, "distribute", 2, True) as (bricks, top):
        (top / "dir").mkdir()
        limit(top, "bytes=1MB")
        os.setxattr(top, f"{LIMIT}.user.0", b"bytes=1GB")
        files = first, second = on(bricks, 0, top), on(bricks, 1, top)
        first.write_bytes(bytes(3 << 18))
        wait_until(lambda: known(files, 3 << 18), "both to know of it")
        assert used(top / "dir") == (3 << 18, 2) and os.statvfs(top / "dir").f_bfree == (1 << 18) // 4096
        assert fill(second) == 1 << 18
        wait_until(lambda: known(files, 1 << 20), "both to know of it")
        assert refused(os.truncate, first, (3 << 18) + 1) and refused(os.truncate, second, (1 << 18) + 1)
        os.truncate(first, 1 << 18)
        wait_until(lambda: known(files, 1 << 19), "both to know of it")
        free = 1 << 19
        racers = [Thread(target=fill, args=[path, 8192]) for path in files]  # from their beginnings on
        for racer in racers:
            racer.start()
        for racer in racers:
            racer.join()
        size = sum(path.stat().st_size for path in files)
        assert 1 << 20 <= size <= (1 << 20) + (2 - 1) * free
        wait_until(lambda: known(files, size), "both to know of it")
        assert all(refused(os.truncate, path, path.stat().st_size + 1) for path in files)


def known(files: tuple[Path, Path], size: int) -> bool:
    """Do both bricks say that so much is used? Each answers for its own file."""
    return all(os.getxattr(file, f"{USAGE}.user.0").startswith(b"bytes=%d " % size) for file in files)


def test_without_the_key_nobody_tells_a_brick_anything(tmp_path: Path) -> None:
    with volume(tmp_path, "replicate", 1, False) as (_, top):
        for value in (b"", b"x", b"0" * 64 + b' {"challenge": "", "elsewhere": {}}'):
            try:
                os.setxattr(top, "trusted.quota.elsewhere", value)
                raise AssertionError(value)
            except OSError as error:
                assert error.errno == errno.EPERM


def test_replicas_agree(tmp_path: Path) -> None:
    with volume(tmp_path, "replicate", 3, False) as (bricks, top):
        (top / "dir").mkdir()
        limit(top, "bytes=256KB")
        assert fill(top / "dir/file", 32768) == 1 << 18
        assert refused(os.link, top / "dir/file", top / "dir/second") is False
        os.truncate(top / "dir/file", 1 << 17)
        assert fill(top / "dir/other") == 1 << 17
        sizes = [{path.name: path.stat().st_size for path in (brick / "dir").iterdir()} for brick in bricks]
        assert sizes[0] == sizes[1] == sizes[2]
