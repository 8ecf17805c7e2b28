"""`glupy detach`: a layer of a volume, taken out again."""

from __future__ import annotations

import click

from glupy.command import attach, machine
from glupy.command.volumes import changing, checking, gluster
from glupy_filter.layers import OFF, Layer


@click.command(short_help="Take a translator out of a volume, on all its nodes.")
@click.argument("volume")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Print the steps, and change nothing.")
def command(volume: str, name: str, dry_run: bool) -> None:
    """Take the translator NAME out of VOLUME, where glupy attach has put it. This takes root.

    The bricks of a volume that is started are restarted node by node as by glupy attach, and clients take another graph
    while they run. Its file and its link stay on the nodes. The volume keeps an option user.glupy.NAME with the value
    off, as glusterd cannot take back one option of that kind. Other options of the volume stay as they are.
    """
    machine.need_root("glupy detach")
    found, = gluster.volumes(volume)
    if found.options.get(f"user.glupy.{name}") != OFF:  # else an interrupted one goes on
        changing.attached(found, name)
    peers = gluster.peers()
    checking.all_connected(peers)
    attach.carry_out(found, Layer(name, OFF), peers, dry_run)
    if not dry_run:
        click.echo(f"{volume} does not have {name} any more")
