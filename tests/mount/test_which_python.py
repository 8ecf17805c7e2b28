"""Which Python runs: the one that glupy was built for, wherever the environment of the one who starts GlusterFS leads.

Each program that can load glupy is started with the marks of another Python in front: on the PATH, in the current
directory, in Python's variables, in the home directory. Whatever of it runs leaves a trace.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from support.bricks import Brick
from support.mounts import Mount
from support.volfiles import Layer, layer, posix, volfile

VERSION = f"python{sys.version_info[0]}.{sys.version_info[1]}{sys.abiflags}"
NAMES = ("python", "python3", VERSION)

#: Writes down what Python it runs in, and what sys.executable starts.
TELLS = """\
import json
import multiprocessing.spawn
import os
import ssl
import subprocess
import sys

from glupy import Option, Translator


class Tells(Translator):
    answer = Option(str)
    spawns = Option(bool, default=False, help="whether it starts another Python, as multiprocessing does")

    def init(self):
        names = ("executable", "_base_executable", "prefix", "exec_prefix", "base_prefix", "base_exec_prefix", "path")
        told = {name: getattr(sys, name) for name in names}
        told |= {"os": os.__file__, "ssl": ssl.__file__, "user_site": sys.flags.no_user_site}
        if self.spawns:
            code = "import sys; print(sys.version, sys.prefix)"
            done = subprocess.run([multiprocessing.spawn.get_executable(), "-I", "-c", code], stdout=subprocess.PIPE)
            told["spawned"] = done.stdout.decode().rstrip(), f"{sys.version} {sys.prefix}"
        with open(self.answer, "w") as file:
            json.dump(told, file)
