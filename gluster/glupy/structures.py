"""GlusterFS's structures as ctypes has them, with the names that the first glupy gave some of their fields."""

from __future__ import annotations

from ctypes import *  # noqa: F403
from ctypes import Array, c_uint64

from gluster.glupy import _structs
from gluster.glupy._pointers import Text, alias, text_property, trailing_text
from gluster.glupy._structs import *  # noqa: F403
from gluster.glupy._structs import (
    data_pair_t, fd_t, gf_dirent_t, ia_prot_t, iatt_t, inode_t, loc_t, xlator_t,
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

#: By the name of the class here: what it is called in C.
C_NAMES = _structs.C_NAMES
