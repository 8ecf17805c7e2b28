"""A virtual environment for translators, if the local configuration names one."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from glupy.errors import LoadError
from glupy.loading import trust

#: python3.13, or python3.13t where Python is built with free threading: its folder's name and its interpreter's.
_NAME = "python{}.{}{}".format(*sys.version_info[:2], "t" if "t" in sys.abiflags else "")
_VERSION = re.compile(r"^version(?:_info)?\s*=\s*([0-9]{1,9})\.([0-9]{1,9})", re.MULTILINE | re.IGNORECASE)


def use(venv: Path) -> None:
    """Let translators import what is installed in a virtual environment. Raises LoadError.

    It comes last on the path: what the system has goes first, as it would without the environment."""
    folder = str(site_packages(venv))
    if folder not in sys.path:
        sys.path.append(folder)


def site_packages(venv: Path) -> Path:
    """The folder with an environment's packages, checked for whose it is and for whom. Raises LoadError."""
    found = _version(venv)
    own = sys.version_info[0], sys.version_info[1]
    if found != own:
        raise LoadError("virtual environment for Python {}.{}, but this process runs Python {}.{}: make it anew with "
                        "{}/bin/{} -m venv --clear {}".format(*found, *own, sys.base_exec_prefix, _NAME, venv), venv)
    folder = venv / "lib" / _NAME / "site-packages"
    try:
        trust.check_folder(folder)
    except OSError as error:
        raise LoadError(f"cannot be used as the virtual environment's packages: {error.strerror}; make it anew with "
                        f"python3 -m venv --clear {venv}", folder) from None
    return folder


def _version(venv: Path) -> tuple[int, int]:
    """The Python version that an environment was made for."""
    file = venv / "pyvenv.cfg"
    try:
        match = _VERSION.search(trust.read(file).decode("utf-8", "replace"))
    except OSError as error:
        raise LoadError(f"cannot be read: {os.strerror(error.errno or 0)}; venv in the local configuration has to name "
                        "a folder made by python3 -m venv", file) from None
    if not match:
        raise LoadError("names no version: is it the file that python3 -m venv makes?", file)
    return int(match[1]), int(match[2])
