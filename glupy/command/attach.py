"""`glupy attach`: a translator under a volume, on all its nodes."""

from __future__ import annotations

import click

from glupy.command import machine
from glupy.command.problem import Problem
from glupy.command.volumes import changing, checking, gluster, rolling
from glupy.command.volumes.gluster import Peer, Volume
from glupy_filter.layers import CLIENT, POSITIONS, Layer


@click.command(short_help="Put a translator under a volume, on all its nodes.")
@click.argument("volume")
@click.argument("name")
@click.option("--at", "position", metavar="POSITION", type=click.Choice(list(POSITIONS)),
              help="Where in the bricks: directly above GlusterFS's layer of that name. Without it, above posix, the lowest.")
@click.option("--client", is_flag=True, help="In the clients, above all that GlusterFS has there, and not in bricks.")
@click.option("--clients-ready", is_flag=True,
              help="Clients that are no nodes have the translator and its link. Without this --client is refused where there "
              "are any.")
@click.option("-o", "--option", "words", metavar="OPTION=VALUE", multiple=True,
              help="An option of the translator. Can be given several times.")
@click.option("--dry-run", is_flag=True, help="Check all nodes and print the steps, and change nothing.")
def command(volume: str, name: str, position: str | None, client: bool, clients_ready: bool, words: tuple[str, ...],
            dry_run: bool) -> None:
    """Put the translator NAME under VOLUME, a volume of the cluster that this machine is a node of. This takes root.

    Before anything is changed each node is asked, by glusterd, whether it has glupy in the same version, the same file of
    the translator, its link, and the position, and whether the file loads with these options. Where one lacks anything
    nothing is changed; what is missing stands there by node, with the command that mends it.

    A brick's layers change only when its process starts. The bricks of a volume that is started, replicated or
    dispersed, are restarted node by node, each when all that was written meanwhile is healed, so that the volume serves
    all the time. Bricks of other volumes cannot be away: stop the volume before, and start it after. Clients take
    another graph while they run. Each client machine needs the translator and its link: one without them crashes at
    the next change of the volume. Those that are no nodes cannot be asked.

    If it is interrupted, the same command goes on with the nodes that are missing, and glupy detach takes back what
    was done.
    """
    machine.need_root("glupy attach")
    if client and position:
        raise click.UsageError("--at is a position in bricks, and --client is not in bricks")
    found, = gluster.volumes(volume)
    layer = _layer(found, name, CLIENT if client else position, changing.options(words))
    peers = gluster.peers()
    checking.all_connected(peers)
    checking.ready(found, layer, peers)
    if layer.place == CLIENT and not clients_ready:
        checking.clients_known(found, peers)
    carry_out(found, layer, peers, dry_run)
    if not dry_run:
        click.echo(f"{volume} has {name} {'in its clients' if client else f'in its bricks, above {layer.place}'}")


def _layer(volume: Volume, name: str, place: str | None, options: dict[str, str]) -> Layer:
    """What is to be there; of a layer that is there already, other options. Raises Problem."""
    old = volume.layers.get(name)
    if f"user.xlator.{name}" in volume.options:
        raise Problem(f"volume {volume.name} has {name} by its option user.xlator.{name} already, which only `gluster volume "
                      f"reset {volume.name}` takes out; do that first")
    if old and place and place != old.place:
        raise Problem(f"volume {volume.name} has {name} at {old.place}; glupy detach {volume.name} {name} first")
    return changing.with_options(old or Layer(name, place or "posix"), options)


def carry_out(volume: Volume, layer: Layer, peers: list[Peer], dry_run: bool) -> None:
    """Change a layer of a volume in all its steps, or print them. Also takes one out. Raises Problem."""
    rolls = volume.started and (layer.in_bricks or volume.layers.get(layer.name, layer).in_bricks)
    due = rolling.pending(volume, layer, peers) if rolls else []
    if due:
        rolling.check_possible(volume, due)
    _say(f"store {layer.name}={layer.value} among the options of {volume.name}", dry_run)
    if not dry_run:
        changing.store(volume, layer)
    for peer in due:
        _say(f"restart the bricks of {volume.name} on {peer.host}, and wait until they are healed", dry_run)
        if not dry_run:
            rolling.restart(volume, peer, peers)
    _say(f"have glusterd write the volfiles of {volume.name}", dry_run)
    if not dry_run:
        changing.apply(volume)


def _say(step: str, dry_run: bool) -> None:
    click.echo(f"{'would ' if dry_run else ''}{step}")
