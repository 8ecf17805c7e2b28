"""What an administrator sees on a mount, also while the translator holds everything up."""

from __future__ import annotations

import ctypes
import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from support.attempts import attempt
from support.bricks import Brick
from support.mounts import Mount
from support.sight import STATS, flat, parsed, section, timeless
from support.volfiles import layer
from support.waiting import wait_until

#: Where GlusterFS of Debian's build writes; the namespace that tests run in has it to itself.
FOLDER, METRICS = Path("/run/gluster"), Path("/run/gluster/metrics")
FUSE = (r"\[fuse-bridge\.c:", r"fuse_thread_proc", r"received signum", r"cleanup", r"0-client: ",
        r"getxattr failed on .*nobody",
        r"link namespace which is not a directory")  # 11.1, of .meta
SERVER = (r"0-server: ", r"0-below: ")


def ask(mount: Mount, how: str) -> Any:
    return attempt(mount, os.getxattr, mount.path / "file", f"user.{how}")


def stats(mount: Mount) -> Any:
    (report,) = parsed(attempt(mount, os.getxattr, mount.path, STATS))
    return report


def private(mount: Mount, name: str) -> dict[str, str]:
    """The layer's file in .meta."""
    text = attempt(mount, (mount.path / f".meta/graphs/active/{name}/private").read_text)
    return section(text, name)


