"""Rebalance gets past a file that ends with a hole, though its replicas do not agree where that hole begins.

For all bricks of a replicated volume. There GlusterFS's rebalance (10.3, 11.1) may stay at such a file for ever: a brick that
has nothing but a hole from there on says ENXIO, which AFR takes for a failure, so it asks another one. That one has data there,
of which the first, asked for its end, knows nothing, and DHT begins anew. Heal makes such replicas: where a block of 128 KiB
is both data and hole it writes the whole of it (docs/clusters.md).

    glupy install last_hole.py && glupy attach VOLUME last_hole

What is answered here is that data goes on at the very end of the file. All replicas say of it that there is none, which is the end
of the loop. Nobody but rebalance is told so, and what is in the hole reads as zeros in all replicas.
"""

from __future__ import annotations

import errno

from glupy import Fd, Frame, SeekReply, Translator, Xdata

SEEK_DATA = 0  # GF_SEEK_DATA


class LastHole(Translator):
    async def seek(self, frame: Frame, fd: Fd, offset: int, what: int, xdata: Xdata) -> SeekReply:
        reply = await self.child.seek(fd, offset, what, xdata).or_error()
        if frame.actor == "rebalance" and what == SEEK_DATA and reply.op_errno == errno.ENXIO:
            size = (await self.child.fstat(fd)).buf.ia_size
            if offset < size:
                return SeekReply(size)
        return reply
