"""Sets of fops by what they do, for `fops=` of a translator with any_fop. Every fop of GlusterFS is in one of them."""

from __future__ import annotations

__all__ = [
    "CHANGING", "CHANGING_DATA", "CHANGING_METADATA", "CHANGING_NAMES", "LOCKING", "OPENING", "OTHER", "READING",
    "SYNCING",
]

#: What files contain. An open with O_TRUNC does so too, but most opens do not: see OPENING.
CHANGING_DATA = frozenset((
    "truncate", "ftruncate", "writev", "fallocate", "discard", "zerofill", "copy_file_range", "put",
))

#: Owners, modes, times, extended attributes. The xattrops count for GlusterFS itself, as replication does.
CHANGING_METADATA = frozenset((
    "setattr", "fsetattr", "setxattr", "fsetxattr", "removexattr", "fremovexattr", "xattrop", "fxattrop",
))

#: What there is, and what it is called. put makes a file together with its content.
CHANGING_NAMES = frozenset((
    "create", "mknod", "mkdir", "symlink", "link", "rename", "unlink", "rmdir", "put", "icreate", "namelink",
))

#: All of these three.
CHANGING = CHANGING_DATA | CHANGING_METADATA | CHANGING_NAMES

#: What looks and leaves everything as it is (but for times of access).
READING = frozenset((
    "lookup", "stat", "fstat", "access", "readlink", "readv", "seek", "rchecksum", "readdir", "readdirp", "statfs",
    "getxattr", "fgetxattr",
))

#: Of what is there; create opens as well.
OPENING = frozenset(("open", "opendir"))

#: Locks of applications (lk, lease) and of GlusterFS's own layers; and moving them.
LOCKING = frozenset((
    "lk", "inodelk", "finodelk", "entrylk", "fentrylk", "lease", "getactivelk", "setactivelk",
))

#: Bringing to the disk what was written. Of these, flush comes at each close().
SYNCING = frozenset(("flush", "fsync", "fsyncdir"))

#: Between GlusterFS's own parts.
OTHER = frozenset(("getspec", "ipc", "compound"))
