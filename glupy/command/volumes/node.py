"""What glusterd runs on each node for the commands about volumes: peer_glupy.

glusterd waits for it, and holds its lock: nothing here may ask glusterd. What is wrong is an answer, not a status, since
glusterd hands on no more than that something failed.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import glupy
from glupy.command import machine, reading
from glupy.command.health import cluster
from glupy.command.problem import Problem
from glupy.command.sources import Source, checksum
from glupy.command.volumes import addresses, asking, counting, taking
from glupy.errors import LoadError
from glupy.loading import finding
from glupy_filter import bricks, layers, rewriting
from glupy_filter.graphs import Graph
from glupy_filter.layers import CLIENT, Layer

GLUSTERD = Path("/var/lib/glusterd")

#: Seconds that a brick is given to end.
_PATIENCE = 20


def main() -> None:
    """Answer the question on the command line."""
    uuid = layers.read_pairs((GLUSTERD / "glusterd.info").read_text())["UUID"]
    try:
        answer = _answer(asking.decoded(sys.argv[1]), uuid)
    except (Problem, LoadError, OSError, ValueError) as error:
        answer = {"failed": error.message if isinstance(error, Problem) else str(error)}
    answer |= {"host": socket.gethostname(), "glupy": glupy.__version__}
    print("\n".join(asking.lines(uuid, answer)))


def _answer(question: dict[str, Any], uuid: str) -> dict[str, Any]:
    if question["do"] == "look":
        return look(question["layers"])
    if question["do"] == "end" and question["node"] == uuid:
        return end_bricks(GLUSTERD / "vols" / question["volume"])
    if question["do"] == "state":
        return state(question["volumes"], question.get("count", False))
    if question["do"] == "offer":
        return taking.offered(question["name"])
    if question["do"] == "take":
        return taking.take(GLUSTERD, question["name"], question["parcel"], question["nodes"], uuid)
    return {}


def look(wanted: Iterable[dict[str, str]]) -> dict[str, Any]:
    """Whether this node is ready for layers of a volume: dictionaries of volume, name and value (as in its key)."""
    found = machine.gluster()
    wrong = [_parted(problem) for problem in (machine.version_problem(found), cluster.filter_problem(found)) if problem]
    answers = {each["name"]: _translator(found, layers.parse(each["name"], each["value"]), GLUSTERD / "vols" / each["volume"])
               for each in wanted}
    return {"gluster": found.version, "problems": wrong, "translators": answers}


def _parted(sentence: str) -> tuple[str, str]:
    """What is wrong, and what mends it, of a sentence with a semicolon between them."""
    wrong, _, mend = sentence.rpartition("; ")
    return wrong, mend


def _translator(found: machine.Gluster, layer: Layer, folder: Path) -> dict[str, Any]:
    """A translator on this node: its file, and what is wrong with it, each with what mends it or None."""
    problem = machine.link_problem(found.user_link(layer.name), wanting=f"there is no link for {layer.name}")
    answer: dict[str, Any] = {"problems": [_parted(problem)] if problem else [], "file": None, "sum": None}
    try:
        source = Source(layer.name, finding.find(layer.name, finding.configuration().folders))
        answer |= {"file": str(source.file), "sum": checksum(source)}
        with reading.read(source) as translator:
            translator.check_options(layer.options)
    except (LoadError, OSError) as error:
        answer["problems"].append((str(error), f"glupy install {layer.name}.py" if answer["file"] is None else None))
    if not _has_place(layer, folder):
        answer["problems"].append((f"the volfiles have no position {layer.place}", None))
    return answer


def _has_place(layer: Layer, folder: Path) -> bool:
    paths = (rewriting.client_volfiles(folder) if layer.place == CLIENT
             else [brick.volfile for brick in bricks.of(folder)])
    return all(Graph(path.read_text(errors="surrogateescape"), folder.name).place(layer.place) for path in paths)


def end_bricks(folder: Path) -> dict[str, Any]:
    """End the bricks of a volume that run here, and write their volfiles for the next start."""
    ended = []
    for brick in bricks.of(folder):
        pid = brick.pid
        if pid is not None:
            _check_alone(brick, pid)
            os.kill(pid, signal.SIGTERM)
            _wait_for_end(brick)
            ended.append(brick.path)
    for brick in bricks.of(folder):
        rewriting.rewrite(brick.volfile)
    return {"ended": ended}


def _check_alone(brick: bricks.Brick, pid: int) -> None:
    """A process that serves bricks of several volumes is not one to be ended. Raises Problem."""
    others = [path for path in bricks.RUN.glob("vols/*/*.pid") if path.read_text().strip() == str(pid)]
    if len(others) > 1:
        raise Problem(f"the process of {brick.path} also serves other bricks (cluster.brick-multiplex); stop the volume and "
                      "start it again in place of restarting its bricks")


def _wait_for_end(brick: bricks.Brick) -> None:
    end = time.monotonic() + _PATIENCE
    while brick.pid is not None:
        if time.monotonic() > end:
            raise Problem(f"the brick {brick.path} does not end; look at its log")
        time.sleep(0.05)


def state(volumes: Iterable[str], count: bool) -> dict[str, Any]:
    """What this node's volfiles and processes have of volumes: by volume, clients' layers and those of its own bricks; and if
    that is wanted, what they have counted."""
    found = machine.gluster()
    states = {name: _state(GLUSTERD / "vols" / name) for name in volumes}
    if count:
        _ask_processes(states)
    return {"gluster": found.version, "volumes": states, "filter": cluster.filter_problem(found)}


def _ask_processes(states: dict[str, Any]) -> None:
    """Add what the layers in this node's bricks and mounts have counted and loaded; nothing where a process does not say."""
    pids = {brick["pid"] for each in states.values() for brick in each["bricks"] if brick["pid"] and brick["layers"]}
    pids |= {mount["pid"] for each in states.values() for mount in each["mounts"]}
    found = counting.said(sorted(pids))
    for volume, each in states.items():
        mark = Graph("", volume).mark
        for process in (*each["bricks"], *each["mounts"]):
            there = {name.removeprefix(mark): layer for name, layer in found.get(process["pid"], {}).items()
                     if name.startswith(mark)}
            process["counts"] = {name: layer.counts for name, layer in there.items()}
            process["loaded"] = {name: layer.loaded for name, layer in there.items()}


def _state(folder: Path) -> dict[str, Any]:
    client = _layers(rewriting.client_volfiles(folder)[0])
    own = [brick for brick in bricks.of(folder) if addresses.is_local(brick.host)]
    named = {*client, *(name for brick in own for name in _layers(brick.volfile))}
    return {
        "client": {name: layer.options for name, layer in client.items()},
        "mounts": [{"pid": pid} for pid in (counting.clients(folder.name) if client else [])],
        "bricks": [{"path": brick.path, "pid": brick.pid,
                    "layers": {name: {"place": layer.place, "options": layer.options}
                               for name, layer in _layers(brick.volfile).items()}} for brick in own],
        "files": {name: _file(name) for name in sorted(named)},
    }


def _layers(volfile: Path) -> dict[str, Layer]:
    try:
        return Graph(volfile.read_text(errors="surrogateescape"), volfile.parent.name).layers()
    except OSError:
        return {}


def _file(name: str) -> dict[str, str | None]:
    try:
        source = Source(name, finding.find(name, finding.configuration().folders))
        return {"file": str(source.file), "sum": checksum(source), "problem": None}
    except (LoadError, OSError) as error:
        return {"file": None, "sum": None, "problem": str(error)}
