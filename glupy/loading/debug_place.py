"""Where breakpoints have their sockets: in a folder that the local configuration names and that nobody else can enter."""

from __future__ import annotations

import os
from pathlib import Path

from glupy.errors import TrustError
from glupy.loading import finding, trust


def folder() -> Path | None:
    """The folder, made ready; None: there is none, and nothing stops. Read anew each time. Raises LoadError, OSError."""
    found = finding.configuration().debug
    if found is None:
        return None
    try:
        os.mkdir(found, 0o700)
    except FileExistsError:
        pass
    trust.check_folder(found)
    if os.stat(found).st_mode & 0o077:
        raise TrustError("others may look into this folder of sockets; chmod 700 it", found)
    return found
