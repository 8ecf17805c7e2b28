"""The kinds of values that cross between GlusterFS and Python, one entry a kind.

A kind is found from the C type that a prototype in ``src/core/fops.table`` gives. It says what the value is called in
Python, how the C code that the generator writes holds it, and which hand-written ``struct glupy_kind`` (see
``src/core/kind.h``) carries it across.
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
    """

    name: str
    python: str
    passed: str
    held: str


def _scalar(name: str, ctype: str, python: str = "int") -> Kind:
    return Kind(name, python, ctype, ctype)


#: C type, as normalised by fops.py, to kind.
BY_CTYPE: dict[str, Kind] = {
    "loc_t *": Kind("loc", "Loc", "loc_t *", "loc_t"),
    "inode_t *": Kind("inode", "Inode", "inode_t *", "inode_t *"),
    "fd_t *": Kind("fd", "Fd", "fd_t *", "fd_t *"),
    "dict_t *": Kind("dict", "Xdata", "dict_t *", "dict_t *"),
    "struct iatt *": Kind("iatt", "Iatt", "struct iatt *", "struct iatt"),
    "struct statvfs *": Kind("statvfs", "Statvfs", "struct statvfs *", "struct statvfs"),
    "struct gf_flock *": Kind("flock", "Flock", "struct gf_flock *", "struct gf_flock"),
    "struct gf_lease *": Kind("lease", "Lease", "struct gf_lease *", "struct gf_lease"),
    "gf_dirent_t *": Kind("dirents", "Dirents", "gf_dirent_t *", "gf_dirent_t"),
    "lock_migration_info_t *": Kind("locklist", "LockList", "lock_migration_info_t *", "lock_migration_info_t"),
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
