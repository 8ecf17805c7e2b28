"""Check a translator's class before it runs: its methods are fops or helpers, and the fops take what they are given."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from glupy.api.offloading import MARK
from glupy.api.translator import FACTORIES, HOOKS, OWN, PLAIN_HOOKS, Translator
from glupy.api.xattrs import VirtualXattrs
from glupy.errors import LoadError
from glupy.loading import classic, misspelt
from glupy.options import common
from glupy.options.option import Option

if sys.version_info >= (3, 14):
    import annotationlib

Fops = Mapping[str, tuple[str, ...]]
#: The handler of all fops without a method, and what it is called with.
ANY = "any_fop"
_ANY_ARGUMENTS: tuple[str, ...] = ("frame", "call")


def check_class(cls: type[Translator], fops: Fops) -> None:
    """Refuse names that cannot be what their author meant. Raises LoadError."""
    if cls.__init__ is not Translator.__init__ and cls.__name__ == "xlator":
        raise _error(cls, "__init__", f"xlator is based on this glupy's Translator: {classic.HINT}. One that is written "
                     "for this glupy does in `def init(self)` what has to be done at the start")
    if cls.__init__ is not Translator.__init__:
        raise _error(cls, "__init__", "__init__ is glupy's own; do in `def init(self)` what has to be done at the "
                     "start, when options and children are in place")
    _check_own(cls)
    _check_left_open(cls)
    for name in _own_names(cls):
        value = inspect.getattr_static(cls, name)
        is_fop = name in fops or name == ANY
        if hasattr(value, MARK):
            _check_offload(cls, name, is_fop)
        if isinstance(value, Option):
            _check_option(cls, name)
        elif (not is_fop and name not in (*HOOKS, *FACTORIES) and not name.startswith("_")
              and callable(getattr(cls, name, None))):
            _check_helper(cls, name, fops)
    _check_xattrs(cls)
    if cls.fops is not None and not hasattr(cls, ANY):
        raise LoadError(f"{cls.__name__} has fops=, which says what any_fop handles, but no any_fop; define `"
                        f"{_expected(ANY, _ANY_ARGUMENTS, 'async def')}`, or leave fops= out", *place(cls))


def _check_left_open(cls: type[Translator]) -> None:
    """Refuse a class without the methods that a base of it (Content) leaves to its author."""
    for name in dir(cls):
        method = inspect.getattr_static(cls, name)
        if getattr(method, "__isabstractmethod__", False):
            arguments = tuple(inspect.signature(method).parameters)[1:]
            raise LoadError(f"{cls.__name__} has to define `{_expected(name, arguments, 'def')}`", *place(cls))


def _check_own(cls: type[Translator]) -> None:
    """Refuse what hides something that glupy has in every translator."""
    hides = "hides self.{}, which is glupy's own in every translator; choose another name"
    for name in filter(OWN.__contains__, _own_names(cls)):
        option = isinstance(inspect.getattr_static(cls, name), Option)
        raise _error(cls, name, f"{f'option {name}: it' if option else f'{cls.__name__}.{name}'} {hides.format(name)}")
    for name in filter(OWN.__contains__, _annotated(cls)):
        raise LoadError(f"{cls.__name__}.{name} {hides.format(name)}", *place(cls))


def check_object(translator: Translator, before: Mapping[str, object]) -> None:
    """Refuse what init() has put in the place of glupy's own. `before` is what vars() of the translator had then. Raises
    LoadError."""
    for name, value in vars(translator).items():
        if name in OWN and (name not in before or value is not before[name]):
            cls = type(translator)
            raise _error(cls, "init", f"{cls.__name__}.init has set self.{name}, which is glupy's own in every translator; "
                         "choose another name")


def factory(cls: type[Translator], name: str) -> Callable[[], Any] | None:
    """What the class attribute inode_ctx or fd_ctx says makes a context. Raises LoadError."""
    value = getattr(cls, name)
    if value is None:
        return None
    if not callable(value) or not _takes(value, 0):
        raise _error(cls, name, f"{cls.__name__}.{name} is {value!r}: expected what can be called without arguments to make "
                     "a context, such as dict or a class")
    made: Callable[[], Any] = value
    return made


def bound_fops(translator: Translator, fops: Fops) -> dict[str, Callable[..., Any]]:
    """The fops that a translator defines, bound, by name, and any_fop; hooks are checked too. Raises LoadError."""
    cls = type(translator)
    for name in FACTORIES:
        factory(cls, name)
    for name, arguments in HOOKS.items():
        hook = getattr(translator, name)
        _check_call(cls, name, hook, arguments, "def")
        if name in PLAIN_HOOKS and inspect.iscoroutinefunction(hook):
            raise _error(cls, name, f"{cls.__name__}.{name} is a coroutine, and nobody would wait for it: write "
                         f"`{_expected(name, arguments, 'def')}`" + ("; it may self.spawn() one" if name == "notify" else
                                                                    ""))
    known = {**{name: ("frame", *arguments) for name, arguments in fops.items()}, ANY: _ANY_ARGUMENTS}
    return {name: _bound_fop(translator, name, arguments) for name, arguments in known.items() if hasattr(cls, name)}


def _check_xattrs(cls: type[Translator]) -> None:
    """Refuse methods for @xattr that do not take what they are called with."""
    for name, each in VirtualXattrs(cls).by_method.items():
        for method, more in ((each.reader, ()), (each.writer, ("value",))):
            if method is not None and not _takes(functools.partial(method, None), 3 + len(more)):
                takes = _expected(method.__name__, ("frame", "loc", "name", *more), "def")
                raise _error(cls, name, f"{cls.__name__}.{method.__name__}, which is for @xattr, does not take the arguments "
                             f"it is called with: expected `{takes}` (the names are yours to choose)")


def with_any_fop(translator: Translator, methods: Mapping[str, Callable[..., Any]],
                 fops: Fops) -> dict[str, Callable[..., Any]]:
    """The methods by fop, any_fop for those that it handles. By that it is the same object as methods["any_fop"], the
    core knows that it takes a Call. Raises LoadError for what `fops` does not know."""
    if ANY not in methods:
        return dict(methods)
    handled = fops if translator.fops is None else _checked_names(type(translator), translator.fops, fops)
    return {**{name: methods[ANY] for name in handled}, **methods}


def _checked_names(cls: type[Translator], names: object, fops: Fops) -> list[str]:
    """What `fops=` of a class, or self.fops after init(), names."""
    if isinstance(names, str) or not isinstance(names, Iterable):
        example = names if isinstance(names, str) and names in fops else "unlink"
        raise LoadError(f'fops={names!r}: expected a tuple or set of names, such as ("{example}",) or glupy.CHANGING',
                        *place(cls))
    listed = list(names)
    for name in listed:
        if name not in fops:
            import difflib  # for mistakes alone: see glupy/api/naming.py

            near = difflib.get_close_matches(str(name), fops, 1)
            hint = f"; did you mean {near[0]}?" if near else "; docs/fops.md lists them"
            raise LoadError(f"fops= of {cls.__name__} names {name!r}, which is no file operation of GlusterFS{hint}",
                            *place(cls))
    return listed


def _bound_fop(translator: Translator, name: str, arguments: tuple[str, ...]) -> Callable[..., Any]:
    cls = type(translator)
    method = getattr(translator, name)
    if not callable(method):
        raise _error(cls, name, f"{cls.__name__}.{name} is not callable ({type(method).__name__}), but {name} is the "
                     "name of a file operation; rename it, or make it a method")
    if inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method):
        raise _error(cls, name, f"{cls.__name__}.{name} contains yield, which makes it a generator; a file operation "
                     f"has one answer: return it. Expected `{_expected(name, arguments, 'async def')}`")
    _check_call(cls, name, method, arguments, "async def")
    found: Callable[..., Any] = method
    return found


def _check_call(cls: type, name: str, method: Any, arguments: tuple[str, ...], keyword: str) -> None:
    expected = _expected(name, arguments, keyword)
    if not callable(method):
        raise _error(cls, name, f"{cls.__name__}.{name} is not callable; expected `{expected}`")
    if not _takes(method, len(arguments)):
        raise _error(cls, name, f"{cls.__name__}.{name} does not take the arguments it is called with: expected "
                     f"`{expected}` (the names are yours to choose), found "
                     f"`{name}{_signature(method)}`, self left out")


def _takes(method: Callable[..., Any], count: int) -> bool:
    """A call with that many positional arguments works, as far as can be told."""
    try:
        signature = inspect.signature(method, follow_wrapped=False)
    except (TypeError, ValueError):
        return True
    try:
        signature.bind(*range(count))
    except TypeError:
        return False
    return True


def _signature(method: Callable[..., Any]) -> str:
    return str(inspect.signature(method, follow_wrapped=False))


def _expected(name: str, arguments: tuple[str, ...], keyword: str) -> str:
    return f"{keyword} {name}({', '.join(('self', *arguments))})"


def _check_offload(cls: type[Translator], name: str, is_fop: bool) -> None:
    if not is_fop:
        raise _error(cls, name, f"@offload on {cls.__name__}.{name}, which is no file operation and runs where it is "
                     "called; put it on the fop that calls it, or await glupy.to_thread(...) there")
    if inspect.iscoroutinefunction(getattr(cls, name)):
        raise _error(cls, name, f"@offload on {cls.__name__}.{name}, which is an `async def`: a coroutine goes from "
                     "thread to thread and keeps none. Make it a plain `def`, with glupy.wait(...) for await; or leave "
                     "@offload out and await glupy.to_thread(...) for what blocks")


def _check_option(cls: type[Translator], name: str) -> None:
    if name in vars(Translator):
        raise _error(cls, name, f"option {name}: self.{name} is a hook or a setting of glupy's; choose another name")
    if name.replace("_", "-") in common.OPTIONS:
        raise _error(cls, name, f"option {name}: every translator has it already; choose another name, or read "
                     f"self.common.{name}")


def _check_helper(cls: type[Translator], name: str, fops: Fops) -> None:
    """A public method that is neither fop nor hook: a helper, unless it looks like a fop that was misspelt."""
    base, _, ending = name.rpartition("_")
    if base in fops and ending in ("fop", "cbk"):
        raise _error(cls, name, f"{cls.__name__}.{name} is named as in the classic API (from gluster.glupy import *); "
                     f"here one method does both: `{_expected(base, ('frame', *fops[base]), 'async def')}`, "
                     f"which awaits self.child.{base}(...)")
    known = {**{near: ("frame", *arguments) for near, arguments in fops.items()}, **HOOKS, ANY: _ANY_ARGUMENTS}
    if near := misspelt.meant(cls, name, known):
        raise _error(cls, name, f"{cls.__name__}.{name} is no file operation of GlusterFS; did you mean {near}? "
                     "Rename it, or give it a leading underscore if it is a helper")


def _annotated(cls: type[Translator]) -> list[str]:
    """The attributes that the class and its bases announce by an annotation, with a value or without."""
    return [name for owner in cls.__mro__ if owner not in Translator.__mro__
            for name in _annotations(owner)]


def _annotations(owner: type) -> Mapping[str, object]:
    """The annotations of a class itself, whatever they name: from Python 3.14 on they are made when somebody asks."""
    if sys.version_info >= (3, 14):
        return annotationlib.get_annotations(owner, format=annotationlib.Format.FORWARDREF)
    return inspect.get_annotations(owner)


def _own_names(cls: type[Translator]) -> list[str]:
    """What the class and its bases define, in order, Translator left out."""
    owners = [owner for owner in cls.__mro__ if owner not in Translator.__mro__]
    return list(dict.fromkeys(name for owner in owners for name in vars(owner)))


def _error(cls: type, name: str, reason: str) -> LoadError:
    """The error at the line where the class defines the name, as far as that can be found."""
    value = inspect.getattr_static(cls, name, None)
    function = inspect.unwrap(getattr(value, "__func__", value)) if value is not None else None
    code = getattr(function, "__code__", None)
    if code is not None:
        return LoadError(reason, code.co_filename, code.co_firstlineno)
    return LoadError(reason, *place(cls))


def place(cls: type) -> tuple[str | None, int | None]:
    """File and line of a class statement, as far as they can be found."""
    try:
        return inspect.getfile(cls), inspect.findsource(cls)[1] + 1
    except (OSError, TypeError, IndexError, SyntaxError):
        return None, None
