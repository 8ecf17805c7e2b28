"""translators/audit.py: who did what, on a mount and in a brick, with a file that is slow, full, or renamed."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from support.mounts import Mount, MountFailed
from support.volfiles import Layer, layer
from support.waiting import wait_until
from test_bricks import volume

F_SETPIPE_SZ = 1031  # of Linux
DROPPED = r" 0-audit: \d+ records are not in "


def audit(file: Path, **options: Any) -> Layer:
    return layer("audit", "user/audit", file=file, **options)


def lines(text: str) -> list[dict[str, Any]]:
    assert not text or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def read(file: Path, count: int) -> list[dict[str, Any]]:
    """The lines of a file, once there are as many: they come a moment after the operation."""
    wait_until(lambda: file.exists() and file.read_bytes().count(b"\n") >= count, f"{count} lines in {file.name}")
    return lines(file.read_text())


def accounted(found: list[dict[str, Any]]) -> int:
    """How many operations the lines tell of."""
    return sum(line.get("dropped", 1) for line in found)


def work(top: Path) -> None:
    """One of each, and what they are recorded as: see EXPECTED."""
    (top / "file").write_bytes(b"twelve bytes")
    os.chmod(top / "file", 0o640)
    os.truncate(top / "file", 5)
    os.setxattr(top / "file", "user.colour", b"red")
    os.removexattr(top / "file", "user.colour")
    os.rename(top / "file", top / "new")
    os.link(top / "new", top / "other")
    os.symlink("new", top / "soft")
    os.mkdir(top / "dir", 0o750)
    os.mknod(top / "dir/fifo", 0o600 | 0o010000)
    with pytest.raises(OSError):
        os.rmdir(top / "dir")
    os.unlink(top / "dir/fifo")
    os.rmdir(top / "dir")
    (top / "new").read_bytes()
    os.listdir(top)


EXPECTED = [
    ("create", "/file", "ok", {}), ("writev", "/file", "ok", {"bytes": 12, "offset": 0}),
    ("setattr", "/file", "ok", {"set": {"ia_prot": 0o640}}), ("truncate", "/file", "ok", {"offset": 5}),
    ("setxattr", "/file", "ok", {"names": ["user.colour"]}), ("removexattr", "/file", "ok", {"name": "user.colour"}),
    ("rename", "/file", "ok", {"newpath": "/new"}), ("link", "/new", "ok", {"newpath": "/other"}),
    ("symlink", "/soft", "ok", {"linkname": "new"}), ("mkdir", "/dir", "ok", {"mode": 0o750}),
    ("mknod", "/dir/fifo", "ok", {}), ("rmdir", "/dir", "ENOTEMPTY", {}), ("unlink", "/dir/fifo", "ok", {}),
    ("rmdir", "/dir", "ok", {}),
]


def test_what_is_recorded(trusted: Path) -> None:
    before = datetime.now(timezone.utc)
    with Mount([audit(trusted / "audit.json")]) as mount:
        work(mount.path)
        found = read(trusted / "audit.json", len(EXPECTED))
        gfid = os.getxattr(mount.path / "new", "glusterfs.gfid.string").decode()
    assert [(line["fop"], line["path"], line["result"]) for line in found] == [entry[:3] for entry in EXPECTED]
    for line, (*_, details) in zip(found, EXPECTED):
        assert {key: line.get(key) for key in details} == details
        assert line["client"] is None and line["uid"] == line["gid"] == 0
        assert before < datetime.fromisoformat(line["time"]) < datetime.now(timezone.utc)
    assert {line["gfid"] for line in found[:8]} == {gfid}
    assert all(line["pid"] == os.getpid() for line in found if line["fop"] != "writev")
    assert oct((trusted / "audit.json").stat().st_mode) == "0o100600"


def test_who(trusted: Path) -> None:
    with Mount([audit(trusted / "audit.json")]) as mount:
        os.mkdir(mount.path / "all")
        os.chmod(mount.path / "all", 0o777)
        command = [sys.executable, "-c", f"import os; os.mkdir('{mount.path}/all/mine'); os.rmdir('{mount.path}/all')"]
        with subprocess.Popen(command, user=1234, group=1235, extra_groups=[], stderr=subprocess.DEVNULL) as other:
            other.wait()
        found = read(trusted / "audit.json", 3)[2:]
    assert [(line["fop"], line["uid"], line["gid"], line["pid"], line["result"]) for line in found[:1]] == [
        ("mkdir", 1234, 1235, other.pid, "ok")]


def test_brick(trusted: Path) -> None:
    with volume([audit(trusted / "audit.json", reads="on")], []) as (_, mount):
        work(mount.path)
        read(trusted / "audit.json", len(EXPECTED) + 10)
        wait_until(lambda: '"readdirp"' in (trusted / "audit.json").read_text(), "the directory to be read")
        found = lines((trusted / "audit.json").read_text())
        pid = f"PID:{mount.pid}-"
    changes = [line for line in found if line["fop"] in {fop for fop, *_ in EXPECTED}]
    assert all(pid in line["client"] for line in changes)
    assert [(line["fop"], line["result"]) for line in changes] == [(fop, result) for fop, _, result, _ in EXPECTED]
    assert all(line["gfid"] for line in changes)
    assert {"lookup", "open", "readv", "opendir", "readdirp"} <= {line["fop"] for line in found}
    assert any(line["fop"] == "lookup" and line["result"] == "ENOENT" for line in found)


def test_renamed_file(trusted: Path) -> None:
    """What logrotate does: lines go on in a new file, none is lost, and a file that was emptied is gone on with."""
    file, old = trusted / "audit.json", trusted / "audit.json.1"
    with Mount([audit(file)]) as mount:
        os.mkdir(mount.path / "1")
        assert [line["path"] for line in read(file, 1)] == ["/1"]
        os.rename(file, old)
        os.mkdir(mount.path / "2")
        assert [line["path"] for line in read(file, 1)] == ["/2"]
        os.truncate(file, 0)
        os.mkdir(mount.path / "3")
        assert [line["path"] for line in read(file, 1)] == ["/3"]
        os.unlink(file)
        os.mkdir(mount.path / "4")
        assert [line["path"] for line in read(file, 1)] == ["/4"]
    assert [line["path"] for line in lines(old.read_text())] == ["/1"]


def made(mount: Mount, name: str, count: int = 80, threads: int = 4) -> int:
    """Directories made from several threads; how many."""
    def make(thread: int) -> None:
        for number in range(count):
            os.mkdir(mount.path / f"{name}-{thread}-{number}")

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(make, range(threads)))
    return count * threads


def test_from_several_threads(trusted: Path) -> None:
    with Mount([audit(trusted / "audit.json")]) as mount:
        found = read(trusted / "audit.json", made(mount, "dir"))
    assert {line["path"] for line in found} == {f"/dir-{thread}-{number}" for thread in range(4) for number in range(80)}


def test_file_that_takes_nothing(trusted: Path) -> None:
    """The writer is stuck, as on a disk that hangs: the mount goes on, and every operation is accounted for."""
    os.mkfifo(trusted / "fifo")
    reader = os.open(trusted / "fifo", os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reader, F_SETPIPE_SZ, 4096)
    with Mount([audit(trusted / "fifo", queue=50)], expected=(DROPPED,)) as mount:
        total = made(mount, "dir")
        assert "more than 50 were waiting to be written" in mount.text()
        os.set_blocking(reader, True)
        text = b""
        while not text.endswith(b"\n") or accounted(lines(text.decode())) < total:
            text += os.read(reader, 65536)
        os.mkdir(mount.path / "last")
        text += os.read(reader, 65536)
        found = lines(text.decode())
    os.close(reader)
    assert accounted(found) == total + 1 and found[-1]["path"] == "/last"
    dropped = [line for line in found if "dropped" in line]
    assert dropped and all(set(line) == {"time", "dropped"} for line in dropped)


@pytest.fixture
def small(trusted: Path) -> Iterator[Path]:
    """A file system of four pages."""
    folder = trusted / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k,mode=755", "small", folder], check=True)
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_full_disk(small: Path) -> None:
    with Mount([audit(small / "audit.json")], expected=(DROPPED,)) as mount:
        total = made(mount, "dir", 50)
        wait_until(lambda: "No space left on device" in mount.text(), "a warning")
        whole, _, _ = (small / "audit.json").read_text().rpartition("\n")  # a line that does not fit is taken back again
        assert 0 < len(lines(f"{whole}\n")) < total
        subprocess.run(["mount", "-o", "remount,size=1m", small], check=True)
        os.mkdir(mount.path / "last")
        wait_until(lambda: b"/last" in (small / "audit.json").read_bytes(), "the last line")
        found = lines((small / "audit.json").read_text())
    assert accounted(found) == total + 1
    assert "dropped" in found[-2]


@pytest.mark.parametrize(("file", "text"), [
    ("audit.json", 'option file is "audit.json": expected an absolute path'),
    ("/nowhere/audit.json", "option file: /nowhere/audit.json cannot be opened: No such file or directory"),
    (None, "option file is missing: Audit needs it"),
])
def test_no_file(file: str | None, text: str) -> None:
    with pytest.raises(MountFailed) as failed:
        # In a volume of glusterd's, type user/audit, the brick would start all the same: docs/writing-translators.md.
        with Mount([layer("audit", "features/glupy", module="audit", **{"file": file} if file else {})]):
            pass
    assert text in failed.value.log
