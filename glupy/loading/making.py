"""Make a translator for a volume of a volfile: from its file to the object, through all that may refuse it."""

from __future__ import annotations

import marshal
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from glupy._core import FOPS
from glupy.api.store import Store
from glupy.api.translator import Translator
from glupy.errors import LoadError, OptionError
from glupy.loading import choosing, classic, finding, fopcheck, handed, importing, store_place, unconfigured, venv, xattr_cover
from glupy.logs import owners, tracebacks
from glupy.options import common, lasting, tolerance

if TYPE_CHECKING:
    from glupy._core import Instance

#: Whether glupy started this process's Python: only then is its path glupy's to add to. Set by _runtime.started().
owns_interpreter = False


_Made = tuple[Translator, dict[str, Callable[..., Any] | None]]


def load(instance: Instance) -> _Made:
    """The translator of one volume, after its init(), and the fops that it defines, bound. Raises LoadError."""
    cls = handed.under(instance.options.get("module", ""))
    if cls is not None:
        return _make_handed(cls, instance)
    ignored: dict[str, str] = {}
    name, file, environment, store = _named(instance, ignored)
    if environment and owns_interpreter:
        venv.use(environment)
    module = importing.import_private(name, file, instance)
    try:
        if classic.is_classic(module):
            return _make_classic(module, instance, file, ignored)
        cls = choosing.translator_class(module, file)
        translator_store = Store(store_place.place(name, store, instance))
        settle = partial(_share_out, instance=instance, file=file, environment=environment, store=store)
        return _make(cls, instance, file, ignored, settle, translator_store)
    except BaseException:
        importing.forget(module.__name__)
        raise


def load_anew(running: Translator, texts: Mapping[str, str]) -> _Made:
    """The same beside a translator that runs, from its file as it is now, with a volfile's options as they are now.

    Nothing of the running one changes. Raises LoadError."""
    instance = running._instance
    if handed.under(instance.options.get("module", "")) is not None:
        raise LoadError("its class was handed over by a program, and there is no file to load anew",
                        *fopcheck.place(type(running)))
    private = module_of(running)
    name, file = private.removeprefix(owners.PREFIX).partition("#")[0], Path(str(sys.modules[private].__file__))
    if isinstance(running, classic.Classic):
        raise LoadError(_NO_CLASSIC, file)
    with importing.sources_kept():
        module = importing.import_private(name, file, instance)
        try:
            if classic.is_classic(module):
                raise LoadError(_NO_CLASSIC, file)
            return _make(choosing.translator_class(module, file), instance, file, {}, partial(_take_after, running),
                         _kept(running, name), texts)
        except BaseException:
            importing.forget(module.__name__)
            raise


def _kept(running: Translator, name: str) -> Store:
    """The store goes on. What stands in for a translator without a needed option has none."""
    found: Store | None = vars(running).get("store")
    return found or Store(store_place.place(name, finding.configuration().store, running._instance))


#: GlusterFS's structures that a classic script has pointers to lead to its functions and callbacks, for good.
_NO_CLASSIC = ("a script that is written for the first glupy is not loaded anew while it runs, since it may keep pointers "
               "and callbacks: mount again, or start the brick anew")


def _take_after(running: Translator, translator: Translator) -> None:
    """What was settled when the graph was built holds for the new one, too. Raises OptionError."""
    translator._glupy_lasting.update(running._glupy_lasting)
    read = {name: getattr(translator, name) for name in ("common", "_glupy_ignored")}
    vars(translator).update(lasting.checked(running, read))


def module_of(translator: Translator) -> str:
    """The private name of the module that a translator is of."""
    name: str = getattr(translator, "_module", type(translator).__module__)
    return ".".join(name.split(".", 3)[:3])


def _named(instance: Instance, ignored: dict[str, str]) -> tuple[str, Path, Path | None, Path]:
    """The module's name, its file, the virtual environment and the folder of stores. Raises LoadError."""
    try:
        name = finding.module_name(instance.type, instance.options)
        return name, *_origin(name, instance)
    except LoadError as error:
        if not tolerance.is_tolerant(instance.type) or not {"module", "module-name"} & {*instance.options}:
            raise
        name = finding.module_name(instance.type, {})
        ignored["module"] = f"option module: {error}. The translator of the volume's type, {name}, is loaded instead"
        return name, *_origin(name, instance)


