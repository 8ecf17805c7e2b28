"""Volfiles: the graphs that `glupy run` mounts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from glupy import volfiles
from glupy.command.problem import Problem
from glupy.volfiles import Layer


def volfile(layers: Sequence[Layer]) -> str:
    """A graph of layers. Raises Problem."""
    try:
        return volfiles.volfile(layers)
    except ValueError as error:
        raise Problem(str(error)) from None


def single(directory: Path, layers: Sequence[Layer]) -> list[Layer]:
    """Everything in the process that mounts."""
    return [Layer("brick", "storage/posix", {"directory": str(directory)}), Layer("locks", "features/locks"), *layers]


def brick(directory: Path, layers: Sequence[Layer], socket: Path) -> list[Layer]:
    """What glusterd builds around a translator that stands on storage/posix, as far as it matters to the translator."""
    return [
        Layer("posix", "storage/posix", {"directory": str(directory)}),
        *layers,
        Layer("access-control", "features/access-control"),
        Layer("locks", "features/locks"),
        Layer("io-threads", "performance/io-threads"),
        Layer("server", "protocol/server", {
            "transport-type": "socket", "transport.address-family": "unix",
            "transport.socket.listen-path": str(socket), "auth.addr.io-threads.allow": "*",
            "rpc-auth-allow-insecure": "on"}),
    ]


def client(socket: Path) -> list[Layer]:
    """What a client of that brick has: two of GlusterFS's layers for speed, which send reads on anonymous fds and
    writes at once."""
    return [
        Layer("client", "protocol/client", {
            "transport-type": "socket", "transport.address-family": "unix", "remote-host": "localhost",
            "transport.socket.connect-path": str(socket), "remote-subvolume": "io-threads"}),
        Layer("write-behind", "performance/write-behind"),
        Layer("open-behind", "performance/open-behind"),
    ]