def appears(mount: Mount, folder: Path, pattern: str, end: str, number: signal.Signals) -> str:
    """The file that the process writes when it gets the signal, complete; it is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.glob(pattern))
    found: list[str] = []

    def complete() -> bool:
        for path in set(folder.glob(pattern)) - before:
            text = path.read_text(errors="replace")
            if end in text:
                found.append(text)
                path.unlink()
        return bool(found)

    os.kill(mount.pid, number)
    wait_until(complete, f"a file {pattern} in {folder}")
    return found[0]


def statedump(mount: Mount, name: str) -> dict[str, str]:
    text = appears(mount, FOLDER, f"glusterdump.{mount.pid}.dump.*", "DUMP-END-TIME", signal.SIGUSR1)
    return section(text, name)


def metrics(mount: Mount, name: str) -> dict[str, str]:
    text = appears(mount, METRICS, "gmetrics.*", "# End of metrics", signal.SIGUSR2)
    return dict(re.findall(rf"^{name}\.glupy\.(\S+) (\d+)$", text, re.M))


@pytest.fixture
def talks() -> Iterator[Mount]:
    with Mount([layer("talks", "user/talks", greeting="good-day")], expected=FUSE) as mount:
        (mount.path / "file").write_bytes(b"")
        yield mount


def test_all_forms_agree(talks: Mount) -> None:
    for how in ("state", "who", "nothing-of-the-kind"):
        ask(talks, how)
    by_xattr = stats(talks)
    fop = by_xattr["fops"]["getxattr"]
    assert (fop["calls"], fop["succeeded"], fop["passed_on"], fop["in_flight"]) == (3, 2, 1, 0)
    assert by_xattr["options"]["greeting"] == "good-day"
    for other in (private(talks, "talks"), statedump(talks, "talks")):
        assert timeless(other) == timeless(flat(by_xattr))
    numbers = metrics(talks, "talks")
    assert numbers["fops.getxattr.calls"] == "3" and numbers["in_flight"] == numbers["suspended"] == "0"


@pytest.mark.parametrize("how", ["loops", "keeps-interpreter"])
def test_nothing_waits_for_the_interpreter(how: str) -> None:
    """While Python code does not end: in a loop, beside which others have their turns; in C, where a second call waits."""
    alone = how == "loops"
    threads = ["--reader-thread-count=4"]  # GlusterFS's usual one would be the one inside
    with Mount([layer("talks", "user/talks")], expected=FUSE, arguments=threads) as mount:
        (mount.path / "file").write_bytes(b"")
        (mount.path / "other").write_bytes(b"")
        with ThreadPoolExecutor(2) as pool:
            inside = pool.submit(attempt, mount, os.getxattr, mount.path / "file", f"user.{how}")
            wait_until(lambda: f"waits: {how}" in mount.text(), "the request to be inside")
            outside = pool.submit(attempt, mount, os.getxattr, mount.path / "other", "user.state")
            wait_until(lambda: stats(mount)["fops"]["getxattr"]["calls"] == 2, "the second to come")
            if alone:
                outside.result()
            for dump in (flat(stats(mount)), private(mount, "talks"), statedump(mount, "talks")):
                assert dump["in_flight"] == ("1" if alone else "2")
                assert dump["suspended.count"] == "0"
                assert dump["running.0.fop"] == "getxattr" and "running.1.fop" not in dump
                assert Path(f"/proc/{mount.pid}/task/{dump['running.0.thread']}").exists()
                assert dump["waiting_for_interpreter"] == ("0" if alone else "1")
            assert metrics(mount, "talks")["in_flight"] == ("1" if alone else "2")
            assert mount.process
            mount.process.terminate()
            for call in (inside, outside):
                call.result()


def test_a_request_that_waits(talks: Mount) -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(ask, talks, "future")
        wait_until(lambda: stats(talks)["suspended"]["count"] == 1, "the request to rest")
        (one,) = stats(talks)["suspended"]["longest"]
        assert (one["fop"], one["path"], one["awaits"]) == ("getxattr", "/file", "Future")
        assert re.search(r"/talks\.py:\d+ in ask_future$", one["at"])
        assert one["pid"] and one["uid"] == 0 and one["unique"]
        assert statedump(talks, "talks")["suspended.longest.0.path"] == "/file"
        assert talks.process
        talks.process.terminate()


def test_item_20_size_and_then_value_while_requests_come(talks: Mount) -> None:
    """The usual tools ask twice, for the size and for the value; in between there may be much more to tell."""
    library = ctypes.CDLL(None, use_errno=True)
    path, name = os.fsencode(talks.path), STATS.encode()
    size = attempt(talks, library.getxattr, path, name, None, 0)
    with ThreadPoolExecutor(30) as pool:
        for _ in range(30):
            pool.submit(ask, talks, "future")
        wait_until(lambda: stats(talks)["suspended"]["count"] == 30, "the requests to rest")
        value = ctypes.create_string_buffer(size)
        assert attempt(talks, library.getxattr, path, name, value, size) == size, os.strerror(ctypes.get_errno())
        assert json.loads(value.raw)[0]["suspended"]["count"] == 30
        assert subprocess.run(["getfattr", "-n", STATS, talks.path], check=False, capture_output=True).returncode == 0
        assert talks.process
        talks.process.terminate()


def test_getfattr_and_others(talks: Mount) -> None:
    """The usual tool shows it; who is not root finds nothing."""
    shown = subprocess.run(["getfattr", "--only-values", "-n", STATS, talks.path], check=True, capture_output=True)
    assert json.loads(shown.stdout)[0]["name"] == "talks"
    refused = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "getfattr", "-n", STATS, talks.path],
        capture_output=True, text=True, check=False)
    assert "No such attribute" in refused.stderr and not refused.stdout
    assert attempt(talks, os.getxattr, talks.path, f"{STATS}.nobody") in ("ENOTSUP", "ENODATA")


def test_through_the_network() -> None:
    """A layer in a brick answers by its name; without one, the uppermost layer there is."""
    with Brick([layer("below", "user/talks")], expected=SERVER) as brick, \
            Mount([layer("above", "user/talks")], bottom=[brick.client], expected=FUSE) as mount:
        assert stats(mount)["name"] == "above"
        report = parsed(attempt(mount, os.getxattr, mount.path, f"{STATS}.below"))
        assert report["name"] == "below" and report["type"] == "user/talks"
    with Brick([layer("below", "user/talks")], expected=SERVER) as brick, Mount([], bottom=[brick.client], expected=FUSE) as mount:
        assert stats(mount)["name"] == "below"
