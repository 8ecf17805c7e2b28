"""GlusterFS translators in Python.

A translator is one class in one file:

    from glupy import Translator

    class Quiet(Translator):
        async def unlink(self, frame, loc, xflags, xdata):
            self.log.info("%s goes", loc.path)
            return await self.child.unlink(loc, xflags, xdata)

Everything here also imports in plain Python, without GlusterFS running: values can be built and code can be checked.
"""

from __future__ import annotations

import sys

from glupy import _core, fopsets
from glupy._core import *
from glupy._core import GLUSTER_SERIES, GLUSTER_VERSION
from glupy.errors import LoadError, OptionError, TrustError
from glupy.events import Event
from glupy.fopsets import *
from glupy.ia_type import IaType
from glupy.offloading import offload
from glupy.option import Option
from glupy.shared import Shared
from glupy.translator import Translator

# A free-threaded Python switches the lock on when it imports _core, which asks for it, unless it was told not to.
if not getattr(sys, "_is_gil_enabled", lambda: True)():
    raise ImportError("glupy needs Python's global interpreter lock, and this Python was started without it: "
                      "leave out -X gil=0 and PYTHON_GIL=0")

__version__ = "0.1.0"

__all__ = ["GLUSTER_SERIES", "GLUSTER_VERSION", "Event", "IaType", "LoadError", "Option", "OptionError", "Shared",
           "Translator", "TrustError", "offload"]
__all__ += fopsets.__all__
__all__ += [
    "Buffer", "Call", "Child", "Dirent", "Dirents", "Fd", "Flock", "Frame", "Future", "Gather", "Gfid", "Iatt",
    "Identity", "Inode", "InodeTable", "Instance", "Lease", "LkOwner", "Loc", "Lock", "LockList", "Mdata", "Reply",
    "Statvfs", "Task", "Wind", "Xdata", "gather", "sleep", "to_thread", "wait",
]
__all__ += [name for name in vars(_core) if name.endswith("Reply") and name != "Reply"]
