"""Whose code runs, what its exceptions look like in text, and the way of both into GlusterFS's log.

May use: glupy._core.
"""
