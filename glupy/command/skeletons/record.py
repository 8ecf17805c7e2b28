"""Write into GlusterFS's log who changed what.

    volume watched
        type user/skeleton
        subvolumes brick
    end-volume

One handler sees all operations that change data, metadata or names. For a record that lasts take translators/audit.py
of glupy's: it writes to a file of its own, and says so when it has missed something.
"""

from __future__ import annotations

import errno

import glupy
from glupy import Call, Frame, Option, Reply, Translator


class Skeleton(Translator, fops=glupy.CHANGING):
    failures = Option(bool, default=True, help="record also what did not succeed")

    async def any_fop(self, frame: Frame, call: Call) -> Reply:
        path, uid = call.path, frame.uid
        try:
            reply: Reply = await call.wind()
        except OSError as error:
            if self.failures:
                self.log.info("%s of %r by uid %d: %s", call.name, path, uid, errno.errorcode.get(error.errno or 0))
            raise
        self.log.info("%s of %r by uid %d: ok", call.name, path, uid)
        return reply
