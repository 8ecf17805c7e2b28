"""What this process and this thread use of memory, as the kernel and the C library see it."""

from __future__ import annotations

import ctypes
import os
import platform

_PAGE = os.sysconf("SC_PAGE_SIZE")
_libc = ctypes.CDLL(None)
#: Where struct ucontext_t has the stack pointer (sys/ucontext.h): rsp of gregs on x86-64, sp on aarch64.
_STACK_POINTER = {"x86_64": 40 + 15 * 8, "aarch64": 168 + 8 + 31 * 8}[platform.machine()]


def resident() -> int:
    """Bytes of memory that this process has."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * _PAGE


def trim() -> None:
    """Give back what malloc keeps for later."""
    _libc.malloc_trim(0)


def assert_flat(before: int, slack: int) -> None:
    """That this process has no more memory than before. The address sanitizer keeps what has been freed: no telling."""
    trim()
    assert os.environ.get("GLUPY_SANITIZE") or resident() - before < slack


def stack_pointer() -> int:
    """Where the C stack of the caller is."""
    context = (ctypes.c_uint64 * 512)()
    _libc.getcontext(context)
    return context[_STACK_POINTER // 8]
