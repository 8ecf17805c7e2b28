"""The classic API of glupy, for translators written for the first one: ``from gluster import *``.

Only the Python that glupy starts in GlusterFS's processes sees this package. It stands before Debian's own ``gluster`` and
leaves that one's modules (gluster.cliutils) reachable.

May use: glupy, glupy._core, glupy.logs.
"""

from pkgutil import extend_path

__path__ = extend_path(__path__, __name__)

from gluster.glupy import *  # noqa: E402
