"""GlusterFS's structures as ctypes has them, with the names that the first glupy gave some of their fields."""

from __future__ import annotations

from ctypes import *  # noqa: F403
from ctypes import POINTER, Array, Structure, Union, _Pointer, c_uint64

from gluster.glupy import _structs
from gluster.glupy._memory import address_of, is_scripts, room_at
from gluster.glupy._pointers import Text, alias, text_property, trailing_text
from gluster.glupy._structs import *  # noqa: F403
from gluster.glupy._structs import (
    call_stack_t, data_pair_t, fd_t, gf_dirent_t, gf_flock_t, gf_lease_t, ia_prot_t, iatt_t, inode_t, iovec_t, list_head,
    loc_t, lock_migration_info_t, statvfs_t, xlator_t,
)


def _type_of(cls: type, name: str) -> type:
    """The type of a field."""
    return next(field[1] for field in cls._fields_ if field[0] == name)


#: rwx of owner, group and other.
rwxperm_t = _type_of(ia_prot_t, "owner")
dev_t = c_uint64

#: What stands below properties of the same name: ctypes' own descriptors, by class and field.
DESCRIPTORS = {(_cls, _name): vars(_cls)[_name] for _cls, _name in (
    (loc_t, "path"), (loc_t, "name"), (xlator_t, "name"), (xlator_t, "type"), (gf_dirent_t, "d_name"),
    (data_pair_t, "key"))}

for _cls, _name in ((loc_t, "path"), (loc_t, "name"), (xlator_t, "name"), (xlator_t, "type")):
    text_property(_cls, _name)
trailing_text(gf_dirent_t, "d_name")
if issubclass(_type_of(data_pair_t, "key"), Array):  # from GlusterFS 11 on
    trailing_text(data_pair_t, "key")
else:
    text_property(data_pair_t, "key")

_name_read = loc_t.name.fget


def _name_of(self: loc_t) -> object:
    """char *; the root's is empty, as it was when the first glupy's scripts were written, where GlusterFS now has NULL."""
    name = _name_read(self)
    return Text(b"") if name is None and self.path == b"/" else name


loc_t.name = property(_name_of, loc_t.name.fset, doc=_name_of.__doc__)

alias(iatt_t, "ia_no", "ia_ino")
alias(rwxperm_t, "execn", "exec")
alias(inode_t, "ctx", "_ctx")
alias(fd_t, "ctx", "_ctx")



def _classes_in(cls: type) -> set[type]:
    """The structures that one consists of, and itself."""
    inside = {cls}
    for field in getattr(cls, "_fields_", ()):
        kind = field[1]
        while issubclass(kind, Array):
            kind = kind._type_
        if issubclass(kind, (Structure, Union)):
            inside |= _classes_in(kind)
    return inside


#: Structures that scripts make and fill in; those that a script is given are copies. All others are GlusterFS's own.
_VALUES = {loc_t, iatt_t, statvfs_t, gf_flock_t, gf_lease_t, gf_dirent_t, lock_migration_info_t, iovec_t, list_head}
#: What may be set all the same: whom a call's winds act for.
_IDENTITY = {(call_stack_t, "uid"), (call_stack_t, "gid"), (call_stack_t, "pid")}


def _outermost(value: Structure | Union) -> Structure | Union:
    """The structure that this one is a part of."""
    while isinstance(value._b_base_, (Structure, Union, Array)):
        value = value._b_base_
    return value


def _set_own(self: Structure | Union, name: str, value: object) -> None:
    whole = _outermost(self)
    if type(whole) not in _VALUES and (type(self), name) not in _IDENTITY and not is_scripts(self):
        raise AttributeError(f"{type(self).__name__}.{name}: this {type(whole).__name__} is GlusterFS's own: what is in it "
                             "cannot be set")
    object.__setattr__(self, name, value)


def _replace_own(self: object, index: int, value: object) -> None:
    if room_at(address_of(self), self) is None:
        raise TypeError(f"{type(self).__name__}: what it points to is GlusterFS's own and cannot be replaced")
    _Pointer.__setitem__(self, index, value)


# Setting fields of values is left as fast as ctypes has it; of classes that are in both, what they are a part of counts.
_own = [cls for cls in vars(_structs).values()
        if isinstance(cls, type) and issubclass(cls, (Structure, Union)) and cls not in (Structure, Union, *_VALUES)]
_in_values = set[type]().union(*map(_classes_in, _VALUES))
_in_own = set[type]().union(*(_classes_in(_cls) for _cls in _own if _cls not in _in_values))
for _cls in _in_own:
    _cls.__setattr__ = _set_own
for _cls in _in_own - _in_values:
    POINTER(_cls).__setitem__ = _replace_own

#: By the name of the class here: what it is called in C.
C_NAMES = _structs.C_NAMES
