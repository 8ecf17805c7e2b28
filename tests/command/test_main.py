"""The command itself: help, wrong use, completion, and what it imports."""

from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest

from glupy.command.main import NAMES, glupy_command
from support.command import GLUPY, glupy

COMMANDS = {name: glupy_command.get_command(click.Context(glupy_command), name) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_help(call, name):
    """Help texts become manual pages: each command has one, and each of its options."""
    command = COMMANDS[name]
    assert command.name in ("command", name) and command.short_help.endswith(".")
    assert command.help and command.help.rstrip().endswith((".", "`")) and len(command.help) > 100
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help and parameter.help.endswith("."), parameter.name
    assert command.help.split()[0] in call(name, "--help").output
    assert name in call("--help").output


def test_version(call):
    import glupy as package
    assert call("--version").output == f"glupy {package.__version__} for GlusterFS {package.GLUSTER_VERSION}\n"


@pytest.mark.parametrize("arguments,said", [
    (["nothing"], "glupy: No such command 'nothing'; `glupy --help` says what it takes\n"),
    (["check"], "glupy check: Missing argument 'FILE...'; `glupy check --help` says what it takes\n"),
    (["list", "--nothing"], "glupy list: No such option: --nothing; `glupy list --help` says what it takes\n"),
])
def test_wrong_use(call, arguments, said):
    assert call(*arguments, status=2).output == said


def test_script_says_errors_on_stderr():
    done = glupy("show", "nothing_of_that_name")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("glupy show: no module nothing_of_that_name: looked for ")
    assert done.stderr.count("\n") == 1


def test_reader_that_goes():
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as gone:
        done = glupy("show", "audit", capture_output=False, stdout=gone, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, "")


def test_completion():
    for words, completed in (("glupy li", "list"), ("glupy show neg", "negative_lookup")):
        asked = {"_GLUPY_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
        assert glupy(env={**os.environ, **asked}).stdout == f"plain,{completed}\n"
    assert "_GLUPY_COMPLETE=bash_complete" in glupy(env={**os.environ, "_GLUPY_COMPLETE": "bash_source"}).stdout


def test_commands_are_imported_when_called():
    """rich, and what the other commands need, costs nobody time who does not use it."""
    code = "import sys, glupy.command.main, glupy.command.run; print(*sorted(sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", code], text=True, capture_output=True, check=True).stdout.split()
    assert "click" in loaded and "rich" not in loaded and "glupy.command.check" not in loaded


@pytest.mark.parametrize("missing,said", [
    ("click", "glupy: Python's package click is missing; on Debian: apt install python3-click\n"),
    ("rich", "glupy list: Python's package rich is missing (import of rich.console halted; None in sys.modules); on "
             "Debian: apt install python3-rich\n"),
])
def test_package_that_is_missing(missing, said):
    names = {"click": ("click",), "rich": ("rich", "rich.console")}[missing]
    code = (f"import runpy, sys; sys.modules.update(dict.fromkeys({names}))\n"
            "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')")
    done = subprocess.run([sys.executable, "-I", "-c", code, GLUPY, "list"], text=True, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


@pytest.mark.parametrize("error,said", [
    ("libglusterfs.so.0: cannot open shared object file", "glupy: GlusterFS is missing (libglusterfs.so.0: cannot open "
     "shared object file); on Debian: apt install glusterfs-client\n"),
    ("No module named 'glupy._core'", "glupy: this glupy does not fit this machine (No module named 'glupy._core'); "
     f"install the one that was built for Python {sys.version_info[0]}.{sys.version_info[1]} and the GlusterFS that is "
     "installed, or build it here\n"),
])
def test_what_does_not_fit(error, said):
    """GlusterFS's library is missing, or Python is another one than the core was built for."""
    code = ("import runpy, sys\nclass Refuses:\n    def find_spec(self, name, *others):\n        if name == "
            "'glupy._core':\n"
            f"            raise ImportError({error!r})\nsys.meta_path.insert(0, Refuses())\n"
            "sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')")
    done = subprocess.run([sys.executable, "-I", "-c", code, GLUPY, "list"], text=True, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)
