"""Where wrong options do not keep a translator from running: volumes of type user/NAME, which glusterd makes.

`gluster volume set` takes any `user.xlator.NAME.OPTION`, and glusterd hands it to bricks as it is, now and at each
later start. A brick must not stay away for a slip in it. A volfile with `type features/glupy` was written by hand, and
whoever starts it is told at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from glupy.errors import OptionError


class Tolerance:
    """Takes note of what is wrong with the options of a volume.

    last     the values that were in force so far, by attribute
    ignored  by option, as a sentence: what is wrong, and what holds instead
    """

    def __init__(self, last: Mapping[str, Any]) -> None:
        self.last = last
        self.ignored: dict[str, str] = {}

    def instead(self, name: str, attribute: str, default: Any, required: bool, wrong: str) -> Any:
        """The value in place of one that is missing or cannot be read: the last good one, or the default. Raises
        OptionError where there is neither."""
        if attribute in self.last:
            value, what = self.last[attribute], "last"
        elif not required:
            value, what = default, "default"
        else:
            raise OptionError(wrong)
        shown = ("on" if value else "off") if isinstance(value, bool) else "none" if value is None else value
        self.ignored[name] = f"{wrong}; its {what} value holds, {shown}"
        return value


def is_tolerant(type: str) -> bool:
    """Whether wrong options of a volume of this type are noted, not raised."""
    return type.startswith("user/")


def for_type(type: str, last: Mapping[str, Any]) -> Tolerance | None:
    """The tolerance for a volume of this type; None: what is wrong is raised."""
    return Tolerance(last) if is_tolerant(type) else None
