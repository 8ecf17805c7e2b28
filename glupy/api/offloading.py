"""@offload: fop methods that block, on glupy's own threads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

#: What marks a method; src/core/lifecycle/lifecycle.c looks for it.
MARK = "__glupy_offload__"


def offload(method: F) -> F:
    """Decorate a fop method, a plain `def`, that blocks: sqlite, a socket, a file with fsync, time.sleep.

    It is called on a thread of glupy's own, of which up to 64 run such methods at once, while further calls wait their
    turn; GlusterFS's thread goes on. It answers as any plain `def` does. It cannot await: `glupy.wait(wind)` waits for a
    wind and gives its reply. For any_fop, too. On an `async def`, or on a method that is no fop, it is refused when the
    translator is loaded.
    """
    setattr(method, MARK, True)
    return method
