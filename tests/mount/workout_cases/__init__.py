"""What the workout does: CASES, by name. A case is a function that gets a Recorder and an empty current directory."""

from __future__ import annotations

from collections.abc import Callable

from . import attributes, data, directories, identity, locks, storms, tree, xattrs
from .recorder import Recorder

CASES: dict[str, Callable[[Recorder], None]] = {
    f"{module.__name__.rpartition('.')[2]}-{function.__name__}": function
    for module in (tree, attributes, data, xattrs, directories, locks, identity, storms)
    for function in module.CASES
}
