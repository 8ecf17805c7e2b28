"""What glusterd runs of glupy's: the filter on volfiles, and the program by which nodes ask each other."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from glupy.command import machine
from glupy.command.health import processes
from glupy.command.health.look import Look, from_sentence
from glupy.command.machine import Gluster
from glupy.command.problem import Problem


def programs() -> Iterator[Look]:
    """They matter where there are volumes."""
    try:
        found = machine.gluster()
        if not any(processes.GLUSTERD.glob("vols/*")):
            return
        yield from_sentence("filter", filter_problem(found), str(filter_link(found)))
        yield from_sentence("peer program", peer_problem(found), str(peer_link(found)))
    except Problem:
        return  # there is no GlusterFS, and that has been said


def filter_link(found: Gluster) -> Path:
    """What glusterd runs on each volfile that it has written."""
    return found.xlators.parent / "filter/glupy"


def peer_link(found: Gluster) -> Path:
    """What `gluster system:: execute glupy` runs on each node."""
    return found.xlators.parents[1] / "peer_glupy"


def filter_problem(found: Gluster) -> str | None:
    """Why glusterd would not run the filter here."""
    return _problem(filter_link(found), "bin/glupy-filter", "glusterd does not run glupy's filter")


def peer_problem(found: Gluster) -> str | None:
    """Why this node would not answer `glupy attach` and its like."""
    return _problem(peer_link(found), "bin/peer_glupy", "this node does not answer glupy attach, status and push")


def _problem(link: Path, target: str, wanting: str) -> str | None:
    """A link to another glupy's program is found as well as one that is missing."""
    problem = machine.link_problem(link, target, wanting)
    if problem:
        return problem
    if not os.access(link, os.X_OK):
        return f"{wanting}: {link.resolve()} is not executable; chmod 755 {link.resolve()}"
    interpreter = _interpreter(link)
    if shutil.which(interpreter) is None:
        return f"{wanting}: it is run by {interpreter}, which is missing; install glupy anew, for the Python that is here"
    return None


def _interpreter(program: Path) -> str:
    """The program that runs a script."""
    first = program.read_bytes().partition(b"\n")[0]
    return os.fsdecode(first.removeprefix(b"#!").split()[0]) if first.startswith(b"#!") else str(program)
