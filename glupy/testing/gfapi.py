"""libgfapi, by ctypes: a graph in this process, and its file operations as a C program calls them."""

from __future__ import annotations

import ctypes
import os
import platform
from collections.abc import Callable
from typing import Any

_P, _I, _S, _O, _C = ctypes.c_void_p, ctypes.c_int, ctypes.c_size_t, ctypes.c_int64, ctypes.c_char_p
_N, _U = ctypes.c_ssize_t, ctypes.c_uint32

library = ctypes.CDLL("libgfapi.so.0", use_errno=True)

#: name: (result, arguments)
_PROTOTYPES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "new": (_P, (_C,)), "init": (_I, (_P,)), "fini": (_I, (_P,)), "set_volfile": (_I, (_P, _C)),
    "set_logging": (_I, (_P, _C, _I)), "setfsuid": (_I, (_U,)), "setfsgid": (_I, (_U,)), "setfsgroups": (_I, (_S, _P)),
    "setfspid": (_I, (_P, _I)),
    "creat": (_P, (_P, _C, _I, _U)), "open": (_P, (_P, _C, _I)), "close": (_I, (_P,)), "mkdir": (_I, (_P, _C, _U)),
    "mknod": (_I, (_P, _C, _U, ctypes.c_uint64)), "rename": (_I, (_P, _C, _C)), "unlink": (_I, (_P, _C)),
    "rmdir": (_I, (_P, _C)), "link": (_I, (_P, _C, _C)), "symlink": (_I, (_P, _C, _C)),
    "readlink": (_I, (_P, _C, _P, _S)), "truncate": (_I, (_P, _C, _O)), "chmod": (_I, (_P, _C, _U)),
    "lchown": (_I, (_P, _C, _U, _U)), "utimens": (_I, (_P, _C, _P)), "access": (_I, (_P, _C, _I)),
    "stat": (_I, (_P, _C, _P)), "lstat": (_I, (_P, _C, _P)), "fstat": (_I, (_P, _P)), "statvfs": (_I, (_P, _C, _P)),
    "lsetxattr": (_I, (_P, _C, _C, _P, _S, _I)), "lgetxattr": (_N, (_P, _C, _C, _P, _S)),
    "llistxattr": (_N, (_P, _C, _P, _S)), "lremovexattr": (_I, (_P, _C, _C)),
    "opendir": (_P, (_P, _C)), "readdirplus": (_P, (_P, _P)), "closedir": (_I, (_P,)),
    "lseek": (_O, (_P, _O, _I)), "read": (_N, (_P, _P, _S, _I)), "write": (_N, (_P, _P, _S, _I)),
    "ftruncate": (_I, (_P, _O, _P, _P)), "fsync": (_I, (_P, _P, _P)),
}


class Dirent(ctypes.Structure):
    """struct dirent of Linux."""

    _fields_ = [("d_ino", ctypes.c_uint64), ("d_off", ctypes.c_int64), ("d_reclen", ctypes.c_ushort),
                ("d_type", ctypes.c_ubyte), ("d_name", ctypes.c_char * 256)]


_LONG, _TIME = ctypes.c_int64, [(f"{kind}_{unit}", ctypes.c_int64) for kind in ("a", "m", "c") for unit in ("sec", "nsec")]


class Stat(ctypes.Structure):
    """struct stat of 64-bit Linux: x86's own, and that of all others."""

    _fields_ = ([
        ("dev", ctypes.c_uint64), ("ino", ctypes.c_uint64), ("nlink", ctypes.c_uint64), ("mode", _U), ("uid", _U),
        ("gid", _U), ("pad", _U), ("rdev", ctypes.c_uint64), ("size", _LONG), ("blksize", _LONG), ("blocks", _LONG), *_TIME,
    ] if platform.machine() == "x86_64" else [
        ("dev", ctypes.c_uint64), ("ino", ctypes.c_uint64), ("mode", _U), ("nlink", _U), ("uid", _U), ("gid", _U),
        ("rdev", ctypes.c_uint64), ("pad", ctypes.c_uint64), ("size", _LONG), ("blksize", ctypes.c_int32),
        ("pad2", ctypes.c_int32), ("blocks", _LONG), *_TIME,
    ]) + [("reserve", ctypes.c_char * 64)]

    def result(self) -> os.stat_result:
        times = [(getattr(self, f"{kind}_sec"), getattr(self, f"{kind}_nsec")) for kind in ("a", "m", "c")]
        return os.stat_result((
            self.mode, self.ino, self.dev, self.nlink, self.uid, self.gid, self.size, *(sec for sec, _ in times),
            *(sec + nsec / 1e9 for sec, nsec in times), *(sec * 10**9 + nsec for sec, nsec in times), self.blksize,
            self.blocks, self.rdev))


def function(name: str) -> Callable[..., Any]:
    """glfs_NAME, typed."""
    found = getattr(library, f"glfs_{name}")
    found.restype, found.argtypes = _PROTOTYPES[name]
    return found  # type: ignore[no-any-return]


def call(name: str, *arguments: Any, path: str = "") -> Any:
    """glfs_NAME of these; its result. Raises OSError."""
    given = [os.fsencode(argument) if isinstance(argument, str) else argument for argument in arguments]
    ctypes.set_errno(0)
    result = function(name)(*given)
    if result is None or result == -1:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), path or f"glfs_{name}")
    return result
