"""Imports an extension module that is made for one interpreter only."""

import _curses  # noqa: F401

from glupy import Translator


class Plain(Translator):
    pass
