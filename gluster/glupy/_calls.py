"""``dl``: what a classic translator calls, by the first glupy's names, and all of libglusterfs through ctypes."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from ctypes import POINTER, c_long, c_ubyte, c_uint64, c_void_p, cast
from typing import Any

from _ctypes import FUNCFLAG_CDECL, CFuncPtr

from glupy import _core
from gluster.glupy import structures as s
from gluster.glupy._memory import measure
from gluster.glupy._pointers import Text

#: In the order of enum glupy_classic_type (src/core/classic/classic.h).
_POINTERS = (
    s.call_frame_t, s.xlator_t, s.loc_t, s.inode_t, s.fd_t, s.dict_t, s.iatt_t, s.statvfs_t, s.gf_flock_t, s.gf_lease_t,
    s.gf_dirent_t, s.lock_migration_info_t, s.iovec_t, s.iobref_t, c_ubyte,
)
_core._classic_setup(tuple(map(POINTER, _POINTERS)), Text, measure)
_addresses = _core._classic_calls()


class _Frame(POINTER(s.call_frame_t)):  # type: ignore[misc]
    """The type of a frame parameter: takes the very object that the fop was given, while its request lives."""

    _type_ = s.call_frame_t
    from_param = _core._classic_frame


class Registration:
    """What one translator has registered while it was made: functions by fop."""

    def __init__(self) -> None:
        self.fops: dict[str, Callable[..., Any]] = {}
        self.callbacks: dict[str, Callable[..., Any]] = {}


#: The translators that are being made, by the address of their xlator_t.
registrations: dict[int, Registration] = {}


def registration_of(c_this: Any) -> Registration:
    """The registration for what ``xlator(c_this)`` was given. Raises RuntimeError when it is not being made."""
    if isinstance(c_this, POINTER(s.xlator_t)):
        c_this = cast(c_this, c_void_p)
    address = getattr(c_this, "value", c_this)
    if address not in registrations:
        raise RuntimeError(f"{c_this!r} is no translator that is being made: functions are registered in "
                           "xlator.__init__, with what it is given")
    return registrations[address]


class _Setter:
    """``dl.set_NAME_fop`` or ``dl.set_NAME_cbk``."""

    restype = None

    def __init__(self, name: str, callback: bool, function_type: Any) -> None:
        self.__name__ = f"set_{name}_{'cbk' if callback else 'fop'}"
        self.argtypes = [c_long, function_type]
        self._name, self._callback, self._type = name, callback, function_type

    def __call__(self, c_this: Any, function: Any) -> None:
        if not isinstance(function, self._type):
            raise ctypes.ArgumentError(f"argument 2: expected a function decorated with {self._type.__name__}, not "
                                       f"{type(function).__name__}")
        registration = registration_of(c_this)
        (registration.callbacks if self._callback else registration.fops)[self._name] = function.function


def _keep_function(self: Any, function: Callable[..., Any]) -> None:
    if not callable(function):
        raise TypeError(f"{type(self).__name__} decorates a function, not {function!r}")
    self.function = function


def _function_type(name: str, signature: tuple[Any, ...]) -> Any:
    """A ctypes function type that remembers the Python function: glupy calls that one, without ctypes in between."""
    return type(CFuncPtr)(name, (CFuncPtr,), {
        "_flags_": FUNCFLAG_CDECL, "_restype_": signature[0], "_argtypes_": signature[1:], "__init__": _keep_function,
        "__doc__": f"Decorates a function that dl.set_{name[:-2]} takes.",
    })


#: libglusterfs, with the operations of this translator API on top.
dl = _core._classic_library(ctypes.CDLL("libglusterfs.so.0"))

#: By fop: its Op class.
OPERATIONS: dict[str, Any] = {}


def _call(name: str, *argtypes: Any, restype: Any = None) -> Any:
    # With the interpreter held: such a call only notes what is to be done once the script's function has returned.
    return ctypes.PYFUNCTYPE(restype, *argtypes)(_addresses[name])


def operation(name: str) -> Callable[[type], type]:
    """Complete an Op class by the function types of its signatures, and ``dl`` by what belongs to the fop."""

    def complete(cls: Any) -> type:
        cls.fop_type = _function_type(f"{name}_fop_t", cls.fop_sig)
        cls.cbk_type = _function_type(f"{name}_cbk_t", cls.cbk_sig)
        wind = _core._classic_call(name, False, _call(f"wind_{name}", _Frame, *cls.fop_sig[2:]))
        unwind = _core._classic_call(name, True, _call(f"unwind_{name}", _Frame, *cls.cbk_sig[2:]))
        for attribute, value in {
            f"wind_{name}": wind, f"{name}_wind": wind, f"unwind_{name}": unwind, f"{name}_unwind": unwind,
            f"set_{name}_fop": _Setter(name, False, cls.fop_type), f"set_{name}_cbk": _Setter(name, True, cls.cbk_type),
        }.items():
            setattr(dl, attribute, value)  # which interns the name: that of a script's is then found without being compared
        OPERATIONS[name] = cls
        return cls

    return complete


vars(dl).update(get_id=_call("get_id", _Frame, restype=c_long),
                get_rootunique=_call("get_rootunique", _Frame, restype=c_uint64))


class Translator:
    """The base of ``class xlator``: its methods NAME_fop and NAME_cbk are registered by their names."""

    def __init__(self, c_this: int) -> None:
        self.stub_refs: dict[str, Any] = {}
        registration = registration_of(c_this)
        for name in OPERATIONS:
            for ending, functions in (("fop", registration.fops), ("cbk", registration.callbacks)):
                if hasattr(type(self), f"{name}_{ending}"):
                    functions[name] = getattr(self, f"{name}_{ending}")
