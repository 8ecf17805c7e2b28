"""Make a translator from a volume of a volfile: find its module, check and import it, pick its class, make the object.

Each instance gets a module object of its own under a private name (glupy.user.NAME#3): two bricks in one process, or
two volumes that use one translator, share no module state. Sources are read once, from the descriptor that was
checked; no bytecode is read or written.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import itertools
import marshal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any

from glupy import classic, common, finding, fopcheck, names, trust, venv
from glupy._core import FOPS
from glupy.errors import LoadError, OptionError, remember_source
from glupy.translator import Translator

if TYPE_CHECKING:
    from glupy._core import Instance

_serial = itertools.count(1)

#: In what Python says of an extension module that is not made for several interpreters.
_NOT_HERE = "does not support loading in subinterpreters"

#: Whether glupy started this process's Python: only then is its path glupy's to add to. Set by _runtime.started().
owns_interpreter = False


def load(instance: Instance) -> tuple[Translator, dict[str, Callable[..., Any] | None]]:
    """The translator of one volume, after its init(), and the fops that it defines, bound. Raises LoadError."""
    name = finding.module_name(instance.type, instance.options)
    file, environment = _origin(name, instance)
    if environment and owns_interpreter:
        venv.use(environment)
    module = import_private(name, file, instance)
    try:
        if classic.is_classic(module):
            return _make_classic(module, instance, file)
        return _make(translator_class(module, file), instance, file, environment)
    except BaseException:
        forget(module.__name__)
        raise


def _origin(name: str, instance: Instance) -> tuple[Path, Path | None]:
    """The file of the module and the virtual environment: as configured, or as the first interpreter found them.

    Raises LoadError."""
    if instance.origin is not None:
        file, environment = marshal.loads(instance.origin)
        return Path(file), Path(environment) if environment else None
    settings = finding.configuration()
    return finding.find(name, settings.folders), settings.venv


def _share_out(instance: Instance, count: int, file: Path, environment: Path | None) -> None:
    """Have a translator served by that many interpreters. Raises LoadError."""
    if count == 1 or instance.interpreter != 0:
        return
    try:
        instance.replicate(count, marshal.dumps((str(file), str(environment) if environment else None)))
    except RuntimeError as error:
        raise LoadError(f"option interpreters is {count}: {error}") from error


def import_private(name: str, file: Path, owner: Instance) -> ModuleType:
    """Import a file as a module of its own for a translator. Raises LoadError."""
    private = f"{names.PREFIX}{name}#{next(_serial)}"
    spec = _spec(private, file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[private] = module
    names.register(private, owner)
    try:
        assert spec.loader is not None
        spec.loader.exec_module(module)
    except BaseException as error:
        forget(private)
        raise _import_error(error, file) from error
    return module


def forget(private: str) -> None:
    """Drop a module that import_private made, and its submodules; code of theirs that still runs keeps what it uses."""
    names.unregister(private)
    for name in [name for name in sys.modules if name == private or name.startswith(private + ".")]:
        del sys.modules[name]


def translator_class(module: ModuleType, file: Path) -> type[Translator]:
    """The Translator that a module defines: the one that is no base of another, or what __glupy__ names."""
    chosen: object = vars(module).get("__glupy__")
    if chosen is not None:
        if isinstance(chosen, type) and issubclass(chosen, Translator):
            return chosen
        raise LoadError(f"__glupy__ is {chosen!r}; expected a class based on glupy.Translator", file)
    own = [value for value in dict.fromkeys(filter(_is_class, vars(module).values())) if _defined_in(value, module)]
    found: list[type[Translator]] = [cls for cls in own if issubclass(cls, Translator)]
    leaves = [cls for cls in found if not any(cls is not other and issubclass(other, cls) for other in found)]
    if not leaves:
        raise LoadError(_no_class(own), file)
    if len(leaves) > 1:
        listed = " and ".join(f"{cls.__name__} (line {fopcheck.place(cls)[1]})" for cls in leaves)
        raise LoadError(f"more than one Translator class: {listed}; keep one, or choose with `__glupy__ = "
                        f"{leaves[-1].__name__}` at the end of the file", file)
    return leaves[0]


def module_of(translator: Translator) -> str:
    """The private name of the module that a translator is of."""
    name: str = getattr(translator, "_module", type(translator).__module__)
    return ".".join(name.split(".", 3)[:3])


def _make_classic(module: ModuleType, instance: Instance, file: Path,
                  ) -> tuple[Translator, dict[str, Callable[..., Any] | None]]:
    if common.split(instance.options)[0].interpreters != 1:
        raise LoadError("option interpreters is for translators of glupy's own API; this one is written for the first "
                        "glupy: leave the option out", file)
    try:
        return classic.make(module, instance, file)
    except LoadError:
        raise
    except BaseException as error:
        reason = f"xlator failed: {last_line(error)}\n{trace(error)}"
        raise LoadError(reason, *_where(error, file)) from error


def _make(cls: type[Translator], instance: Instance, file: Path, environment: Path | None,
          ) -> tuple[Translator, dict[str, Callable[..., Any] | None]]:
    fopcheck.check_class(cls, FOPS)
    try:
        translator = cls(instance)
    except OptionError as error:
        raise OptionError(error.reason, *fopcheck.place(cls)) from None
    methods = fopcheck.bound_fops(translator, FOPS)
    fopcheck.with_any_fop(translator, methods, FOPS)  # a mistake in the class is found before init() begins anything
    _share_out(instance, translator.common.interpreters, file, environment)  # before init() begins anything
    try:
        started = translator.init()
        if started is not None:
            instance.run(started)
    except LoadError:
        raise
    except BaseException as error:
        reason = f"{cls.__name__}.init failed: {last_line(error)}\n{trace(error)}"
        raise LoadError(reason, *_where(error, file)) from error
    return translator, {**fopcheck.with_any_fop(translator, methods, FOPS)}


def last_line(error: BaseException) -> str:
    """An exception in one line, whatever it is."""
    try:
        return traceback.format_exception_only(type(error), error)[-1].strip()
    except BaseException:
        return type(error).__name__


def trace(error: BaseException) -> str:
    """The traceback of what happened in an author's code."""
    return names.format_traceback(error).rstrip()


