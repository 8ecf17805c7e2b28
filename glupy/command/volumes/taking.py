"""What a node does with a translator that another one hands to it: nothing, unless its own configuration allows it.

A part of peer_glupy. The node that sends is not trusted with any check: whether it is allowed, whether it is what was sent,
who owns it, and whether it loads, is all decided here.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from glupy.command import install, installing, machine, placing
from glupy.command.problem import Problem
from glupy.command.sources import Source, checksum
from glupy.command.volumes import parcels
from glupy.errors import LoadError
from glupy.loading import finding


def offered(name: str) -> dict[str, Any]:
    """Whether this node allows it, and the file of that name that it has."""
    return {"allowed": finding.configuration().push, **present(name)}


def present(name: str) -> dict[str, Any]:
    """The file of a translator that a process here would load, and its checksum; None where there is none, or no link."""
    try:
        source = Source(name, finding.find(name, finding.configuration().folders))
        whole = machine.link_problem(machine.gluster().user_link(name)) is None
        return {"file": str(source.file), "sum": checksum(source) if whole else None}
    except (LoadError, OSError):
        return {"file": None, "sum": None}


def take(folder: Path, name: str, parcel: str, nodes: Iterable[str], own: str) -> dict[str, Any]:
    """Put what a parcel in glusterd's directory holds into the administrator's folder, if this node is meant and allows it.
    `problem` of the answer says why it did not."""
    try:
        if own not in nodes:
            return {}
        if not finding.configuration().push:
            raise Problem(f"this node does not allow it; push = yes in {finding.CONFIGURATION}")
        return _installed(name, parcels.opened(folder, parcel))
    except (Problem, LoadError, OSError) as error:
        return {"problem": error.message if isinstance(error, Problem) else str(error)}
    finally:
        parcels.clear(folder)


def _installed(name: str, data: bytes) -> dict[str, Any]:
    # A name that is none would be a path here.
    finding.module_name("features/glupy", {"module": name})
    with placing.staging(name) as arrived:
        source = parcels.unpacked(data, name, arrived)
        with installing.copied(source) as copy:
            if copy.errors:
                said = "; ".join(each.text for each in copy.errors)
                raise Problem(f"{name} does not load here: {said.replace(str(arrived), '').strip()}")
            target = installing.put(copy)
    hidden = install.hidden_by(name)
    if hidden:
        raise Problem(f"{target} is installed, but {hidden}")
    return {"file": str(target), "sum": checksum(Source(name, finding.find(name, [finding.ADMINISTRATOR])))}
