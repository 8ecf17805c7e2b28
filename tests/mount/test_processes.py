"""Processes that a translator starts, on a mount and in a brick: nothing of GlusterFS's gets in their way, nor they in
GlusterFS's. See tests/translators/forks.py for what is done."""

from __future__ import annotations

import errno
import json
import math
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import test_bricks
from support.bricks import Brick
from support.logs import entries
from support.mounts import Mount
from support.volfiles import layer
from support.waiting import wait_until

FORKS = layer("forks", "user/forks")
#: The entries that ways have on purpose; and what Python says of any fork among threads.
SAID = (r"a child of os\.fork\(\) returned", r"logged in a child", r"This process .* is multi-threaded")
NOTHING = "0" * 16
FACTORIALS = [math.factorial(number) for number in range(6)]


class Running(NamedTuple):
    path: Path
    log: Path
    pid: int

    def do(self, way: str) -> Any:
        return json.loads(os.getxattr(self.path, f"user.{way}"))


@contextmanager
def on_mount(**options: Any) -> Iterator[Running]:
    with Mount([FORKS], expected=SAID, **options) as mount:
        yield Running(mount.path, mount.log, mount.pid)


@contextmanager
def in_brick() -> Iterator[Running]:
    with Brick([FORKS], expected=(*SAID, *test_bricks.SERVER)) as brick, \
            Mount(bottom=[brick.client], brick=brick.directory, expected=test_bricks.CLIENT) as mount:
        assert brick.process
        yield Running(mount.path, brick.log, brick.process.pid)


@pytest.fixture(scope="module", params=[on_mount, in_brick], ids=["mount", "brick"])
def running(request: pytest.FixtureRequest) -> Iterator[Running]:
    with request.param() as running:
        yield running


def threads_as_ever(running: Running) -> None:
    """What GlusterFS waits for on a thread of its own is blocked on all others."""
    wanted = sum(1 << number - 1 for number in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM))
    assert sum(int(mask, 16) & wanted != wanted for mask in running.do("threads")) <= 1


@pytest.mark.parametrize("way", ["popen", "popen_as_a_user", "popen_with_preexec", "popen_by_posix_spawn", "system", "fork"])
def test_item_10_children_block_no_signal(running: Running, way: str) -> None:
    assert running.do(f"mask_of_{way}") == NOTHING
    threads_as_ever(running)


def test_item_10_what_python_blocks_its_children_block(running: Running) -> None:
    usr1_term = f"{1 << signal.SIGUSR1 - 1 | 1 << signal.SIGTERM - 1:016x}"
    assert running.do("mask_of_what_a_blocking_thread_starts") == [
        [[], [signal.SIGUSR1, signal.SIGTERM]], usr1_term, usr1_term]
    threads_as_ever(running)


@pytest.mark.parametrize(("way", "result"), [
    ("terminated", -signal.SIGTERM), ("killed", -signal.SIGKILL), ("timed_out", "/bin/sleep"),
    ("terminated_child", -signal.SIGTERM), ("interrupted_child", "KeyboardInterrupt"),
    ("process_terminated", -signal.SIGTERM), ("system_status", [3 << 8, signal.SIGKILL, 0]),
    ("many_at_once", [[-signal.SIGTERM], 80]),
])
def test_item_10_children_end_when_they_are_told(running: Running, way: str, result: Any) -> None:
    assert running.do(way) == result


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_item_10_pool(running: Running, method: str) -> None:
    for _ in range(3 if method == "fork" else 1):
        assert running.do(f"pool_{method}") == FACTORIALS


def test_item_10_executor(running: Running) -> None:
    assert running.do("executor") == FACTORIALS


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_item_10_pool_of_a_translators_own_function(running: Running, method: str) -> None:
    """A process that is started anew has not its module: it says so, and what would do, and does not hang."""
    result = running.do(f"own_{method}")
    if method == "fork":
        assert result == [1, 2, 3, 4, 5, 6]
    else:
        assert result.startswith("RuntimeError: own stands in a translator's file") and "get_context('fork')" in result


def test_item_10_a_child_that_comes_back_is_ended(running: Running) -> None:
    """It would go on with the parent's request, and answer it a second time."""
    assert running.do("comes_back") == 1
    assert any("a child of os.fork() returned" in text and "os._exit()" in text for _, text in entries(running.log))
    assert os.listdir(running.path) is not None


def test_item_10_a_childs_words_are_in_the_log(running: Running) -> None:
    assert running.do("says_something") is None
    said = [text for _, text in entries(running.log) if "in a child" in text]
    assert [text.rpartition(") ")[2] for text in said] == ["printed in a child", "logged in a child"]
    assert all(" 0-forks: (child " in text and "forks.py:" in text for text in said)


def test_item_10_a_child_cannot_ask_glusterfs(running: Running) -> None:
    said = running.do("asks_for_something")
    assert len(said) == 4 and all(text.startswith("this process was forked from GlusterFS's") for text in said)
    assert running.do("shares") == 5


def test_item_10_a_child_has_not_the_mount_nor_connections(running: Running) -> None:
    assert running.do("files_of_child") == []


def test_item_10_a_child_does_not_keep_a_dead_mount() -> None:
    """Who uses it is told, although a process that was forked from it lives on."""
    with on_mount(ends=(-signal.SIGKILL,)) as running:
        child = running.do("left_behind")
        try:
            os.kill(running.pid, signal.SIGKILL)

            def gone() -> bool:
                try:
                    os.stat(running.path)
                except OSError as error:
                    return error.errno == errno.ENOTCONN
                return False

            wait_until(gone, "the mount to be known as dead")
            os.kill(child, 0)
        finally:
            os.kill(child, signal.SIGKILL)


def test_item_10_signals_find_glusterfs_while_programs_are_started() -> None:
    """One for a statedump, which would end a process that did not wait for it, again and again while threads start programs."""
    with on_mount() as running:
        for _ in range(5):
            worker = os.fork()
            if not worker:
                try:
                    running.do("many_at_once")
                finally:
                    os._exit(0)
            while os.waitpid(worker, os.WNOHANG) == (0, 0):
                os.kill(running.pid, signal.SIGUSR2)
        assert running.do("terminated") == -signal.SIGTERM
