"""GlusterFS's log: glupy.testing reads it."""

from glupy.testing.logs import entries, unexpected

__all__ = ["entries", "unexpected"]
