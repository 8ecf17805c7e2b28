"""Processes that an author's code starts, in whichever of Python's ways.

May use: glupy._core, glupy.logs.
"""
