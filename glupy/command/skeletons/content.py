"""Store the content of files in another form: another cipher, compression within a block, masked fields.

    volume masked
        type user/skeleton
        subvolumes brick
    end-volume

This one replaces letters by the letter 13 places on. glupy.Content calls encode() and decode() for whole blocks, and handles
all the ways by which content is read, written, cut and copied: see "What files contain" in the guide.
"""

from __future__ import annotations

import codecs

from glupy import Content, ContentFile

_LATIN = bytes(range(256)).decode("latin-1")

#: By which bytes are replaced, on their way down and on their way up again.
DOWN = codecs.encode(_LATIN, "rot13").encode("latin-1")
UP = bytes(DOWN.index(byte) for byte in range(256))


class Skeleton(Content):
    block_size = 4096

    def encode(self, file: ContentFile, offset: int, data: bytes) -> bytes:
        """What is stored for a block, which begins at an offset: as many bytes. The last one of a file may be short."""
        return data.translate(DOWN)

    def decode(self, file: ContentFile, offset: int, data: bytes) -> bytes:
        return data.translate(UP)