def _where(error: BaseException, file: Path) -> tuple[str, int | None]:
    """The deepest line of an author's code that an exception passed through."""
    found: tuple[str, int | None] = str(file), None
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_globals.get("__name__", "").startswith(names.PREFIX):
            found = frame.f_code.co_filename, line
    return found


def _import_error(error: BaseException, file: Path) -> LoadError:
    if isinstance(error, LoadError):
        return error
    if isinstance(error, SyntaxError) and error.filename:
        text = "".join(traceback.format_exception_only(type(error), error)).rstrip()
        return LoadError(f"{type(error).__name__}: {error.msg}\n{text}", error.filename, error.lineno)
    if isinstance(error, OSError) and error.filename == str(file):
        return LoadError(f"cannot be read: {error.strerror}", file)
    if isinstance(error, ImportError) and _NOT_HERE in str(error):
        return LoadError(f"importing it failed: {last_line(error)}: it can be loaded in Python's main interpreter alone. "
                         f"`option interpreters 1` loads this translator\n{trace(error)}", *_where(error, file))
    return LoadError(f"importing it failed: {last_line(error)}\n{trace(error)}", *_where(error, file))


def _is_class(value: object) -> bool:
    return isinstance(value, type)


def _defined_in(cls: type, module: ModuleType) -> bool:
    return cls.__module__ == module.__name__ or cls.__module__.startswith(module.__name__ + ".")


def _no_class(own: Sequence[type]) -> str:
    """Why there is no Translator among the classes that a module defines."""
    for cls in own:
        for name in vars(cls):
            base, _, ending = name.rpartition("_")
            if base in FOPS and ending in ("fop", "cbk"):
                return (f"no Translator class: {cls.__name__}.{name} is named as in the classic API, which starts with "
                        "`from gluster.glupy import *`; here, import Translator from glupy and define "
                        f"`async def {base}(self, {', '.join(('frame', *FOPS[base]))})`")
    return ("no Translator class: define `class Name(Translator)`, with `from glupy import Translator`, in this file "
            "(an imported one does not count unless `__glupy__ = Name` chooses it)")


class _SourceLoader(importlib.abc.InspectLoader):
    """Runs the source of one file that may be trusted."""

    def __init__(self, file: Path, package: bool) -> None:
        self.file = str(file)
        self.package = package

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
        remember_source(self.file, importlib.util.decode_source(source))
        return code


class _SubmoduleFinder(importlib.abc.MetaPathFinder):
    """Finds what a translator that is a package imports from within itself; nobody else may answer for those names."""

    def find_spec(self, fullname: str, path: Sequence[str] | None,
                  target: ModuleType | None = None) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(names.PREFIX):
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


sys.meta_path.insert(0, _SubmoduleFinder())
