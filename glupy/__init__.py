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

from glupy import _core
from glupy._core import *
from glupy._core import GLUSTER_SERIES, GLUSTER_VERSION
from glupy.api import fopsets
from glupy.api.actors import INTERNAL
from glupy.api.answers import Answer
from glupy.api.asyncio_calls import AsyncioRequest, asyncio, asyncio_loop, asyncio_request
from glupy.api.client import Client
from glupy.api.condition import Condition
from glupy.api.content import Content
from glupy.api.content_file import ContentFile
from glupy.api.debugging import breakpoint
from glupy.api.events import Event
from glupy.api.files import Files
from glupy.api.fopsets import *
from glupy.api.ia_type import IaType
from glupy.api.locs import anew, nameless
from glupy.api.naming import errno_named, fops_named, rules_named, terms_named
from glupy.api.offloading import offload
from glupy.api.queue import Queue
from glupy.api.shared import Shared
from glupy.api.store import Store
from glupy.api.translator import Translator
from glupy.api.waiting import wait_for
from glupy.api.writer import Writer
from glupy.api.xattrs import xattr
from glupy.errors import LoadError, OptionError, TrustError
from glupy.options.option import Option

# A free-threaded Python switches the lock on when it imports _core, which asks for it, unless it was told not to.
if not getattr(sys, "_is_gil_enabled", lambda: True)():
    raise ImportError("glupy needs Python's global interpreter lock, and this Python was started without it: "
                      "leave out -X gil=0 and PYTHON_GIL=0")

__version__ = "0.1.0"

__all__ = [
    "GLUSTER_SERIES", "GLUSTER_VERSION", "INTERNAL", "Answer", "AsyncioRequest", "Client", "Condition", "Content", "ContentFile",
    "Event", "Files", "IaType", "LoadError", "Option", "OptionError", "Queue", "Shared", "Store", "Translator",
    "TrustError", "Writer", "anew", "asyncio", "asyncio_loop", "asyncio_request", "breakpoint", "errno_named", "fops_named",
    "nameless", "offload", "rules_named", "terms_named", "wait_for", "xattr",
]
__all__ += fopsets.__all__
__all__ += [
    "Buffer", "Cache", "Call", "Child", "Dirent", "Dirents", "EntryLoc", "Failure", "Fd", "Flag", "Flock", "Frame", "Future", "Gather",
    "Gfid", "Iatt", "Identity", "Inode", "InodeLoc", "InodeTable", "Instance", "Lease", "LkOwner", "Loc", "LockEntry", "LockList", "Mdata",
    "Mutex", "Reply", "Semaphore", "Statvfs", "TargetLoc", "Task", "Timeout", "Wind", "Xdata", "fail", "gather", "sleep", "timeout",
    "to_thread", "wait",
]
__all__ += [name for name in vars(_core) if name.endswith("Reply") and name != "Reply"]
