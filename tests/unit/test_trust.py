"""Only files that root or the process's user alone can have written are read."""

from __future__ import annotations

import ctypes
import os
import shutil
import stat
import struct
import tempfile
import threading
from collections import Counter
from pathlib import Path

import pytest

from glupy import TrustError
from glupy.loading import trust


@pytest.fixture
def folder():
    """A folder that is trusted: /tmp and what is in it never are."""
    path = Path(tempfile.mkdtemp(prefix="glupy-trust-", dir="/root"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def file(folder):
    path = folder / "module.py"
    path.write_text("x = 1\n")
    return path


def refused(path, *words):
    with pytest.raises(TrustError) as caught:
        trust.read(path)
    for word in words:
        assert word in str(caught.value)


def test_reads(file):
    assert trust.read(file) == b"x = 1\n"


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_writable_by_others(file, mode):
    file.chmod(mode)
    refused(file, str(file), "writable by", f"{mode:04o}", f"chmod go-w {file}")


def test_foreign_owner(file):
    os.chown(file, 1234, 0)
    refused(file, "owned by uid 1234", f"chown root {file}")


def test_foreign_owner_that_is_the_process(file, monkeypatch):
    os.chown(file, 1234, 0)
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    assert trust.read(file) == b"x = 1\n"


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
def test_folder_writable_by_others(file, folder, mode):
    folder.chmod(mode)
    refused(file, f"{folder}: folder is writable by")


def test_any_folder_above(file, folder):
    deep = folder / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "m.py").write_text("")
    assert trust.read(deep / "m.py") == b""
    (folder / "a").chmod(0o777)
    refused(deep / "m.py", f"{folder}/a: folder is writable by others")


def test_foreign_folder(file, folder):
    os.chown(folder, 1234, 0)
    refused(file, f"{folder}: owned by uid 1234")


def test_tmp_is_not_trusted():
    with tempfile.NamedTemporaryFile(dir="/tmp") as temporary:
        refused(temporary.name, "/tmp: folder is writable by others (sticky or not)")


def test_links_are_followed_and_checked_where_they_lead(file, folder):
    (folder / "relative.py").symlink_to("module.py")
    (folder / "absolute.py").symlink_to(file)
    (folder / "sub").mkdir()
    (folder / "sub" / "up.py").symlink_to("../module.py")
    for link in ("relative.py", "absolute.py", "sub/up.py"):
        assert trust.read(folder / link) == b"x = 1\n"
    with tempfile.TemporaryDirectory(dir="/tmp") as outside:
        (Path(outside) / "module.py").write_text("")
        (folder / "outside.py").symlink_to(f"{outside}/module.py")
        (folder / "out").symlink_to(outside)
        refused(folder / "outside.py", "/tmp: folder is writable")
        refused(folder / "out" / "module.py", "/tmp: folder is writable")


def test_a_link_in_an_untrusted_folder_to_a_trusted_file(file):
    with tempfile.TemporaryDirectory(dir="/tmp") as outside:
        (Path(outside) / "module.py").symlink_to(file)
        refused(f"{outside}/module.py", "/tmp: folder is writable")


def test_link_loop(folder):
    (folder / "a.py").symlink_to("b.py")
    (folder / "b.py").symlink_to("a.py")
    refused(folder / "a.py", "more than 40 links")


def test_not_a_regular_file(folder):
    os.mkfifo(folder / "fifo.py")
    refused(folder / "fifo.py", "not a regular file")
    refused(folder, "a folder; expected a file")
    refused("relative.py", "not an absolute path")


def test_a_device_is_not_opened(folder, monkeypatch):
    os.mknod(folder / "device.py", 0o644 | stat.S_IFCHR, os.makedev(10, 130))  # a watchdog: opening it starts it
    opened = []
    monkeypatch.setattr(trust, "_open_file", lambda *args: opened.append(args))
    refused(folder / "device.py", "not a regular file")
    assert not opened


def test_a_huge_file(folder, file):
    with open(file, "ab") as growing:
        growing.truncate((16 << 20) + 1)
    refused(file, "more than 16 MiB")
    os.truncate(file, 16 << 20)
    assert len(trust.read(file)) == 16 << 20


def test_a_link_of_another(folder, file):
    link = folder / "link.py"
    link.symlink_to(file)
    os.chown(link, 1234, 0, follow_symlinks=False)
    refused(link, f"{link}: a link owned by uid 1234", "what it leads to", f"chown -h root {link}")
    (folder / "way").symlink_to(folder)
    os.chown(folder / "way", 1234, 0, follow_symlinks=False)
    refused(folder / "way" / "module.py", f"{folder}/way: a link owned by uid 1234")


def access_list(path, *users):
    """Let these users write, by a POSIX access control list."""
    entries = [(0x01, 6, -1), *((0x02, 6, user) for user in users), (0x04, 4, -1), (0x10, 6, -1), (0x20, 4, -1)]
    value = struct.pack("<I", 2) + b"".join(struct.pack("<HHi", *entry) for entry in entries)
    os.setxattr(path, "system.posix_acl_access", value)


def test_access_control_lists_show_in_the_mode(folder, file):
    """What a list gives to anybody is bounded by its mask, which is what stat() shows as the group's bits."""
    access_list(file, 1234)
    refused(file, "writable by its group, mode 0664")
    os.removexattr(file, "system.posix_acl_access")
    file.chmod(0o644)
    assert trust.read(file)
    access_list(folder, 1234)
    refused(file, f"{folder}: folder is writable by its group")


def test_check_folder(folder, file):
    trust.check_folder(folder)
    with pytest.raises(TrustError, match="a file; expected a folder"):
        trust.check_folder(file)
    with pytest.raises(TrustError, match="/tmp: folder is writable"):
        trust.check_folder("/tmp")
    folder.chmod(0o777)
    with pytest.raises(TrustError, match=f"{folder}: folder is writable by others"):
        trust.check_folder(folder)


# Races: what is exchanged between the check and the reading

libc = ctypes.CDLL(None, use_errno=True)


def exchange(one, other):
    """Let two names change places, at once."""
    assert libc.renameat2(-100, os.fsencode(one), -100, os.fsencode(other), 2) == 0, os.strerror(ctypes.get_errno())


@pytest.fixture(params=["file", "folder-for-folder", "folder-for-link", "file-for-link"])
def swap(request, folder):
    """A function that exchanges what is trusted on the way to a file with what is not; and that file."""
    way = folder / "way"
    way.mkdir()
    (way / "module.py").write_text("good")
    with tempfile.TemporaryDirectory(dir="/tmp") as outside:
        bad = folder / "bad"
        target = bad / "module.py"
        match request.param:
            case "file":
                bad.mkdir()
                target.write_text("evil")
                target.chmod(0o666)
                pair = way / "module.py", target
            case "folder-for-folder":
                bad.mkdir()
                target.write_text("evil")
                bad.chmod(0o777)
                pair = way, bad
            case "folder-for-link":
                Path(outside, "module.py").write_text("evil")
                bad.symlink_to(outside)
                pair = way, bad
            case "file-for-link":
                Path(outside, "module.py").write_text("evil")
                bad.symlink_to(f"{outside}/module.py")
                pair = way / "module.py", bad
        yield lambda: exchange(*pair), way / "module.py"


def outcome(file):
    try:
        return trust.read(file).decode()
    except (TrustError, OSError):
        return "refused"


class Interrupted:
    """The os module, with something done before each of its calls that counts, or before one of them."""

    def __init__(self, function, at=None):
        self.function, self.at, self.calls = function, at, 0

    def __getattr__(self, name):
        value = getattr(os, name)
        if name not in ("open", "fstat", "readlink"):
            return value

        def call(*args, **kwargs):
            self.calls += 1
            if self.at in (None, self.calls):
                self.function()
            return value(*args, **kwargs)
        return call


def test_exchanged_at_every_step(swap, monkeypatch):
    function, file = swap
    counter = Interrupted(lambda: None)
    with monkeypatch.context() as patch:
        patch.setattr(trust, "os", counter)
        assert outcome(file) == "good"
    seen = set()
    for _ in range(2):  # from what is trusted, and from what is not
        for at in range(1, counter.calls + 2):
            with monkeypatch.context() as patch:
                patch.setattr(trust, "os", Interrupted(function, at))
                seen.add(outcome(file))
            function()
        with monkeypatch.context() as patch:  # and at all of them
            patch.setattr(trust, "os", Interrupted(function))
            seen.add(outcome(file))
        function()
    assert seen == {"good", "refused"}


def test_exchanged_all_the_time(swap):
    function, file = swap
    stop, seen = threading.Event(), Counter()

    def exchanging():
        while not stop.is_set():
            function()

    thread = threading.Thread(target=exchanging)
    thread.start()
    try:
        for _ in range(1000):
            seen[outcome(file)] += 1
    finally:
        stop.set()
        thread.join()
    assert set(seen) <= {"good", "refused"}, seen


def test_missing(folder, file):
    with pytest.raises(FileNotFoundError):
        trust.read(folder / "none.py")
    with pytest.raises(NotADirectoryError):
        trust.read(file / "none.py")


def test_no_descriptor_is_left(file, folder):
    before = os.listdir("/proc/self/fd")
    folder_link = folder / "link"
    folder_link.symlink_to(folder)
    for path in (file, folder_link / "module.py", folder / "none.py", "/tmp/none.py", folder):
        try:
            trust.read(path)
        except (OSError, TrustError):
            pass
    assert os.listdir("/proc/self/fd") == before
