"""What stands in a brick in place of a translator that lacks an option it cannot do without.

The brick starts, since what `gluster volume set` lets through must not keep it from that; but without the translator's
work its data would be wrong, or open to those it is closed to: each operation fails with EIO, until the option is there.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from glupy import _core
from glupy.api.translator import Translator
from glupy.loading import fopcheck
from glupy.options import common
from glupy.options.tolerance import Tolerance

if TYPE_CHECKING:
    from glupy._core import Call, Frame, Instance


class Unconfigured(Translator):
    """Answers each operation with EIO."""

    def __init__(self, instance: Instance, module: str, wrong: str) -> None:
        self._module, self._wrong = module, wrong
        super().__init__(instance)

    def _glupy_values(self, texts: Mapping[str, str]) -> dict[str, Any]:
        tolerance = Tolerance({})
        values, _ = common.split(texts, (), tolerance)
        wrong = (f"{self._wrong}. Each operation fails with EIO: set the option and start the brick anew, or set enabled "
                 "to off, and they pass by")
        ignored = {**tolerance.ignored, "every operation": wrong}
        return {"options": dict(texts), "common": values, "_glupy_ignored": ignored}

    def any_fop(self, frame: Frame, call: Call) -> None:
        raise OSError(errno.EIO, "not configured")


def make(instance: Instance, module: str, wrong: str) -> tuple[Translator, dict[str, Callable[..., Any] | None]]:
    """A translator for an instance whose own one, of that module, cannot be made, and its fops."""
    translator = Unconfigured(instance, module, wrong)
    methods = fopcheck.bound_fops(translator, _core.FOPS)
    return translator, {**fopcheck.with_any_fop(translator, methods, _core.FOPS)}
