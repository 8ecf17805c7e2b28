"""Defines no fop that the bench sends."""

from __future__ import annotations

from glupy import Translator


class Undefined(Translator):
    pass
