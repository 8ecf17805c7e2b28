#!/usr/bin/env -S glupy run
"""A policy: names that end in .exe come about for nobody but root, by whatever operation."""

from glupy import CHANGING_NAMES, Option, Translator


class NoPrograms(Translator, fops=CHANGING_NAMES - {"unlink", "rmdir"}):
    suffix = Option(str, default=".exe", help="what refused names end in")

    def any_fop(self, frame, call):
        loc = call.get("newloc") or call.loc
        if frame.uid != 0 and (loc.name or "").casefold().endswith(self.suffix):
            self.log.warning("user %d may not %s %s", frame.uid, call.name, loc.path)
            raise PermissionError  # the application gets EPERM; anything else that is raised is EIO, and in the log
        # returns None: the call goes on as it came
