"""What kind of file: GlusterFS's own numbers, and how they stand to those of the operating system."""

from __future__ import annotations

import stat
from enum import IntEnum

#: S_IFMT's bits by ia_type_t, and the other way round.
_FORMATS = (
    0, stat.S_IFREG, stat.S_IFDIR, stat.S_IFLNK, stat.S_IFBLK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK,
)
#: DT_REG and so on of dirent.h are these bits, shifted.
_D_TYPE_SHIFT = 12


class IaType(IntEnum):
    """ia_type_t of iatt.h: ``inode.ia_type == IaType.IFDIR``. The values of Inode.ia_type and Iatt.ia_type."""

    INVAL = 0
    IFREG = 1
    IFDIR = 2
    IFLNK = 3
    IFBLK = 4
    IFCHR = 5
    IFIFO = 6
    IFSOCK = 7

    @classmethod
    def from_mode(cls, mode: int) -> IaType:
        """The type in a st_mode (ia_type_from_st_mode()); INVAL where it has none."""
        bits = stat.S_IFMT(mode)
        return cls(_FORMATS.index(bits)) if bits in _FORMATS else cls.INVAL

    @classmethod
    def from_d_type(cls, d_type: int) -> IaType:
        """The type that a directory entry names; INVAL for DT_UNKNOWN."""
        return cls.from_mode(d_type << _D_TYPE_SHIFT)

    @property
    def mode(self) -> int:
        """The bits of st_mode that stand for it: stat.S_IFREG, ...; 0 for INVAL."""
        return _FORMATS[self]

    @property
    def d_type(self) -> int:
        """DT_REG, DT_DIR, ... of dirent.h, for Dirent.d_type (gf_d_type_from_ia_type()); 0, DT_UNKNOWN, for INVAL."""
        return _FORMATS[self] >> _D_TYPE_SHIFT
