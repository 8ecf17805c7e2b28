"""Issue 11, item 19: a reply that is longer than what was asked for is cut, and the log names the translator: the kernel
would refuse it, and nobody would know whose it was."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.attempts import attempt
from support.mounts import Mount
from support.volfiles import layer
from test_failures import FUSE

OURS = r" 0-more: more: \w+ of "


@pytest.fixture(params=["answers_more", "classic_answers_more"])
def mount(request: pytest.FixtureRequest) -> Iterator[Mount]:
    with Mount([layer("more", "features/glupy", module_name=request.param)], expected=(*FUSE, OURS)) as mount:
        yield mount


def read(path: Path, size: int) -> bytes:
    """One read that the kernel hands on as it is."""
    file = os.open(path, os.O_RDONLY | os.O_DIRECT)
    try:
        return os.preadv(file, [buffer := bytearray(size)], 0) and bytes(buffer)
    finally:
        os.close(file)


def said(mount: Mount, fop: str, what: str) -> bool:
    return bool(re.search(rf" [EW] \[.*\] 0-more: more: {fop} of {what}", mount.text()))


@pytest.mark.parametrize("name", ["made", "asked", "tail"])
def test_read(mount: Mount, name: str) -> None:
    content = b"0123456789" * 1000
    (mount.brick / name).write_bytes(content * 30)
    assert attempt(mount, read, mount.path / name, 4096) == content[:4096]
    assert said(mount, "readv", rf"'/{name}' is answered with \d+ bytes: it can have 4096, ")


def test_link(mount: Mount) -> None:
    os.symlink("target", mount.brick / "link")
    assert attempt(mount, os.readlink, mount.path / "link") == "t" * 4095
    assert said(mount, "readlink", "'/link' is answered with 10000 bytes: it can have 4095, the rest is cut off")


def test_written(mount: Mount) -> None:
    file = os.open(mount.path / "written", os.O_CREAT | os.O_WRONLY)
    try:
        assert attempt(mount, os.write, file, b"12345") == 5
    finally:
        os.close(file)
    assert said(mount, "writev", "'/written' is answered with op_ret 15: there were 5 bytes to write")


def test_long_value() -> None:
    """Half a value is none: the application gets what it always got, and the log says why."""
    with Mount([layer("more", "user/answers_more")], expected=(*FUSE, OURS)) as mount:
        (mount.brick / "file").write_bytes(b"")
        with pytest.raises(OSError) as caught:
            os.getxattr(mount.path / "file", "user.long")
        assert caught.value.errno in (errno.ERANGE, errno.E2BIG)
        assert said(mount, "getxattr", "'/file' is answered with 70000 bytes for user.long: on a mount, a value of more than "
                                       "65536 is an error")
