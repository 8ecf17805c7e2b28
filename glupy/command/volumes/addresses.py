"""Whose an address is."""

from __future__ import annotations

import socket


def of(host: str) -> set[str]:
    """The addresses of a name, or of what is an address already; none where it cannot be told."""
    try:
        return {str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:
        return set()


def is_local(host: str) -> bool:
    """Whether it has one of this machine's addresses."""
    return any(map(_can_bind, of(host)))


def _can_bind(address: str) -> bool:
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.bind((address, 0))
    except OSError:
        return False
    return True
