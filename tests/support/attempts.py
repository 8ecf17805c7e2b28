"""Calls on a mount that must come back: a hang is found, the mount ended, and the test fails."""

from __future__ import annotations

import errno
import threading
from collections.abc import Callable
from typing import Any

from support.mounts import Mount
from support.waiting import PATIENCE


def attempt(mount: Mount, function: Callable[..., Any], *args: Any) -> Any:
    """What the call gives: its value, or the name of its errno as text."""
    box: list[Any] = []

    def work() -> None:
        try:
            box.append(function(*args))
        except OSError as error:
            box.append(errno.errorcode.get(error.errno or 0, str(error)))
        except BaseException as error:
            box.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    if not box:
        assert mount.process
        mount.process.kill()  # ends the call as well
        raise AssertionError(f"{function.__name__}{args} hangs\n{mount.text()[-4000:]}")
    if isinstance(box[0], BaseException):
        raise box[0]
    return box[0]
