"""Options that are settled when a graph is built, and hold for as long as it lives."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Protocol

from glupy.errors import OptionError
from glupy.options import tolerance
from glupy.options.common import Common


class _Settled(Protocol):
    """A translator that runs."""

    common: Common
    _glupy_lasting: dict[str, str]

    @property
    def _instance(self) -> Any: ...


def checked(running: _Settled, after: Mapping[str, Any]) -> dict[str, Any]:
    """What becomes of `common` and `_glupy_ignored`, values that were read while a translator runs, where they would change
    what is settled. Raises OptionError where that is not tolerated."""
    before, new, ignored = running.common, after["common"], {**after["_glupy_ignored"]}
    for name, other in (("module", "another module"), ("module_name", "another module"),
                        ("interpreters", "another number of interpreters")):
        if (getattr(before, name) or None) == (getattr(new, name) or None):
            continue
        option_name = name.replace("_", "-")
        wrong = (f'option {option_name} is "{getattr(new, name) or ""}", and was "{getattr(before, name) or ""}" when the '
                 f"graph was built: {other} takes a new graph; set it back, or mount again")
        if not tolerance.is_tolerant(running._instance.type):
            raise OptionError(wrong)
        if option_name not in running._glupy_lasting:
            ignored[option_name] = wrong
        new = dataclasses.replace(new, **{name: getattr(before, name)})
    return {"common": new, "_glupy_ignored": ignored}
