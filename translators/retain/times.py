"""Times until which files are kept: how they are written, and which may be set."""

from __future__ import annotations

import errno
import time
from datetime import datetime, timezone
from typing import Any

FOREVER = 2**63 - 1


def wanted(value: Any, present: int | None, longest: float) -> int:
    """The time that somebody asks for, if it may be set."""
    now = time.time()
    try:
        until = moment(value)
    except (ValueError, OverflowError):
        raise OSError(errno.EINVAL, "neither seconds since the epoch, nor ISO 8601, nor forever") from None
    if present is not None and until < present:
        raise PermissionError
    if until != present and (until <= now or longest and until > now + longest):
        raise OSError(errno.EINVAL, "it has been, or is too far away")
    return until


def moment(value: Any) -> int:
    """Seconds since the epoch."""
    text = (value.decode() if isinstance(value, bytes) else str(value)).rstrip("\0").strip()
    if text == "forever":
        return FOREVER
    if text.isascii() and text.isdigit():
        if int(text) > FOREVER:
            raise ValueError(text)
        return int(text)
    at = datetime.fromisoformat(text.removesuffix("Z"))
    return int((at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp())
