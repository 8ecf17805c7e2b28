"""Where a translator stands: of which volume, on which side of the network, over which brick."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from glupy.api.client import volume_of

if TYPE_CHECKING:
    from glupy._core import Child, Instance

Side = Literal["client", "brick", "other"]

#: storage/posix, as glusterd names it: VOLUME-posix.
_STORAGE = "-posix"

#: Who brings up a graph for applications: a mount, and a program with libgfapi.
_MASTERS = ("mount/fuse", "mount/api")


def side(instance: Instance) -> Side:
    """A brick of several in one process may be attached to protocol/server after its translators' init()."""
    if any(_serves(type, options) for _name, type, options in instance.above):
        return "brick"
    if instance.master in _MASTERS:
        return "client"
    return "brick" if instance.master is None and brick_path(instance) is not None else "other"


def _serves(type: str, options: dict[str, str]) -> bool:
    """protocol/server, or what stands in its place in glupy.testing: a caller that is a client of a brick."""
    return type == "protocol/server" or type == "features/glupy-ground" and "client" in options


def brick_path(instance: Instance) -> Path | None:
    """The one directory that is served."""
    found = {child.options.get("directory") for child in _below(instance.children) if child.type == "storage/posix"}
    directory = found.pop() if len(found) == 1 else None
    return None if directory is None else Path(directory)


def volume(instance: Instance) -> str | None:
    """By the names that glusterd gives, else by what the process was told to bring up."""
    names = {named for child in _below(instance.children) if (named := _named(child)) is not None}
    if names:
        return names.pop() if len(names) == 1 else None
    told = (instance.volfile_id or "").removeprefix("/")
    return told if told and "/" not in told and side(instance) == "client" else None


def _named(child: Child) -> str | None:
    """The volume that the lowest layer of a graph has in its name."""
    name = child.name
    if child.type == "protocol/client":
        return volume_of(name)
    return name.removesuffix(_STORAGE) if child.type == "storage/posix" and name.endswith(_STORAGE) else None


def _below(children: tuple[Child, ...]) -> Iterator[Child]:
    """All layers below, those with two parents once for each."""
    for child in children:
        yield child
        yield from _below(child.children)
