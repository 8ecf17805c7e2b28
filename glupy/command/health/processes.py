"""FUSE, glusterd, GlusterFS's running processes with their volfiles and logs, and what runs have left."""

from __future__ import annotations

import errno
import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from glupy.command import machine, session
from glupy.command.health.look import Look, from_sentence
from glupy.command.logs import Follower
from glupy.errors import LoadError
from glupy.loading import finding, trust

PROC = Path("/proc")
GLUSTERD = Path("/var/lib/glusterd")

#: Seconds that a mount is given to answer.
PATIENCE = 3

#: How much of a log is read, from its end.
_TAIL = 1 << 18

_VOLUME = re.compile(r"^\s*volume\s+(\S+)(.*?)^\s*end-volume", re.M | re.S)
_TYPE = re.compile(r"^\s*type\s+\"?([^\s\"]+)", re.M)
_MODULE = re.compile(r"^\s*option\s+module\s+\"?([^\s\"]+)", re.M)


@dataclass(frozen=True)
class Process:
    """A process of GlusterFS's."""

    pid: int
    arguments: list[str]

    @property
    def volfile(self) -> Path | None:
        return self._path("-f", "--volfile")

    @property
    def log(self) -> Path | None:
        return self._path("-l", "--log-file")

    def _path(self, short: str, long: str) -> Path | None:
        """The value of an option, in each of the ways to write it."""
        for number, argument in enumerate(self.arguments):
            if argument in (short, long):
                return Path(*self.arguments[number + 1:number + 2])
            if argument.startswith(f"{long}="):
                return Path(argument.partition("=")[2])
        return None


def fuse() -> Iterator[Look]:
    yield from_sentence("fuse", machine.fuse_problem(), str(machine.FUSE))


def glusterd() -> Iterator[Look]:
    """It matters where there are volumes."""
    program = machine.program("glusterd")
    volumes = sorted(path.name for path in GLUSTERD.glob("vols/*"))
    if program is None or not volumes:
        yield Look("glusterd", "no volumes here" if program else "not installed, and not needed for mounts")
    elif any(process.arguments[0].endswith("glusterd") for process in running()):
        yield Look("glusterd", f"runs; volumes: {', '.join(volumes)}")
    else:
        yield Look("glusterd", f"does not run, and there are volumes: {', '.join(volumes)}", "systemctl start glusterd")


def mounts() -> Iterator[Look]:
    """Mounts of GlusterFS's that do not answer."""
    for point in _gluster_mounts():
        state = _answer(point)
        if state is None:
            yield Look("mount", point)
        elif state == _NO_PROCESS:
            yield Look("mount", f"{point} {state}", f"umount -l {point}")
        else:
            yield Look("mount", f"{point}: {state}", f"look at what waits: kill -USR1 the process, and see "
                       "docs/observing.md; or umount -f it")


def runs() -> Iterator[Look]:
    """What killed runs have left."""
    for path in session.left_behind():
        yield Look("run", f"{path} was left by a `glupy run` that was killed",
                   f"take out what you need, then rm -r {path}")


def processes() -> Iterator[Look]:
    """Running processes with a translator in Python: their build, volfile and log."""
    hidden = 0
    for process in running():
        state = _glupy_of(process)
        if state is None:
            hidden += 1
            continue
        if state:
            name = f"process {process.pid}"
            yield Look(name, " ".join(process.arguments)) if "(deleted)" not in state else Look(
                name, f"{' '.join(process.arguments)} runs a glupy that has been replaced since",
                "restart it: umount and mount, or gluster volume stop and start")
            yield from _log(process)
    if hidden:
        yield Look("processes", f"{hidden} of GlusterFS's are another user's and were not looked at; root may")


