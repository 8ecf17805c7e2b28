"""Defines no fop: every one passes by, except those that have no default in GlusterFS."""

from __future__ import annotations

from glupy import Translator


class Nothing(Translator):
    pass
