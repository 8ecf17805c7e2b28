"""Bricks restarted node by node, so that a volume serves meanwhile: a brick's layers change only when its process starts."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

import click

from glupy.command.problem import Problem
from glupy.command.volumes import asking, gluster
from glupy.command.volumes.gluster import Peer, Volume
from glupy_filter.layers import Layer

#: Seconds that bricks are given to come online, and clients to be connected with them again.
_PATIENCE = 120
_CLIENTS = 60

#: Seconds between two looks at whether all nodes are there.
_LOOK = 5


def pending(volume: Volume, layer: Layer, peers: list[Peer]) -> list[Peer]:
    """The nodes with bricks that do not have a layer, or have it though it was taken out."""
    answers = asking.ask({"do": "state", "volumes": [volume.name]}, peers)

    def differs(peer: Peer) -> bool:
        for brick in answers[peer.uuid]["volumes"][volume.name]["bricks"]:
            there = brick["layers"].get(layer.name)
            if (there["place"] if there else None) != (layer.place if layer.in_bricks else None):
                return True
        return False
    return [peer for peer in peers if differs(peer)]


def check_possible(volume: Volume, peers: list[Peer]) -> None:
    """Raises Problem where the volume cannot serve while the bricks of one node are away."""
    for peer in peers:
        for bricks in volume.sets:
            away = [brick for uuid, brick in bricks if uuid == peer.uuid]
            if len(away) > volume.spare:
                raise Problem(f"{' and '.join(away)} cannot be away while volume {volume.name} serves, and a brick's layers "
                              f"change only when it starts; nothing was changed: gluster volume stop {volume.name}, then the "
                              f"same command, then gluster volume start {volume.name}")
    wrong = _unwell(volume)
    if wrong:
        raise Problem(f"{wrong}; nothing was changed: wait until all bricks are online and healed, see gluster volume heal "
                      f"{volume.name} info")


def restart(volume: Volume, peer: Peer, peers: list[Peer]) -> None:
    """Restart the bricks of one node, and wait until they are as good as before."""
    own = [brick for uuid, brick in volume.bricks if uuid == peer.uuid]
    before = _clients(volume)
    try:
        asking.ask({"do": "end", "volume": volume.name, "node": peer.uuid}, peers)
    finally:  # where another node has not answered, they have ended all the same
        came = _wait(lambda: _started(volume, own) or peer.uuid in {each.uuid for each in _away()}, _PATIENCE)
    if not came:
        raise Problem(f"the bricks of {peer.host} do not come online; see their logs there")
    if not _wait(lambda: all(_clients(volume).get(brick, 0) >= before.get(brick, 0) for brick in own), _CLIENTS,
                 lambda: _check_there(volume)):
        click.echo(f"some clients of {peer.host} have not come back for {_CLIENTS} seconds", err=True)
    while not _wait(lambda: _unwell(volume) is None, _PATIENCE, lambda: _urge(volume)):
        click.echo(f"{volume.name} is not healed yet, waiting; see gluster volume heal {volume.name} info", err=True)


def _started(volume: Volume, own: list[str]) -> bool:
    """Whether these bricks are online; else they are started. glusterd starts none while it has not seen one's end yet."""
    if set(own) <= _online(volume):
        return True
    gluster.gluster("volume", "start", volume.name, "force")
    return set(own) <= _online(volume)


def _wait(condition: Callable[[], bool], seconds: int, meanwhile: Callable[[], None] = lambda: None) -> bool:
    """Whether it comes about. glusterd may fail to answer while a brick has just started, or others ask it. `meanwhile` is
    called now and then, and may raise what ends it."""
    now = time.monotonic()
    look, end = now + _LOOK, now + seconds
    while time.monotonic() < end:
        with contextlib.suppress(Problem):
            if condition():
                return True
        if time.monotonic() > look:
            meanwhile()
            look = time.monotonic() + _LOOK
        time.sleep(0.5)
    return False


def _check_there(volume: Volume) -> None:
    """Raises Problem where a node has gone away: to wait for its bricks may be to wait for ever."""
    away: list[Peer] = []
    with contextlib.suppress(Problem):
        away = _away()
    if away:
        raise Problem(f"{', '.join(peer.host for peer in away)} went away meanwhile; what was done stays, and glupy status "
                      f"{volume.name} shows it: the same command goes on when it is back")


def _urge(volume: Volume) -> None:
    """Have what is to be healed looked for again: what the self-heal daemons found locked by a client they would leave for ten
    minutes. Raises Problem where a node has gone away."""
    _check_there(volume)
    with contextlib.suppress(Problem):
        gluster.heal(volume.name)


def _unwell(volume: Volume) -> str | None:
    """What is not as it should be before a brick may go away."""
    away = {brick for _, brick in volume.bricks} - _online(volume)
    if away:
        return f"{', '.join(sorted(away))} is not online"
    if volume.set_size == 1:
        return None
    counts = [each.text or "-" for each in gluster.gluster("volume", "heal", volume.name, "info").iter("numberOfEntries")]
    if not all(count.isdigit() for count in counts):
        return "heal info does not know all bricks"
    waiting = sum(map(int, counts))
    return f"{waiting} entries wait to be healed" if waiting else None


def _online(volume: Volume) -> set[str]:
    """Its bricks that are, as `host:path`."""
    found = gluster.gluster("volume", "status", volume.name).iter("node")
    return {f"{each.findtext('hostname')}:{each.findtext('path')}" for each in found if each.findtext("status") == "1"}


def _clients(volume: Volume) -> dict[str, int]:
    """How many clients each brick has."""
    found = gluster.gluster("volume", "status", volume.name, "clients").iter("node")
    return {f"{each.findtext('hostname')}:{each.findtext('path')}": int(each.findtext("clientsStatus/clientCount") or 0)
            for each in found}


def _away() -> list[Peer]:
    """The nodes that cannot be reached now."""
    return [peer for peer in gluster.peers() if not peer.connected]
