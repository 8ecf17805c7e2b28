"""pytest's plugin: the fixtures `translator`, `real_graph` and `mounted`. Found by itself once glupy is installed.

No part of the package glupy, so that a pytest that tests something else loads none of it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def translator() -> Callable[..., Any]:
    """`with translator(Policy, limit=3) as t:` runs a translator over a file system in memory (glupy.testing)."""
    from glupy.testing import translator

    return translator


@pytest.fixture
def real_graph() -> Callable[..., Any]:
    """`with real_graph(Policy, limit=3) as t:` runs it over GlusterFS's own storage, in a directory. Skips for others than root."""
    from glupy.testing import real_graph

    _need_root()
    return real_graph


@pytest.fixture
def mounted() -> Callable[..., Any]:
    """`with mounted(Policy, limit=3) as mount:` mounts through it. Skips for others than root, and where there is no FUSE."""
    from glupy.testing import mounted

    _need_root()
    if not os.path.exists("/dev/fuse"):
        pytest.skip("nothing can be mounted here: there is no /dev/fuse")
    return mounted


def _need_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("this takes root: storage/posix keeps what it has to in extended attributes trusted.*")
