"""Only files that root or the process's user alone can have written are read."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from glupy import TrustError, trust


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
    refused(folder / "a.py", "too many links")


def test_not_a_regular_file(folder):
    os.mkfifo(folder / "fifo.py")
    refused(folder / "fifo.py", "not a regular file")
    refused(folder, "a folder; expected a file")
    refused("relative.py", "not an absolute path")


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
