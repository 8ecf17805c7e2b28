"""A volume of four bricks: distribute above two replicates of two each, above clients of bricks in processes of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from support.bricks import Brick
from support.mounts import Mount
from support.volfiles import Layer, layer

#: What these say about a volume that nobody has used, and about two who remove one thing at once.
EXPECTED = (r"0-all: ", r"0-pair\d: ", r"0-client\d: ", "dentry not found")


@contextmanager
def cluster(brick_side: Sequence[Layer], client_side: Sequence[Layer], *, on_brick: tuple[str, ...],
            on_client: tuple[str, ...], folder: Path | None = None) -> Iterator[tuple[list[Brick], Mount]]:
    """Its bricks, of which the first two and the last two have the same, and a mount. on_brick, on_client: expected in logs.
    folder: where modules are looked for."""
    with ExitStack() as stack:
        bricks = [stack.enter_context(Brick(brick_side, expected=(*on_brick, *EXPECTED), folder=folder)) for _ in range(4)]
        layers: list[Layer] = [(f"client{number}", kind, {**options, "subvolumes": ""})
                               for number, (_, kind, options) in enumerate(brick.client for brick in bricks)]
        for one, two in ((0, 1), (2, 3)):
            layers.append(layer(f"pair{one}", "cluster/replicate", subvolumes=f"client{one} client{two}",
                                afr_pending_xattr=f"pending{one},pending{two}"))
        layers.append(layer("all", "cluster/distribute", subvolumes="pair0 pair2"))
        with Mount(client_side, bottom=layers, expected=(*on_client, *EXPECTED), folder=folder) as mount:
            yield bricks, mount