def _origin(name: str, instance: Instance) -> tuple[Path, Path | None, Path]:
    """The file of the module, the virtual environment and the folder of stores: as configured, or as the first interpreter
    found them.

    Raises LoadError."""
    if instance.origin is not None:
        file, environment, store = marshal.loads(instance.origin)
        return Path(file), Path(environment) if environment else None, Path(store)
    settings = finding.configuration()
    return finding.find(name, settings.folders), settings.venv, settings.store


def _share_out(translator: Translator, instance: Instance, file: Path, environment: Path | None,
               store: Path) -> None:
    """Have a translator served by as many interpreters as it is to be. Raises LoadError."""
    count = translator.common.interpreters
    if count == 1 or instance.interpreter != 0:
        return
    try:
        instance.replicate(count, marshal.dumps((str(file), str(environment) if environment else None, str(store))))
    except RuntimeError as error:
        wrong = f"option interpreters is {count}: {error}"
        if not tolerance.is_tolerant(instance.type):
            raise LoadError(wrong) from error
        translator._glupy_alone(wrong)


def _make_handed(cls: type[Translator], instance: Instance) -> _Made:
    name = instance.options["module"]
    try:
        if common.split(instance.options)[0].interpreters != 1:
            raise LoadError("option interpreters is for translators that are files: other interpreters do not have this "
                            "class", *fopcheck.place(cls))
        folder = handed.store_of(name)
        place = store_place.own(folder) if folder else store_place.place(name, finding.configuration().store, instance)
        made = _make(cls, instance, Path(fopcheck.place(cls)[0] or f"<{name}>"), {}, lambda translator: None, Store(place))
    except LoadError as error:
        handed.refuse(name, error)
        raise
    vars(made[0])["_module"] = owners.PREFIX + name  # its class's own stays when the graph goes
    return made


def _make_classic(module: ModuleType, instance: Instance, file: Path, ignored: dict[str, str]) -> _Made:
    several = common.split(instance.options, (), tolerance.for_type(instance.type, {}))[0].interpreters != 1
    wrong = ("option interpreters is for translators of glupy's own API; this one is written for the first glupy: leave "
             "the option out")
    if several and not tolerance.is_tolerant(instance.type):
        raise LoadError(wrong, file)
    try:
        translator, methods = classic.make(module, instance, file)
        translator._glupy_lasting.update(ignored)
        if several:
            translator._glupy_alone(wrong)
        return translator, methods
    except LoadError:
        raise
    except BaseException as error:
        reason = f"xlator failed: {tracebacks.last_line(error)}\n{tracebacks.trace(error)}"
        raise LoadError(reason, *tracebacks.deepest_line(error, file)) from error


def _make(cls: type[Translator], instance: Instance, file: Path, ignored: dict[str, str],
          settle: Callable[[Translator], None], store: Store, texts: Mapping[str, str] | None = None) -> _Made:
    """From the class to the translator. `settle` is called before init() begins anything; `texts` are the options if they
    are not those that the graph was built with."""
    fopcheck.check_class(cls, FOPS)
    try:
        translator = cls(instance, texts)
    except OptionError as error:
        placed = OptionError(error.reason, *fopcheck.place(cls))
        if tolerance.is_tolerant(instance.type) and texts is None:
            return unconfigured.make(instance, cls.__module__, str(placed))
        raise placed from None
    translator._glupy_lasting.update(ignored)
    translator.store = store
    methods = fopcheck.bound_fops(translator, FOPS)
    # A mistake in the class is found before init() begins anything.
    xattr_cover.cover(translator, fopcheck.with_any_fop(translator, methods, FOPS))
    settle(translator)
    before = {**vars(translator)}
    try:
        started = translator.init()
        if started is not None:
            instance.run(started)
    except LoadError:
        raise
    except BaseException as error:
        reason = f"{cls.__name__}.init failed: {tracebacks.last_line(error)}\n{tracebacks.trace(error)}"
        raise LoadError(reason, *tracebacks.deepest_line(error, file)) from error
    fopcheck.check_object(translator, before)
    return translator, {**xattr_cover.cover(translator, fopcheck.with_any_fop(translator, methods, FOPS))}