"""


@dataclass
class Trap:
    """Another Python, in a folder of somebody else's, and the environment that leads to it."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def traces(self) -> list[Path]:
        return list(self.folder.glob("trace.*"))

    def mark(self, name: str) -> str:
        """Code that leaves a trace."""
        return f"import posix; posix.close(posix.open('{self.folder}/trace.{name}', 65))"  # O_CREAT | O_WRONLY

    def script(self, path: Path, name: str) -> None:
        """A program that leaves a trace."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n: >{self.folder}/trace.{name}\n")
        path.chmod(0o755)

    def packages(self, path: Path, name: str) -> None:
        """A folder for packages with what site.py runs."""
        path.mkdir(parents=True)
        (path / "trap.pth").write_text(self.mark(f"{name}-pth") + "\n")
        (path / "sitecustomize.py").write_text(self.mark(f"{name}-sitecustomize") + "\n")
        (path / "usercustomize.py").write_text(self.mark(f"{name}-usercustomize") + "\n")

    def library(self, path: Path) -> None:
        """A standard library."""
        path.mkdir(parents=True)
        for module in ("os", "site", "encodings/__init__", "encodings/utf_8", "codecs", "io", "ssl"):
            file = path / f"{module}.py"
            file.parent.mkdir(exist_ok=True)
            file.write_text(self.mark(module.replace("/", ".")) + "\n")
        (path / "lib-dynload").mkdir()


def virtual_environment(trap: Trap) -> None:
    trap.packages(trap.folder / "lib" / VERSION / "site-packages", "venv")
    (trap.folder / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    trap.environment["VIRTUAL_ENV"] = str(trap.folder)


def other_prefix(trap: Trap) -> None:
    trap.library(trap.folder / "lib" / VERSION)


def path_file(trap: Trap) -> None:
    trap.library(trap.folder / "anywhere")
    for name in NAMES:
        (trap.folder / f"bin/{name}._pth").write_text(f"{trap.folder}/anywhere\nimport site\n")


def build_directory(trap: Trap) -> None:
    (trap.folder / "bin/pybuilddir.txt").write_text("build")
    (trap.folder / "bin/Modules").mkdir()
    (trap.folder / "bin/Modules/Setup.local").touch()
    trap.library(trap.folder / "bin/Lib")


def python_variables(trap: Trap) -> None:
    trap.library(trap.folder / "home/lib" / VERSION)
    trap.packages(trap.folder / "path", "path")
    (trap.folder / "path/ssl.py").write_text(trap.mark("path-ssl"))
    executable = str(trap.folder / "bin/python3")
    trap.environment |= {"PYTHONHOME": str(trap.folder / "home"), "PYTHONPATH": str(trap.folder / "path"),
                         "PYTHONEXECUTABLE": executable, "__PYVENV_LAUNCHER__": executable, "PYTHONPLATLIBDIR": "trap"}


TRAPS = [virtual_environment, other_prefix, path_file, build_directory, python_variables]


@pytest.fixture(params=TRAPS, ids=lambda kind: kind.__name__)
def trap(request: pytest.FixtureRequest, tmp_path: Path) -> Trap:
    trap = Trap(tmp_path / "trap")
    trap.folder.mkdir()
    for name in NAMES:
        trap.script(trap.folder / "bin" / name, f"bin-{name}")
    home = tmp_path / "home"
    for site in (home / ".local/lib" / VERSION / "site-packages", home / "base/lib" / VERSION / "site-packages"):
        trap.packages(site, "user")
    trap.environment |= {"PATH": f"{trap.folder / 'bin'}:{os.environ['PATH']}", "HOME": str(home),
                         "PYTHONUSERBASE": str(home / "base")}
    request.param(trap)
    for path in (trap.folder, *trap.folder.rglob("*"), home, *home.rglob("*")):
        os.chown(path, 1234, 1234)
    return trap


@dataclass
class Told:
    """A translator that tells, for a program to load, and what it told."""

    folder: Path

    def layer(self, **options: object) -> Layer:
        return layer("tells", "features/glupy", module="tells", answer=self.folder / "answer", **options)

    def read(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads((self.folder / "answer").read_text())
        return told


@pytest.fixture
def told(trusted: Path) -> Told:
    (trusted / "tells.py").write_text(TELLS)
    return Told(trusted)


def environment(trap: Trap, told: Told) -> dict[str, str]:
    (told.folder / "glupy.conf").write_text(f"[glupy]\ntranslators = {told.folder}\n")
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    return {**clean, **trap.environment, "GLUPY_CONF": str(told.folder / "glupy.conf")}


def write_volfile(told: Told, *above: Layer) -> Path:
    (told.folder / "brick").mkdir()
    path = told.folder / "graph.vol"
    path.write_text(volfile([*posix(told.folder / "brick"), told.layer(), *above]))
    return path


def by_glusterfs(trap: Trap, told: Told) -> None:
    with Mount([told.layer()], folder=told.folder, environment=trap.environment):
        pass


def by_mount(trap: Trap, told: Told) -> None:
    """`mount -t glusterfs`, with a volfile in the place of a server."""
    graph, point = write_volfile(told), told.folder / "mnt"
    point.mkdir()
    # mount is a set-uid program, which keeps nothing of LD_PRELOAD, not from root either on some kernels: what it starts has
    # no sanitizer then. There its helper is called as it would call it.
    mount = ["/sbin/mount.glusterfs"] if "GLUPY_SANITIZE" in os.environ else ["mount", "-t", "glusterfs"]
    subprocess.run([*mount, graph, point, "-o", f"log-file={told.folder / 'log'}"], check=True,
                   env=environment(trap, told), cwd=trap.folder)
    try:
        os.stat(point)
    finally:
        subprocess.run(["umount", point], check=True)


def by_glusterfsd(trap: Trap, told: Told) -> None:
    with Brick([told.layer()], folder=told.folder, environment=trap.environment, expected=(" 0-server: ",)):
        pass


def by_program(trap: Trap, told: Told) -> None:
    """A program in C that uses libgfapi."""
    graph = write_volfile(told, layer("host", "glupytest/gfapihost"))
    program = Path(os.environ["GLUPY_STAGE"], "glupytest/gfapiprogram")
    done = subprocess.run([program, graph, told.folder / "log"], env=environment(trap, told), cwd=trap.folder / "bin",
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
    log = told.folder / "log"
    assert done.returncode == 0, done.stdout + (log.read_text() if log.exists() else "")


PROGRAMS = [by_glusterfs, by_mount, by_glusterfsd, by_program]


def expected() -> dict[str, Any]:
    """What the Python that glupy was built for, which is that of the tests, says of itself when started in isolation."""
    names = "executable prefix exec_prefix base_prefix base_exec_prefix".split()
    code = (f"import json, os, ssl, sys; print(json.dumps({{**{{n: getattr(sys, n) for n in {names!r}}}, 'path': sys.path,"
            " 'os': os.__file__, 'ssl': ssl.__file__}))")
    own = json.loads(subprocess.run([sys._base_executable, "-I", "-c", code], check=True, capture_output=True).stdout)
    own["executable"] = own["_base_executable"] = os.path.realpath(own["executable"])
    return {**own, "user_site": 1}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_item_13_path_does_not_decide_which_python_runs(trap: Trap, told: Told, program: Callable[..., None]) -> None:
    program(trap, told)
    found = told.read()
    assert found["path"].pop(0).endswith("/python"), "glupy's own folder comes first"
    assert found == expected()
    assert trap.traces == []


def test_item_13_sys_executable_starts_this_python(told: Told) -> None:
    with Mount([told.layer(spawns="on")], folder=told.folder):
        found, expected = told.read()["spawned"]
        assert found == expected
