"""Find a translator's file: by name, in the folders that this machine's administrator controls."""

from __future__ import annotations

import keyword
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from glupy.errors import LoadError, quoted
from glupy.loading import trust

if TYPE_CHECKING:
    import configparser

CONFIGURATION = Path("/etc/glupy/glupy.conf")
ADMINISTRATOR = Path("/etc/glupy/translators")
STORE = Path("/var/lib/glupy/store")
_LONGEST = 200  # characters of a name; file systems take 255 bytes


@dataclass(frozen=True)
class Configuration:
    """What this machine's administrator decided."""

    folders: list[Path]  # where translators are looked for, in order
    venv: Path | None = None  # a virtual environment for them
    store: Path = STORE  # where they keep what is to last
    debug: Path | None = None  # where glupy.breakpoint() has its sockets; None: it does not stop
    push: bool = False  # whether other nodes of its cluster may put translators here


def shipped() -> Path:
    """The translators that come with glupy: in the folder beside the one that holds this package."""
    return Path(__file__).resolve().parents[3] / "translators"


def module_name(type: str, options: Mapping[str, str]) -> str:
    """The module that a volume of a volfile asks for: by option module (the first glupy's module-name), or by its type.

    A volume of type user/NAME needs no option. Raises LoadError for a name that cannot be one."""
    name = options.get("module") or options.get("module-name")
    if name is None:
        name = type.rpartition("/")[2].replace("-", "_")
        if name == "glupy":
            raise LoadError("no option module: add `option module NAME` to the volume in the volfile, where NAME.py is "
                            "the translator's file")
    # The first glupy's own example was in debug-trace.py.
    bare = name.replace("-", "_") if "module" not in options else name
    if not (bare.isascii() and bare.isidentifier()) or keyword.iskeyword(name) or len(name) > _LONGEST:
        raise LoadError(f'{quoted(name)} is no module name: give the name of a Python file without folder or .py, at '
                        f"most {_LONGEST} letters, digits and underscores; where to look is decided on this machine, "
                        f"never by a volfile (see {CONFIGURATION})")
    return name


def configuration() -> Configuration:
    """The local configuration. Raises LoadError if it is wrong, or not trusted."""
    path, text = _read()
    if not text.strip():
        return Configuration([ADMINISTRATOR, shipped()], None, STORE, None, False)
    import configparser  # late: where there is no file, its quarter of a megabyte can be spared

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text, str(path))
    except configparser.Error as error:
        raise _not_understood(error, path, text) from None
    translators = _paths(parser, "translators", path, text)
    venv = _paths(parser, "venv", path, text)
    if len(venv) > 1:
        raise LoadError("venv names more than one virtual environment; a process can use one", path,
                        _line_of("venv", text))
    store = _paths(parser, "store", path, text)
    if len(store) > 1:
        raise LoadError("store names more than one folder; there is one for all translators", path, _line_of("store", text))
    debug = _paths(parser, "debug", path, text)
    if len(debug) > 1:
        raise LoadError("debug names more than one folder; there is one for all processes", path, _line_of("debug", text))
    return Configuration([*translators, ADMINISTRATOR, shipped()], venv[0] if venv else None, store[0] if store else STORE,
                         debug[0] if debug else None, _switch(parser, "push", path, text))


def find(name: str, where: Sequence[Path]) -> Path:
    """The file of a module: NAME/__init__.py or NAME.py in the first folder that has one. Raises LoadError."""
    for folder in where:
        found = in_folder(name, folder)
        if found:
            return found
    import difflib  # for mistakes alone: see glupy/api/naming.py

    near = difflib.get_close_matches(name, available(where), 3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    looked = ", ".join(map(str, where))
    raise LoadError(f"no module {name}: looked for {name}.py and {name}/__init__.py in {looked}.{hint} "
                    f"Put the file in {ADMINISTRATOR}, or name its folder in {CONFIGURATION}")


def in_folder(name: str, folder: Path) -> Path | None:
    """The file of a module in one folder, if it is there; a package goes before a file, as in Python.

    Raises LoadError."""
    try:
        return next((path for path in (folder / name / "__init__.py", folder / f"{name}.py") if path.exists()), None)
    except OSError as error:
        raise LoadError(f"cannot be looked into for {name}: {error.strerror}", folder) from None


def available(where: Sequence[Path]) -> list[str]:
    """The names of all modules in folders; of those that cannot be looked into, none."""
    names = []
    for folder in where:
        try:
            entries = sorted(folder.iterdir())
        except OSError:
            continue
        names += [entry.stem for entry in entries if entry.suffix == ".py" or (entry / "__init__.py").exists()]
    return [name for name in names if name.isidentifier()]


def _read() -> tuple[Path, str]:
    """The file of the local configuration, and its text, which is empty where there is none."""
    named = os.environ.get("GLUPY_CONF")
    path = Path(named) if named else CONFIGURATION
    try:
        return path, trust.read(path).decode()
    except FileNotFoundError:
        if not named:
            return path, ""
        raise LoadError("no such file, though the environment variable GLUPY_CONF names it", path) from None
    except UnicodeDecodeError as error:
        raise LoadError(f"is not text in UTF-8: it has a byte 0x{error.object[error.start]:02x}", path,
                        error.object.count(b"\n", 0, error.start) + 1) from None
    except OSError as error:
        raise LoadError(f"cannot be read: {error}", path) from None


def _not_understood(error: configparser.Error, file: Path, text: str) -> LoadError:
    """The line at which the parser gave up."""
    several: list[tuple[int, str]] = getattr(error, "errors", [])
    line: int = several[0][0] if several else getattr(error, "lineno")
    shown = quoted(text.split("\n")[line - 1].strip())
    import configparser

    if isinstance(error, (configparser.DuplicateSectionError, configparser.DuplicateOptionError)):
        return LoadError(f"{shown}: it has been given before; remove one of the two", file, line)
    return LoadError(f"{shown}: not understood; expected [glupy], and below it entries such as translators = /folder", file,
                     line)


def _line_of(key: str, text: str) -> int | None:
    """Where an entry begins, the parser having found it."""
    lines = enumerate(text.split("\n"), 1)
    return next((number for number, line in lines if re.match(rf"\s*{key}\s*[=:]", line, re.IGNORECASE)), None)


def _paths(parser: configparser.ConfigParser, key: str, file: Path, text: str) -> list[Path]:
    """An entry that is a list of absolute paths."""
    listed = parser.get("glupy", key, fallback="")
    paths = [part.strip() for part in listed.split(":") if part.strip()]
    for path in paths:
        if not path.startswith("/") or not path.isprintable():
            raise LoadError(f"{key} names {quoted(path)}: expected an absolute path on one line, or several with colons "
                            "between them", file, _line_of(key, text))
    return [Path(path) for path in paths]


def _switch(parser: configparser.ConfigParser, key: str, file: Path, text: str) -> bool:
    """An entry that is yes or no, and no where it is missing."""
    word = parser.get("glupy", key, fallback="no").strip()
    if word not in ("yes", "no"):
        raise LoadError(f"{key} is {quoted(word)}: expected yes or no", file, _line_of(key, text))
    return word == "yes"
