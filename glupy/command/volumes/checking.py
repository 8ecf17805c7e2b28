"""Whether all nodes of a cluster are ready for a layer. Nothing is changed where one is not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click

from glupy.command.problem import Problem
from glupy.command.volumes import addresses, asking, gluster
from glupy.command.volumes.gluster import Peer, Volume
from glupy_filter.layers import Layer


def all_connected(peers: Iterable[Peer]) -> None:
    """Raises Problem where a node cannot be asked."""
    away = [peer.host for peer in peers if not peer.connected]
    if away:
        raise Problem(f"{', '.join(away)} cannot be reached, so it is not known whether the layer would run there; nothing was "
                      "changed: start glusterd there, or gluster peer detach it")


def clients_known(volume: Volume, peers: Iterable[Peer]) -> None:
    """Raises Problem where a machine that is no node has mounted the volume: it cannot be asked."""
    outside = clients_outside(volume, peers) if volume.started else []
    if outside:
        raise Problem(f"{', '.join(outside)} uses volume {volume.name}, is no node and cannot be asked; a client without the "
                      "translator and its link crashes at the next change; nothing was changed: run glupy install there, then "
                      "say --clients-ready")


def clients_outside(volume: Volume, peers: Iterable[Peer]) -> list[str]:
    """The addresses of machines that use a volume that is started, and are no nodes."""
    nodes = {address for peer in peers for address in addresses.of(peer.host)}
    status = gluster.gluster("volume", "status", volume.name, "clients")
    seen = {(each.text or "").rpartition(":")[0] for each in status.iter("hostname") if ":" in (each.text or "")}
    return sorted(address for address in seen - nodes if not addresses.is_local(address))


def ready(volume: Volume, layer: Layer, peers: Iterable[Peer]) -> None:
    """Ask all nodes that are connected. Prints per node what is missing, and raises Problem."""
    peers = [peer for peer in peers if peer.connected]
    question = {"do": "look", "layers": [{"volume": volume.name, "name": layer.name, "value": layer.value}]}
    answers = asking.ask(question, peers)
    found = list(_wrong(volume, layer, peers, answers))
    for host, wrong, mend in found:
        click.echo(f"{host}: {wrong}", err=True)
        if mend:
            click.echo(f"    {click.style(mend, bold=True)}", err=True)
    if found:
        raise Problem("nothing was changed; mend what stands above, on the node that is named")


def _wrong(volume: Volume, layer: Layer, peers: list[Peer], answers: dict[str, Any]) \
        -> Iterable[tuple[str, str, str | None]]:
    """What is wrong on nodes, and what mends it."""
    users = {uuid for uuid, _ in volume.bricks} if layer.in_bricks else {peer.uuid for peer in peers}
    versions = {answers[peer.uuid]["glupy"] for peer in peers}
    sums = {answers[peer.uuid]["translators"][layer.name]["sum"] for peer in peers if peer.uuid in users} - {None}
    for peer in peers:
        answer = answers[peer.uuid]
        there = answer["translators"][layer.name]
        problems = [*answer["problems"], *(there["problems"] if peer.uuid in users else [])]
        if len(versions) > 1:
            problems.append((f"glupy {answer['glupy']} is here, and others have another version",
                             "apt install ./glupy_....deb, the same everywhere"))
        if len(sums) > 1 and peer.uuid in users and there["sum"]:
            problems.append((f"{there['file']} is not the same on all nodes, here its SHA-256 begins with {there['sum'][:12]}",
                             f"glupy install {layer.name}.py, from the node that has the right one"))
        yield from ((peer.host, wrong, mend) for wrong, mend in problems)
