"""Answers lookups with a failure that it does not raise."""

import errno

from glupy import Translator, fail


class Fails(Translator):
    def lookup(self, frame, loc, xdata):
        return fail(errno.ENOENT)
