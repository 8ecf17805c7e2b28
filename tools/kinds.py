"""The kinds of values that cross between GlusterFS and Python, one entry a kind.

A kind is found from the C type that a prototype in ``src/core/values/fops.table`` gives. It says what the value is called in
Python, how the C code that the generator writes holds it, and which hand-written ``struct glupy_kind`` (see
``src/core/values/kind.h``) carries it across.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """One kind of value.

    name      the C object ``glupy_kind_<name>``
    python    the type in annotations of the public API, as an argument and as a reply's field
    passed    C type of one value as prototypes pass it (a pointer, or the scalar itself)
    held      C type that owns the value after a callback has returned
    straight  of what struct glupy_kind names, what src/core/values/straight.h spells out
    linked    whether what is held leads to itself, so that it cannot be moved by copying its bytes
    """

    name: str
    python: str
    passed: str
    held: str
    straight: tuple[str, ...] = ()
    linked: bool = False

    def call(self, what: str) -> str:
        """The C function that does one of the things that struct glupy_kind names."""
        return f"glupy_{self.name}_{what}" if what in self.straight else f"glupy_kind_{self.name}.{what}"


def _scalar(name: str, ctype: str, python: str = "int") -> Kind:
    return Kind(name, python, ctype, ctype)


#: C type, as normalised by fops.py, to kind.
BY_CTYPE: dict[str, Kind] = {
    "loc_t *": Kind("loc", "Loc", "loc_t *", "loc_t", straight=("wrap", "convert", "fit", "pass")),
    "inode_t *": Kind("inode", "Inode", "inode_t *", "inode_t *"),
    "fd_t *": Kind("fd", "Fd", "fd_t *", "fd_t *"),
    "dict_t *": Kind("dict", "Xdata", "dict_t *", "dict_t *", straight=("wrap", "convert", "pass", "hold", "lend", "drop")),
    "struct iatt *": Kind("iatt", "Iatt", "struct iatt *", "struct iatt", straight=("hold", "lend", "drop")),
    "struct statvfs *": Kind("statvfs", "Statvfs", "struct statvfs *", "struct statvfs"),
    "struct gf_flock *": Kind("flock", "Flock", "struct gf_flock *", "struct gf_flock"),
    "struct gf_lease *": Kind("lease", "Lease", "struct gf_lease *", "struct gf_lease"),
    "gf_dirent_t *": Kind("dirents", "Dirents", "gf_dirent_t *", "gf_dirent_t", linked=True),
    "lock_migration_info_t *": Kind("locklist", "LockList", "lock_migration_info_t *", "lock_migration_info_t", linked=True),
    "const char *": Kind("string", "str", "const char *", "char *"),
    "char *": Kind("string", "str", "char *", "char *"),
    "uint8_t *": Kind("checksum", "bytes", "uint8_t *", "struct glupy_checksum"),
    "void *": Kind("opaque", "object", "void *", "void *"),
    # readv's reply and writev's argument: an iovec array, its length and what keeps the memory alive.
    "payload": Kind("payload", "Buffer", "struct glupy_payload", "struct glupy_payload"),
    "int": _scalar("int32", "int"),
    "int32_t": _scalar("int32", "int32_t"),
    "uint32_t": _scalar("uint32", "uint32_t"),
    "mode_t": _scalar("uint32", "mode_t"),
    "dev_t": _scalar("uint64", "dev_t"),
    "off_t": _scalar("int64", "off_t"),
    "off64_t": _scalar("int64", "off64_t"),
    "size_t": _scalar("uint64", "size_t"),
    "entrylk_cmd": _scalar("uint32", "entrylk_cmd"),
    "entrylk_type": _scalar("uint32", "entrylk_type"),
    "gf_xattrop_flags_t": _scalar("uint32", "gf_xattrop_flags_t"),
    "gf_seek_what_t": _scalar("uint32", "gf_seek_what_t"),
}


#: C type to what a parameter is in the classic API: the C enumerator in src/core/classic/classic.h, and the ctypes expression.
CLASSIC: dict[str, tuple[str, str]] = {
    "loc_t *": ("GLUPY_CLASSIC_LOC", "POINTER(loc_t)"),
    "inode_t *": ("GLUPY_CLASSIC_INODE", "POINTER(inode_t)"),
    "fd_t *": ("GLUPY_CLASSIC_FD", "POINTER(fd_t)"),
    "dict_t *": ("GLUPY_CLASSIC_DICT", "POINTER(dict_t)"),
    "struct iatt *": ("GLUPY_CLASSIC_IATT", "POINTER(iatt_t)"),
    "struct statvfs *": ("GLUPY_CLASSIC_STATVFS", "POINTER(statvfs_t)"),
    "struct gf_flock *": ("GLUPY_CLASSIC_FLOCK", "POINTER(gf_flock_t)"),
    "struct gf_lease *": ("GLUPY_CLASSIC_LEASE", "POINTER(gf_lease_t)"),
    "gf_dirent_t *": ("GLUPY_CLASSIC_DIRENT", "POINTER(gf_dirent_t)"),
    "lock_migration_info_t *": ("GLUPY_CLASSIC_LOCKLIST", "POINTER(lock_migration_info_t)"),
    "struct iovec *": ("GLUPY_CLASSIC_IOVEC", "POINTER(iovec_t)"),
    "struct iobref *": ("GLUPY_CLASSIC_IOBREF", "POINTER(iobref_t)"),
    "uint8_t *": ("GLUPY_CLASSIC_BYTES", "POINTER(c_ubyte)"),
    "const char *": ("GLUPY_CLASSIC_STRING", "c_char_p"),
    "char *": ("GLUPY_CLASSIC_STRING", "c_char_p"),
    "void *": ("GLUPY_CLASSIC_OPAQUE", "c_void_p"),
    "int": ("GLUPY_CLASSIC_INT32", "c_int"),
    "int32_t": ("GLUPY_CLASSIC_INT32", "c_int32"),
    "uint32_t": ("GLUPY_CLASSIC_UINT32", "c_uint32"),
    "mode_t": ("GLUPY_CLASSIC_UINT32", "c_uint"),
    "dev_t": ("GLUPY_CLASSIC_UINT64", "c_uint64"),
    "off_t": ("GLUPY_CLASSIC_INT64", "c_int64"),
    "off64_t": ("GLUPY_CLASSIC_INT64", "c_int64"),
    "size_t": ("GLUPY_CLASSIC_UINT64", "c_size_t"),
    "entrylk_cmd": ("GLUPY_CLASSIC_UINT32", "c_uint"),
    "entrylk_type": ("GLUPY_CLASSIC_UINT32", "c_uint"),
    "gf_xattrop_flags_t": ("GLUPY_CLASSIC_UINT32", "c_uint"),
    "gf_seek_what_t": ("GLUPY_CLASSIC_UINT32", "c_uint"),
}
