"""Issue 11, item 19: sys.stdout and sys.stderr on a mount: halves of lines, and a descriptor that leads to GlusterFS's
log."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from support.attempts import attempt
from support.mounts import Mount
from support.volfiles import layer
from support.waiting import wait_until


@pytest.fixture
def mount() -> Iterator[Mount]:
    # Every entry counts here: none is to tell that a busy machine was slow.
    with Mount([layer("streams", "user/streams", budget=0)]) as mount:
        yield mount


def ask(mount: Mount, how: str) -> Any:
    answer = attempt(mount, os.getxattr, mount.path, f"user.{how}")
    assert isinstance(answer, bytes), answer
    return json.loads(answer)


def said(mount: Mount) -> list[str]:
    """What the translator has printed, an entry each. GlusterFS writes its graph behind some entry, without a head of its
    own."""
    return [text.partition(" 0-streams: ")[2].partition("\nFinal graph:")[0].strip()
            for _, text in mount.entries() if " 0-streams: " in text]


def test_half_a_line_does_not_wait_for_another_request(mount: Mount) -> None:
    ask(mount, "half")
    wait_until(lambda: said(mount) == ["half a line"], "the entry")
    ask(mount, "whole")
    ask(mount, "awaits")
    wait_until(lambda: said(mount) == ["half a line", "a whole one", "before", "after"], "the others")


def test_half_a_line_of_a_thread(mount: Mount) -> None:
    ask(mount, "thread")
    wait_until(lambda: said(mount) == ["a thread's half"], "the entry")
    ask(mount, "waiting")
    wait_until(lambda: said(mount) == ["a thread's half", "flushed"], "what was flushed")
    ask(mount, "let_go")


def test_descriptor(mount: Mount) -> None:
    """For a process that a translator starts, and for faulthandler, before and after the log is rotated."""
    assert ask(mount, "process") == 0
    assert "\nfrom a process\n" in mount.text()
    number = ask(mount, "number")
    ask(mount, "dump")
    assert 'streams.py", line' in mount.text().partition("Stack (most recent call first)")[2]
    old = mount.log.with_suffix(".1")
    mount.log.rename(old)
    os.kill(mount.pid, signal.SIGHUP)
    wait_until(lambda: ask(mount, "whole") is None and mount.log.exists(), "the new log")  # begun with the next entry
    assert ask(mount, "number") == number
    ask(mount, "dump")
    assert "Stack (most recent call first)" in mount.text()


def test_a_fault_is_in_the_log() -> None:
    """faulthandler.enable() in init(): where Python was when the process died."""
    with pytest.raises(AssertionError, match="glusterfs ended with -11"), Mount([layer("streams", "user/streams")]) as mount:
        result = attempt(mount, os.getxattr, mount.path, "user.dies")
        text = mount.text()
        subprocess.run(["umount", "-l", mount.path], check=True)
    assert result in ("ENOTCONN", "ECONNABORTED")
    assert "Fatal Python error: Segmentation fault" in text
    assert 'streams.py", line' in text.partition("Fatal Python error")[2] and " in dies\n" in text
