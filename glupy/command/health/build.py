"""GlusterFS, Python, and whether this build of glupy fits them."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import glupy
from glupy.command import machine
from glupy.command.health.look import Look, from_sentence
from glupy.command.machine import Gluster
from glupy.command.problem import Problem

#: Opens a shared object, as GlusterFS does when a volume names it.
_OPEN = "import ctypes, sys; ctypes.CDLL(sys.argv[1], mode=1)"


def gluster() -> Iterator[Look]:
    try:
        found = machine.gluster()
        yield from_sentence("GlusterFS", machine.version_problem(found), f"{found.version}, {found.client}")
    except Problem as problem:
        yield from_sentence("GlusterFS", problem.message, "")


def python() -> Iterator[Look]:
    yield Look("Python", f"{platform.python_version()}, {sys.executable}")


def build() -> Iterator[Look]:
    """The loader opens, with all that it needs, libpython above all."""
    library = machine.home() / "glupy.so"
    done = subprocess.run([sys.executable, "-I", "-c", _OPEN, library], text=True, capture_output=True, check=False)
    if done.returncode == 0:
        yield Look("build", f"{library}, glupy {glupy.__version__} for GlusterFS {glupy.GLUSTER_VERSION}")
    else:
        yield Look("build", f"GlusterFS cannot open {library}: {(done.stderr.strip().splitlines() or ['?'])[-1]}",
                   "install glupy anew, for the Python and the GlusterFS that are here")


def search_path() -> Iterator[Look]:
    """What a shell finds is what was looked at here."""
    named = {name: machine.program(name) for name in ("glusterfs", "glusterfsd", "umount", "setpriv", "glupy")}
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    missing = [name for name, path in named.items() if path is None]
    hidden = sorted({str(Path(path).parent) for path in named.values() if path} - set(folders))
    if missing:
        yield Look("PATH", f"no folder on it has {', '.join(missing)}", "install them: on Debian, apt install "
                   "glusterfs-client mount util-linux; for glupy itself its link in /usr/bin")
    elif hidden:
        yield Look("PATH", f"it lacks {', '.join(hidden)}", f"export PATH=$PATH:{':'.join(hidden)}")
    elif Path(named["glupy"] or "").resolve() != (machine.home() / "bin/glupy").resolve():
        yield Look("PATH", f"{named['glupy']} is the command of another glupy than this one, {machine.home()}",
                   f"remove the one of them that is not wanted, or put {machine.home()}/bin first")
    else:
        yield Look("PATH", "leads to GlusterFS and to this glupy")


def links() -> Iterator[Look]:
    """features/glupy.so, and those of the translators that come with glupy or were installed."""
    try:
        found = machine.gluster()
        yield from_sentence("link", machine.link_problem(found.link), str(found.link))
        ground = machine.link_problem(found.ground_link, "ground.so", "tests by glupy.testing do not run")
        yield from_sentence("link", ground, str(found.ground_link))
        yield from _dangling(found)
    except Problem:
        return  # there is no GlusterFS, and that has been said


def _dangling(found: Gluster) -> Iterator[Look]:
    """Links to a glupy that is not this one, or is gone."""
    target = (machine.home() / "glupy.so").resolve()
    for link in sorted((found.xlators / "user").glob("*.so")):
        if link.is_symlink() and Path(os.readlink(link)).name == "glupy.so" and link.resolve() != target:
            yield Look("link", f"{link} leads to {os.readlink(link)}, not to this glupy",
                       f"ln -sfn {machine.home()}/glupy.so {link}")
