"""Import a translator's file as a module of its own, from source that may be trusted.

Each instance gets a module object under a private name (glupy.user.NAME#3): two bricks in one process, or
two volumes that use one translator, share no module state. Sources are read once, from the descriptor that was
checked; no bytecode is read or written.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import itertools
import linecache
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING

from glupy.errors import LoadError
from glupy.loading import checksums, classic, finding, trust
from glupy.logs import owners, tracebacks

# importlib.abc would load a good part of the standard library into each process: tempfile, shutil, random, compression.
if TYPE_CHECKING:
    from importlib.abc import InspectLoader, MetaPathFinder

    from glupy._core import Instance
else:
    InspectLoader = MetaPathFinder = object

_serial = itertools.count(1)

#: In what Python says of an extension module that is not made for several interpreters.
_NOT_HERE = "does not support loading in subinterpreters"


def import_private(name: str, file: Path, owner: Instance) -> ModuleType:
    """Import a file as a module of its own for a translator. Raises LoadError."""
    private = f"{owners.PREFIX}{name}#{next(_serial)}"
    spec = _spec(private, file)
    # Before it is read: who replaces the file meanwhile is told that an older one is loaded, and not that the new one is.
    spec.loader_state = checksums.known(file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[private] = module
    owners.register(private, owner)
    try:
        assert spec.loader is not None
        spec.loader.exec_module(module)
    except BaseException as error:
        forget(private)
        raise _import_error(error, file) from error
    return module


def loaded(private: str) -> str | None:
    """The checksum of the source that a module which import_private made was loaded from, if it is known."""
    spec = getattr(sys.modules.get(private), "__spec__", None)
    return spec.loader_state if spec else None


def forget(private: str) -> None:
    """Drop a module that import_private made, and its submodules; code of theirs that still runs keeps what it uses."""
    owners.unregister(private)
    for name in [name for name in sys.modules if name == private or name.startswith(private + ".")]:
        del sys.modules[name]


def _import_error(error: BaseException, file: Path) -> LoadError:
    if isinstance(error, LoadError):
        return error
    if isinstance(error, SyntaxError) and error.filename:
        text = "".join(traceback.format_exception_only(type(error), error)).rstrip()
        return LoadError(f"{type(error).__name__}: {error.msg}{_classic_hint(file)}\n{text}", error.filename, error.lineno)
    if isinstance(error, OSError) and error.filename == str(file):
        return LoadError(f"cannot be read: {error.strerror}", file)
    if isinstance(error, ImportError) and _NOT_HERE in str(error):
        hint = ": it can be loaded in Python's main interpreter alone. `option interpreters 1` loads this translator"
    else:
        hint = _classic_hint(file) if isinstance(error, NameError) else ""
    reason = f"importing it failed: {tracebacks.last_line(error)}{hint}\n{tracebacks.trace(error)}"
    return LoadError(reason, *tracebacks.deepest_line(error, file))


def _classic_hint(file: Path) -> str:
    """What a script that means the first glupy's API is told besides: its names are not defined, its syntax is Python 2's."""
    try:
        source = importlib.util.decode_source(trust.read(str(file)))
    except (LoadError, OSError, SyntaxError, UnicodeError):
        return ""
    return f" ({classic.HINT})" if classic.misses(source) else ""


class _SourceLoader(InspectLoader):
    """Runs the source of one file that may be trusted."""

    def __init__(self, file: Path, package: bool) -> None:
        self.file = str(file)
        self.package = package

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        """A module as usual."""

    def is_package(self, fullname: str) -> bool:
        return self.package

    def get_source(self, fullname: str) -> str:
        try:
            return importlib.util.decode_source(trust.read(self.file))
        except (LoadError, OSError) as error:
            raise ImportError(str(error)) from error

    def get_code(self, fullname: str) -> CodeType:
        return self._compile(trust.read(self.file))

    def exec_module(self, module: ModuleType) -> None:
        exec(self._compile(trust.read(self.file)), vars(module))

    def _compile(self, source: bytes) -> CodeType:
        code: CodeType = compile(source, self.file, "exec", dont_inherit=True)
        _remember_source(self.file, importlib.util.decode_source(source))
        return code


class _SubmoduleFinder(MetaPathFinder):
    """Finds what a translator that is a package imports from within itself; nobody else may answer for those names."""

    def find_spec(self, fullname: str, path: Sequence[str] | None,
                  target: ModuleType | None = None) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(owners.PREFIX):
            return None
        for folder in path or ():
            file = finding.in_folder(fullname.rpartition(".")[2], Path(folder))
            if file:
                return _spec(fullname, file)
        raise ModuleNotFoundError(f"no Python file for {fullname} in {', '.join(path or ())}", name=fullname)


def _spec(name: str, file: Path) -> importlib.machinery.ModuleSpec:
    package = file.name == "__init__.py"
    spec = importlib.machinery.ModuleSpec(name, _SourceLoader(file, package), origin=str(file), is_package=package)
    spec.has_location = True
    if package:
        spec.submodule_search_locations = [str(file.parent)]
    return spec


def _remember_source(file: str, source: str) -> None:
    """Let tracebacks show the lines that were compiled, not what the file holds by the time something fails."""
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)


@contextmanager
def sources_kept() -> Iterator[None]:
    """Where loading a file anew fails, tracebacks go on to show the lines of what runs."""
    before = {**linecache.cache}
    try:
        yield
    except BaseException:
        linecache.cache.update(before)
        raise


sys.meta_path.insert(0, _SubmoduleFinder())
