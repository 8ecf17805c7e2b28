"""What GlusterFS's processes on this node have counted in their layers, and which file they have loaded.

It is asked for as GlusterFS has it: a statedump, by SIGUSR1, of what translators keep and of nothing else, into a folder of
ours; a file beside glusterd's says both to the process that is named by its number. Parts of statedumps that are long, such
as all inodes, are so left out.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from glupy.command.health import processes
from glupy.command.health.processes import PROC, Process
from glupy_filter import bricks

#: Seconds that all of them together are given; glusterd waits meanwhile.
_PATIENCE = 5

_SECTION = re.compile(r"^\[(.+)\]$", re.M)
_OURS = "xlator.glupy."
_COUNT = re.compile(r"^(?:\S+\.)?fops\.\w+\.(calls|failed|exceptions|in_flight)=(\d+)$", re.M)
_LOADED = re.compile(r"^(?:\S+\.)?options\.loaded\.sha256=([0-9a-f]{64})$", re.M)
_BLOCKED = re.compile(r"^SigBlk:\s*([0-9a-f]+)$", re.M)


@dataclass
class Said:
    """What a process says of a layer: `calls`, and of these `in_flight`, `failed` (answered with an errno) and those with
    `exceptions`; and the SHA-256 of the file that it has loaded, if it is known."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("calls", "in_flight", "failed", "exceptions"), 0))
    loaded: str | None = None


def said(pids: Iterable[int]) -> dict[int, dict[str, Said]]:
    """By process and by the layer's name in its volfile. Processes that do not answer in time are left out."""
    folder = Path(tempfile.mkdtemp(prefix="glupy-status.", dir=bricks.RUN))
    asked = [pid for pid in pids if _takes_signals(pid)]
    notes = {pid: bricks.RUN / f"glusterdump.{pid}.options" for pid in asked}
    try:
        for pid, note in notes.items():
            note.write_text(f"priv=yes\npath={folder}\n")
            os.kill(pid, signal.SIGUSR1)
        return {pid: read(text) for pid, text in _dumps(folder, asked).items()}
    finally:
        for note in notes.values():
            note.unlink(missing_ok=True)
        shutil.rmtree(folder)


def clients(volume: str) -> list[int]:
    """The processes that have mounted a volume here, with a glupy layer or without: those of FUSE mounts."""
    return [process.pid for process in _running() if _volume(process) == volume]


def read(dump: str) -> dict[str, Said]:
    """What is said of each of our layers in a statedump; the counts are sums over all fops."""
    found: dict[str, Said] = {}
    starts = [*_SECTION.finditer(dump)]
    for start, end in zip(starts, [*(each.start() for each in starts[1:]), len(dump)], strict=True):
        if not start[1].startswith(_OURS):
            continue
        layer = found.setdefault(start[1].removeprefix(_OURS), Said())
        for key, number in _COUNT.findall(dump, start.end(), end):
            layer.counts[key] += int(number)
        layer.loaded = next(iter(_LOADED.findall(dump, start.end(), end)), layer.loaded)
    return found


def _running() -> list[Process]:
    """GlusterFS's processes that have this node's /run/gluster: others, in containers, write and read elsewhere."""
    return [each for each in processes.running() if _same_run(each.pid)]


def _same_run(pid: int) -> bool:
    try:
        return os.path.samefile(PROC / str(pid) / "root" / bricks.RUN.relative_to("/"), bricks.RUN)
    except OSError:
        return False


def _volume(process: Process) -> str | None:
    """The volume that a process has mounted; `/VOLUME/FOLDER` is a part of one."""
    for number, argument in enumerate(process.arguments):
        if argument == "--volfile-id":
            return "".join(process.arguments[number + 1:number + 2]).lstrip("/").partition("/")[0]
        if argument.startswith("--volfile-id="):
            return argument.partition("=")[2].lstrip("/").partition("/")[0]
    return None


def _takes_signals(pid: int) -> bool:
    """Whether a process waits for SIGUSR1: one that has just begun would be ended by it."""
    try:
        blocked = _BLOCKED.search((PROC / str(pid) / "status").read_text())
    except OSError:
        return False
    return bool(blocked and int(blocked[1], 16) >> (signal.SIGUSR1 - 1) & 1)


def _dumps(folder: Path, pids: list[int]) -> dict[int, str]:
    """The statedumps that are complete in time."""
    found: dict[int, str] = {}
    end = time.monotonic() + _PATIENCE
    while len(found) < len(pids) and time.monotonic() < end:
        for path in folder.glob("*.dump.*"):
            text = path.read_text(errors="replace")
            if "DUMP-END-TIME" in text:
                found[int(path.name.split(".dump.")[0].rpartition(".")[2])] = text
        time.sleep(0.02)
    return found
