"""What a brick has of a file that is on another one: DHT's links."""

from __future__ import annotations

from glupy import Iatt, Xdata

LINKTO = "trusted.glusterfs.dht.linkto"
MODE = 0o1000


def is_link(buf: Iatt, found: Xdata) -> bool:
    """A link, or what rebalance has copied so far. A file that is being copied from here has the attribute, too, but is one."""
    return LINKTO in found and (not buf.ia_size or buf.ia_prot == MODE)
