"""ContentFile: what a layer of Content knows of a file; and how its blocks become what is stored, and the other way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from glupy._core import Gfid
from glupy.api.spans import Spans


class ContentFile:
    """A file whose content is encoded, as encode() and decode() are given it.

    gfid  which never changes, and is the same on all replicas
    mark  what Content.mark says is kept with the file: None where the class names no mark
    own   the author's: whatever is to be remembered of the file, a key that was derived, say; it goes with the inode
    """

    def __init__(self) -> None:
        self.gfid = Gfid.null()
        self.mark: bytes | None = None
        self.own: Any = None
        self._glupy_looked = False  # mark is known
        self._glupy_size = 0  # as of the last look: a guess
        self._glupy_spans = Spans()

    def __repr__(self) -> str:
        return f"<ContentFile {self.gfid}>"


def coded(what: Callable[[ContentFile, int, bytes], bytes], file: ContentFile, block_size: int, offset: int,
          data: bytes) -> bytes:
    """Whole blocks, of which the last may be short, by encode() or decode().

    A block of zeros stays one, so that holes, which nobody has encoded, are zeros on both sides. The other block that encode()
    makes zeros of, if there is one, takes the place that is free by that: what is stored is still read as what was written,
    however short a block is. ValueError where the length is another one.
    """
    blocks = []
    for at in range(0, len(data), block_size):
        block = data[at:at + block_size]
        zeros = bytes(len(block))
        if block != zeros:
            block = _checked(what, file, offset + at, block)
            if block == zeros:
                block = _checked(what, file, offset + at, zeros)
        blocks.append(block)
    return b"".join(blocks)


def _checked(what: Callable[[ContentFile, int, bytes], bytes], file: ContentFile, offset: int, data: bytes) -> bytes:
    made = what(file, offset, data)
    if len(made) != len(data):
        name = getattr(what, "__name__", "it")
        raise ValueError(f"{name}() made {len(made)} bytes of {len(data)}: a block keeps its length")
    return bytes(made)
