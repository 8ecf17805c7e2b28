"""The real graph and the real mount: what the fixtures of the plugin give besides memory, each also as on a brick."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from glupy import LoadError, Option, Translator
from glupy.testing import Failed, MountFailed

SOURCE = """
import glupy
from glupy import Option, Translator


class Policy(Translator):
    limit = Option(int, default=5)

    def create(self, frame, loc, flags, mode, umask, fd, xdata):
        self.log.info("by %s, %s", frame.client, loc.path)
        if len(loc.name) > self.limit:
            raise PermissionError

    def unlink(self, frame, loc, xflags, xdata):
        self.log.warning("%s goes", loc.name)
"""


class Policy(Translator):
    limit = Option(int, default=5)

    def init(self):
        self.clients, self.paths = set(), []

    def create(self, frame, loc, flags, mode, umask, fd, xdata):
        self.clients.add(frame.client)
        self.paths.append(loc.path)
        if len(loc.name) > self.limit:
            raise PermissionError

    def unlink(self, frame, loc, xflags, xdata):
        self.kept = loc


@pytest.mark.parametrize("brick", [False, True])
def test_a_real_graph(real_graph, brick):
    with real_graph(Policy, limit=3, brick=brick) as t:
        t.mkdir("/d")
        t.user(0, client="c1").write("/d/abc", b"data")
        with pytest.raises(PermissionError):
            t.write("/d/abcd", b"data")
        assert (t.directory / "d/abc").read_bytes() == b"data" and os.listdir(t.directory / "d") == ["abc"]
        with t.open("/d/abc", os.O_RDWR) as file:
            file.write(b"more", 4)
            assert file.read(8, 0) == b"datamore"
        assert t.names("/d") == ["abc"]
        assert "c1" in t.translator.clients and len(t.translator.clients) == 2
        assert t.translator.paths[0].startswith("<gfid:") == brick
        t.script(rmdir=PermissionError)
        with pytest.raises(PermissionError):
            t.rmdir("/d")


def test_a_directory_of_ones_own(real_graph, trusted):
    (trusted / "brick").mkdir()
    (trusted / "brick/before").write_text("was there")
    with real_graph(Policy, trusted / "brick") as t:
        assert t.read("/before") == b"was there" and t.directory == trusted / "brick"
    assert (trusted / "brick/before").exists()
    with pytest.raises(OSError, match="cannot be a brick"):
        real_graph(Policy, "/proc").__enter__()


def test_a_leak_in_a_real_graph(real_graph):
    with pytest.raises(Failed, match="leaked: 1 inodes are in use"):
        with real_graph(Policy) as t:
            t.create("/file")
            t.unlink("/file")


@pytest.fixture
def policy(trusted):
    file = trusted / "policy.py"
    file.write_text(SOURCE)
    return file


@pytest.mark.parametrize("brick", [False, True])
def test_a_mount(mounted, policy, brick):
    with mounted(policy, limit=3, brick=brick) as mount:
        (mount.path / "d").mkdir()
        (mount.path / "d/abc").write_text("data")
        with pytest.raises(PermissionError):
            (mount.path / "d/abcd").write_text("data")
        assert (mount.directory / "d/abc").read_text() == "data" and len(mount.processes) == 1 + brick
    assert not mount.path.exists() and ("by CTX_ID" in mount.log()) == brick and ("by None" in mount.log()) != brick


@pytest.mark.parametrize("brick", [False, True])
def test_what_a_mount_logs(mounted, policy, brick):
    with pytest.raises(Failed, match="in the log: .*abc goes"):
        with mounted(policy, brick=brick) as mount:
            (mount.path / "abc").touch()
            (mount.path / "abc").unlink()
    with mounted(policy, brick=brick, expect=["abc goes"]) as mount:
        (mount.path / "abc").touch()
        (mount.path / "abc").unlink()


def test_a_mount_that_dies(mounted, policy):
    from support.waiting import wait_until  # not above: this file is also a translator that is mounted
    with pytest.raises(Failed, match="ended before the test|ended with status"):
        with mounted(policy) as mount:
            os.kill(mount.processes[0], 9)
            wait_until(lambda: mount._process.poll() is not None, "the mount's end")


def test_what_cannot_be_mounted(mounted, policy):
    with pytest.raises(MountFailed, match="limt"):
        mounted(policy, limt=3).__enter__()
    with pytest.raises(MountFailed, match="no_such.py"):
        mounted(policy.with_name("no_such.py")).__enter__()
    with pytest.raises(LoadError, match="Nested"):
        class Nested(Translator):
            pass
        mounted(Nested)
    with mounted(Policy) as mount:  # this very file is one
        (mount.path / "abc").touch()


def test_who_is_not_root(trusted):
    """Their tests are skipped, with a reason."""
    (trusted / "test_it.py").write_text("def test_one(real_graph):\n    pass\n\n\ndef test_two(mounted):\n    pass\n")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-m", "pytest", "-rs", "-p",
         "no:cacheprovider", "-p", "no:xdist"], cwd=trusted, env=environment, text=True, capture_output=True)
    assert "2 skipped" in done.stdout and "this takes root" in done.stdout, done.stdout
