"""What looks into processes of GlusterFS's as they run: `glupy debug` finds a mount, `option profile` tells of a brick."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import test_bricks
from support.bricks import Brick
from support.mounts import Mount
from support.volfiles import layer
from support.waiting import PATIENCE, wait_until

pytestmark = pytest.mark.once

STOPS = (r"at a breakpoint for somebody to look", r"goes on behind its breakpoint")
PROFILE = "looks at its Python"


def debug(mount: Mount, what: Path, said: str) -> str:
    done = subprocess.run([sys.executable, "-c", "from glupy.command.main import main; main()", "debug", what], text=True,
                          input=said, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE, env=mount.environment)
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_debug_finds_a_mount_point() -> None:
    """By any name of it; and though the mount's one thread is the one that waits, so that nobody can look at the mount."""
    answers: list[bytes] = []
    with Mount([layer("pauses", "user/pauses")], expected=STOPS) as mount:
        folder = mount.top / "debug"
        with open(mount.top / "glupy.conf", "a") as configuration:
            configuration.write(f"debug = {folder}\n")
        (mount.top / "other").symlink_to(mount.path)
        for what in (mount.path, mount.top / "other"):
            asking = threading.Thread(target=lambda: answers.append(os.getxattr(mount.path, "user.pause")))
            asking.start()
            wait_until(lambda: folder.is_dir() and any(folder.iterdir()), "it to stop")
            assert "'as it came'" in debug(mount, what, "p answer\nc\n")
            asking.join(PATIENCE)
    assert answers == [b"as it came"] * 2


def test_a_profile_of_a_brick() -> None:
    """Its table is in the brick's log. Each look finds one that lingers, and none burns time meanwhile."""
    with (
        Brick([layer("threads", "performance/io-threads"), layer("pauses", "user/pauses", profile=10, budget=0)],
              expected=test_bricks.SERVER) as brick,
        Mount(bottom=[brick.client], brick=brick.directory, expected=test_bricks.CLIENT) as mount,
    ):
        while PROFILE not in brick.text():
            assert os.getxattr(mount.path, "user.linger") == b"as it came"
        (table,) = (text for _, text in brick.entries() if PROFILE in text)
    assert re.search(r"%  linger  .*pauses\.py:\d+", table), table