def volfiles() -> Iterator[Look]:
    """The translators that volfiles name are here, and would be loaded."""
    try:
        folders = finding.configuration().folders
    except LoadError:
        return  # that has been said
    ours = [process.volfile for process in running() if process.volfile and not _configured(process)]
    for path in sorted({*filter(None, ours), *GLUSTERD.glob("vols/*/*.vol")}):
        for volume, module in _modules(path):
            try:
                trust.read(finding.find(module, folders))
                yield Look("volfile", f"{path}: {volume} is {module}")
            except LoadError as error:
                yield Look("volfile", f"{path}: {volume} would not start again: {error}", f"glupy install {module}.py")
            except OSError as error:
                yield Look("volfile", f"{path}: {volume} would not start again: {error}", f"glupy show {module}")


def running() -> list[Process]:
    """GlusterFS's processes, by the program they run."""
    found = []
    for folder in PROC.glob("[0-9]*"):
        try:
            arguments = [os.fsdecode(part) for part in (folder / "cmdline").read_bytes().split(b"\0")[:-1]]
        except OSError:
            continue  # it has ended
        if arguments and Path(arguments[0]).name in ("glusterfs", "glusterfsd", "glusterd"):
            found.append(Process(int(folder.name), arguments))
    return sorted(found, key=lambda process: process.pid)


def _glupy_of(process: Process) -> str | None:
    """The lines of a process's map that are glupy's; None where that may not be seen."""
    try:
        lines = (PROC / str(process.pid) / "maps").read_text(errors="replace").splitlines()
    except PermissionError:
        return None
    except OSError:
        return ""
    return "\n".join(line for line in lines if "/glupy.so" in line)


def _configured(process: Process) -> bool:
    """Whether a process has a local configuration of its own, and so folders of its own."""
    try:
        return b"GLUPY_CONF=" in (PROC / str(process.pid) / "environ").read_bytes()
    except OSError:
        return True


def _log(process: Process) -> Iterator[Look]:
    """What the process has lately said of translators that are not loaded or have failed."""
    if process.log is None or not process.log.is_file():
        return
    log = Follower(process.log, max(0, process.log.stat().st_size - _TAIL))
    failures = [entry for entry in log.entries(ended=True)
                if entry.level in "EC" and (" is not loaded: " in entry.text or "\nTraceback" in entry.text)]
    if failures:
        last = failures[-1]
        yield Look(f"process {process.pid}", f"{process.log} has {len(failures)} failures of translators; the last, "
                   f"{last.time:%F %T}: {last.text.splitlines()[0]}", f"less +G {process.log}")


def _modules(volfile: Path) -> Iterator[tuple[str, str]]:
    """The volumes of a volfile that are glupy's, with their modules."""
    try:
        text = volfile.read_text(errors="replace")
    except OSError:
        return
    for volume, body in _VOLUME.findall(text):
        kind, module = _TYPE.search(body), _MODULE.search(body)
        if kind and (kind[1] == "features/glupy" or kind[1].startswith("user/") and _is_glupys(kind[1])):
            yield volume, module[1] if module else kind[1].rpartition("/")[2].replace("-", "_")


def _is_glupys(kind: str) -> bool:
    link = machine.gluster().xlators / f"{kind}.so"
    return link.is_symlink() and Path(os.readlink(link)).name == "glupy.so"


def _gluster_mounts() -> list[str]:
    with open(PROC / "self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
        return [session.unescaped(line.split(" ")[4]) for line in file if " - fuse.glusterfs " in line]


#: What the kernel answers for a FUSE mount without a process, and to what that had been asked when it ended.
_GONE = (errno.ENOTCONN, errno.ECONNABORTED)
_NO_PROCESS = "has no process any more"


def _answer(point: str) -> str | None:
    """None if a mount answers, else what is wrong. It may never answer, and who waits for it cannot be stopped."""
    states: list[str | None] = []

    def ask() -> None:
        try:
            os.statvfs(point)
            states.append(None)
        except OSError as error:
            states.append(_NO_PROCESS if error.errno in _GONE else (error.strerror or str(error)).lower())

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return states[0] if states else f"has not answered for {PATIENCE} seconds"
