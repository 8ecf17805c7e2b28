"""A network namespace's own addresses."""

from __future__ import annotations

import fcntl
import socket
import struct


def bring_up(interface: str, address: str) -> None:
    """Give an interface an address."""
    siocsifaddr, siocsifflags, up = 0x8916, 0x8914, 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        name = interface.encode()
        host = struct.pack("<H2s4s8x", socket.AF_INET, b"", socket.inet_aton(address))
        fcntl.ioctl(handle, siocsifaddr, struct.pack("16s16s8x", name, host))
        fcntl.ioctl(handle, siocsifflags, struct.pack("16sH22x", name, up))
