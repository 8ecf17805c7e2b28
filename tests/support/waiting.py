"""Waiting for what another process or thread does."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Seconds after which something counts as hanging. Nothing here takes a tenth of it by itself, but tests run beside
#: others, on machines that have more to do.
PATIENCE = 300.0


def wait_until(condition: Callable[[], object], what: str, seconds: float = PATIENCE, pause: float = 0.01) -> None:
    """Return as soon as condition() is true; AssertionError if it does not become so. It is asked again after `pause` seconds:
    longer ones are for what takes a process to ask."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(pause)
