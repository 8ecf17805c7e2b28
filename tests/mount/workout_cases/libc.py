"""Calls that the os module does not have."""

from __future__ import annotations

import ctypes
import os

_libc = ctypes.CDLL(None, use_errno=True)

AT_FDCWD = -100
RENAME_NOREPLACE, RENAME_EXCHANGE, RENAME_WHITEOUT = 1, 2, 4
FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE, FALLOC_COLLAPSE, FALLOC_ZERO_RANGE, FALLOC_INSERT = 1, 2, 8, 16, 32


class _Dirent(ctypes.Structure):
    _fields_ = [
        ("d_ino", ctypes.c_uint64),
        ("d_off", ctypes.c_int64),
        ("d_reclen", ctypes.c_ushort),
        ("d_type", ctypes.c_ubyte),
        ("d_name", ctypes.c_char * 256),
    ]


def _declare(name: str, result: object, *arguments: object) -> None:
    function = getattr(_libc, name)
    function.restype, function.argtypes = result, arguments


_declare("renameat2", ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
_declare("fallocate64", ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
_declare("opendir", ctypes.c_void_p, ctypes.c_char_p)
_declare("readdir64", ctypes.POINTER(_Dirent), ctypes.c_void_p)
_declare("telldir", ctypes.c_long, ctypes.c_void_p)
_declare("seekdir", None, ctypes.c_void_p, ctypes.c_long)
_declare("rewinddir", None, ctypes.c_void_p)
_declare("closedir", ctypes.c_int, ctypes.c_void_p)


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def renameat2(old: str, new: str, flags: int) -> None:
    """renameat2(2) in the current directory."""
    _check(_libc.renameat2(AT_FDCWD, os.fsencode(old), AT_FDCWD, os.fsencode(new), flags))


def fallocate(fd: int, mode: int, offset: int, length: int) -> None:
    """fallocate(2): the kernel's answer, not glibc's emulation."""
    _check(_libc.fallocate64(fd, mode, offset, length))


class Directory:
    """opendir(3) and what belongs to it."""

    def __init__(self, name: str = ".") -> None:
        self._dir = _libc.opendir(os.fsencode(name))
        if not self._dir:
            _check(-1)

    def read(self) -> tuple[bytes, int] | None:
        """The next entry's name and type, or None at the end."""
        ctypes.set_errno(0)
        entry = _libc.readdir64(self._dir)
        if entry:
            return entry.contents.d_name, entry.contents.d_type
        _check(ctypes.get_errno())
        return None

    def all(self) -> list[tuple[bytes, int]]:
        """The entries from here to the end."""
        return list(iter(self.read, None))  # type: ignore[arg-type]

    def tell(self) -> int:
        """telldir(3)."""
        return _libc.telldir(self._dir)

    def seek(self, position: int) -> None:
        """seekdir(3)."""
        _libc.seekdir(self._dir, position)

    def rewind(self) -> None:
        """rewinddir(3)."""
        _libc.rewinddir(self._dir)

    def close(self) -> None:
        """closedir(3)."""
        _check(_libc.closedir(self._dir))
