"""This machine's GlusterFS, as far as a command needs it: programs, versions, where translators are."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import glupy
from glupy.command.problem import Problem

#: Where programs are, for users whose PATH has no sbin.
PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"))

FUSE = Path("/dev/fuse")


def home() -> Path:
    """The directory with everything of glupy's for one GlusterFS version."""
    return Path(glupy.__file__).resolve().parents[2]


def program(name: str) -> str | None:
    """The path of a program."""
    return shutil.which(name, path=PATH)


@dataclass(frozen=True)
class Gluster:
    """The GlusterFS installed."""

    client: str  # path of glusterfs
    server: str  # path of glusterfsd

    @cached_property
    def xlators(self) -> Path:
        """The directory of translators, which is compiled into GlusterFS."""
        done = subprocess.run([self.server, "--print-xlatordir"], text=True, capture_output=True)
        if done.returncode or not done.stdout.startswith("/"):
            raise Problem(f"{self.server} --print-xlatordir failed ({done.stderr.strip() or done.returncode}); "
                          "install GlusterFS anew")
        return Path(done.stdout.strip())

    @property
    def version(self) -> str:
        """As its directories are named."""
        return self.xlators.parent.name

    @property
    def link(self) -> Path:
        """What `type features/glupy` opens."""
        return self.xlators / "features/glupy.so"

    @property
    def ground_link(self) -> Path:
        """What the graphs of glupy.testing stand on."""
        return self.xlators / "features/glupy-ground.so"

    def user_link(self, name: str) -> Path:
        """What `type user/NAME` opens."""
        return self.xlators / "user" / f"{name}.so"


def gluster() -> Gluster:
    """GlusterFS's programs. Raises Problem."""
    client, server = program("glusterfs"), program("glusterfsd")
    if client is None or server is None:
        raise Problem(f"GlusterFS's program {'glusterfsd' if client else 'glusterfs'} is not installed; on Debian: "
                      "apt install glusterfs-client")
    return Gluster(client, server)


def version_problem(found: Gluster) -> str | None:
    """Why this glupy does not fit the GlusterFS installed."""
    if found.version == glupy.GLUSTER_VERSION:
        return None
    return (f"GlusterFS {found.version} is installed, and this glupy was built for {glupy.GLUSTER_VERSION}; install "
            f"the glupy that was built for {found.version}, or build it here")


def link_problem(link: Path, target_name: str = "glupy.so", wanting: str = "GlusterFS does not find glupy") -> str | None:
    """Why a link in GlusterFS's directory does not lead to this glupy, or to what else of its it should."""
    target = home() / target_name
    mend = f"mkdir -p {link.parent} && ln -sfn {target} {link}"
    if not os.path.lexists(link):
        return f"{wanting}: {link} is missing; {mend}"
    if link.resolve() != target.resolve():
        return f"{link} leads to {link.resolve()}, not to this glupy; {mend}"
    return None


def fuse_problem() -> str | None:
    """Why nothing can be mounted here."""
    try:
        status = FUSE.stat()
    except OSError:
        return (f"{FUSE} is missing, and without it nothing can be mounted; modprobe fuse, or, in a container, start "
                f"it with --device {FUSE} and the capability SYS_ADMIN")
    if not stat.S_ISCHR(status.st_mode):
        return f"{FUSE} is no device; rm {FUSE} && mknod -m 666 {FUSE} c 10 229"
    try:
        os.close(os.open(FUSE, os.O_RDWR | os.O_CLOEXEC))
    except OSError as error:
        if error.errno == errno.EACCES and os.geteuid() != 0:
            return None  # it is root who mounts
        return (f"{FUSE} cannot be opened: {error.strerror}; modprobe fuse, or, in a container, start it with "
                f"--device {FUSE} and the capability SYS_ADMIN")
    return None


def ready() -> Gluster:
    """GlusterFS, once all is found that a mount needs. Raises Problem."""
    found = gluster()
    for problem in (version_problem(found), link_problem(found.link), fuse_problem()):
        if problem:
            raise Problem(problem)
    return found


def need_root(command: str) -> None:
    """Raises Problem where this is another user."""
    if os.geteuid() != 0:
        raise Problem(f"this takes root: sudo {command} ...")
